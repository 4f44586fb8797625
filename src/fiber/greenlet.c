/* SPDX-License-Identifier: MIT */
/* Greenlets: fibers that are switched to by name, in a tree.
 *
 * 1. Control that goes to a dead fiber lands in its nearest ancestor that may run here, or else in
 * the root. The root is the task that runs, or outside of tasks the thread's main fiber.
 * 2. A fiber of another task, and one that is parked, is never switched to and never landed in.
 * 3. A throw into a fiber that has not run kills it and goes on as into a dead one.
 * 4. CEL_FIBER_EXIT turns into a value when it passes a fiber's end.
 * 5. A fiber that is being freed ends into the one that frees it, which waits for that. */
#include "celadon/fiber.h"

#include <errno.h>

#include "base/mem.h"
#include "fiber/family.h"
#include "fiber/hop.h"
#include "fiber/life.h"
#include "fiber/sched.h"
#include "fiber/stack.h"
#include "fiber/thread.h"

/* Control under way to a fiber. */
struct transfer {
    struct cel_fiber *to;
    void *value;
    int code; /* 0: an ordinary switch; negative: a throw */
};

static struct cel_fiber *root(const struct cel__thread *t)
{
    if (t->sched != NULL && t->sched->current != NULL)
        return t->sched->current;
    return (struct cel_fiber *)&t->main;
}

static bool may_resume(const struct cel__thread *t, const struct cel_fiber *f)
{
    return f->switchable_on == t->main.thread_id || f == root(t);
}

static struct cel_fiber *live_ancestor(const struct cel__thread *t, struct cel_fiber *f)
{
    if (f->kind == CEL__FIBER_GREENLET && cel__greenlet_of(f)->ender != NULL)
        return cel__greenlet_of(f)->ender;
    for (struct cel_fiber *p = f->parent; p != NULL; p = p->parent)
        if (!p->is_done && may_resume(t, p))
            return p;
    return root(t);
}

static void mark_done(struct cel_fiber *f)
{
    f->state = CEL__FIBER_DONE;
    f->is_done = true;
    f->switchable_on = CEL__FIBER_NOWHERE;
}

/* Finds out who really goes on, with what. */
static void settle(const struct cel__thread *t, struct transfer *x)
{
    while (x->to->is_done || (x->to->state == CEL__FIBER_NEW && x->code != 0)) {
        if (!x->to->is_done) {
            mark_done(x->to);
            cel__fiber_release(x->to);
        }
        if (x->code == CEL_FIBER_EXIT) {
            x->value = CEL_FIBER_EXIT_VALUE;
            x->code = 0;
        }
        x->to = live_ancestor(t, x->to);
    }
    x->to->thrown = x->code;
    if (x->code != 0)
        x->value = NULL;
}

static void *transfer(struct cel__thread *t, struct transfer x)
{
    struct cel_fiber *self = t->current;

    settle(t, &x);
    if (x.to == self)
        return x.value;
    t->current = x.to;
    return cel__fiber_go(self, x.to, x.value);
}

/* -> 0, or why f cannot be switched to. */
static int refusal(const struct cel__thread *t, const struct cel_fiber *f)
{
    if (f->thread_id != t->main.thread_id)
        return -CEL_ETHREAD;
    if (!f->is_done && !may_resume(t, f))
        return -EBUSY;
    return 0;
}

static CEL__NOINLINE void *switch_slowly(struct cel_fiber *f, void *value, int code)
{
    struct cel__thread *t = cel__thread();
    int r = refusal(t, f);

    if (r < 0) {
        t->current->thrown = r;
        return NULL;
    }
    return transfer(t, (struct transfer){f, value, code});
}

#if defined(__x86_64__)
void *cel__fiber_switch_called(struct cel_fiber *f, void *value)
    __attribute__((alias("cel_fiber_switch"), visibility("hidden")));
#endif

void *(cel_fiber_switch)(struct cel_fiber *f, void *value)
{
    struct cel__thread *t = &cel__thread_state;
    struct cel_fiber *self = t->current;

    if (cel__unlikely(f->switchable_on != t->main.thread_id))
        return switch_slowly(f, value, 0);
    f->thrown = 0;
    t->current = f;
    return cel__fiber_go(self, f, value);
}

#if CEL__HOPS
struct cel__hop cel__fiber_hop_slowly(struct cel_fiber *f, void *value)
{
    struct cel__thread *t = &cel__thread_state;
    struct cel_fiber *self = t->current;
    struct transfer x = {.to = f, .value = value};
    bool was_swapped;
    int r = refusal(t, f);

    if (r < 0) {
        self->thrown = r;
        return (struct cel__hop){0, NULL};
    }
    settle(t, &x);
    if (x.to == self)
        return (struct cel__hop){0, x.value};
    was_swapped = x.to->hop_on == 0;
    x.to->hop_on = 0;
    self->hop_on = self->switchable_on;
    t->current = x.to;
    return (struct cel__hop){(uintptr_t)x.to | was_swapped, x.value};
}
#endif

void *cel_fiber_throw(struct cel_fiber *f, int code)
{
    CEL__ASSERT(code < 0);
    return switch_slowly(f, NULL, code);
}

/* --- life --- */

/* The whole life of a greenlet that is run. */
CEL__NO_TSAN static struct cel__ctx_heir run_greenlet(struct cel__ctx *ctx, void *value)
{
    struct cel_fiber *f = cel__container_of(ctx, struct cel_fiber, ctx);
    struct cel__greenlet *g = cel__greenlet_of(f);
    struct cel__thread *t;
    struct transfer x = {.to = f};

    cel__fiber_arrived(f);
    f->state = CEL__FIBER_STARTED;
    g->value = value;
    x.value = g->fn(g->arg);
    x.code = g->raised;

    t = &cel__thread_state;
    CEL__ASSERT(t->current == f);
    mark_done(f);
    settle(t, &x);
    cel__fiber_release(f);
    t->current = x.to;
    return cel__fiber_go_last(f, x.to, x.value);
}

/* -> 0, or why f may not be a parent in this thread. */
static int check_parent(const struct cel__thread *t, const struct cel_fiber *f)
{
    if (f->thread_id != t->main.thread_id)
        return -CEL_ETHREAD;
    if (f->is_done)
        return -ESRCH;
    return 0;
}

int cel_fiber_new_with(struct cel_fiber **out, void *(*fn)(void *arg), void *arg,
                       const struct cel_fiber_options *options)
{
    static const struct cel_fiber_options none;
    const struct cel_fiber_options *o = options != NULL ? options : &none;
    struct cel__thread *t = cel__thread();
    struct cel_fiber *parent = o->parent != NULL ? o->parent : t->current;
    struct cel__greenlet *g;
    int r = check_parent(t, parent);

    if (r < 0)
        return r;
    if (o->stack_bytes > CEL__STACK_MAX)
        return -EINVAL;
    g = cel__mem_zalloc(sizeof *g);
    if (g == NULL)
        return -ENOMEM;
    r = cel__fiber_prepare(&g->fiber, o->stack_bytes, run_greenlet);
    if (r < 0) {
        cel__mem_free(g);
        return r;
    }
    g->fiber.kind = CEL__FIBER_GREENLET;
    g->fiber.switchable_on = t->main.thread_id;
    g->fiber.name = o->name;
    g->fiber.file = o->file;
    g->fiber.line = o->line;
    g->fn = fn;
    g->arg = arg;
    cel__fiber_adopt(&g->fiber, parent);
    *out = &g->fiber;
    return 0;
}

struct cel_fiber *cel_fiber_new_at(void *(*fn)(void *arg), void *arg, const char *file, int line)
{
    struct cel_fiber_options options = {.file = file, .line = line};
    struct cel_fiber *f = NULL;

    return cel_fiber_new_with(&f, fn, arg, &options) == 0 ? f : NULL;
}

struct cel_fiber *(cel_fiber_new)(void *(*fn)(void *arg), void *arg)
{
    return cel_fiber_new_at(fn, arg, NULL, 0);
}

/* Ends a suspended fiber, which returns to us for once; -> whether it did end. */
static bool unwind(struct cel__thread *t, struct cel__greenlet *g)
{
    g->ender = t->current;
    (void)transfer(t, (struct transfer){.to = &g->fiber, .code = CEL_FIBER_EXIT});
    g->ender = NULL;
    return g->fiber.is_done;
}

int cel_fiber_free(struct cel_fiber *f)
{
    struct cel__thread *t = cel__thread();
    struct cel__greenlet *g;
    int r = 0;

    if (f == NULL)
        return 0;
    g = cel__greenlet_of(f);
    if (f->kind != CEL__FIBER_GREENLET || f == t->current)
        return -EBUSY;
    if (!f->is_done) {
        r = refusal(t, f);
        if (r < 0)
            return r;
        if (g->ender != NULL)
            return -EBUSY;
        r = f->state == CEL__FIBER_STARTED;
        if (r == 0)
            cel__fiber_release(f);
        else if (!unwind(t, g))
            return -EBUSY;
    }
    cel__fiber_orphan(f);
    cel__fiber_adopt(f, NULL);
    cel__mem_free(g);
    return r;
}

/* --- what a fiber knows of itself --- */

void *cel_fiber_raise(int code)
{
    struct cel_fiber *self = cel__thread()->current;

    CEL__ASSERT(self->kind == CEL__FIBER_GREENLET && code <= 0);
    cel__greenlet_of(self)->raised = code;
    return NULL;
}

int cel_fiber_thrown(void)
{
    return cel__thread()->current->thrown;
}

void *cel_fiber_value(void)
{
    struct cel_fiber *self = cel__thread()->current;

    return self->kind == CEL__FIBER_GREENLET ? cel__greenlet_of(self)->value : NULL;
}

struct cel_fiber *cel_fiber_current(void)
{
    return cel__thread()->current;
}

struct cel_fiber *cel_fiber_parent(const struct cel_fiber *f)
{
    return f->parent;
}

int cel_fiber_set_parent(struct cel_fiber *f, struct cel_fiber *parent)
{
    struct cel__thread *t = cel__thread();
    int r;

    if (parent == NULL || f->kind != CEL__FIBER_GREENLET)
        return -EINVAL;
    if (f->thread_id != t->main.thread_id)
        return -CEL_ETHREAD;
    r = check_parent(t, parent);
    if (r < 0)
        return r;
    for (const struct cel_fiber *p = parent; p != NULL; p = p->parent)
        if (p == f)
            return -ELOOP;
    cel__fiber_adopt(f, parent);
    return 0;
}

int cel_fiber_is_active(const struct cel_fiber *f)
{
    return f->state == CEL__FIBER_STARTED;
}

int cel_fiber_is_dead(const struct cel_fiber *f)
{
    return f->is_done;
}

const char *cel_fiber_name(const struct cel_fiber *f)
{
    return f->name != NULL ? f->name : "";
}
