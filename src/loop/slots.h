/* SPDX-License-Identifier: MIT */
#ifndef CEL__SLOTS_H
#define CEL__SLOTS_H

/* Names for what the kernel has been asked: 32 bits of slot, 24 of generation, 8 of kind. The
 * kernel never gets a pointer, and a slot is not used again before each of its completions, that
 * of a cancel too, has been seen. So a completion always finds what it belongs to. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CEL__SLOT_NONE UINT32_MAX

struct cel__op;
struct cel__port;

/* Which of a slot's completions, and which of its requests. */
#define CEL__SLOT_TARGET 1
#define CEL__SLOT_CANCEL 2

enum cel__slot_use {
    CEL__USE_READY,     /* a poll; then the op's plain call is tried */
    CEL__USE_DIRECT,    /* the op's own request */
    CEL__USE_SELECT,    /* a receive into a buffer of the kernel's choice */
    CEL__USE_MULTISHOT, /* the receive of a port that goes on and on */
    CEL__USE_WAKE,      /* the loop's own poll for messages */
};

struct cel__slot {
    struct cel__op *op;     /* NULL for a port's or the loop's own request, or when it has ended */
    struct cel__port *port; /* NULL for the loop's own */
    uint32_t generation;    /* 24 bits */
    uint32_t next;          /* free slots, or the backlog */
    uint8_t use;
    uint8_t awaited; /* completions to come */
    uint8_t unsent;  /* requests that found no room yet: in the backlog */
};

struct cel__slots {
    struct cel__slot *all;
    uint32_t count, free, live;
};

/* -> CEL__SLOT_NONE when memory is out. */
uint32_t cel__slot_new(struct cel__slots *slots);
void cel__slot_free(struct cel__slots *slots, uint32_t slot);
void cel__slots_fini(struct cel__slots *slots);

static inline uint64_t cel__slot_name(const struct cel__slots *slots, uint32_t slot, uint8_t kind)
{
    return (uint64_t)slot << 32 | (uint64_t)slots->all[slot].generation << 8 | kind;
}

/* -> NULL for a name that is nobody's any more. */
static inline struct cel__slot *cel__slot_find(struct cel__slots *slots, uint64_t name)
{
    uint32_t slot = (uint32_t)(name >> 32);

    if (slot >= slots->count || slots->all[slot].generation != ((name >> 8) & 0xffffff))
        return NULL;
    return &slots->all[slot];
}

#endif
