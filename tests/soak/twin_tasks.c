/* SPDX-License-Identifier: MIT */
/* Tasks among themselves: who wakes when, who gets which value, who is called off by whom, and what
 * comes back from threads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/chan.h>
#include <celadon/offload.h>
#include <celadon/pool.h>
#include <celadon/queue.h>
#include <celadon/sync.h>

#include "twin.h"

#define MANY 12

/* ---- time: what is later comes later, however late it is ---- */

struct clocks {
    struct subject *s;
    int64_t base, deadline;   /* deadline: in half milliseconds behind the base */
    struct cel_event start;   /* all sleepers have come */
    bool is_spoiled;          /* one slept when its time had come: the machine was slow */
    char order[2 * MANY + 1]; /* whose timers fired */
    size_t fired;
};

struct sleeper {
    struct clocks *c;
    char name;
    bool is_stopped;
    int64_t at; /* in half milliseconds behind the base: one of its own */
    int result;
    struct cel_timer timer; /* of those that are no task */
};

static int64_t instant(const struct clocks *c, int64_t halves)
{
    return c->base + halves * CEL_MILLISECOND / 2;
}

static void *sleep_once(void *arg)
{
    struct sleeper *p = arg;

    (void)!cel_event_wait(&p->c->start); /* parks */
    p->c->is_spoiled |= cel_now() >= p->c->base;
    p->result = cel_sleep_until(instant(p->c, p->at)); /* parks */
    if (p->result == 0 && cel_now() < instant(p->c, p->at))
        p->result = -EPROTO;
    return NULL;
}

static void fire(struct cel_timer *timer, void *arg)
{
    struct sleeper *p = arg;

    (void)timer;
    p->c->order[p->c->fired++] = p->name;
}

static void draw_instants(struct clocks *c, struct sleeper *all, unsigned count)
{
    unsigned order[2 * MANY];

    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    for (unsigned i = count; i > 1; i--) {
        unsigned k = (unsigned)draw(c->s, i), swap = order[i - 1];

        order[i - 1] = order[k];
        order[k] = swap;
    }
    for (unsigned i = 0; i < count; i++) {
        all[i] = (struct sleeper){.c = c,
                                  .name = (char)(i % 2 == 0 ? 'a' + i / 2 : 'A' + i / 2),
                                  .is_stopped = i % 2 == 1 && draw(c->s, 4) == 0,
                                  .at = 1 + order[i]};
        does(c->s, "%c at %u%s", all[i].name, order[i], all[i].is_stopped ? " stopped" : "");
    }
}

static void start_timers(struct clocks *c, struct sleeper *all, unsigned count)
{
    for (unsigned i = 1; i < count; i += 2) {
        cel_timer_init(&all[i].timer, fire, &all[i]);
        cel_timer_start_at(cel_loop_current(), &all[i].timer, instant(c, all[i].at));
        if (all[i].is_stopped)
            cel_timer_stop(cel_loop_current(), &all[i].timer);
    }
}

/* -> whether the deadline came. */
static bool let_time_pass(struct clocks *c, struct sleeper *all, unsigned count, int64_t lead)
{
    bool is_late = false;

    c->is_spoiled = false;
    c->fired = 0;
    cel_event_clear(&c->start);
    CEL_SCOPE (within) {
        for (unsigned i = 0; i < count; i += 2)
            if (cel_go(sleep_once, &all[i]) < 0)
                got(c->s, "no task");
        cel_yield(); /* parks */
        c->base = cel_now() + lead;
        cel_scope_set_deadline(&within, instant(c, c->deadline) + CEL_MILLISECOND / 4);
        start_timers(c, all, count);
        cel_event_set(&c->start);
    }
    is_late = cel_scope_expired(&within);
    cel_sleep_until(instant(c, count + 1)); /* parks: the timers */
    return is_late;
}

void keep_time(struct subject *s)
{
    struct clocks c = {.s = s, .start = CEL_EVENT_INIT};
    struct sleeper all[2 * MANY];
    unsigned count = 2 + (unsigned)draw(s, 2 * MANY - 2);
    int64_t lead = CEL_MILLISECOND;
    bool is_late;

    draw_instants(&c, all, count);
    c.deadline = (int64_t)draw(s, 2ul * count);
    does(s, "until %d", (int)c.deadline);
    do {
        is_late = let_time_pass(&c, all, count, lead); /* parks */
        lead *= 2;
    } while (c.is_spoiled);
    for (unsigned i = 0; i < count; i += 2) {
        got(s, "%c %s", all[i].name, told(all[i].result));
        if (all[i].result == -ETIMEDOUT && !is_late)
            got(s, "EARLY");
    }
    got(s, "fired %.*s", (int)c.fired, c.order);
}

/* ---- values: none is lost, none comes twice, those of one sender keep their order ---- */

struct market {
    struct subject *s;
    struct cel_chan *chan;
    struct cel_queue *queue; /* in its place, sometimes */
    unsigned senders_left;
    unsigned last[MANY]; /* of each sender */
    uint64_t sum;
    unsigned count, disorder;
};

struct sender {
    struct market *m;
    unsigned number, values, pause;
    int result;
};

static int put(struct market *m, unsigned value)
{
    return m->queue != NULL ? cel_queue_put(m->queue, (void *)(uintptr_t)value)
                            : cel_chan_send(m->chan, &value); /* parks */
}

static int get(struct market *m, unsigned *value)
{
    void *item = NULL;
    int r;

    if (m->queue == NULL)
        return cel_chan_recv(m->chan, value); /* parks */
    r = cel_queue_get(m->queue, &item);       /* parks */
    *value = (unsigned)(uintptr_t)item;
    return r;
}

static void *send_all(void *arg)
{
    struct sender *p = arg;

    for (unsigned i = 1; i <= p->values && p->result == 0; i++) {
        if (p->pause > 0 && i % p->pause == 0)
            cel_sleep(CEL_MILLISECOND / 4); /* parks */
        p->result = put(p->m, p->number << 16 | i);
    }
    if (--p->m->senders_left == 0 && p->m->queue != NULL)
        cel_queue_shutdown(p->m->queue, false);
    else if (p->m->senders_left == 0)
        cel_chan_close(p->m->chan);
    return NULL;
}

static void *receive_all(void *arg)
{
    struct market *m = arg;
    unsigned value;

    while (get(m, &value) == 0) { /* parks */
        m->disorder += (value & 0xffff) <= m->last[value >> 16];
        m->last[value >> 16] = value & 0xffff;
        m->sum += value;
        m->count++;
    }
    return NULL;
}

void pass_values(struct subject *s)
{
    struct market m = {.s = s};
    struct sender senders[MANY] = {0};
    unsigned count = 1 + (unsigned)draw(s, MANY), receivers = 1 + (unsigned)draw(s, 4);
    size_t slots = (size_t)draw(s, 6);
    bool is_queue = draw(s, 2);
    int r = is_queue ? cel_queue_new(&m.queue, &(struct cel_queue_options){.max = slots})
                     : cel_chan_new(&m.chan, sizeof(unsigned), slots);

    does(s, "%s of %zu, %u senders, %u receivers", is_queue ? "queue" : "channel", slots, count,
         receivers);
    got(s, "%s", told(r));
    m.senders_left = count;
    CEL_SCOPE (all) {
        for (unsigned i = 0; i < count && r == 0; i++) {
            senders[i] =
                (struct sender){&m, i, 1 + (unsigned)draw_size(s, 100), (unsigned)draw(s, 8), 0};
            does(s, "%u values, pause %u", senders[i].values, senders[i].pause);
            r = cel_go(send_all, &senders[i]);
        }
        for (unsigned i = 0; i < receivers && r == 0; i++)
            r = cel_go(receive_all, &m);
    }
    for (unsigned i = 0; i < count; i++)
        got(s, "%s", told(senders[i].result));
    /* several receivers may each be given one before the first of them runs */
    got(s, "%u values, %llu, disorder %u", m.count, (unsigned long long)m.sum,
        receivers == 1 ? m.disorder : 0);
    cel_chan_free(m.chan);
    cel_queue_free(m.queue);
}

/* ---- scopes: who is called off, and by what ---- */

#define DEPTH_MAX 5

enum strike { NOTHING, CANCEL, EXPIRE, STRIKES };

struct nest {
    struct subject *s;
    struct cel_scope scopes[DEPTH_MAX];
    unsigned depth;  /* of the innermost */
    unsigned victim; /* which is struck from the innermost */
};

struct child {
    unsigned kind;
    char word; /* how it ended; not when */
};

static void *live(void *arg)
{
    struct child *c = arg;
    int r = 0;

    if (c->kind == 0)
        r = cel_sleep(1000 * CEL_SECOND); /* parks: until it is called off */
    else if (c->kind == 1)
        r = cel_yield();
    else if (c->kind == 2)
        r = cel_checkpoint();
    c->word = r == 0 ? 'k' : r == -ECANCELED ? 'c' : r == -ETIMEDOUT ? 't' : '?';
    return c->kind == 3 ? cel_fail(-ENOENT, "as drawn") : NULL;
}

static void strike(struct nest *n, unsigned which, enum strike how)
{
    does(n->s, "strike %u by %u", which, how);
    if (how == CANCEL)
        cel_scope_cancel(&n->scopes[which]);
    else if (how == EXPIRE)
        cel_scope_set_deadline(&n->scopes[which], 1);
    if (how != NOTHING)
        got(n->s, "slept %s", told(cel_sleep(CEL_MILLISECOND)));
}

static unsigned spawn_children(struct nest *n, struct child *children, bool may_last, bool may_fail)
{
    unsigned count = (unsigned)draw(n->s, 4);

    does(n->s, "%u children", count);
    for (unsigned i = 0; i < count; i++) {
        unsigned first = may_last ? 0 : 1, last = may_fail ? 4 : 3;

        children[i] = (struct child){first + (unsigned)draw(n->s, last - first), '.'};
        does(n->s, "%u", children[i].kind);
        if (cel_spawn(live, &children[i]) == NULL)
            got(n->s, "no task");
    }
    for (unsigned i = 0; i < 4; i++)
        cel_yield(); /* parks: those that end by themselves do */
    return count;
}

static void nest_one(struct nest *n, unsigned depth)
{
    struct cel_scope_options options = {.is_group = draw(n->s, 2),
                                        .is_shielded = draw(n->s, 4) == 0};
    enum strike end = options.is_shielded ? CANCEL : (enum strike)draw(n->s, STRIKES);
    struct cel_scope *scope = &n->scopes[depth];
    struct child children[4];
    unsigned count;
    int r;

    does(n->s, "%s%s", options.is_group ? "group" : "scope",
         options.is_shielded ? " shielded" : "");
    cel_scope_enter(scope, &options);
    count = spawn_children(n, children, end != NOTHING, options.is_group);
    if (depth < n->depth)
        nest_one(n, depth + 1); /* parks */
    else
        strike(n, n->victim, (enum strike)draw(n->s, STRIKES));
    got(n->s, "inside %s", told(cel_checkpoint()));
    strike(n, depth, end);
    r = cel_scope_leave(scope); /* parks */
    got(n->s, "%s expired %d", told(r), cel_scope_expired(scope));
    for (unsigned i = 0; i < count; i++)
        got(n->s, "%c", children[i].word);
}

void nest_scopes(struct subject *s)
{
    for (unsigned rounds = 1 + (unsigned)draw(s, 3); rounds > 0; rounds--) {
        struct nest n = {.s = s, .depth = (unsigned)draw(s, DEPTH_MAX)};

        n.victim = (unsigned)draw(s, n.depth + 1);
        nest_one(&n, 0); /* parks */
    }
    got(s, "outside %s", told(cel_checkpoint()));
}

/* ---- threads ---- */

struct job {
    uint64_t seed, result;
    unsigned turns;
};

static void *compute(void *arg)
{
    struct job *j = arg;

    j->result = j->seed;
    for (unsigned i = 0; i < j->turns; i++)
        j->result = j->result * 6364136223846793005u + 1442695040888963407u;
    return j;
}

static void *compute_there(void *arg)
{
    struct job *j = arg;
    void *result = NULL;
    int r = cel_offload_to_await(j->seed % 2 ? CEL_LANE_CPU : CEL_LANE_BLOCKING, compute, j,
                                 &result); /* parks */

    return r < 0 ? cel_fail(r, "computing") : result == j ? j : NULL;
}

/* Side by side; and those that are called off before they are taken up have not happened. */
void use_threads(struct subject *s)
{
    struct job jobs[2 * MANY];
    unsigned count = 1 + (unsigned)draw(s, 2 * MANY), width = (unsigned)draw(s, 6);
    void *results[2 * MANY] = {0}, *result = NULL;

    does(s, "%u jobs, %u at once", count, width);
    for (unsigned i = 0; i < count; i++) {
        jobs[i] = (struct job){draw(s, 1000), 0, (unsigned)draw_size(s, 20000)};
        does(s, "%u turns of %u", jobs[i].turns, (unsigned)jobs[i].seed);
    }
    got(s, "%s", told(cel_starmap(compute_there, jobs, sizeof *jobs, count, width, results)));
    for (unsigned i = 0; i < count; i++)
        got(s, "%d %llx", results[i] == &jobs[i], (unsigned long long)jobs[i].result);
    does(s, "called off");
    jobs[0].result = 1;
    CEL_SCOPE (none) {
        cel_scope_cancel(&none);
        got(s, "%s", told(cel_offload_await(compute, &jobs[0], &result)));
    }
    got(s, "%d", jobs[0].result == 1);
}
