/* SPDX-License-Identifier: MIT */
/* Deadlines inside deadlines, moved while they run, and timers by callback. Each call ends when and
 * as the innermost deadline says, by a model of a few lines; timers fire in the order of their
 * instants, and of arming where those are equal, and none fires that was stopped. */
#include <errno.h>
#include <string.h>

#include "celadon/loop.h"
#include "celadon/task.h"
#include "plays.h"

#define SLEEPERS 3
#define ROUNDS   8
#define DEPTH    3
#define TIMERS   40
#define GRAIN    (CEL_MILLISECOND / 2)

static const char *flaw;

static void blame(bool is_wrong, const char *what)
{
    if (is_wrong && flaw == NULL)
        flaw = what;
}

/* ---- deadlines ---- */

/* Beside all instants at which somebody wakes and those of the scopes around: never at the same
 * time. */
static int64_t some_deadline(unsigned depth)
{
    if (cel_sim_draw(3) == 0)
        return CEL_FOREVER;
    return (cel_now() / GRAIN + 1 + (int64_t)cel_sim_draw(12)) * GRAIN + GRAIN / 2 +
           depth * 20 * CEL_MICROSECOND;
}

struct nest {
    struct cel_scope scopes[DEPTH];
    int64_t deadlines[DEPTH];
    bool is_expired[DEPTH];
    unsigned depth;
};

/* Of the scopes that are open the one that ends first, */
static unsigned first_to_end(const struct nest *n)
{
    unsigned first = 0;

    for (unsigned i = 1; i < n->depth; i++)
        if (n->deadlines[i] < n->deadlines[first])
            first = i;
    return first;
}

static bool is_cut(const struct nest *n, unsigned upto)
{
    for (unsigned i = 0; i < upto; i++)
        if (n->is_expired[i])
            return true;
    return false;
}

/* What a call must return that begins now: 0, or the code of the innermost scope. */
static int code_of(const struct nest *n)
{
    if (is_cut(n, n->depth - 1))
        return -ECANCELED;
    return n->is_expired[n->depth - 1] ? -ETIMEDOUT : 0;
}

/* Deadlines that pass while it is awake count when it next looks. */
static void note_expired(struct nest *n)
{
    for (unsigned i = 0; i < n->depth; i++)
        if (n->deadlines[i] <= cel_now() && !is_cut(n, i))
            n->is_expired[i] = true;
}

static void nap(struct nest *n)
{
    int64_t until = (cel_now() / GRAIN + 1 + (int64_t)cel_sim_draw(8)) * GRAIN;
    unsigned first = first_to_end(n);
    int expected = code_of(n), r;
    bool is_ended = expected == 0 && n->deadlines[first] < until;

    r = cel_sleep_until(until);
    if (expected == 0 && is_ended) {
        n->is_expired[first] = true;
        expected = code_of(n);
        blame(cel_now() < n->deadlines[first], "a deadline before its time");
    }
    blame(r != expected,
          r == 0 ? "a deadline that did not end a call" : "a call that ended as it should not");
    blame(r == 0 && cel_now() < until, "woke early");
}

static void move_deadline(struct nest *n)
{
    unsigned which = (unsigned)cel_sim_draw(n->depth);

    if (code_of(n) != 0 || n->deadlines[which] <= cel_now()) /* too late, or just so */
        return;
    n->deadlines[which] = some_deadline(which);
    cel_scope_set_deadline(&n->scopes[which], n->deadlines[which]);
}

static void open_one(struct nest *n)
{
    struct cel_scope *scope = &n->scopes[n->depth];

    n->is_expired[n->depth] = false;
    n->deadlines[n->depth] = some_deadline(n->depth);
    cel_scope_enter(scope, NULL);
    cel_scope_set_deadline(scope, n->deadlines[n->depth]);
    n->depth++;
}

static void close_one(struct nest *n)
{
    unsigned which = --n->depth;

    (void)cel_scope_leave(&n->scopes[which]);
    blame(cel_scope_expired(&n->scopes[which]) != n->is_expired[which] &&
              n->deadlines[which] > cel_now(),
          "a scope that says wrongly whether it expired");
}

static void *sleep_in_scopes(void *arg)
{
    struct nest n = {.depth = 0};

    open_one(&n);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (n.depth < DEPTH && cel_sim_draw(2) == 0)
            open_one(&n);
        else if (n.depth > 1 && cel_sim_draw(2) == 0)
            close_one(&n);
        if (cel_sim_draw(2) == 0)
            move_deadline(&n);
        note_expired(&n);
        nap(&n);
    }
    while (n.depth > 0)
        close_one(&n);
    return NULL;
}

/* ---- timers ---- */

struct alarm {
    struct cel_timer timer;
    int64_t at;
    unsigned number; /* in the order of arming */
    bool is_armed;
};

static struct clockwork {
    struct cel_loop *loop;
    struct alarm alarms[TIMERS];
    unsigned armed, arm_count, fired;
} works;

static void arm(struct alarm *a)
{
    static const int64_t fine[] = {0, 1, 1000, 9000, 40 * CEL_MICROSECOND};

    if (a->is_armed)
        cel_timer_stop(works.loop, &a->timer);
    works.armed += !a->is_armed;
    a->at = (cel_now() / GRAIN + 1 + (int64_t)cel_sim_draw(6)) * GRAIN +
            fine[cel_sim_draw(sizeof fine / sizeof fine[0])];
    if (cel_sim_draw(8) == 0)
        a->at += (int64_t)cel_sim_draw(5 * CEL_SECOND);
    a->number = works.arm_count++;
    a->is_armed = true;
    cel_timer_start_at(works.loop, &a->timer, a->at);
}

static void disarm(struct alarm *a)
{
    cel_timer_stop(works.loop, &a->timer);
    works.armed -= a->is_armed;
    a->is_armed = false;
}

static bool is_due_before(const struct alarm *a, const struct alarm *b)
{
    return a->is_armed && (a->at < b->at || (a->at == b->at && a->number < b->number));
}

static void ring(struct cel_timer *timer, void *arg)
{
    struct alarm *self = arg;

    blame(!self->is_armed, "a timer fired that was stopped");
    blame(cel_now() < self->at, "a timer fired before its time");
    for (unsigned i = 0; i < TIMERS; i++)
        blame(&works.alarms[i] != self && is_due_before(&works.alarms[i], self),
              "timers fired out of order");
    works.armed -= self->is_armed;
    works.fired++;
    self->is_armed = false;
    for (uint64_t n = cel_sim_draw(3); n > 0; n--) {
        struct alarm *other = &works.alarms[cel_sim_draw(TIMERS)];

        if (cel_sim_draw(2) == 0)
            disarm(other);
        else if (works.arm_count < 4 * TIMERS)
            arm(other);
    }
}

static void *wind_up(void *arg)
{
    works = (struct clockwork){.loop = cel_loop_current()};
    for (unsigned i = 0; i < TIMERS; i++) {
        cel_timer_init(&works.alarms[i].timer, ring, &works.alarms[i]);
        arm(&works.alarms[i]);
    }
    (void)!cel_sleep(30 * CEL_SECOND);
    blame(works.armed != 0, "a timer that never fires");
    for (unsigned i = 0; i < TIMERS; i++)
        disarm(&works.alarms[i]);
    return NULL;
}

void *play_times(void *arg)
{
    flaw = NULL;
    CEL_SCOPE (all, .timeout = 0) {
        (void)!cel_go(wind_up, NULL);
        for (unsigned i = 0; i < SLEEPERS; i++)
            (void)!cel_go(sleep_in_scopes, NULL);
    }
    if (flaw != NULL)
        return cel_fail(-EPROTO, "%s", flaw);
    return NULL;
}
