/* SPDX-License-Identifier: MIT */
#include "fiber/order.h"

unsigned cel__sched_count(const struct cel__sched *s, unsigned max)
{
    const struct cel_fiber *at = s->tail;
    unsigned count = 0;

    if (at == NULL)
        return 0;
    do {
        at = at->link;
        count++;
    } while (at != s->tail && count < max);
    return count;
}

struct cel_fiber *cel__sched_nth(const struct cel__sched *s, unsigned n)
{
    struct cel_fiber *at = s->tail->link;

    while (n-- > 0)
        at = at->link;
    return at;
}

void cel__sched_bring(struct cel__sched *s, unsigned n)
{
    struct cel_fiber *before = n == 0 ? s->tail : cel__sched_nth(s, n - 1);
    struct cel_fiber *chosen = before->link;

    CEL__ASSERT(s->current == NULL);
    if (n == 0)
        return;
    if (chosen == s->tail) {
        s->tail = before;
        return;
    }
    before->link = chosen->link;
    chosen->link = s->tail->link;
    s->tail->link = chosen;
}
