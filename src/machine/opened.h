/* SPDX-License-Identifier: MIT */
#ifndef CEL__OPENED_H
#define CEL__OPENED_H

/* An open file or folder of a simulated disk, behind the number of a real descriptor that is kept
 * for it. Results here are >= 0 or -errno; -EIO also when the host has lost its power meanwhile. */

#include <fcntl.h>
#include <sys/uio.h>

#include "machine/disk.h"

struct cel__opened {
    struct cel__node *node;
    struct cel__station *host;
    uint32_t life; /* of the host, which it does not outlive */
    int flags;
    unsigned numbers;
    int64_t at;
    uint64_t last;   /* entry of a folder that was listed */
    unsigned errors; /* of the node's that it knows of */
};

/* NULL: the number is not one of a simulated file. */
static inline struct cel__opened *cel__opened_find(int fd)
{
    struct cel__machine *m = cel__machine_here;

    return m != NULL && fd >= 0 && (size_t)fd < m->opened_cap ? m->opened[fd] : NULL;
}

/* -> its number. -EMFILE. */
CEL_NODISCARD int cel__opened_new(struct cel__station *host, struct cel__node *node, int flags);
/* -> one more number. -EMFILE. */
CEL_NODISCARD int cel__opened_share(struct cel__opened *o);
/* The number is free again, and with the last one what is behind it. */
void cel__opened_close(struct cel__opened *o, int fd);
/* -> how many there were. */
unsigned cel__opened_end_all(struct cel__machine *m);

/* offset -1: where it stands, which moves on. */
CEL_NODISCARD ssize_t cel__opened_read(struct cel__opened *o, const struct iovec *iov, int count,
                                       int64_t offset);
CEL_NODISCARD ssize_t cel__opened_write(struct cel__opened *o, const struct iovec *iov, int count,
                                        int64_t offset);
/* is_whole: with what describes it, as fsync and unlike fdatasync. */
CEL_NODISCARD int cel__opened_sync(struct cel__opened *o, bool is_whole);
CEL_NODISCARD int cel__opened_resize(struct cel__opened *o, int64_t len);
CEL_NODISCARD int64_t cel__opened_seek(struct cel__opened *o, int64_t offset, int whence);
CEL_NODISCARD ssize_t cel__opened_list(struct cel__opened *o, void *buf, size_t len);
/* As fstat(2) tells it. */
void cel__node_stat(const struct cel__node *node, struct stat *st);
/* May its host use its disk? -EIO. */
CEL_NODISCARD int cel__opened_check(const struct cel__opened *o);

#endif
