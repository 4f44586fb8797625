/* SPDX-License-Identifier: MIT */
/* The run queue. `thread->current` is the fiber whose stack is in use; `sched->current` is the
 * scheduled fiber it belongs to. They differ while a greenlet runs inside a task. */
#include "fiber/sched.h"

#include "fiber/thread.h"

void cel__sched_init(struct cel__sched *s)
{
    *s = (struct cel__sched){.tail = &s->head};
}

void cel__sched_fini(struct cel__sched *s)
{
    CEL__ASSERT(s->current == NULL && s->head == NULL);
}

static inline struct cel_fiber *pop(struct cel__sched *s)
{
    struct cel_fiber *f = s->head;

    s->head = f->link;
    if (s->head == NULL)
        s->tail = &s->head;
    f->link = f;
    return f;
}

/* Leaves `from` for the next ready fiber, or for the hub. Returns when the task of `from` runs
 * again. */
static inline void leave(struct cel__sched *s, struct cel_fiber *from)
{
    struct cel_fiber *next;
    struct cel_fiber *to;

    if (cel__likely(s->head != NULL && s->budget > 0)) {
        s->budget--;
        next = pop(s);
        to = next->top;
    } else {
        next = NULL;
        to = s->hub;
    }
    if (cel__unlikely(s->on_switch != NULL))
        s->on_switch(s, s->current, next);
    s->current = next;
    s->thread->current = to;
    cel__fiber_switch(from, to);
}

/* A greenlet parks the task around it. */
static CEL__NOINLINE void leave_inner(struct cel__sched *s, struct cel_fiber *task)
{
    struct cel_fiber *from = s->thread->current;

    CEL__ASSERT(task != NULL && s->thread->sched == s);
    task->top = from;
    from->is_parked = true;
    leave(s, from); /* parks */
    from->is_parked = false;
    task->top = task;
}

/* The whole life of a scheduled fiber. */
static void task_main(struct cel__ctx *ctx)
{
    struct cel_fiber *f = cel__container_of(ctx, struct cel_fiber, ctx);
    struct cel__sched *s;

    f->state = CEL__FIBER_STARTED;
    f->entry(f);

    s = cel__thread_state.sched;
    CEL__ASSERT(s != NULL && s->current == f && s->thread->current == f);
    f->is_done = true;
    f->state = CEL__FIBER_DONE;
    if (f->on_exit != NULL)
        f->on_exit(f);
    f->link = NULL;
    cel__fiber_release(f);
    leave(s, f);
    __builtin_trap();
}

int cel__fiber_init(struct cel_fiber *f, size_t stack_bytes, void (*entry)(struct cel_fiber *))
{
    int r = cel__fiber_prepare(f, stack_bytes, task_main);

    if (r < 0)
        return r;
    f->is_scheduled = true;
    f->entry = entry;
    return 0;
}

void cel__fiber_fini(struct cel_fiber *f)
{
    CEL__ASSERT(f->state == CEL__FIBER_NEW && f->link == f);
    cel__fiber_release(f);
    f->state = CEL__FIBER_DONE;
}

void cel__sched_park(struct cel__sched *s)
{
    struct cel_fiber *self = s->current;

    if (cel__unlikely(s->thread->current != self))
        leave_inner(s, self); /* parks */
    else
        leave(s, self); /* parks */
}

void cel__sched_yield(struct cel__sched *s)
{
    struct cel_fiber *self = s->current;

    CEL__ASSERT(self != NULL);
    self->link = NULL;
    *s->tail = self;
    s->tail = &self->link;
    if (cel__unlikely(s->thread->current != self))
        leave_inner(s, self); /* parks */
    else
        leave(s, self); /* parks */
}

bool cel__sched_run(struct cel__sched *s, int budget)
{
    struct cel__thread *t = cel__thread();
    struct cel__sched *outer = t->sched;
    struct cel_fiber *hub = t->current;
    bool was_parked = hub->is_parked;

    CEL__ASSERT(s->current == NULL && budget > 0);
    if (s->head == NULL)
        return false;
    s->thread = t;
    s->hub = hub;
    s->budget = budget;
    t->sched = s;
    hub->is_parked = true;
    leave(s, hub); /* the ready fibers run */
    hub->is_parked = was_parked;
    t->sched = outer;
    return s->head != NULL;
}
