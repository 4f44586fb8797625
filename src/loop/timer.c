/* SPDX-License-Identifier: MIT */
/* The wheel. A timer stands at the level of the highest 6-bit digit in which its tick
 * differs from the wheel's tick, in the slot named by that digit.
 *
 * Invariants:
 * 1. Level 0 slots hold timers of exactly one tick; a slot of level n > 0 is wholly
 *    in the future and is spread over the lower levels when the tick reaches it.
 * 2. The tick never passes an occupied slot, so a timer's level stays right as time goes by.
 * 3. Lists keep the order of arming; spreading keeps it too. Due timers of one tick are
 *    sorted stably by deadline, which gives the promised order to the nanosecond.
 * A lower level always lies before a higher one, so the first occupied slot of the
 * lowest occupied level is the next event. */
#include "loop/timer.h"

#define TICK_SHIFT 14 /* 16.4 us */
#define DIGIT_BITS 6
#define SCAN_MAX   16 /* a slot this short is read for its exact minimum */

void cel__wheel_init(struct cel__wheel *w, int64_t now)
{
    w->tick = (uint64_t)now >> TICK_SHIFT;
    w->armed = 0;
    cel__list_init(&w->due);
    for (int level = 0; level < CEL__WHEEL_LEVELS; level++) {
        w->occupied[level] = 0;
        for (int slot = 0; slot < CEL__WHEEL_SLOTS; slot++)
            cel__list_init(&w->slots[level][slot]);
    }
}

static void place(struct cel__wheel *w, struct cel__timer *t)
{
    uint64_t tick = t->deadline > 0 ? (uint64_t)t->deadline >> TICK_SHIFT : 0;
    uint64_t differs;
    unsigned level = 0, slot;

    if (tick < w->tick)
        tick = w->tick;
    differs = tick ^ w->tick;
    if (differs != 0)
        level = (63 - (unsigned)__builtin_clzll(differs)) / DIGIT_BITS;
    slot = (unsigned)(tick >> (level * DIGIT_BITS)) & (CEL__WHEEL_SLOTS - 1);
    w->occupied[level] |= UINT64_C(1) << slot;
    cel__list_append(&w->slots[level][slot], &t->link);
}

void cel__timer_arm(struct cel__wheel *w, struct cel__timer *t, int64_t deadline)
{
    t->deadline = deadline;
    w->armed++;
    place(w, t);
}

void cel__timer_cancel(struct cel__wheel *w, struct cel__timer *t)
{
    if (!cel__timer_is_armed(t))
        return;
    cel__list_unlink(&t->link);
    w->armed--;
}

static uint64_t digit_of(uint64_t tick, unsigned level)
{
    return (tick >> (level * DIGIT_BITS)) & (CEL__WHEEL_SLOTS - 1);
}

/* The first occupied slot, its level and the tick at which it begins; clears stale bits on the way.
 */
static struct cel__list *next_slot(struct cel__wheel *w, unsigned *level_out, uint64_t *tick_out)
{
    for (unsigned level = 0; level < CEL__WHEEL_LEVELS; level++) {
        uint64_t ahead = w->occupied[level] & (~UINT64_C(0) << digit_of(w->tick, level));

        while (ahead != 0) {
            unsigned slot = (unsigned)__builtin_ctzll(ahead);
            unsigned shift = level * DIGIT_BITS;

            if (!cel__list_is_empty(&w->slots[level][slot])) {
                uint64_t above = shift + DIGIT_BITS < 64 ? w->tick >> (shift + DIGIT_BITS) : 0;

                *level_out = level;
                *tick_out = ((above << DIGIT_BITS) | slot) << shift;
                return &w->slots[level][slot];
            }
            w->occupied[level] &= ~(UINT64_C(1) << slot);
            ahead &= ahead - 1;
        }
    }
    return NULL;
}

static struct cel__timer *timer_of(struct cel__list *link)
{
    return cel__container_of(link, struct cel__timer, link);
}

/* Stable insertion from behind: a slot holds few timers or many with one deadline, and
 * in both cases this walks little. */
static void insert_sorted(struct cel__list *head, struct cel__timer *t)
{
    struct cel__list *at = head;

    while (at->prev != head && timer_of(at->prev)->deadline > t->deadline)
        at = at->prev;
    cel__list_insert(at, &t->link);
}

/* Merge sort for the rare crowded slot; stable. */
static void sort_list(struct cel__list *head)
{
    struct cel__list left, right;
    struct cel__list *slow = head->next, *fast = head->next;

    if (head->next == head || head->next->next == head)
        return;
    while (fast->next != head && fast->next->next != head) {
        slow = slow->next;
        fast = fast->next->next;
    }
    cel__list_init(&left);
    cel__list_init(&right);
    while (head->next != slow)
        cel__list_append(&left, (cel__list_pop(head)));
    cel__list_append(&left, cel__list_pop(head));
    cel__list_splice(&right, head);
    sort_list(&left);
    sort_list(&right);
    while (!cel__list_is_empty(&left) && !cel__list_is_empty(&right)) {
        struct cel__list *from =
            timer_of(right.next)->deadline < timer_of(left.next)->deadline ? &right : &left;

        cel__list_append(head, cel__list_pop(from));
    }
    cel__list_splice(head, &left);
    cel__list_splice(head, &right);
}

/* Moves what is due in a level 0 slot behind w->due, in order. -> whether the slot is empty now. */
static bool expire_slot(struct cel__wheel *w, struct cel__list *slot, int64_t now)
{
    struct cel__list sorted;
    unsigned count = 0;

    cel__list_init(&sorted);
    CEL__LIST_EACH_SAFE (node, slot) {
        if (timer_of(node)->deadline > now)
            continue;
        cel__list_unlink(node);
        if (++count <= SCAN_MAX)
            insert_sorted(&sorted, timer_of(node));
        else
            cel__list_append(&sorted, node);
    }
    if (count > SCAN_MAX)
        sort_list(&sorted);
    cel__list_splice(&w->due, &sorted);
    return cel__list_is_empty(slot);
}

static void spread_slot(struct cel__wheel *w, struct cel__list *slot)
{
    struct cel__list all;

    cel__list_init(&all);
    cel__list_splice(&all, slot);
    CEL__LIST_EACH_SAFE (node, &all) {
        cel__list_unlink(node);
        place(w, timer_of(node));
    }
}

static void expire(struct cel__wheel *w, int64_t now, unsigned max)
{
    uint64_t target = (uint64_t)now >> TICK_SHIFT;
    uint64_t tick = 0;
    unsigned level, seen = 0;
    struct cel__list *slot = NULL;

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

unsigned cel__wheel_fire(struct cel__wheel *w, int64_t now, unsigned max)
{
    unsigned fired = 0;

    if (w->armed == 0)
        return 0;
    if (cel__list_is_empty(&w->due))
        expire(w, now, max);
    while (fired < max) {
        struct cel__list *node = cel__list_pop(&w->due);

        if (node == NULL)
            break;
        w->armed--;
        fired++;
        timer_of(node)->fire(timer_of(node));
    }
    return fired;
}

int64_t cel__wheel_next(struct cel__wheel *w)
{
    struct cel__list *slot;
    uint64_t tick;
    unsigned level, seen = 0;
    int64_t earliest = INT64_MAX;

    if (w->armed == 0)
        return INT64_MAX;
    if (!cel__list_is_empty(&w->due))
        return 0;
    slot = next_slot(w, &level, &tick);
    if (slot == NULL)
        return INT64_MAX;
    CEL__LIST_EACH (node, slot) {
        if (++seen > SCAN_MAX && level != 0)
            return (int64_t)(tick << TICK_SHIFT);
        earliest = cel__min(earliest, timer_of(node)->deadline);
    }
    return earliest;
}
