/* SPDX-License-Identifier: MIT */
/* A task on another loop, seen as a future here.
 *
 *   home: asked ---------------------------------------> answered
 *           | begin                                         ^ answer
 *   there:  `---> task runs ---> ended --------------------- '
 *
 * 1. Each field is touched by one thread at a time: it travels with the messages.
 * 2. A cancel is a message of its own, which comes back, so that home knows when nothing is under
 *    way any more; `travelling` counts them. The memory goes when it is 0 and the future is given
 * up.
 * 3. While it travels the home loop has a job that is not done: it waits, and does not close
 * before.
 */
#include "task/elsewhere.h"

#include <errno.h>

#include "base/mem.h"
#include "celadon/workers.h"
#include "task/future.h"

struct errand {
    struct cel__elsewhere face; /* first; home's */
    struct cel_loop *home;
    struct cel__list link; /* home's errands */
    unsigned travelling;   /* home's: messages that have not come back */
    bool is_cancelled;     /* home's: was asked for */
    bool is_ending;        /* home's: the loop closes */
    bool is_given_up;      /* home's: the owner has freed the future */
    struct cel__post ask;
    struct cel__post cancel;
    /* there's, until the answer */
    cel_task_fn *fn;
    void *arg;
    struct cel_task *task; /* while it runs */
    struct cel__waiter waiter;
    int code;
    struct cel_error *error;
};

struct errands {
    struct cel__attachment attachment;
    struct cel__list list;
};

/* ---- there ---- */

static void answered(struct cel__post *post);

static void answer(struct errand *m)
{
    m->ask.run = answered;
    cel__loop_post(m->home, &m->ask);
}

/* Nobody has the task's handle: it frees itself, also when the loop closes. */
static void task_ended(struct cel__waiter *waiter)
{
    struct errand *m = cel__container_of(waiter, struct errand, waiter);
    struct cel_future *f = &m->task->future;

    m->task = NULL;
    m->code = f->code;
    m->error = cel__future_error(f);
    m->arg = f->code == 0 ? f->value : NULL;
    if (m->error != NULL)
        f->error = NULL;
    answer(m);
}

static void begin(struct cel__post *post)
{
    struct errand *m = cel__container_of(post, struct errand, ask);
    struct cel_spawn_options options = {.name = "elsewhere", .in_root = true};

    m->code = m->face.there->is_closing ? -CEL_ECLOSED : 0;
    if (m->code == 0) {
        m->task = cel_spawn_at(m->fn, m->arg, &options, m->face.file, m->face.line);
        if (m->task == NULL)
            m->code = -ENOMEM;
    }
    if (m->code != 0) {
        answer(m);
        return;
    }
    m->task->future.was_awaited = 1;
    m->waiter.wake = task_ended;
    cel__list_append(&m->task->future.waiters, &m->waiter.link);
    cel_task_free(m->task);
}

static void cancel_returned(struct cel__post *post);

static void cancel_there(struct cel__post *post)
{
    struct errand *m = cel__container_of(post, struct errand, cancel);

    if (m->task != NULL)
        cel_task_cancel(m->task);
    m->cancel.run = cancel_returned;
    cel__loop_post(m->home, &m->cancel);
}

/* ---- home ---- */

static void came_back(struct errand *m)
{
    if (--m->travelling != 0)
        return;
    m->home->jobs--;
    m->home->jobs_given_up -= m->is_ending;
    cel__list_unlink(&m->link);
    if (!m->is_given_up)
        return;
    cel__mem_free(cel__future_error(&m->face.future));
    cel__mem_free(m);
}

static void answered(struct cel__post *post)
{
    struct errand *m = cel__container_of(post, struct errand, ask);

    cel__future_end(&m->face.future, m->arg, m->code, m->error);
    came_back(m);
}

static void cancel_returned(struct cel__post *post)
{
    came_back(cel__container_of(post, struct errand, cancel));
}

/* The order of one thread's messages is kept, so this comes behind the request. */
void cel__elsewhere_cancel(struct cel_future *f)
{
    struct errand *m = (struct errand *)f;

    if (m->is_cancelled || cel__future_is_done(f))
        return;
    m->is_cancelled = true;
    m->travelling++;
    m->cancel.run = cancel_there;
    cel__loop_post(m->face.there, &m->cancel);
}

void cel__elsewhere_free(struct cel_future *f)
{
    struct errand *m = (struct errand *)f;

    if (m->travelling != 0) {
        m->is_given_up = true;
        cel__elsewhere_cancel(f);
        return;
    }
    cel__mem_free(cel__future_error(f));
    cel__mem_free(m);
}

/* The loop closes; it goes on turning until all have come back. */
static void end_errands(struct cel__attachment *attachment)
{
    struct errands *all = cel__container_of(attachment, struct errands, attachment);
    struct cel__list *node;

    while ((node = cel__list_pop(&all->list)) != NULL) {
        struct errand *m = cel__container_of(node, struct errand, link);

        m->is_ending = true; /* cancelled with the loop, as its own tasks are: no leak */
        m->home->jobs_given_up++;
        cel__elsewhere_cancel(&m->face.future);
    }
    cel__mem_free(all);
}

static struct errands *errands_of(struct cel_loop *loop)
{
    struct cel__attachment *a = cel__loop_find(loop, end_errands);
    struct errands *all;

    if (a != NULL)
        return cel__container_of(a, struct errands, attachment);
    all = cel__mem_zalloc(sizeof *all);
    if (all == NULL)
        return NULL;
    all->attachment.end = end_errands;
    cel__list_init(&all->list);
    cel__loop_attach(loop, &all->attachment);
    return all;
}

struct cel_future *cel_spawn_on_at(struct cel_loop *loop, cel_task_fn *fn, void *arg,
                                   const char *file, int line)
{
    struct errands *all;
    struct errand *m;

    CEL__ASSERT(cel__loop_here != NULL && "the future needs a loop of the calling thread");
    all = errands_of(cel__loop_here);
    m = all != NULL ? cel__mem_zalloc(sizeof *m) : NULL;
    if (m == NULL)
        return NULL;
    cel__future_init(&m->face.future);
    m->face.future.is_elsewhere = 1;
    m->home = cel__loop_here;
    m->face.there = loop;
    m->fn = fn;
    m->arg = arg;
    m->face.file = file;
    m->face.line = line;
    m->travelling = 1;
    m->home->jobs++;
    cel__list_append(&all->list, &m->link);
    m->ask.run = begin;
    cel__loop_post(loop, &m->ask);
    return &m->face.future;
}
