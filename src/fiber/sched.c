/* SPDX-License-Identifier: MIT */
/* The run queue. `thread->current` is the fiber whose stack is in use, `sched->current` the
 * scheduled fiber it belongs to; they differ while a greenlet runs inside a task. */
#include "fiber/sched.h"

#include "fiber/family.h"
#include "fiber/life.h"
#include "fiber/thread.h"

void cel__sched_init(struct cel__sched *s)
{
    *s = (struct cel__sched){0};
}

void cel__sched_fini(struct cel__sched *s)
{
    CEL__ASSERT(s->current == NULL && !cel__sched_has_ready(s));
}

/* Takes the running fiber out of the ring; -> the next, or NULL. */
static inline struct cel_fiber *remove_current(struct cel__sched *s, struct cel_fiber *self)
{
    struct cel_fiber *next = self->link;

    self->link = NULL;
    if (cel__unlikely(next == self)) {
        s->tail = NULL;
        return NULL;
    }
    s->tail->link = next;
    return next;
}

/* Makes `next`, or the hub for want of it or of budget, the one that runs; -> whose stack that is.
 */
static struct cel_fiber *choose(struct cel__sched *s, struct cel_fiber *next)
{
    if (next != NULL && --s->budget < 0)
        next = NULL;
    if (s->on_switch != NULL)
        s->on_switch(s, s->current, next);
    s->current = next;
    s->thread->current = next != NULL ? next->top : s->hub;
    return s->thread->current;
}

/* Every case. When a greenlet parks the task around it, nobody may switch to it while it is parked.
 */
static CEL__NOINLINE void leave_slowly(struct cel__sched *s, struct cel_fiber *task,
                                       struct cel_fiber *next)
{
    struct cel_fiber *from = s->thread->current;
    uint32_t switchable_on = from->switchable_on;

    CEL__ASSERT(s->thread->sched == s);
    task->top = from;
    from->switchable_on = CEL__FIBER_NOWHERE;
    cel__fiber_switch(from, choose(s, next), NULL); /* parks */
    from->switchable_on = switchable_on;
    task->top = task;
}

/* The frequent case, written so that nothing is saved before the jump into the swap. */
static inline void leave(struct cel__sched *s, struct cel_fiber *task, struct cel_fiber *next)
{
    if (cel__likely(next != NULL && s->thread->current == task && s->on_switch == NULL &&
                    s->budget > 0)) {
        s->budget--;
        s->current = next;
        s->thread->current = next->top;
        cel__fiber_switch(task, next->top, NULL); /* parks */
    } else {
        leave_slowly(s, task, next); /* parks */
    }
}

void cel__sched_park(struct cel__sched *s)
{
    struct cel_fiber *self = s->current;

    leave(s, self, remove_current(s, self)); /* parks */
}

void cel__sched_yield(struct cel__sched *s)
{
    struct cel_fiber *self = s->current;

    s->tail = self;
    if (self->link == NULL)
        __builtin_unreachable(); /* who runs is in the ring */
    leave(s, self, self->link);  /* parks */
}

void cel__sched_tire(struct cel__sched *s)
{
    struct cel_fiber *self = s->current;
    struct cel_fiber *next = remove_current(s, self);

    cel__sched_ready_tired(s, self);
    leave(s, self, next); /* parks */
}

void cel__sched_recall(struct cel__sched *s, unsigned max)
{
    CEL__ASSERT(s->current == NULL);
    while (s->tired != NULL && max-- > 0) {
        struct cel_fiber *first = s->tired->link;

        if (first == s->tired)
            s->tired = NULL;
        else
            s->tired->link = first->link;
        first->link = NULL;
        cel__sched_ready(s, first);
    }
}

bool cel__sched_run(struct cel__sched *s, int budget)
{
    struct cel__thread *t = cel__thread();
    struct cel_fiber *hub = t->current;
    struct cel__sched *outer = t->sched;
    uint32_t switchable_on = hub->switchable_on;

    CEL__ASSERT(s->current == NULL && budget > 0);
    if (s->tail == NULL)
        return false;
    s->thread = t;
    s->hub = hub;
    s->budget = budget;
    t->sched = s;
    hub->switchable_on = CEL__FIBER_NOWHERE;
    cel__fiber_switch(hub, choose(s, s->tail->link), NULL); /* the ready fibers run */
    hub->switchable_on = switchable_on;
    t->sched = outer;
    return s->tail != NULL;
}

/* The whole life of a scheduled fiber. */
CEL__NO_TSAN static struct cel__ctx_heir run_task(struct cel__ctx *ctx, void *value)
{
    struct cel_fiber *f = cel__container_of(ctx, struct cel_fiber, ctx);
    struct cel__sched *s;
    struct cel_fiber *next;

    (void)value;
    cel__fiber_arrived(f);
    f->state = CEL__FIBER_STARTED;
    f->entry(f);

    s = cel__thread_state.sched;
    CEL__ASSERT(s != NULL && s->current == f && s->thread->current == f);
    f->is_done = true;
    f->state = CEL__FIBER_DONE;
    if (f->on_exit != NULL)
        f->on_exit(f);
    if (cel__unlikely(f->children != NULL))
        cel__fiber_orphan(f);
    next = remove_current(s, f);
    cel__fiber_release(f);
    return cel__fiber_end(f, choose(s, next), NULL);
}

int cel__fiber_init(struct cel_fiber *f, size_t stack_bytes, void (*entry)(struct cel_fiber *))
{
    int r = cel__fiber_prepare(f, stack_bytes, run_task);

    if (r < 0)
        return r;
    f->kind = CEL__FIBER_SCHEDULED;
    f->top = f;
    f->entry = entry;
    return 0;
}

void cel__fiber_fini(struct cel_fiber *f)
{
    CEL__ASSERT(f->state == CEL__FIBER_NEW && f->link == NULL);
    cel__fiber_release(f);
    f->state = CEL__FIBER_DONE;
    f->is_done = true;
}
