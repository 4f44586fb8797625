/* SPDX-License-Identifier: MIT */
/* What owns a compiled selector's parts: an arena of blocks, freed together,
 * and the table of the names that it asks for. */
#include "html/selector.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"

#define BLOCK_BYTES 2000

struct cel__arena_block {
    struct cel__arena_block *next;
    size_t used;
    size_t size;
    CEL__ALIGNED(16) char bytes[];
};

void *cel__selector_alloc(struct cel_selector *s, size_t size_bytes)
{
    size_t need = (size_bytes + 15) & ~(size_t)15;
    struct cel__arena_block *block = s->blocks;
    void *at;

    if (block == NULL || block->size - block->used < need) {
        size_t size = cel__max(need, (size_t)BLOCK_BYTES);

        block = cel__mem_alloc(sizeof *block + size);
        if (block == NULL)
            return NULL;
        *block = (struct cel__arena_block){.next = s->blocks, .size = size};
        s->blocks = block;
    }
    at = block->bytes + block->used;
    block->used += need;
    return memset(at, 0, size_bytes);
}

int cel__selector_name(struct cel_selector *s, struct cel_str name)
{
    for (int i = 0; i < s->name_count; i++)
        if (cel__str_eq(s->names[i], name))
            return i;
    if (s->name_count == s->name_cap) {
        uint16_t cap = (uint16_t)(s->name_cap != 0 ? s->name_cap * 2 : 8);
        struct cel_str *grown = cel__mem_realloc(s->names, cap * sizeof *grown);

        if (grown == NULL)
            return -ENOMEM;
        s->names = grown;
        s->name_cap = cap;
    }
    s->names[s->name_count] = name;
    return s->name_count++;
}

void cel__selector_drop(struct cel_selector *s)
{
    while (s->blocks != NULL) {
        struct cel__arena_block *next = s->blocks->next;

        cel__mem_free(s->blocks);
        s->blocks = next;
    }
    cel__mem_free(s->names);
}
