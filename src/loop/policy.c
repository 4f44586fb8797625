/* SPDX-License-Identifier: MIT */
/* No policy starves anybody for ever, since a task may wait for another by yielding: one choice in
 * UNFAIR_SPAN is made at random. */
#include "loop/policy.h"

#include "fiber/order.h"
#include "machine/station.h"

#define SEEN_MAX    64 /* of the ready ones, from the front */
#define UNFAIR_SPAN 16
#define FIRST_CAP   64

static struct cel__known *slot_of(struct cel__policy *p, const struct cel_fiber *f)
{
    uint32_t at = (uint32_t)((uintptr_t)f >> 6) * 0x9e3779b1u & (p->cap - 1);

    while (p->known[at].fiber != NULL && p->known[at].fiber != f)
        at = (at + 1) & (p->cap - 1);
    return &p->known[at];
}

static void grow(struct cel__policy *p)
{
    struct cel__policy old = *p;

    p->cap = old.cap != 0 ? 2 * old.cap : FIRST_CAP;
    p->known = cel__machine_alloc(p->cap * sizeof *p->known);
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.known[i].fiber != NULL)
            *slot_of(p, old.known[i].fiber) = old.known[i];
    cel__machine_release(old.known);
}

/* Memory is used again: a fiber that has not started is another one than before. */
static struct cel__known *know(struct cel__policy *p, struct cel__machine *m,
                               const struct cel_fiber *f)
{
    struct cel__known *k;

    if (2 * (p->count + 1) > p->cap)
        grow(p);
    k = slot_of(p, f);
    p->count += k->fiber == NULL;
    if (k->fiber == NULL || (f->state == CEL__FIBER_NEW && !k->is_new)) {
        k->fiber = f;
        k->is_new = true;
        k->id = ++p->ids;
        k->priority = 0;
        k->host = m->host_of != NULL ? m->host_of(f) : NULL;
        if (m->options.policy == CEL_SIM_PCT)
            k->priority = 1 + (int64_t)cel__machine_draw(m, CEL__DRAW_ORDER, 1 << 30);
    }
    return k;
}

static bool may_run(struct cel__machine *m, const struct cel_fiber *f)
{
    struct cel__station *h = NULL;

    if (m->host_of != NULL && m->now < m->paused_until)
        h = m->host_of(f);
    return h == NULL || h->paused_until <= m->now;
}

/* How much f is wanted. */
static int64_t rank(struct cel__policy *p, struct cel__machine *m, const struct cel_fiber *f,
                    unsigned place)
{
    switch (m->options.policy) {
    case CEL_SIM_LIFO:
        return place;
    case CEL_SIM_PCT:
        return know(p, m, f)->priority;
    case CEL_SIM_STARVE:
        return know(p, m, f)->id % 3 != 0;
    default:
        return 0;
    }
}

static int best_of(struct cel__policy *p, struct cel__machine *m, struct cel__sched *s,
                   unsigned count)
{
    struct cel_fiber *f = s->tail->link;
    int64_t best_rank = INT64_MIN;
    int best = -1;

    for (unsigned i = 0; i < count; i++, f = f->link) {
        int64_t wanted = rank(p, m, f, i);

        if (wanted > best_rank && may_run(m, f)) {
            best = (int)i;
            best_rank = wanted;
        }
    }
    return best;
}

static int any_of(struct cel__machine *m, struct cel__sched *s, unsigned count)
{
    unsigned from = (unsigned)cel__machine_draw(m, CEL__DRAW_ORDER, count);

    for (unsigned i = 0; i < count; i++)
        if (may_run(m, cel__sched_nth(s, (from + i) % count)))
            return (int)((from + i) % count);
    return -1;
}

static bool is_any(struct cel__machine *m)
{
    switch (m->options.policy) {
    case CEL_SIM_FIFO:
        return false;
    case CEL_SIM_RANDOM:
        return true;
    default:
        return cel__machine_draw(m, CEL__DRAW_ORDER, UNFAIR_SPAN) == 0;
    }
}

const struct cel__known *cel__policy_choose(struct cel__policy *p, struct cel__machine *m,
                                            struct cel__sched *s)
{
    unsigned count = cel__sched_count(s, SEEN_MAX);
    struct cel__known *k;
    int chosen;

    if (count == 0)
        return NULL;
    chosen = count > 1 && is_any(m) ? any_of(m, s, count) : best_of(p, m, s, count);
    if (chosen < 0)
        return NULL;
    cel__sched_bring(s, (unsigned)chosen);
    k = know(p, m, s->tail->link);
    k->is_new = false;
    if (m->options.policy == CEL_SIM_PCT &&
        (int64_t)cel__machine_draw(m, CEL__DRAW_ORDER, 1000) < m->options.pct_changes)
        k->priority = --p->lowest;
    return k;
}

void cel__policy_fini(struct cel__policy *p)
{
    cel__machine_release(p->known);
    *p = (struct cel__policy){0};
}
