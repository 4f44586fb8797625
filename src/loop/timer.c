/* SPDX-License-Identifier: MIT */
/* The wheel. A timer stands at the level of the highest 8-bit digit in which its tick
 * differs from the wheel's tick, in the slot named by that digit.
 *
 * Invariants:
 * 1. Level 0 slots hold timers of exactly one tick; a slot of level n > 0 is wholly
 *    in the future and is spread over the lower levels when the tick reaches it.
 * 2. The tick never passes an occupied slot, so a timer's level stays right as time goes by.
 * 3. Slots keep the order of arming; spreading keeps it too. What is due is sorted stably by
 *    deadline within its tick, which gives the promised order to the nanosecond.
 * 4. Where there is no memory for a slot to grow, a timer is homeless: in a list that is searched.
 *    Only equal deadlines may then fire in another order.
 * A lower level always lies before a higher one, so the first occupied slot of the
 * lowest occupied level is the next event. */
#include "loop/timer.h"

#include <string.h>

#include "base/cc.h"
#include "base/mem.h"

#define TICK_SHIFT 14 /* 16.4 us */
#define DIGIT_BITS 8
#define SCAN_MAX   16 /* a slot this short is read for its exact minimum */
#define SHORT      16 /* so many are sorted by insertion */

_Static_assert(CEL__WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot for each digit");

/* Where a homeless timer stands. */
static struct cel__entry nowhere;

void cel__wheel_init(struct cel__wheel *w, int64_t now)
{
    memset(w, 0, sizeof *w);
    w->tick = (uint64_t)now >> TICK_SHIFT;
    w->homeless_tail = &w->homeless;
}

void cel__wheel_fini(struct cel__wheel *w)
{
    cel__pages_fini(&w->pages);
}

static unsigned digit_of(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (level * DIGIT_BITS)) & (CEL__WHEEL_SLOTS - 1);
}

/* --- arm and cancel --- */

static CEL__NOINLINE void make_homeless(struct cel__wheel *w, struct cel__timer *t)
{
    t->at = &nowhere;
    t->next = NULL;
    *w->homeless_tail = t;
    w->homeless_tail = &t->next;
}

static inline void place(struct cel__wheel *w, struct cel__timer *t)
{
    uint64_t tick = t->deadline > 0 ? (uint64_t)t->deadline >> TICK_SHIFT : 0;
    uint64_t differs;
    unsigned level = 0, digit;
    struct cel__agenda *slot;

    if (tick < w->tick)
        tick = w->tick;
    differs = tick ^ w->tick;
    if (differs != 0)
        level = (63 - (unsigned)__builtin_clzll(differs)) / DIGIT_BITS;
    digit = digit_of(tick, level);
    slot = &w->slots[level][digit];
    if (cel__unlikely(!cel__agenda_append(slot, t, &w->pages))) {
        make_homeless(w, t);
        return;
    }
    if (cel__unlikely(slot == w->sorted))
        w->sorted = NULL;
    w->occupied[level][digit / 64] |= UINT64_C(1) << digit % 64;
}

void cel__timer_arm(struct cel__wheel *w, struct cel__timer *t, int64_t deadline)
{
    t->deadline = deadline;
    w->armed++;
    place(w, t);
}

static void leave_homeless(struct cel__wheel *w, struct cel__timer *t)
{
    struct cel__timer **at = &w->homeless;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    if (t->next == NULL)
        w->homeless_tail = at;
}

void cel__timer_cancel(struct cel__wheel *w, struct cel__timer *t)
{
    if (!cel__timer_is_armed(t))
        return;
    if (cel__unlikely(t->at == &nowhere))
        leave_homeless(w, t);
    else if (t->at >= w->due && t->at < w->due + CEL__WHEEL_DUE)
        t->at->timer = NULL;
    else
        cel__agenda_remove(t, &w->pages);
    t->at = NULL;
    w->armed--;
}

/* --- which slot is next --- */

/* The first occupied slot of the level, from the tick's digit on; clears stale bits on the way. */
static int first_of_level(struct cel__wheel *w, unsigned level)
{
    unsigned from = digit_of(w->tick, level);
    uint64_t mask = ~UINT64_C(0) << from % 64;

    for (unsigned word = from / 64; word < CEL__WHEEL_SLOTS / 64; word++, mask = ~UINT64_C(0)) {
        uint64_t *occupied = &w->occupied[level][word];

        while ((*occupied & mask) != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(*occupied & mask);

            if (w->slots[level][word * 64 + bit].head != NULL)
                return (int)(word * 64 + bit);
            *occupied &= ~(UINT64_C(1) << bit);
        }
    }
    return -1;
}

/* The next event's slot, its level and the tick at which it begins. */
static struct cel__agenda *next_slot(struct cel__wheel *w, unsigned *level_out, uint64_t *tick_out)
{
    for (unsigned level = 0; level < CEL__WHEEL_LEVELS; level++) {
        unsigned shift = level * DIGIT_BITS;
        int slot = first_of_level(w, level);

        if (slot < 0)
            continue;
        *level_out = level;
        *tick_out = ((w->tick >> shift & ~(uint64_t)(CEL__WHEEL_SLOTS - 1)) | (uint64_t)slot)
                    << shift;
        return &w->slots[level][slot];
    }
    return NULL;
}

/* Page by page: each is free again before it could be needed by those after it. */
static void spread_slot(struct cel__wheel *w, struct cel__agenda *slot)
{
    struct cel__page *page = slot->head, *next;

    *slot = (struct cel__agenda){0};
    for (; page != NULL; page = next) {
        next = page->next;
        cel__page_fetch(next);
        for (uint32_t i = 0; i < page->used; i++)
            if (page->entries[i].timer != NULL)
                place(w, page->entries[i].timer);
        cel__page_free(page, &w->pages);
    }
}

/* --- order within a tick --- */

/* How many are there, or some number above `max`. */
static size_t count_of(const struct cel__agenda *slot, size_t max)
{
    size_t count = 0;

    for (const struct cel__page *page = slot->head; page != NULL && count <= max; page = page->next)
        count += page->live;
    return count;
}

static void sort_short(struct cel__entry *e, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct cel__entry moved = e[i];
        size_t at = i;

        for (; at > 0 && e[at - 1].deadline > moved.deadline; at--)
            e[at] = e[at - 1];
        e[at] = moved;
    }
}

static void merge(struct cel__entry *to, const struct cel__entry *a, const struct cel__entry *b,
                  const struct cel__entry *end)
{
    const struct cel__entry *mid = b;

    while (a < mid && b < end)
        *to++ = b->deadline < a->deadline ? *b++ : *a++;
    while (a < mid)
        *to++ = *a++;
    while (b < end)
        *to++ = *b++;
}

/* Stable: runs of SHORT, then of twice as many, from one array to the other and back. */
static void sort(struct cel__entry *e, struct cel__entry *other, size_t count)
{
    struct cel__entry *from = e, *to = other;

    for (size_t at = 0; at < count; at += SHORT)
        sort_short(e + at, cel__min(count - at, SHORT));
    for (size_t run = SHORT; run < count; run *= 2) {
        struct cel__entry *was = from;

        for (size_t at = 0; at < count; at += 2 * run)
            merge(to + at, from + at, from + cel__min(at + run, count),
                  from + cel__min(at + 2 * run, count));
        from = to;
        to = was;
    }
    if (from != e)
        memcpy(e, from, count * sizeof *e);
}

/* Puts a crowd in order where it stands. -> false: no memory for it. */
static bool sort_slot(struct cel__wheel *w, struct cel__agenda *slot)
{
    size_t count = count_of(slot, SIZE_MAX - 1);
    struct cel__entry *all = cel__mem_array(2 * count, sizeof *all);
    size_t n = 0;

    if (all == NULL)
        return false;
    CEL__AGENDA_EACH(entry, slot)
    all[n++] = *entry;
    sort(all, all + count, count);
    n = 0;
    CEL__AGENDA_EACH(entry, slot)
    {
        *entry = all[n++];
        entry->timer->at = entry;
    }
    cel__mem_free(all);
    w->sorted = slot;
    return true;
}

/* --- what is due --- */

static void make_due(struct cel__wheel *w, struct cel__timer *t)
{
    w->due[w->due_used] = (struct cel__entry){t->deadline, t};
    t->at = &w->due[w->due_used++];
}

static CEL__NOINLINE void sort_due(struct cel__entry *e, size_t count)
{
    struct cel__entry other[CEL__WHEEL_DUE];

    sort(e, other, count);
}

/* A slot for all of which there is room. */
static void take_unsorted(struct cel__wheel *w, struct cel__agenda *slot, int64_t now)
{
    uint32_t first = w->due_used;

    CEL__AGENDA_EACH(entry, slot)
    {
        struct cel__timer *t = entry->timer;

        if (entry->deadline > now)
            continue;
        cel__agenda_remove(t, &w->pages);
        make_due(w, t);
    }
    if (w->due_used - first <= SHORT)
        sort_short(w->due + first, w->due_used - first);
    else
        sort_due(w->due + first, w->due_used - first);
    for (uint32_t i = first; i < w->due_used; i++)
        w->due[i].timer->at = &w->due[i];
}

static void take_sorted(struct cel__wheel *w, struct cel__agenda *slot, int64_t now)
{
    CEL__AGENDA_EACH(entry, slot)
    {
        struct cel__timer *t = entry->timer;

        if (entry->deadline > now || w->due_used == CEL__WHEEL_DUE)
            return;
        cel__agenda_remove(t, &w->pages);
        make_due(w, t);
    }
}

/* A crowd and no memory to sort it: the earliest for which there is room, by looking at all. */
static void take_earliest(struct cel__wheel *w, struct cel__agenda *slot, int64_t now)
{
    uint32_t first = w->due_used;

    CEL__AGENDA_EACH(entry, slot)
    {
        uint32_t at = w->due_used;

        if (entry->deadline > now ||
            (at == CEL__WHEEL_DUE && entry->deadline >= w->due[at - 1].deadline))
            continue;
        if (at == CEL__WHEEL_DUE)
            at--;
        else
            w->due_used++;
        for (; at > first && w->due[at - 1].deadline > entry->deadline; at--)
            w->due[at] = w->due[at - 1];
        w->due[at] = *entry;
    }
    for (uint32_t i = first; i < w->due_used; i++) {
        cel__agenda_remove(w->due[i].timer, &w->pages);
        w->due[i].timer->at = &w->due[i];
    }
}

/* Moves what is due in a level 0 slot behind w->due, in order, as far as there is room.
 * -> whether the slot is empty now. */
static bool expire_slot(struct cel__wheel *w, struct cel__agenda *slot, int64_t now)
{
    size_t room = CEL__WHEEL_DUE - w->due_used;

    if (room == 0)
        return false;
    if (slot != w->sorted && count_of(slot, room) <= room)
        take_unsorted(w, slot, now);
    else if (slot == w->sorted || sort_slot(w, slot))
        take_sorted(w, slot, now);
    else
        take_earliest(w, slot, now);
    return slot->head == NULL;
}

/* Memory may be there again. */
static void house(struct cel__wheel *w)
{
    struct cel__timer *t = w->homeless;

    w->homeless = NULL;
    w->homeless_tail = &w->homeless;
    while (t != NULL) {
        struct cel__timer *next = t->next;

        place(w, t);
        t = next;
    }
}

/* Those who still have no home and are due, into their places among the others. */
static void expire_homeless(struct cel__wheel *w, int64_t now)
{
    struct cel__timer *next;

    for (struct cel__timer *t = w->homeless; t != NULL && w->due_used < CEL__WHEEL_DUE; t = next) {
        struct cel__entry *at;

        next = t->next;
        if (t->deadline > now)
            continue;
        leave_homeless(w, t);
        make_due(w, t);
        for (at = t->at; at > w->due && at[-1].deadline > t->deadline; at--) {
            *at = at[-1];
            at->timer->at = at;
        }
        *at = (struct cel__entry){t->deadline, t};
        t->at = at;
    }
}

static void expire_slots(struct cel__wheel *w, int64_t now, unsigned max)
{
    uint64_t target = (uint64_t)now >> TICK_SHIFT;
    uint64_t tick = 0;
    unsigned level, seen = 0;
    struct cel__agenda *slot = NULL;

    while (seen++ < max && (slot = next_slot(w, &level, &tick)) != NULL && tick <= target) {
        w->tick = cel__max(w->tick, tick);
        if (level != 0)
            spread_slot(w, slot);
        else if (!expire_slot(w, slot, now))
            return;
    }
    if (slot == NULL || tick > target)
        w->tick = cel__max(w->tick, target);
}

static void expire(struct cel__wheel *w, int64_t now, unsigned max)
{
    w->due_first = w->due_used = 0;
    if (cel__unlikely(w->homeless != NULL))
        house(w);
    expire_slots(w, now, max);
    if (cel__unlikely(w->homeless != NULL))
        expire_homeless(w, now);
}

unsigned cel__wheel_fire(struct cel__wheel *w, int64_t now, unsigned max)
{
    unsigned fired = 0;

    if (w->armed == 0)
        return 0;
    if (w->due_first == w->due_used)
        expire(w, now, max);
    while (w->due_first < w->due_used && fired < max) {
        struct cel__timer *t = w->due[w->due_first++].timer;

        if (t == NULL)
            continue;
        t->at = NULL;
        w->armed--;
        fired++;
        t->fire(t);
    }
    return fired;
}

/* Of a long slot of a higher level the beginning will do, which is still to come. One of level 0 is
 * put in order, once. */
static int64_t earliest_of(struct cel__wheel *w, struct cel__agenda *slot, unsigned level,
                           uint64_t tick)
{
    int64_t earliest = INT64_MAX;
    size_t count = slot != w->sorted ? count_of(slot, SCAN_MAX) : 0;

    if (count > SCAN_MAX && level != 0)
        return (int64_t)(tick << TICK_SHIFT);
    if (count > SCAN_MAX)
        (void)sort_slot(w, slot); /* without memory, all are looked at */
    CEL__AGENDA_EACH(entry, slot)
    {
        earliest = cel__min(earliest, entry->deadline);
        if (slot == w->sorted)
            return earliest;
    }
    return earliest;
}

int64_t cel__wheel_next(struct cel__wheel *w)
{
    int64_t earliest = INT64_MAX;
    struct cel__agenda *slot;
    uint64_t tick;
    unsigned level;

    if (w->armed == 0)
        return INT64_MAX;
    if (w->due_first != w->due_used)
        return 0;
    slot = next_slot(w, &level, &tick);
    if (slot != NULL)
        earliest = earliest_of(w, slot, level, tick);
    for (const struct cel__timer *t = w->homeless; t != NULL; t = t->next)
        earliest = cel__min(earliest, t->deadline);
    return earliest;
}

void cel__wheel_each(const struct cel__wheel *w,
                     void (*fn)(void *arg, const struct cel__entry *entry), void *arg)
{
    const struct cel__agenda *slots = &w->slots[0][0];

    for (size_t i = 0; i < (size_t)CEL__WHEEL_LEVELS * CEL__WHEEL_SLOTS; i++) {
        CEL__AGENDA_EACH(entry, &slots[i])
        fn(arg, entry);
    }
    for (uint32_t i = w->due_first; i < w->due_used; i++)
        if (w->due[i].timer != NULL)
            fn(arg, &w->due[i]);
}
