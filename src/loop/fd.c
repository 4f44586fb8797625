/* SPDX-License-Identifier: MIT */
/* The table of descriptors: chunks of records that never move, and a stack of free slots. */
#include "loop/fd.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cc.h"
#include "base/mem.h"

static int grow(struct cel__fd_table *table)
{
    uint32_t first = table->chunk_count * CEL__FD_CHUNK;
    struct cel__fd **chunks;
    uint32_t *free_slots;
    struct cel__fd *chunk;

    chunks = cel__mem_realloc(table->chunks, (table->chunk_count + 1) * sizeof *chunks);
    if (chunks == NULL)
        return -ENOMEM;
    table->chunks = chunks;
    free_slots = cel__mem_realloc(table->free_slots, (first + CEL__FD_CHUNK) * sizeof *free_slots);
    if (free_slots == NULL)
        return -ENOMEM;
    table->free_slots = free_slots;
    chunk = cel__mem_array(CEL__FD_CHUNK, sizeof *chunk);
    if (chunk == NULL)
        return -ENOMEM;
    table->chunks[table->chunk_count++] = chunk;
    for (uint32_t i = 0; i < CEL__FD_CHUNK; i++) {
        chunk[i].slot = first + i;
        chunk[i].fd = -1;
        table->free_slots[table->free_count++] = first + CEL__FD_CHUNK - 1 - i;
    }
    return 0;
}

int cel__fd_table_take(struct cel__fd_table *table, struct cel__fd **out)
{
    struct cel__fd *f;
    int r = table->free_count == 0 ? grow(table) : 0;

    if (r < 0)
        return r;
    f = cel__fd_table_at(table, table->free_slots[--table->free_count]);
    *f = (struct cel__fd){.fd = -1, .slot = f->slot, .generation = f->generation};
    cel__list_init(&f->readers);
    cel__list_init(&f->writers);
    *out = f;
    return 0;
}

void cel__fd_table_give(struct cel__fd_table *table, struct cel__fd *f)
{
    CEL__ASSERT(cel__list_is_empty(&f->readers) && cel__list_is_empty(&f->writers));
    f->generation++;
    f->fd = -1;
    table->free_slots[table->free_count++] = f->slot;
}

void cel__fd_table_fini(struct cel__fd_table *table)
{
    for (uint32_t i = 0; i < table->chunk_count; i++)
        cel__mem_free(table->chunks[i]);
    cel__mem_free(table->chunks);
    cel__mem_free(table->free_slots);
    *table = (struct cel__fd_table){0};
}
