/* SPDX-License-Identifier: MIT */
/* Workers who lock, wait, notify, take permits, read and write, under deadlines that may end at any
 * moment and neighbours who call them off. Whoever is inside is alone where that is promised; and
 * at each quiet moment nobody waits for what is free: that is how a lost wake-up shows, long before
 * everything stands still. */
#include <errno.h>
#include <string.h>

#include "celadon/sync.h"
#include "plays.h"

#define WORKERS 6
#define ACTS    10
#define PERMITS 2
#define NAP_MAX (3 * CEL_MILLISECOND)

enum way { LOCK, SEM, READ, WRITE, COND, ONCE, WAYS };

struct worker {
    struct house *house;
    struct cel_scope scope;
    bool is_busy, has_ended;
};

struct house {
    struct worker workers[WORKERS];
    struct cel_lock lock;
    struct cel_cond cond;
    struct cel_sem sem;
    struct cel_rwlock books;
    struct cel_once once;
    unsigned waiting[WAYS], inside[WAYS];
    unsigned tickets, tries, ended;
    const char *flaw;
};

static void blame(struct house *h, bool is_wrong, const char *what)
{
    if (is_wrong && h->flaw == NULL)
        h->flaw = what;
}

/* As long as one is inside, whatever the deadline says. */
static void stay(void)
{
    if (cel_sim_draw(2) == 0)
        (void)!cel_yield();
    else
        (void)!cel_sleep((int64_t)cel_sim_draw(NAP_MAX));
}

static int be_alone(struct house *h)
{
    int r;

    h->waiting[LOCK]++;
    r = cel_lock_acquire(&h->lock);
    h->waiting[LOCK]--;
    if (r < 0)
        return r;
    blame(h, h->inside[LOCK]++ != 0, "two hold a lock");
    stay();
    if (cel_sim_draw(2) == 0) {
        h->tickets++;
        (void)cel_cond_notify(&h->cond, 1 + cel_sim_draw(2));
    }
    h->inside[LOCK]--;
    cel_lock_release(&h->lock);
    return 0;
}

static bool is_ticket_there(void *arg)
{
    return ((struct house *)arg)->tickets > 0;
}

/* However the wait ends, the lock is held again. */
static int await_ticket(struct house *h)
{
    int r;

    h->waiting[LOCK]++;
    r = cel_lock_acquire(&h->lock);
    h->waiting[LOCK]--;
    if (r < 0)
        return r;
    r = cel_cond_wait_for(&h->cond, &h->lock, is_ticket_there, h);
    blame(h, h->inside[LOCK]++ != 0, "a condition that returns without its lock");
    blame(h, r == 0 && h->tickets == 0, "a condition that does not hold");
    h->tickets -= r == 0 && h->tickets > 0;
    stay();
    h->inside[LOCK]--;
    cel_lock_release(&h->lock);
    return r;
}

static int take_permit(struct house *h)
{
    int r;

    h->waiting[SEM]++;
    r = cel_sem_acquire(&h->sem);
    h->waiting[SEM]--;
    if (r < 0)
        return r;
    blame(h, ++h->inside[SEM] > PERMITS, "more permits than there are");
    stay();
    h->inside[SEM]--;
    cel_sem_release(&h->sem);
    return 0;
}

static int read_books(struct house *h)
{
    int r;

    h->waiting[READ]++;
    r = cel_rwlock_read(&h->books);
    h->waiting[READ]--;
    if (r < 0)
        return r;
    blame(h, h->inside[WRITE] != 0, "a reader beside a writer");
    h->inside[READ]++;
    stay();
    h->inside[READ]--;
    cel_rwlock_read_release(&h->books);
    return 0;
}

static int write_books(struct house *h)
{
    int r;

    h->waiting[WRITE]++;
    r = cel_rwlock_write(&h->books);
    h->waiting[WRITE]--;
    if (r < 0)
        return r;
    blame(h, h->inside[WRITE] + h->inside[READ] != 0, "a writer who is not alone");
    h->inside[WRITE]++;
    stay();
    h->inside[WRITE]--;
    if (cel_sim_draw(2) == 0) {
        cel_rwlock_write_release(&h->books);
        return 0;
    }
    h->inside[READ]++;
    cel_rwlock_downgrade(&h->books);
    stay();
    h->inside[READ]--;
    cel_rwlock_read_release(&h->books);
    return 0;
}

static int try_once(void *arg)
{
    struct house *h = arg;

    blame(h, h->inside[ONCE]++ != 0, "two do what is done once");
    stay();
    h->inside[ONCE]--;
    return ++h->tries % 4 == 0 ? 0 : -EAGAIN;
}

static int do_once(struct house *h)
{
    int r;

    h->waiting[ONCE]++;
    r = cel_once_run(&h->once, try_once, h);
    h->waiting[ONCE]--;
    blame(h, r == 0 && !cel_once_is_done(&h->once), "done, and not done");
    return r == -EAGAIN ? 0 : r;
}

static void call_off_another(struct house *h)
{
    struct worker *w = &h->workers[cel_sim_draw(WORKERS)];

    if (w->is_busy && cel_sim_draw(3) == 0)
        cel_scope_cancel(&w->scope);
}

static void *work(void *arg)
{
    static int (*const ways[])(struct house * h) = {be_alone,   await_ticket, take_permit,
                                                    read_books, write_books,  do_once};
    struct worker *w = arg;
    struct house *h = w->house;

    for (unsigned act = 0; act < ACTS; act++) {
        int64_t timeout = (int64_t)cel_sim_draw(2 * NAP_MAX);
        int r;

        cel_scope_enter(&w->scope, &(struct cel_scope_options){.timeout = timeout});
        w->is_busy = true;
        r = ways[cel_sim_draw(sizeof ways / sizeof ways[0])](h);
        w->is_busy = false;
        call_off_another(h);
        (void)cel_scope_leave(&w->scope);
        blame(h, r != 0 && r != -ECANCELED && r != -ETIMEDOUT, "a wait that fails");
        if (cel_sim_draw(3) == 0)
            stay();
    }
    w->has_ended = true;
    h->ended++;
    return NULL;
}

/* When nobody can go on, whoever waits has a reason. */
static void look_around(struct house *h)
{
    blame(h, h->waiting[LOCK] > 0 && !cel_lock_is_held(&h->lock), "waiting for a free lock");
    blame(h, h->waiting[SEM] > 0 && h->inside[SEM] < PERMITS, "waiting for a free permit");
    blame(h, h->waiting[WRITE] > 0 && h->inside[WRITE] + h->inside[READ] == 0,
          "waiting to write what is free");
    blame(h, h->waiting[READ] > 0 && h->inside[WRITE] + h->waiting[WRITE] == 0,
          "waiting to read beside nobody");
    blame(h, h->waiting[ONCE] > 0 && h->inside[ONCE] == 0, "waiting for what nobody does");
    blame(h, h->inside[SEM] + cel_sem_count(&h->sem) != PERMITS, "permits that do not add up");
}

static void *watch(void *arg)
{
    struct house *h = arg;

    while (h->ended < WORKERS && h->flaw == NULL) {
        if (cel_sleep(1 + (int64_t)cel_sim_draw(NAP_MAX)) < 0 || cel_sim_settle() < 0)
            break;
        look_around(h);
    }
    return NULL;
}

void *play_sync(void *arg)
{
    static struct house h;

    memset(&h, 0, sizeof h);
    cel_sem_init(&h.sem, PERMITS, PERMITS);
    CEL_SCOPE (all, .timeout = 10 * CEL_SECOND) {
        for (unsigned i = 0; i < WORKERS; i++) {
            h.workers[i].house = &h;
            (void)!cel_go(work, &h.workers[i]);
        }
        (void)!cel_go(watch, &h);
    }
    if (h.flaw != NULL)
        return cel_fail(-EPROTO, "%s", h.flaw);
    HOLDS(!cel_scope_expired(&all));
    HOLDS(!cel_lock_is_held(&h.lock));
    HOLDS(cel_sem_count(&h.sem) == PERMITS);
    HOLDS(cel_rwlock_try_write(&h.books));
    cel_rwlock_write_release(&h.books);
    return NULL;
}
