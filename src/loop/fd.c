/* SPDX-License-Identifier: MIT */
/* The table of descriptors: chunks of records that never move, and a stack of free slots. */
#include "loop/fd.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cc.h"
#include "base/mem.h"
#include "loop/core.h"

#define CHUNK 256

static int grow(struct cel__fd_table *table)
{
    uint32_t first = table->chunk_count * CHUNK;
    struct cel__fd **chunks;
    uint32_t *free_slots;
    struct cel__fd *chunk;

    chunks = cel__mem_realloc(table->chunks, (table->chunk_count + 1) * sizeof *chunks);
    if (chunks == NULL)
        return -ENOMEM;
    table->chunks = chunks;
    free_slots = cel__mem_realloc(table->free_slots, (first + CHUNK) * sizeof *free_slots);
    if (free_slots == NULL)
        return -ENOMEM;
    table->free_slots = free_slots;
    chunk = cel__mem_array(CHUNK, sizeof *chunk);
    if (chunk == NULL)
        return -ENOMEM;
    table->chunks[table->chunk_count++] = chunk;
    for (uint32_t i = 0; i < CHUNK; i++) {
        chunk[i].slot = first + i;
        chunk[i].fd = -1;
        table->free_slots[table->free_count++] = first + CHUNK - 1 - i;
    }
    return 0;
}

static struct cel__fd *at_slot(struct cel__fd_table *table, uint32_t slot)
{
    return slot < table->chunk_count * CHUNK ? &table->chunks[slot / CHUNK][slot % CHUNK] : NULL;
}

int cel__fd_open(struct cel_loop *loop, struct cel__fd **out, int fd, bool owns)
{
    struct cel__fd_table *table = &loop->fds;
    struct cel__fd *f;
    int r;

    if (table->free_count == 0) {
        r = grow(table);
        if (r < 0)
            return r;
    }
    f = at_slot(table, table->free_slots[--table->free_count]);
    *f = (struct cel__fd){
        .fd = fd,
        .slot = f->slot,
        .generation = f->generation,
        .ready = CEL__FD_IN | CEL__FD_OUT,
        .owns = owns,
    };
    cel__list_init(&f->readers);
    cel__list_init(&f->writers);
    r = loop->backend->attach(loop, f);
    if (r < 0) {
        f->fd = -1;
        table->free_slots[table->free_count++] = f->slot;
        return r;
    }
    table->live++;
    *out = f;
    return 0;
}

void cel__fd_close(struct cel_loop *loop, struct cel__fd *f)
{
    if (f == NULL)
        return;
    CEL__ASSERT(!f->is_closing);
    f->is_closing = 1;
    loop->fds.closing++;
    loop->backend->detach(loop, f);
}

void cel__fd_release(struct cel_loop *loop, struct cel__fd *f)
{
    CEL__ASSERT(cel__list_is_empty(&f->readers) && cel__list_is_empty(&f->writers));
    f->generation++;
    f->fd = -1;
    loop->fds.live--;
    loop->fds.closing--;
    loop->fds.free_slots[loop->fds.free_count++] = f->slot;
}

uint32_t cel__fd_close_all(struct cel_loop *loop)
{
    struct cel__fd_table *table = &loop->fds;
    uint32_t closed = 0;

    for (uint32_t slot = 0; slot < table->chunk_count * CHUNK; slot++) {
        struct cel__fd *f = at_slot(table, slot);

        if (f->fd < 0 || f->is_closing)
            continue;
        cel__fd_close(loop, f);
        closed++;
    }
    return closed;
}

struct cel__fd *cel__fd_at(struct cel_loop *loop, uint32_t slot)
{
    return at_slot(&loop->fds, slot);
}

struct cel__fd *cel__fd_find(struct cel_loop *loop, uint32_t slot, uint32_t generation)
{
    struct cel__fd *f = at_slot(&loop->fds, slot);

    return f != NULL && f->fd >= 0 && f->generation == generation ? f : NULL;
}

void cel__fd_table_fini(struct cel__fd_table *table)
{
    for (uint32_t i = 0; i < table->chunk_count; i++)
        cel__mem_free(table->chunks[i]);
    cel__mem_free(table->chunks);
    cel__mem_free(table->free_slots);
    *table = (struct cel__fd_table){0};
}
