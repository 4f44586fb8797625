/* SPDX-License-Identifier: MIT */
#ifndef CEL__FIBER_H
#define CEL__FIBER_H

/* A fiber: a context, the stack under it, and its place in the run queue and in the tree.
 *
 * One struct serves two kinds. A *greenlet* (celadon/fiber.h) is switched to by name and has a
 * parent. A *scheduled* fiber is the first member of a task and is run by a `cel__sched`; it is the
 * root of the tree of greenlets started inside it.
 *
 * 1. A fiber runs on the thread that made it, for life.
 * 2. It has a stack from init until it ends, and none after.
 * 3. `link` points at the fiber itself exactly while a scheduled fiber is in no queue.
 * 4. A parent outlives no child's pointer to it: whoever releases a fiber's memory calls
 *    cel__fiber_orphan first (the scheduler does, at the end of a scheduled fiber). */

#include "celadon/fiber.h"
#include "fiber/switch.h"

struct cel__stack;
struct cel__thread;
struct cel__greenlet;

enum cel__fiber_state {
    CEL__FIBER_NEW,     /* has a stack, has not run */
    CEL__FIBER_STARTED, /* running, or suspended in a switch or in a park */
    CEL__FIBER_DONE,
};

struct cel_fiber {
    struct cel__ctx ctx;      /* first: assembly hands its address to the entry */
    struct cel_fiber *link;   /* run queue */
    struct cel_fiber *top;    /* scheduled: the fiber of this tree to resume; itself mostly */
    struct cel__stack *stack; /* NULL for a thread's main fiber and when done */
    uint8_t state;            /* enum cel__fiber_state */
    bool is_scheduled;        /* belongs to a run queue: only that resumes it */
    bool is_parked;           /* a greenlet whose task is parked, or a hub: not to be switched to */
    bool is_done;
    int thrown; /* greenlet: how the last switch to it ended, 0 or a negative code */
    /* --- second cache line: start, end, and names --- */
    void (*entry)(struct cel_fiber *self);
    void (*on_exit)(struct cel_fiber *self); /* scheduled: may be NULL */
    struct cel_fiber *parent;                /* greenlet; NULL: the root of wherever it runs */
    struct cel__greenlet *children;
    void *value;      /* greenlet: what the last switch to it carried */
    const char *name; /* NULL: none; the caller's, for as long as the fiber lives */
    const char *file; /* where it was spawned; static, or NULL */
    int line;
    uint32_t thread_id;
};

static_assert(offsetof(struct cel_fiber, ctx) == 0, "the entry is given the context's address");
static_assert(offsetof(struct cel_fiber, thrown) < 64, "hot fields share the first cache line");
static_assert(sizeof(struct cel_fiber) <= 128, "a parked task is small");

/* Zeroes f and gives it a stack of this thread's pool, on which `run` will begin; `run` must not
 * return. 0 bytes: the default, 64 KiB. -ENOMEM, and nothing to give back then. */
CEL_NODISCARD int cel__fiber_prepare(struct cel_fiber *f, size_t stack_bytes,
                                     void (*run)(struct cel__ctx *));

/* Gives the stack back, at once: the last act on it before the switch away, or for a fiber that
 * never ran. */
void cel__fiber_release(struct cel_fiber *f);

/* The fiber the caller runs in (the thread's main fiber at least), never NULL. */
struct cel_fiber *cel__fiber_current(void);

static inline __attribute__((always_inline)) void cel__fiber_switch(struct cel_fiber *from,
                                                                    struct cel_fiber *to)
{
    cel__ctx_switch(&from->ctx, &to->ctx);
}

#endif
