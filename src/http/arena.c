/* SPDX-License-Identifier: MIT */
#include "http/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"

#define BLOCK_SIZE 2048

struct cel__arena_block {
    struct cel__arena_block *next;
    max_align_t bytes[];
};

void *cel__arena_alloc(struct cel__arena *arena, size_t size_bytes)
{
    size_t rounded, room;
    struct cel__arena_block *block;
    void *result;

    if (__builtin_add_overflow(size_bytes, sizeof(max_align_t) - 1, &rounded))
        return NULL;
    rounded -= rounded % sizeof(max_align_t);
    if ((size_t)(arena->end - arena->at) < rounded || arena->at == NULL) {
        room = cel__max(rounded, (size_t)BLOCK_SIZE);
        block = cel__mem_alloc(sizeof *block + room);
        if (block == NULL)
            return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->at = (char *)block->bytes;
        arena->end = arena->at + room;
    }
    result = arena->at;
    arena->at += rounded;
    return result;
}

char *cel__arena_copy(struct cel__arena *arena, struct cel_str s)
{
    char *copy = cel__arena_alloc(arena, s.len + 1);

    if (copy == NULL)
        return NULL;
    if (s.len != 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

void cel__arena_clear(struct cel__arena *arena)
{
    while (arena->blocks != NULL) {
        struct cel__arena_block *block = arena->blocks;

        arena->blocks = block->next;
        cel__mem_free(block);
    }
    *arena = (struct cel__arena){0};
}
