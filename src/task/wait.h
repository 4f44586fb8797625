/* SPDX-License-Identifier: MIT */
#ifndef CEL__WAIT_H
#define CEL__WAIT_H

/* The one place where a task parks: here its result, the deadlines and the cancels meet. */

#include "base/buggify.h"
#include "task/state.h"

/* A parking call is about to return the scope's code. */
void cel__checkpoint_refused(struct cel__scope *scope);

/* What a parking call returns at once on account of the scopes around; 0: go on. */
static inline int cel__checkpoint(const struct cel_task *task)
{
    int code = task->scope->code;

    if (cel__unlikely(code != 0))
        cel__checkpoint_refused(task->scope);
    return code;
}

/* The running task; a parking call made outside of one is a mistake of the program. */
static inline struct cel_task *cel__task_parking(void)
{
    struct cel_loop *loop = cel__loop_here;

    CEL__ASSERT(loop != NULL && loop->sched.current != NULL &&
                "a call that parks must be made from a task: cel_run, cel_spawn");
    return cel__task_of_fiber(loop->sched.current);
}

struct cel__report;

/* What of `wait_on` a debugger can follow, since it cannot call `tell`. */
enum cel__wait_on {
    CEL__ON_OTHER,
    CEL__ON_OP,     /* it is the op */
    CEL__ON_FUTURE, /* at `at`: a pointer to the future or task */
    CEL__ON_TIMER,  /* at `at`: the timer */
    CEL__ON_LOCK,   /* at `at`: a pointer to the lock's line */
    CEL__ON_SCOPE,  /* it is the scope */
    CEL__ON_LINE,   /* at `at`: a pointer to the line, which has a name */
};

/* A way of waiting: how it is ended from outside, and what people are told of it. What each works
 * on is task->wait_on. The last two are called from signal handlers too, while nothing moves. */
struct cel__wait {
    const char *what; /* "sleeping" */
    /* The scopes around want the wait to end with `code`: sees to it that the task is readied,
     * once. NULL: nothing around ends it. */
    void (*interrupt)(struct cel_task *task, int code);
    /* More of what it waits for. NULL: there is no more to say. */
    void (*tell)(struct cel__report *to, const struct cel_task *task);
    /* The one task that alone can end the wait, or NULL. NULL: nobody can tell. */
    const struct cel_task *(*blocker)(const struct cel_task *task);
    uint8_t on; /* enum cel__wait_on */
    uint8_t at; /* where in that it is */
};

/* Ends the wait of a task with `code`, where it is parked and can be interrupted; from then on the
 * next to try finds that result standing. */
static inline void cel__wait_interrupt(struct cel_task *task, int code)
{
    if (task->wait != NULL && task->wait->interrupt != NULL)
        task->wait->interrupt(task, code);
}

/* Instants in 4 bytes, good for differences of up to 50 days. */
static inline uint32_t cel__since(int64_t now)
{
    return (uint32_t)(now >> 20);
}

/* (parks) Until somebody readies the task. */
void cel__park(struct cel_task *task, const struct cel__wait *wait, void *wait_on);

static inline void cel__unpark(struct cel_task *task)
{
    cel__sched_ready(&cel__loop_here->sched, &task->fiber);
}

/* (parks) The task has had its share: behind the tired. */
void cel__credit_renew(struct cel_loop *loop);

/* (parks) The same for who has had it by work of its own, which nobody counts. 0, -ECANCELED,
 * -ETIMEDOUT. */
int cel__rest(void);

/* (parks) Results that are there at once must not keep the others from running: called by who got
 * one. */
static inline void cel__credit_take(struct cel_loop *loop)
{
    if (cel__unlikely(--loop->credit <= 0) || CEL__BUGGIFY())
        cel__credit_renew(loop); /* parks */
}

/* (parks) The same for a call of the kernel: moving bytes takes time by their number, and a few
 * large pieces keep the others waiting as long as many small ones. `moved` may be an error. */
static inline void cel__credit_take_for(struct cel_loop *loop, int64_t moved)
{
    if (moved > 0)
        loop->credit -= (int)cel__min(moved / CEL__CREDIT_BYTES, INT64_C(1) << 16);
    cel__credit_take(loop); /* parks */
}

/* (parks) Does the operation and waits for its end. -> its result. */
int64_t cel__wait_op(struct cel__op *op);
/* (parks) The same, neither a checkpoint nor to be cancelled; for cleaning up. */
int64_t cel__wait_op_shielded(struct cel__op *op);

/* Tasks in line. A zeroed queue must be initialised. */
struct cel__waitq {
    struct cel__list parked;
    const char *what; /* it is a line for; static, for reports; NULL: not said */
    const char *of;   /* which one: a host for example, as long as the line; NULL: not said */
};

static inline void cel__waitq_init(struct cel__waitq *q)
{
    cel__list_init(&q->parked);
    q->what = q->of = NULL;
}

static inline bool cel__waitq_is_empty(const struct cel__waitq *q)
{
    return cel__list_is_empty(&q->parked);
}

/* (parks) At the end of the line. 0 when woken; -ECANCELED, -ETIMEDOUT: not woken. */
int cel__waitq_park(struct cel__waitq *q);
/* The first in line. -> whether there was one. A woken task is out of reach of a cancel. */
bool cel__waitq_wake_one(struct cel__waitq *q);
void cel__waitq_wake_all(struct cel__waitq *q);

#endif
