/* SPDX-License-Identifier: MIT */
#ifndef CEL__CORE_H
#define CEL__CORE_H

/* The loop's own state, which its backends and helpers share. */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/rand.h"
#include "celadon/loop.h"
#include "fiber/sched.h"
#include "loop/backend.h"
#include "loop/fd.h"
#include "loop/lane.h"
#include "loop/op.h"
#include "loop/timer.h"
#include "loop/trace.h"
#include "loop/wake.h"

/* A callback to be run in the next turn; storage is the caller's. */
struct cel__soon {
    struct cel__list link;
    void (*run)(struct cel__soon *soon);
};

/* What a higher floor keeps per loop; found by its `end`. */
struct cel__attachment {
    struct cel__list link;
    void (*end)(struct cel__attachment *attachment); /* at close, after the tasks; frees it */
};

struct cel__signals;

/* Whether looking for messages before a sleep has paid (loop/linger.h). */
struct cel__linger {
    unsigned misses; /* in a row, as far as they count */
    unsigned skip;   /* sleeps to come before which nothing is looked for */
};

struct cel_loop {
    struct cel__sched sched;
    const struct cel__backend *backend;
    void *backend_data;
    int64_t now;              /* read once a turn */
    uint32_t ops_in_flight;   /* those that something awaits; the backend's own do not count */
    uint32_t jobs;            /* in the pool */
    uint32_t jobs_given_up;   /* of these: whose result nobody wants */
    uint32_t holds;           /* reasons to wait although nothing is in flight */
    int credit;               /* what the running task may still take without parking */
    struct cel__trace *trace; /* NULL: nobody asked */
    uint32_t beat; /* atomic: grows when a turn begins, and when it is back from the kernel */
    bool is_stopping;
    bool is_closing; /* being closed: takes in no work of others */
    bool is_awaited; /* what an outer caller turns the loop for has come: this turn must not wait */
    struct cel__list soon;
    struct cel__list due;     /* those of soon that this turn runs */
    struct cel__list starved; /* struct cel__soon of who waits for a descriptor to become free */
    struct cel__linger linger;
    struct cel__inbox inbox;
    struct cel__fd_table fds;
    struct cel__lane_use lanes[CEL__LANES];
    struct cel__signals *signals; /* NULL until the first watcher */
    struct cel_loop_options options;
    int64_t process; /* the process's fork count when the loop was made */
    void *tasks;     /* the task floor's, with its own end: */
    int (*tasks_end)(struct cel_loop *loop);
    void (*tasks_forked)(struct cel_loop *loop); /* in the child, which runs one of the tasks */
    struct cel__list attachments;
    struct cel__list alive; /* among the process's loops (loop/alive.h) */
    struct cel__wheel wheel;
    struct cel__rand shuffle; /* chooses who of the ready ones runs, when */
    bool is_shuffled;         /* somebody wants that: loop/shuffle.h */
};

/* The thread's loop. Exported for the inline part of celadon/sync.h. */
extern CEL_PUBLIC __thread struct cel_loop *cel__loop_here
    __attribute__((tls_model("initial-exec")));

/* Somebody who watches from another thread sees that the loop goes on. */
static inline void cel__loop_beat(struct cel_loop *loop)
{
    __atomic_store_n(&loop->beat, loop->beat + 1, __ATOMIC_RELAXED);
}

/* What a task may take before it goes behind those that are tired: so many results that are there
 * at once, or so many pieces of CEL__CREDIT_BYTES. */
#define CEL__CREDIT       64
#define CEL__CREDIT_BYTES 4096

/* Whoever lets go of the processor leaves the next one a whole turn. */
static inline void cel__credit_fill(struct cel_loop *loop)
{
    loop->credit = CEL__CREDIT;
}

/* This process is a child of the one whose loop it is. */
static inline bool cel__loop_is_forked(const struct cel_loop *loop)
{
    return loop->backend == &cel__forked_backend;
}

static inline bool cel__loop_has_ready(const struct cel_loop *loop)
{
    return cel__sched_has_ready(&loop->sched) || !cel__list_is_empty(&loop->soon) ||
           cel__inbox_has_mail(&loop->inbox);
}

/* Nothing in flight and no reason to sleep: no system call. */
static inline int cel__backend_glance(struct cel_loop *loop)
{
    if (loop->ops_in_flight == 0 && loop->fds.live == 0)
        return 0;
    return loop->backend->wait(loop, CEL__GLANCE);
}

/* Counted starts and ends, so that a loop knows whether anything can still happen. */
static inline int cel__op_start(struct cel_loop *loop, struct cel__op *op)
{
    int r = loop->backend->start(loop, op);

    if (r == 0) {
        loop->ops_in_flight++;
        CEL__TRACE(loop, op_start, op, op->kind);
    }
    return r;
}

/* For backends: the terminal event. */
static inline void cel__op_end(struct cel_loop *loop, struct cel__op *op, int64_t result)
{
    loop->ops_in_flight--;
    op->is_in_flight = 0;
    op->result = result;
    CEL__TRACE(loop, op_end, op, result);
    op->done(op);
}

static inline void cel__op_cancel(struct cel_loop *loop, struct cel__op *op, int code)
{
    if (!op->is_in_flight || op->is_cancelled)
        return;
    op->is_cancelled = 1;
    op->cancel_code = code;
    CEL__TRACE(loop, op_cancel, op, code);
    loop->backend->cancel(loop, op);
}

/* NULL: not there. */
static inline struct cel__attachment *cel__loop_find(struct cel_loop *loop,
                                                     void (*end)(struct cel__attachment *))
{
    CEL__LIST_EACH (node, &loop->attachments) {
        struct cel__attachment *a = cel__container_of(node, struct cel__attachment, link);

        if (a->end == end)
            return a;
    }
    return NULL;
}

static inline void cel__loop_attach(struct cel_loop *loop, struct cel__attachment *a)
{
    cel__list_append(&loop->attachments, &a->link);
}

static inline void cel__loop_soon(struct cel_loop *loop, struct cel__soon *soon)
{
    cel__list_append(&loop->soon, &soon->link);
}

/* (any thread) */
static inline void cel__loop_post(struct cel_loop *loop, struct cel__post *post)
{
    if (!cel__inbox_push(&loop->inbox, post))
        return;
    loop->backend->wake(loop);
    cel__inbox_woken(&loop->inbox);
}

/* The first half of closing: work of others is refused from now on, tasks end, what the floors
 * above keep ends. The loop may still turn. -> number of tasks that did not end. Twice is fine. */
int cel__loop_wind_down(struct cel_loop *loop);

/* Takes `fd` (already non-blocking) under the loop's care. On error fd stays the caller's. -ENOMEM,
 * -errno. */
int cel__fd_open(struct cel_loop *loop, struct cel__fd **out, int fd, bool owns);
/* No new ops; those in flight end with -CEL_ECLOSED; then the descriptor is closed if owned. NULL
 * is fine. */
void cel__fd_close(struct cel_loop *loop, struct cel__fd *f);
/* For backends: the record's end. */
void cel__fd_release(struct cel_loop *loop, struct cel__fd *f);
/* Closes what is still open. -> how many. */
uint32_t cel__fd_close_all(struct cel_loop *loop);

/* The record of the slot, whatever its life; NULL: there is none. */
static inline struct cel__fd *cel__fd_at(struct cel_loop *loop, uint32_t slot)
{
    return cel__fd_table_at(&loop->fds, slot);
}

/* -> NULL when that life is over. */
static inline struct cel__fd *cel__fd_find(struct cel_loop *loop, uint32_t slot,
                                           uint32_t generation)
{
    struct cel__fd *f = cel__fd_at(loop, slot);

    return f != NULL && f->fd >= 0 && f->generation == generation ? f : NULL;
}

#endif
