/* SPDX-License-Identifier: MIT */
#ifndef CEL__TASK_STATE_H
#define CEL__TASK_STATE_H

/* What a future, a task and the loop's set of tasks are made of. */

#include <errno.h>

#include "base/list.h"
#include "celadon/task.h"
#include "fiber/fiber.h"
#include "loop/core.h"

enum cel__future_state { CEL__PENDING, CEL__DONE };

/* Woken once, when what it waits for is done; unlinked by then. */
struct cel__waiter {
    struct cel__list link;
    void (*wake)(struct cel__waiter *waiter);
};

struct cel_future {
    struct cel__list waiters; /* struct cel__waiter, first come first woken */
    union {
        void *value; /* code 0; while a task is pending: its argument */
        struct cel_error
            *error; /* of a failure (code < 0), or NULL; moves to the first who awaits it */
    };
    int code; /* while a task is pending: what cel_fail said */
    uint8_t state;
    uint8_t is_task : 1;
    uint8_t is_job : 1;       /* embedded in an offload job */
    uint8_t is_elsewhere : 1; /* embedded in the record of a task on another loop */
    uint8_t is_promised : 1;  /* embedded in the record of a promise */
    uint8_t is_orphan : 1;    /* freed by its owner while the job runs */
    uint8_t was_awaited : 1;
    uint8_t is_detached : 1; /* a task's: nobody has its handle */
    uint16_t locks;          /* a task's: that it holds */
};

/* What reports tell of the future of a task on another loop. */
struct cel__elsewhere {
    struct cel_future future; /* first */
    struct cel_loop *there;
    const char *file; /* where it was spawned */
    int line;
};

/* NULL is what could not be made for want of memory. Wherever something is awaited it counts as a
 * future that has failed with -ENOMEM, so that a program need not look at each spawn before it
 * gathers them. */
static inline bool cel__future_is_done(const struct cel_future *f)
{
    return f == NULL || f->state == CEL__DONE;
}

/* Of a done one: 0 or what it failed with. */
static inline int cel__future_code(const struct cel_future *f)
{
    return f != NULL ? f->code : -ENOMEM;
}

/* The words of a failure, or NULL. */
static inline struct cel_error *cel__future_error(const struct cel_future *f)
{
    return f != NULL && f->state == CEL__DONE && f->code < 0 ? f->error : NULL;
}

#define CEL__SCOPE_SHIELDED 1
#define CEL__SCOPE_GROUP    2
#define CEL__SCOPE_EXPIRED  4
#define CEL__SCOPE_OPEN     8
#define CEL__SCOPE_TASK     16 /* a task's own */
#define CEL__SCOPE_JOINING  32 /* its task is parked until the children have ended */

struct cel__wait;

struct cel_task {
    struct cel_future future;     /* first: a task is awaited as the future it is */
    struct cel__scope *scope;     /* the innermost one that it is in now */
    const struct cel__wait *wait; /* while parked: how, and how a cancel ends it (task/wait.h) */
    void *wait_on;                /* what that works on; before the start: the task's function */
    struct cel_fiber fiber;       /* the scheduler's view of it */
    struct cel__scope own;   /* its children's scope; linked into the scope that it belongs to */
    struct cel_error *error; /* of the last failing call, or NULL */
    struct cel_at_end *at_end;
};

_Static_assert(offsetof(struct cel_task, future) == 0, "a task is a future");
_Static_assert(sizeof(struct cel_task) <= 264, "a parked task is small");

/* The loop's tasks. */
struct cel__tasks {
    struct cel__scope root;
    void *free_list; /* tasks' memory, linked through the first word */
    void *chunks;    /* likewise */
    unsigned live;
    struct cel__strict *strict; /* NULL: not in debug mode */
    uint64_t dice;              /* whose turn it is among what can happen at once */
};

static inline struct cel_task *cel__task_of_fiber(struct cel_fiber *fiber)
{
    return cel__container_of(fiber, struct cel_task, fiber);
}

static inline struct cel_task *cel__task_here(void)
{
    struct cel_loop *loop = cel__loop_here;

    if (loop == NULL || loop->sched.current == NULL)
        return NULL;
    return cel__task_of_fiber(loop->sched.current);
}

static inline const char *cel__task_name(const struct cel_task *task)
{
    return task->fiber.name != NULL ? task->fiber.name : "task";
}

#define CEL__SITE_MAX 160

/* For logs: "spawned at file:line", "spawned by cel_run". -> site. */
const char *cel__task_site(const struct cel_task *task, char site[CEL__SITE_MAX]);

static inline struct cel__list *cel__scope_inner(struct cel__scope *scope)
{
    return (struct cel__list *)scope->inner;
}

static inline struct cel__list *cel__scope_link(struct cel__scope *scope)
{
    return (struct cel__list *)scope->link;
}

static inline struct cel__scope *cel__scope_of_link(struct cel__list *link)
{
    return cel__container_of(link, struct cel__scope, link);
}

static inline struct cel_task *cel__task_of_scope(struct cel__scope *own)
{
    return cel__container_of(own, struct cel_task, own);
}

#endif
