/* SPDX-License-Identifier: MIT */
#ifndef CELADON_WATCH_H
#define CELADON_WATCH_H

/* What happens in a folder or to a file, told as it happens (inotify). One task at a time asks. All
 * functions belong to the loop's thread. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_watch;

#define CEL_WATCH_CREATED    1U   /* it is new here, or was moved in */
#define CEL_WATCH_REMOVED    2U   /* it is gone, or was moved out */
#define CEL_WATCH_CHANGED    4U   /* bytes were written, or it was cut off */
#define CEL_WATCH_CLOSED     8U   /* who had it open for writing closed it: it is complete */
#define CEL_WATCH_ATTRIBUTES 16U  /* permissions, owner, times, links */
#define CEL_WATCH_OVERFLOW   32U  /* more happened than could be told: look for yourself */
#define CEL_WATCH_MOVED      64U  /* with CREATED and REMOVED: by a rename; see `cookie` */
#define CEL_WATCH_ALL        255U /* of what is told */

struct cel_watch_options {
    unsigned what;     /* the kinds to be told; 0: all but ATTRIBUTES; OVERFLOW is always told */
    bool is_recursive; /* folders below as well, also those that come later */
};

struct cel_watch_event {
    unsigned what;    /* one kind, and maybe CEL_WATCH_MOVED */
    const char *path; /* the watched path, and what is below it; "" for OVERFLOW; valid until the
                         next call */
    bool is_folder;
    uint32_t cookie; /* the same in both halves of a rename, else 0 */
};

/* (parks) Watches the file or folder from now on; options may be NULL. A file that is watched for
 * itself is told as removed when its name goes, or becomes another file's, whoever still has it
 * open. Symbolic links below a folder are not followed. Owner: the caller. -ENOENT, -EACCES,
 * -ENOSPC the user's limit of watches (fs.inotify.max_user_watches), -EMFILE that of watchers,
 * -ENOMEM, -ECANCELED, -ETIMEDOUT, -errno.
 */
CEL_PUBLIC CEL_NODISCARD int cel_watch_open(struct cel_watch **out, const char *path,
                                            const struct cel_watch_options *options);
/* (parks) The next event. Changes of one file that have come together are told once. What is in a
 * folder that has just come is told as created, some of it perhaps twice. 0; -ENOENT: the watched
 * path itself is gone, which was told before; -ENOSPC, -ENOMEM: a new folder is not watched, the
 * rest goes on; -ECANCELED, -ETIMEDOUT, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_watch_next(struct cel_watch *watch, struct cel_watch_event *event);
/* Nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_watch_close(struct cel_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
