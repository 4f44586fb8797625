/* SPDX-License-Identifier: MIT */
#ifndef CEL__FD_H
#define CEL__FD_H

/* Descriptors under a loop's care, named by slot and generation, so that an event
 * of an earlier life is told from one of this. A record lives until its last op has
 * ended, whoever closes it when. */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define CEL__FD_IN  1 /* reading may succeed: no EAGAIN seen since the last edge */
#define CEL__FD_OUT 2

struct cel__fd {
    int fd;
    uint32_t slot;
    uint32_t generation;
    uint8_t ready;          /* CEL__FD_IN | CEL__FD_OUT */
    uint8_t saw_end : 1;    /* the kernel reported hang-up or error: reading never blocks again */
    uint8_t is_closing : 1; /* no new ops */
    uint8_t owns : 1;       /* close(2) at the end */
    uint8_t is_registered : 1; /* epoll knows it */
    uint8_t
        may_be_copy : 1;   /* closing it may not close the file, which epoll would go on to watch */
    uint8_t is_stream : 1; /* a connected stream socket: a short read means drained */
    uint8_t is_listener : 1;  /* a listening socket */
    uint8_t has_receiver : 1; /* a standing receive may take its bytes before others see them */
    struct cel__list readers; /* ops waiting for IN, first come first served */
    struct cel__list writers;
    const char *what;   /* for reports; static; NULL: not said */
    void *backend_data; /* the backend's, NULL at first */
};

#define CEL__FD_CHUNK 256 /* records */

/* Slots in chunks whose address never changes. */
struct cel__fd_table {
    struct cel__fd **chunks;
    uint32_t chunk_count;
    uint32_t *free_slots;
    uint32_t free_count, free_cap;
    uint32_t live;
    uint32_t closing; /* of these: closed, but the kernel has not let go yet */
};

/* A record with its slot and generation, in no list; fd is -1. -ENOMEM. */
int cel__fd_table_take(struct cel__fd_table *table, struct cel__fd **out);
/* The end of its life. */
void cel__fd_table_give(struct cel__fd_table *table, struct cel__fd *f);
void cel__fd_table_fini(struct cel__fd_table *table);

/* The record of the slot, whatever its life; NULL: there is none. */
static inline struct cel__fd *cel__fd_table_at(const struct cel__fd_table *table, uint32_t slot)
{
    return slot < table->chunk_count * CEL__FD_CHUNK
               ? &table->chunks[slot / CEL__FD_CHUNK][slot % CEL__FD_CHUNK]
               : NULL;
}

#endif
