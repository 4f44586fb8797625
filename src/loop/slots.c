/* SPDX-License-Identifier: MIT */
#include "loop/slots.h"

#include "base/cc.h"
#include "base/mem.h"

#define FIRST_COUNT 64

static bool grow(struct cel__slots *slots)
{
    uint32_t count = slots->count != 0 ? slots->count * 2 : FIRST_COUNT;
    struct cel__slot *all = cel__mem_realloc(slots->all, count * sizeof *all);

    if (all == NULL)
        return false;
    for (uint32_t i = slots->count; i < count; i++)
        all[i] = (struct cel__slot){.next = i + 1 < count ? i + 1 : CEL__SLOT_NONE};
    slots->free = slots->count;
    slots->all = all;
    slots->count = count;
    return true;
}

uint32_t cel__slot_new(struct cel__slots *slots)
{
    uint32_t slot;

    if (slots->live == slots->count && !grow(slots))
        return CEL__SLOT_NONE;
    slot = slots->free;
    slots->free = slots->all[slot].next;
    slots->live++;
    return slot;
}

void cel__slot_free(struct cel__slots *slots, uint32_t slot)
{
    struct cel__slot *s = &slots->all[slot];

    CEL__ASSERT(s->awaited == 0 && s->unsent == 0);
    *s = (struct cel__slot){
        .generation = (s->generation + 1) & 0xffffff,
        .next = slots->free,
    };
    slots->free = slot;
    slots->live--;
}

void cel__slots_fini(struct cel__slots *slots)
{
    cel__mem_free(slots->all);
    *slots = (struct cel__slots){0};
}
