/* SPDX-License-Identifier: MIT */
/* A future whose result comes as one message from any thread.
 *
 * 1. The future is its loop's, as every other; only the message crosses. So those that do not cross
 *    pay no atomics.
 * 2. Two hold the record: the owner of the future, and the promise until its message has arrived or
 *    was refused. The last of them frees it.
 * 3. `loop` is looked at, and the message is posted, under the lock; a loop that closes takes it
 *    away under the lock. So no thread posts to a loop that is gone, and closing waits for nobody.
 * 4. While the future is wanted and not done, the loop is held: it waits, and reports no deadlock.
 */
#include "task/promise.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "celadon/workers.h"
#include "task/error.h"
#include "task/future.h"

struct cel_promise {
    struct cel_future future; /* first; the loop's */
    struct cel__list link;    /* the loop's promises; the loop's */
    bool is_holding;          /* the loop's: rule 4 */
    unsigned holders;         /* atomic: rule 2 */
    int is_unwanted;          /* atomic */
    pthread_mutex_t lock;
    struct cel_loop *loop; /* by lock; NULL: it has closed */
    bool is_sent;          /* by lock */
    struct cel__post post; /* from here on the message's */
    void *value;
    int code;
    struct cel_error *error;
};

struct promises {
    struct cel__attachment attachment;
    struct cel__list list;
};

static void let_go(struct cel_promise *p)
{
    if (__atomic_sub_fetch(&p->holders, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    (void)pthread_mutex_destroy(&p->lock);
    cel__mem_free(p);
}

/* ---- the loop's side ---- */

static void release_loop(struct cel_promise *p)
{
    if (!p->is_holding)
        return;
    p->is_holding = false;
    p->loop->holds--;
}

static void arrived(struct cel__post *post)
{
    struct cel_promise *p = cel__container_of(post, struct cel_promise, post);

    cel__list_unlink(&p->link);
    release_loop(p);
    if (p->future.is_orphan || p->future.state == CEL__DONE)
        cel__mem_free(p->error);
    else
        cel__future_end(&p->future, p->value, p->code, p->error);
    let_go(p);
}

void cel__promise_unwanted(struct cel_future *f)
{
    struct cel_promise *p = (struct cel_promise *)f;

    __atomic_store_n(&p->is_unwanted, 1, __ATOMIC_RELAXED);
    release_loop(p);
}

void cel__promise_free(struct cel_future *f)
{
    struct cel_promise *p = (struct cel_promise *)f;

    cel__promise_unwanted(f);
    cel__mem_free(cel__future_error(f));
    f->is_orphan = 1;
    let_go(p);
}

/* A message that is under way still comes; what has not been sent is refused from now on. */
static void close_one(struct cel_promise *p)
{
    bool is_sent;

    __atomic_add_fetch(&p->holders, 1, __ATOMIC_RELAXED); /* whoever is refused lets go at once */
    (void)pthread_mutex_lock(&p->lock);
    is_sent = p->is_sent;
    if (!is_sent) {
        release_loop(p);
        p->loop = NULL;
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (!is_sent) {
        __atomic_store_n(&p->is_unwanted, 1, __ATOMIC_RELAXED);
        if (!p->future.is_orphan && p->future.state == CEL__PENDING)
            cel__future_end(&p->future, NULL, -CEL_ECLOSED, NULL);
    }
    let_go(p);
}

static void end_promises(struct cel__attachment *attachment)
{
    struct promises *all = cel__container_of(attachment, struct promises, attachment);
    struct cel__list *node;

    while ((node = cel__list_pop(&all->list)) != NULL)
        close_one(cel__container_of(node, struct cel_promise, link));
    cel__mem_free(all);
}

static struct promises *promises_of(struct cel_loop *loop)
{
    struct cel__attachment *a = cel__loop_find(loop, end_promises);
    struct promises *all;

    if (a != NULL)
        return cel__container_of(a, struct promises, attachment);
    all = cel__mem_zalloc(sizeof *all);
    if (all == NULL)
        return NULL;
    all->attachment.end = end_promises;
    cel__list_init(&all->list);
    cel__loop_attach(loop, &all->attachment);
    return all;
}

struct cel_promise *cel_promise_new(struct cel_future **future)
{
    struct cel_loop *loop = cel__loop_here;
    struct promises *all;
    struct cel_promise *p;

    CEL__ASSERT(loop != NULL && "the future needs a loop of the calling thread");
    all = promises_of(loop);
    p = all != NULL ? cel__mem_zalloc(sizeof *p) : NULL;
    if (p == NULL)
        return NULL;
    cel__future_init(&p->future);
    p->future.is_promised = 1;
    (void)pthread_mutex_init(&p->lock, NULL);
    p->loop = loop;
    p->holders = 2;
    p->is_holding = true;
    loop->holds++;
    cel__list_append(&all->list, &p->link);
    *future = &p->future;
    return p;
}

/* ---- any thread ---- */

/* The lock is held while the loop is woken, or it could be gone by then. */
static int keep(struct cel_promise *p)
{
    struct cel_loop *loop;

    (void)pthread_mutex_lock(&p->lock);
    loop = p->loop;
    if (loop != NULL) {
        CEL__ASSERT(!p->is_sent && "a promise is kept once");
        p->is_sent = true;
        p->post.run = arrived;
        __atomic_add_fetch(&p->holders, 1, __ATOMIC_RELAXED); /* ours, for the lock */
        cel__loop_post(loop, &p->post);
    }
    (void)pthread_mutex_unlock(&p->lock);
    let_go(p);
    return loop != NULL ? 0 : -CEL_ECLOSED;
}

int cel_promise_set(struct cel_promise *promise, void *value)
{
    promise->value = value;
    return keep(promise);
}

int cel_promise_fail(struct cel_promise *promise, int code, const char *fmt, ...)
{
    char text[sizeof((struct cel_error *)0)->text];
    struct cel_error *error;
    va_list va;
    int r;

    CEL__ASSERT(code < 0);
    va_start(va, fmt);
    vsnprintf(text, sizeof text, fmt, va);
    va_end(va);
    error = cel__error_new(__FILE__, __LINE__, code, text);
    promise->code = code;
    promise->error = error;
    r = keep(promise);
    if (r < 0)
        cel__mem_free(error); /* the message never left */
    return r;
}

void cel_promise_drop(struct cel_promise *promise)
{
    if (promise != NULL)
        (void)cel_promise_fail(promise, -EOWNERDEAD, "the promise was dropped");
}

bool cel_promise_is_wanted(const struct cel_promise *promise)
{
    return __atomic_load_n(&promise->is_unwanted, __ATOMIC_RELAXED) == 0;
}
