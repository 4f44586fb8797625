/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUFFERS_H
#define CEL__BUFFERS_H

/* Buffers that the kernel picks from when data arrives, instead of one pinned per waiting
 * connection. They are few at first; the owner asks for more when the kernel ran out, so an idle
 * program pays for what its bursts needed, not for what it might. */

#include <stdbool.h>
#include <stdint.h>

struct cel__ring;
struct io_uring_buf_ring;

/* What became of one buffer while we hold it. */
struct cel__buffer {
    uint32_t next; /* the holder's chain */
    uint32_t at, len;
};

struct cel__buffers {
    struct io_uring_buf_ring *shared; /* NULL: none */
    struct cel__buffer *states;       /* max of them */
    char **chunks;                    /* of CHUNK buffers each */
    uint32_t count, max;              /* existing, possible */
    uint32_t with_kernel;             /* free for it to pick */
    uint32_t size_bytes;              /* of one */
    uint16_t tail;
};

/* max: a power of two. -errno; where the kernel lacks them, all of it stays empty and 0 comes. */
int cel__buffers_open(struct cel__buffers *b, struct cel__ring *ring, uint32_t first, uint32_t max,
                      uint32_t size_bytes);
/* The ring is closed or will never run again. */
void cel__buffers_close(struct cel__buffers *b);

/* Twice as many. -> false: there is no more to be had. */
bool cel__buffers_grow(struct cel__buffers *b);

char *cel__buffers_data(const struct cel__buffers *b, uint32_t id);
/* The kernel picked it and wrote `len` bytes: it is ours until given back. */
void cel__buffers_take(struct cel__buffers *b, uint32_t id, uint32_t len);
void cel__buffers_give(struct cel__buffers *b, uint32_t id);

#endif
