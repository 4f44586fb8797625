/* SPDX-License-Identifier: MIT */
/* What tasks wait for each other with: locks, gates, channels, queues, pools, races. */
#include <errno.h>
#include <stdlib.h>

#include "base/cc.h"
#include "celadon/chan.h"
#include "celadon/compose.h"
#include "celadon/offload.h"
#include "celadon/pool.h"
#include "celadon/queue.h"
#include "celadon/sync.h"
#include "harness/scenarios.h"

#define CHILDREN 3

/* Runs fn(arg) in some children, then `also` here, and waits for all; a child that cannot be made
 * calls the others off, who might wait for it. */
static void together(cel_task_fn *fn, void *arg, void (*also)(void *arg))
{
    CEL_SCOPE (s) {
        int made = 0;

        while (made < CHILDREN && cel_go(fn, arg) == 0)
            made++;
        if (made < CHILDREN)
            cel_scope_cancel(&s);
        else if (also != NULL)
            also(arg);
    }
}

/* ---- locks ---- */

struct guarded {
    struct cel_lock lock;
    struct cel_rlock rlock;
    struct cel_rwlock rwlock;
    int inside;
};

static void be_inside(struct guarded *g)
{
    CEL__ASSERT(g->inside++ == 0);
    (void)cel_yield();
    g->inside--;
}

static void *hold_lock(void *arg)
{
    struct guarded *g = arg;

    for (int i = 0; i < 2 && cel_lock_acquire(&g->lock) == 0; i++) {
        be_inside(g);
        cel_lock_release(&g->lock);
    }
    return NULL;
}

static void *flow_lock(void *arg)
{
    struct guarded g = {.inside = 0};

    together(hold_lock, &g, NULL);
    CEL__ASSERT(!cel_lock_is_held(&g.lock));
    return NULL;
}

static void *hold_rlock(void *arg)
{
    struct guarded *g = arg;

    if (cel_rlock_acquire(&g->rlock) < 0)
        return NULL;
    if (cel_rlock_acquire(&g->rlock) == 0) {
        be_inside(g);
        cel_rlock_release(&g->rlock);
    }
    cel_rlock_release(&g->rlock);
    return NULL;
}

static void *flow_rlock(void *arg)
{
    struct guarded g = {.inside = 0};

    together(hold_rlock, &g, NULL);
    CEL__ASSERT(g.rlock.depth_ == 0 && !cel_lock_is_held(&g.rlock.lock_));
    return NULL;
}

static void *read_then_write(void *arg)
{
    struct guarded *g = arg;

    for (int i = 0; i < 2; i++) { /* the second time some write */
        if (cel_rwlock_read(&g->rwlock) == 0) {
            CEL__ASSERT(g->inside == 0);
            (void)cel_yield();
            cel_rwlock_read_release(&g->rwlock);
        }
        if (cel_rwlock_write(&g->rwlock) < 0)
            return NULL;
        be_inside(g);
        cel_rwlock_write_release(&g->rwlock);
    }
    return NULL;
}

static void *flow_rwlock(void *arg)
{
    struct guarded g = {.inside = 0};

    together(read_then_write, &g, NULL);
    CEL__ASSERT(g.rwlock.readers_ == 0 && g.rwlock.writer_ == NULL && g.rwlock.line_.count_ == 0);
    return NULL;
}

struct meeting {
    struct cel_lock lock;
    struct cel_cond cond;
    bool has_begun;
};

static void *attend(void *arg)
{
    struct meeting *m = arg;
    int r = cel_lock_acquire(&m->lock);

    if (r < 0)
        return NULL;
    while (!m->has_begun && r == 0)
        r = cel_cond_wait(&m->cond, &m->lock);
    cel_lock_release(&m->lock);
    return NULL;
}

static bool it_has_begun(void *arg)
{
    return ((struct meeting *)arg)->has_begun;
}

static void *attend_all_of_it(void *arg)
{
    struct meeting *m = arg;

    if (cel_lock_acquire(&m->lock) < 0)
        return NULL;
    if (cel_cond_wait_for(&m->cond, &m->lock, it_has_begun, m) == 0)
        CEL__ASSERT(m->has_begun);
    CEL__ASSERT(cel_lock_is_held(&m->lock));
    cel_lock_release(&m->lock);
    return NULL;
}

static void begin(void *arg)
{
    struct meeting *m = arg;

    (void)cel_yield();
    if (cel_lock_acquire(&m->lock) == 0) {
        (void)cel_cond_notify(&m->cond, 1);
        m->has_begun = true;
        (void)cel_cond_notify_all(&m->cond);
        cel_lock_release(&m->lock);
    }
}

static void *flow_cond(void *arg)
{
    struct meeting m = {.has_begun = false};

    together(attend, &m, begin);
    CEL__ASSERT(!cel_lock_is_held(&m.lock));
    return NULL;
}

static void *flow_cond_for(void *arg)
{
    struct meeting m = {.has_begun = false};

    together(attend_all_of_it, &m, begin);
    CEL__ASSERT(!cel_lock_is_held(&m.lock));
    return NULL;
}

/* ---- permits and gates ---- */

static void *use_permit(void *arg)
{
    for (int i = 0; i < 2 && cel_sem_acquire(arg) == 0; i++) {
        (void)cel_yield();
        cel_sem_release(arg);
    }
    return NULL;
}

static void *flow_sem(void *arg)
{
    struct cel_sem sem = CEL_BOUNDED_SEM_INIT(2);

    together(use_permit, &sem, NULL);
    CEL__ASSERT(cel_sem_count(&sem) == 2);
    return NULL;
}

struct gates {
    struct cel_event event;
    struct cel_countdown countdown;
};

static void *pass_gates(void *arg)
{
    struct gates *g = arg;

    (void)!cel_event_wait(&g->event);
    cel_countdown_done(&g->countdown);
    (void)!cel_countdown_wait(&g->countdown);
    return NULL;
}

static void open_gates(void *arg)
{
    struct gates *g = arg;

    (void)cel_yield();
    cel_event_set(&g->event);
    (void)!cel_countdown_wait(&g->countdown);
}

static void *flow_gates(void *arg)
{
    struct gates g = {.countdown = CEL_COUNTDOWN_INIT(CHILDREN)};

    together(pass_gates, &g, open_gates);
    return NULL;
}

static void *meet(void *arg)
{
    int r = 0;

    for (int i = 0; i < 2 && r >= 0; i++)
        r = cel_barrier_wait(arg);
    if (r < 0)
        cel_barrier_abort(arg);
    return NULL;
}

static void *flow_barrier(void *arg)
{
    struct cel_barrier barrier = CEL_BARRIER_INIT(CHILDREN);

    together(meet, &barrier, NULL);
    CEL__ASSERT(cel_barrier_waiting(&barrier) == 0);
    return NULL;
}

struct first {
    struct cel_once once;
    int tried;
};

static int try_first(void *arg)
{
    struct first *f = arg;

    return ++f->tried == 1 ? -EIO : cel_yield();
}

static void *need_first(void *arg)
{
    struct first *f = arg;

    if (cel_once_run(&f->once, try_first, f) == 0)
        CEL__ASSERT(cel_once_is_done(&f->once));
    return NULL;
}

static void *flow_once(void *arg)
{
    struct first f = {.tried = 0};

    together(need_first, &f, NULL);
    CEL__ASSERT(f.once.line_.count_ == 0 && f.once.owner_ == NULL);
    return NULL;
}

/* ---- channels and queues ---- */

struct talk {
    struct cel_chan *chan, *back;
    int sent, received;
};

static void *send_some(void *arg)
{
    struct talk *t = arg;

    for (int i = 0; i < 3 && cel_chan_send(t->chan, &i) == 0; i++)
        t->sent++;
    return NULL;
}

static void receive_some(void *arg)
{
    struct talk *t = arg;
    int value;

    while (t->received < 3 * CHILDREN && cel_chan_recv(t->chan, &value) == 0)
        t->received++;
    cel_chan_close(t->chan);
    while (cel_chan_try_recv(t->chan, &value) == 0)
        t->received++;
}

static void talk_over(size_t slots)
{
    struct talk t = {.sent = 0};

    if (cel_chan_new(&t.chan, sizeof(int), slots) < 0)
        return;
    together(send_some, &t, receive_some);
    if (slots == 0) /* else what was cut short may have left some in their slots */
        CEL__ASSERT(t.sent == t.received);
    CEL__ASSERT(t.sent == t.received + (int)cel_chan_count(t.chan));
    cel_chan_free(t.chan);
}

static void *flow_rendezvous(void *arg)
{
    talk_over(0);
    return NULL;
}

static void *flow_pipeline(void *arg)
{
    talk_over(2);
    return NULL;
}

static void *select_some(void *arg)
{
    struct talk *t = arg;
    int r = 0, value = 0;

    for (int i = 0; i < 3 && r >= 0; i++) {
        struct cel_case cases[] = {CEL_RECV(t->chan, &value), CEL_SEND(t->back, &value),
                                   CEL_AFTER(CEL_MINUTE)};

        r = cel_select(cases, 3);
        if (r >= 0 && cases[r].result < 0)
            break;
        t->received += r == 0;
        t->sent += r == 1;
    }
    return NULL;
}

static void answer(void *arg)
{
    struct talk *t = arg;
    int value = 1, r = 0;

    for (int i = 0; i < 4 && r == 0; i++) {
        r = cel_chan_send(t->chan, &value);
        if (r == 0)
            r = cel_chan_recv(t->back, &value);
    }
    cel_chan_close(t->chan);
    cel_chan_close(t->back);
}

static void *flow_select(void *arg)
{
    struct talk t = {.sent = 0};

    if (cel_chan_new(&t.chan, sizeof(int), 0) == 0 && cel_chan_new(&t.back, sizeof(int), 0) == 0)
        together(select_some, &t, answer);
    cel_chan_free(t.chan);
    cel_chan_free(t.back);
    return NULL;
}

static void *consume(void *arg)
{
    void *item;

    while (cel_queue_get(arg, &item) == 0) {
        free(item);
        (void)cel_yield();
        cel_queue_task_done(arg);
    }
    return NULL;
}

static void produce(void *arg)
{
    for (int i = 0; i < 6; i++) {
        void *item = malloc(1);

        if (cel_queue_put(arg, item) < 0) {
            free(item);
            break;
        }
    }
    (void)!cel_queue_join(arg);
    cel_queue_shutdown(arg, true);
}

static void *flow_queue(void *arg)
{
    struct cel_queue *queue;

    if (cel_queue_new(&queue, &(struct cel_queue_options){.max = 1, .drop = free}) < 0)
        return NULL;
    together(consume, queue, produce);
    cel_queue_free(queue);
    return NULL;
}

/* ---- numbers of tasks ---- */

static void *step(void *arg)
{
    (void)cel_yield();
    return arg;
}

static void *rest(void *arg)
{
    (void)cel_sleep(CEL_MILLISECOND / 4);
    return arg;
}

static void *last_long(void *arg)
{
    (void)cel_sleep(CEL_MINUTE);
    return arg;
}

static void empty(struct cel_pool *pool)
{
    CEL_SCOPE (s, .is_shielded = true)
        (void)!cel_pool_kill(pool);
    CEL__ASSERT(cel_pool_running(pool) == 0);
    cel_pool_free(pool);
}

static void *fill_pool(void *arg)
{
    for (int i = 0; i < 2; i++)
        (void)!cel_pool_spawn(arg, rest, NULL, NULL);
    return NULL;
}

static void see_it_empty(void *arg)
{
    (void)cel_yield(); /* it is full then */
    (void)!cel_pool_wait_available(arg);
    (void)!cel_pool_try_spawn(arg, rest, NULL, NULL);
    (void)!cel_pool_join(arg);
    (void)!cel_pool_spawn(arg, last_long, NULL, NULL);
    (void)cel_yield();
    (void)!cel_pool_kill(arg);
}

static void *flow_pool(void *arg)
{
    struct cel_pool *pool;

    if (cel_pool_new(&pool, 2) < 0)
        return NULL;
    together(fill_pool, pool, see_it_empty);
    empty(pool);
    return NULL;
}

static void *flow_map(void *arg)
{
    int elements[6] = {0};
    void *results[6];

    if (cel_starmap(step, elements, sizeof elements[0], 6, 2, results) == 0)
        for (int i = 0; i < 6; i++)
            CEL__ASSERT(results[i] == &elements[i]);
    return NULL;
}

static void *flow_items(void *arg)
{
    void *items[6] = {"a", "b", "c", "d", "e", "f"}, *results[6];

    if (cel_map(rest, items, 6, 2, results) == 0)
        for (int i = 0; i < 6; i++)
            CEL__ASSERT(results[i] == items[i]);
    return NULL;
}

static int three(void *arg, void **item)
{
    *item = arg;
    return ++*(int *)arg <= 3;
}

static void *flow_imap(void *arg)
{
    for (int k = 0; k < 2; k++) {
        const struct cel_imap_options options = {.width = 2, .is_unordered = k == 1};
        struct cel_imap *imap;
        int count = 0;
        void *value;

        if (cel_imap_new(&imap, step, three, &count, &options) < 0)
            return NULL;
        while (cel_imap_next(imap, &value) == 1)
            continue;
        cel_imap_free(imap);
    }
    return NULL;
}

/* Given up while its calls run. */
static void *flow_imap_left(void *arg)
{
    struct cel_imap *imap;
    int count = 0;
    void *value;

    if (cel_imap_new(&imap, rest, three, &count, &(struct cel_imap_options){.width = 3}) < 0)
        return NULL;
    (void)!cel_imap_next(imap, &value);
    cel_imap_free(imap);
    return NULL;
}

static void *flow_pile(void *arg)
{
    struct cel_pool *pool;
    struct cel_pile *pile;

    if (cel_pool_new(&pool, 2) < 0)
        return NULL;
    if (cel_pile_new(&pile, pool) == 0) {
        for (int i = 0; i < 4; i++)
            (void)!cel_pile_spawn(pile, rest, NULL);
        for (int i = 0; i < 4; i++)
            (void)!cel_pile_next(pile, NULL);
        cel_pile_free(pile);
    }
    empty(pool);
    return NULL;
}

static void *flow_kill(void *arg)
{
    struct cel_task *t[2] = {cel_spawn(last_long, NULL), cel_spawn_later(CEL_MINUTE, step, NULL)};

    (void)cel_yield();
    if (cel_kill_all(t, 2) == 0)
        CEL__ASSERT(cel_join_all(t, 2, false) != 0 || cel_checkpoint() != 0);
    for (int i = 0; i < 2; i++)
        if (t[i] != NULL)
            cel_task_cancel(t[i]);
    return NULL;
}

static void *flow_join_all(void *arg)
{
    for (int k = 0; k < 2; k++) {
        struct cel_task *t[3] = {cel_spawn(rest, NULL), cel_spawn(step, NULL),
                                 cel_spawn(rest, NULL)};

        (void)!cel_join_all(t, 3, k == 0);
        for (int i = 0; i < 3; i++)
            cel_task_free(t[i]);
    }
    return NULL;
}

static void *flow_kill_one(void *arg)
{
    struct cel_task *t = cel_spawn(last_long, NULL);

    (void)cel_yield();
    if (t != NULL && cel_kill(t) == 0)
        CEL__ASSERT(cel_is_done(t));
    cel_task_free(t);
    return NULL;
}

static void *flow_timeout(void *arg)
{
    void *result = "in vain";

    (void)!cel_with_timeout(CEL_MILLISECOND, last_long, NULL, &result);
    CEL__ASSERT(result != NULL || cel_checkpoint() != 0);
    return NULL;
}

static const struct cel_local note = {.destroy = free};

static void *keep_note(void *arg)
{
    void *value = malloc(8);

    if (value != NULL && cel_local_set(&note, value) < 0)
        free(value);
    (void)cel_yield();
    return NULL;
}

static const struct cel_local shared = {.destroy = NULL};

static void *see_shared(void *arg)
{
    CEL__ASSERT(cel_local_get(&shared) == arg);
    return NULL;
}

static void *flow_locals(void *arg)
{
    static int value;
    struct cel_task *heir;

    together(keep_note, NULL, NULL);
    if (cel_local_set(&shared, &value) < 0)
        return NULL;
    heir = cel_spawn_with(see_shared, &value, .inherits_locals = true);
    if (heir != NULL && cel_await(heir, NULL) == 0)
        CEL__ASSERT(cel_local_get(&shared) == &value);
    cel_task_free(heir);
    return NULL;
}

/* ---- more than fit on a stack ---- */

enum { MANY = 20 };

static void *flow_wait_many(void *arg)
{
    struct cel_task *t[MANY];

    for (int i = 0; i < MANY; i++)
        t[i] = cel_spawn(rest, NULL);
    (void)!cel_wait(t, MANY, CEL_WAIT_ALL);
    for (int i = 0; i < MANY; i++)
        cel_task_free(t[i]);
    return NULL;
}

static void *flow_select_many(void *arg)
{
    struct cel_case cases[MANY];
    struct talk t = {.sent = 0};
    int value;

    if (cel_chan_new(&t.chan, sizeof(int), 0) < 0)
        return NULL;
    for (int i = 0; i < MANY - 1; i++)
        cases[i] = (struct cel_case)CEL_RECV(t.chan, &value);
    cases[MANY - 1] = (struct cel_case)CEL_AFTER(CEL_MILLISECOND / 4);
    (void)!cel_select(cases, MANY);
    cel_chan_free(t.chan);
    return NULL;
}

static void note_end(void *arg)
{
    ++*(int *)arg;
}

static void note_call(void *arg)
{
    (void)cel_future_set(arg, "called");
}

static void await_call(struct cel_future *called)
{
    CEL_SCOPE (shield, .is_shielded = true)
        CEL__ASSERT(cel_await(called, NULL) == 0);
}

static void *flow_calls(void *arg)
{
    static int ended; /* the callback may come when the task is gone */
    struct cel_future *called = cel_future_new();
    struct cel_task *t = cel_spawn(step, NULL);

    if (t != NULL && cel_link(t, CEL_LINK_ANY, note_end, &ended) == 0)
        (void)!cel_await(t, NULL);
    cel_task_free(t);
    if (called != NULL && cel_loop_call(cel_loop_current(), note_call, called) == 0)
        await_call(called);
    cel_future_free(called);
    return NULL;
}

/* ---- compositions ---- */

static void *flow_race(void *arg)
{
    for (int k = 0; k < 2; k++) {
        struct cel_task *t[] = {cel_spawn(last_long, NULL), cel_spawn(step, "first"),
                                cel_spawn(last_long, NULL)};
        void *value = NULL;
        int r = (k == 0 ? cel_race : cel_race_success)(t, 3, &value); /* NULL has failed */

        CEL__ASSERT(r < 0 || (r == 1 && value != NULL));
        for (int i = 0; i < 3; i++)
            if (t[i] != NULL)
                cel_task_cancel(t[i]);
    }
    return NULL;
}

static void *flow_shield(void *arg)
{
    struct cel_task *t = cel_spawn(step, "inner");
    struct cel_future *outer = t != NULL ? cel_shield(t) : NULL;

    if (outer == NULL)
        return NULL;
    if (cel_await(outer, NULL) < 0)
        CEL__ASSERT(cel_checkpoint() != 0 || cel_outcome(outer) < 0);
    (void)cel_future_cancel(outer);
    cel_future_free(outer);
    return NULL;
}

static void *work(void *arg)
{
    return arg;
}

static void drop(void *arg, void *result)
{
    CEL__ASSERT(result == NULL || result == arg);
    free(arg);
}

static void *flow_abandon(void *arg)
{
    void *thing = malloc(1), *result = NULL;
    int r = cel_offload_or_abandon(work, thing, drop, &result);

    if (r != -ECANCELED && r != -ETIMEDOUT)
        free(thing);
    return NULL;
}

const struct scenario scenarios[] = {
    {"lock", flow_lock},
    {"rlock", flow_rlock},
    {"cond", flow_cond},
    {"cond_for", flow_cond_for},
    {"sem", flow_sem},
    {"gates", flow_gates},
    {"barrier", flow_barrier},
    {"once", flow_once},
    {"rwlock", flow_rwlock},
    {"rendezvous", flow_rendezvous},
    {"pipeline", flow_pipeline},
    {"select", flow_select},
    {"queue", flow_queue},
    {"pool", flow_pool},
    {"map", flow_map},
    {"items", flow_items},
    {"imap", flow_imap},
    {"imap_left", flow_imap_left},
    {"pile", flow_pile},
    {"join_all", flow_join_all},
    {"kill", flow_kill},
    {"kill_one", flow_kill_one},
    {"timeout", flow_timeout},
    {"locals", flow_locals},
    {"wait_many", flow_wait_many},
    {"select_many", flow_select_many},
    {"calls", flow_calls},
    {"race", flow_race},
    {"shield", flow_shield},
    {"abandon", flow_abandon, .uses_pool = true},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

int scenarios_open(void **state)
{
    return 0;
}

int scenarios_close(void **state)
{
    return 0;
}
