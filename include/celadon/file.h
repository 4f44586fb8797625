/* SPDX-License-Identifier: MIT */
#ifndef CELADON_FILE_H
#define CELADON_FILE_H

/* Regular files, by io_uring or by the offload pool. A cancel or deadline does not interrupt file
 * IO that has begun: the call waits for it and returns its result. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_file;

/* (parks) flags and mode as open(2); O_CLOEXEC is added. Owner: the caller. -ENOENT, -EACCES,
 * -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_file_open(struct cel_file **out, const char *path, int flags,
                                           mode_t mode);
/* (parks) Up to len bytes at offset; 0: the end. -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_file_read(struct cel_file *file, void *buf, size_t len,
                                               int64_t offset);
/* (parks) All of it: len or -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_file_write(struct cel_file *file, const void *buf, size_t len,
                                                int64_t offset);
/* (parks) An error is sticky: every later sync of the file reports it too. */
CEL_PUBLIC CEL_NODISCARD int cel_file_sync(struct cel_file *file);
/* (parks) */
CEL_PUBLIC CEL_NODISCARD int cel_file_stat(struct cel_file *file, struct stat *out);
CEL_PUBLIC int cel_file_fd(const struct cel_file *file);
/* Nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_file_close(struct cel_file *file);
/* (parks) The whole file into memory, NUL behind the end; *out is freed with cel_free. At most max
 * bytes: -CEL_ETOOLARGE beyond. */
CEL_PUBLIC CEL_NODISCARD int cel_file_load(const char *path, size_t max, char **out, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
