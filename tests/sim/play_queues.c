/* SPDX-License-Identifier: MIT */
/* Numbered things handed on through queues, channels and ports, by tasks that run out of time, give
 * up or choose another way: each that was handed over arrives once, what was refused never does,
 * the order is the promised one, and at a quiet moment nobody waits beside room or beside goods. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "celadon/chan.h"
#include "celadon/queue.h"
#include "celadon/workers.h"
#include "plays.h"

#define SENDERS    3
#define RECEIVERS  3
#define GOODS_MAX  400
#define ACTS       14
#define BURST      30
#define HURRY      (2 * CEL_MILLISECOND)
#define PORT_CELLS 4

struct good {
    uint32_t rank;  /* in a queue by priority */
    uint32_t stamp; /* when it was offered */
    bool was_sent, was_dropped;
    unsigned got;
};

/* One way of handing on. */
struct market {
    const struct trade *trade;
    struct cel_queue *queue;
    enum cel_queue_order order;
    size_t max;
    struct cel_chan *chans[2];
    struct cel_port *port;
    struct cel_future *bells[2]; /* that a select hears too */
    struct good goods[GOODS_MAX];
    unsigned offered, sent, received, dropped, done;
    unsigned senders_waiting, receivers_waiting;
    unsigned senders_ended, receivers_ended;
    struct cel_scope scopes[SENDERS + RECEIVERS];
    bool is_busy[SENDERS + RECEIVERS];
    bool is_over;
    const char *flaw;
};

struct trade {
    int (*open)(struct market *m);
    int (*send)(struct market *m, struct good *g);
    int (*receive)(struct market *m, struct good **g);
    void (*end)(struct market *m); /* no more is sent */
    void (*look)(struct market *m);
    void (*close)(struct market *m);
};

static struct market market;

static void blame(struct market *m, bool is_wrong, const char *what)
{
    if (is_wrong && m->flaw == NULL)
        m->flaw = what;
}

static void note_received(struct market *m, struct good *g)
{
    blame(m, g < m->goods || g >= m->goods + m->offered, "what was never offered");
    if (m->flaw != NULL)
        return;
    blame(m, g->got++ != 0 || g->was_dropped, "something came twice");
    m->received++;
}

/* ---- queues ---- */

static int by_rank(const void *a, const void *b)
{
    const struct good *x = a, *y = b;

    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void drop(void *item)
{
    struct good *g = item;

    blame(&market, g->was_dropped || g->got > 0, "something was dropped twice");
    g->was_dropped = true;
    market.dropped++;
}

static int queue_open(struct market *m)
{
    m->order = (enum cel_queue_order)cel_sim_draw(3);
    m->max = cel_sim_draw(2) == 0 ? 0 : 1 + cel_sim_draw(4);
    return cel_queue_new(&m->queue,
                         &(struct cel_queue_options){
                             .max = m->max, .order = m->order, .compare = by_rank, .drop = drop});
}

static int queue_send(struct market *m, struct good *g)
{
    return cel_queue_put(m->queue, g);
}

static int queue_receive(struct market *m, struct good **g)
{
    void *item = NULL;
    int r = cel_queue_get(m->queue, &item);

    *g = item;
    if (r == 0 && cel_sim_draw(2) == 0)
        (void)!cel_yield();
    if (r == 0) {
        cel_queue_task_done(m->queue);
        m->done++;
    }
    return r;
}

static bool is_in_order(const struct market *m, const struct good *before, const struct good *g)
{
    if (m->order == CEL_FIFO)
        return before->stamp < g->stamp;
    return m->order == CEL_PRIORITY
               ? by_rank(before, g) < 0 || (before->rank == g->rank && before->stamp < g->stamp)
               : before->stamp > g->stamp;
}

/* At once, so that nothing comes between: these come in the order of the queue. */
static void queue_drain(struct market *m, size_t n)
{
    const struct good *before = NULL;
    void *item;

    while (n-- > 0 && m->senders_waiting == 0 && cel_queue_try_get(m->queue, &item) == 0) {
        blame(m, before != NULL && !is_in_order(m, before, item), "a queue out of order");
        before = item;
        note_received(m, item);
        cel_queue_task_done(m->queue);
        m->done++;
    }
}

static struct good *new_good(struct market *m);

static void queue_fill(struct market *m)
{
    for (size_t n = 1 + cel_sim_draw(BURST); n > 0; n--) {
        struct good *g = new_good(m);

        if (g == NULL || cel_queue_try_put(m->queue, g) < 0)
            return;
        g->was_sent = true;
        m->sent++;
    }
}

static void queue_end(struct market *m)
{
    cel_queue_shutdown(m->queue, cel_sim_draw(2) == 0);
}

static void queue_look(struct market *m)
{
    if (cel_sim_draw(3) == 0)
        queue_fill(m);
    else if (cel_sim_draw(2) == 0)
        queue_drain(m, cel_sim_draw(BURST));
    if (cel_sim_settle() < 0)
        return;
    blame(m, m->receivers_waiting > 0 && cel_queue_count(m->queue) > 0, "waiting beside goods");
    blame(m, m->senders_waiting > 0 && !cel_queue_is_full(m->queue), "waiting beside room");
    if (!m->is_over)
        blame(m, cel_queue_unfinished(m->queue) != m->sent - m->done, "unfinished: wrong number");
}

static void queue_close(struct market *m)
{
    cel_queue_free(m->queue);
}

/* ---- channels, by select or not ---- */

static int chans_open(struct market *m)
{
    for (int i = 0; i < 2; i++) {
        if (cel_chan_new(&m->chans[i], sizeof(struct good *), cel_sim_draw(3)) < 0)
            return -ENOMEM;
        m->bells[i] = cel_future_new();
        if (m->bells[i] == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int chans_send(struct market *m, struct good *g)
{
    struct cel_case cases[3] = {CEL_SEND(m->chans[0], &g), CEL_SEND(m->chans[1], &g),
                                CEL_AFTER(HURRY)};
    int r = 0;

    if (cel_sim_draw(2) == 0) {
        CEL_SCOPE (hurry, .timeout = HURRY) /* the others may all be at the other one */
            r = cel_chan_send(m->chans[cel_sim_draw(2)], &g);
        return r;
    }
    r = cel_select(cases, 3);
    return r < 0 ? r : r == 2 ? -ETIMEDOUT : cases[r].result;
}

/* Beside two futures that may be done in the same moment. */
static int chans_receive(struct market *m, struct good **g)
{
    struct good *from[2] = {NULL, NULL};
    struct cel_case cases[5] = {CEL_RECV(m->chans[0], &from[0]), CEL_RECV(m->chans[1], &from[1]),
                                CEL_AFTER(HURRY), CEL_DONE(m->bells[0]), CEL_DONE(m->bells[1])};
    size_t n = cel_is_done(m->bells[0]) || cel_is_done(m->bells[1]) ? 3 : 5;
    int r = 0;

    if (cel_sim_draw(3) == 0) {
        CEL_SCOPE (hurry, .timeout = HURRY)
            r = cel_chan_recv(m->chans[cel_sim_draw(2)], g);
        return r;
    }
    r = cel_select(cases, n);
    if (r < 0 || r > 1)
        return r < 0 ? r : -ETIMEDOUT;
    *g = from[r];
    return cases[r].result;
}

static void chans_end(struct market *m)
{
    for (int i = 0; i < 2; i++)
        cel_chan_close(m->chans[i]);
}

static void chans_look(struct market *m)
{
    if (cel_sim_draw(4) != 0)
        return;
    for (int i = 0; i < 2; i++)
        (void)!cel_future_set(m->bells[i], NULL);
}

static void chans_close(struct market *m)
{
    struct good *g;

    for (int i = 0; i < 2; i++) {
        while (cel_chan_try_recv(m->chans[i], &g) == 0)
            note_received(m, g);
        cel_chan_free(m->chans[i]);
        cel_future_free(m->bells[i]);
    }
}

/* ---- ports ---- */

static int port_open(struct market *m)
{
    return cel_port_new(&m->port, sizeof(struct good *), PORT_CELLS);
}

static int port_send(struct market *m, struct good *g)
{
    return cel_port_send(m->port, &g);
}

static int port_receive(struct market *m, struct good **g)
{
    return cel_port_receive(m->port, g);
}

static void port_end(struct market *m)
{
    cel_port_close(m->port);
}

static void port_look(struct market *m)
{
    blame(m, m->senders_waiting > 0 && m->sent - m->received < PORT_CELLS, "waiting beside room");
    blame(m, m->receivers_waiting > 0 && m->sent != m->received, "waiting beside goods");
}

static void port_close(struct market *m)
{
    struct good *g;

    while (cel_port_try_receive(m->port, &g) == 0)
        note_received(m, g);
    cel_port_free(m->port);
}

static const struct trade trades[] = {
    {queue_open, queue_send, queue_receive, queue_end, queue_look, queue_close},
    {chans_open, chans_send, chans_receive, chans_end, chans_look, chans_close},
    {port_open, port_send, port_receive, port_end, port_look, port_close},
};

/* ---- who trades ---- */

static struct good *new_good(struct market *m)
{
    struct good *g = &m->goods[m->offered];

    if (m->offered == GOODS_MAX)
        return NULL;
    *g = (struct good){.rank = (uint32_t)cel_sim_draw(8), .stamp = m->offered++};
    return g;
}

static void enter(struct market *m, unsigned self)
{
    int64_t timeout = cel_sim_draw(2) == 0 ? (int64_t)cel_sim_draw(HURRY) : 0;

    cel_scope_enter(&m->scopes[self], &(struct cel_scope_options){.timeout = timeout});
    m->is_busy[self] = true;
}

/* Who goes on may call off another, who may have been served as well. */
static void leave(struct market *m, unsigned self)
{
    unsigned other = (unsigned)cel_sim_draw(SENDERS + RECEIVERS);

    m->is_busy[self] = false;
    if (m->is_busy[other] && cel_sim_draw(3) == 0)
        cel_scope_cancel(&m->scopes[other]);
    (void)cel_scope_leave(&m->scopes[self]);
    if (cel_sim_draw(3) == 0)
        (void)!cel_sleep((int64_t)cel_sim_draw(HURRY));
}

static bool is_explained(int r)
{
    return r == 0 || r == -ECANCELED || r == -ETIMEDOUT || r == -EPIPE;
}

static void *send_some(void *arg)
{
    struct market *m = &market;
    unsigned self = (unsigned)(intptr_t)arg;

    for (unsigned act = 0; act < ACTS; act++) {
        struct good *g = new_good(m);
        int r;

        if (g == NULL)
            break;
        enter(m, self);
        m->senders_waiting++;
        r = m->trade->send(m, g);
        m->senders_waiting--;
        g->was_sent = r == 0;
        m->sent += r == 0;
        blame(m, !is_explained(r), "a send that fails");
        leave(m, self);
    }
    m->senders_ended++;
    return NULL;
}

static void *receive_some(void *arg)
{
    struct market *m = &market;
    unsigned self = (unsigned)(intptr_t)arg;
    int r = 0;

    while (r != -EPIPE && cel_checkpoint() == 0 && m->flaw == NULL) {
        struct good *g = NULL;

        enter(m, self);
        m->receivers_waiting++;
        r = m->trade->receive(m, &g);
        m->receivers_waiting--;
        if (r == 0)
            note_received(m, g);
        blame(m, !is_explained(r), "a receive that fails");
        leave(m, self);
    }
    m->receivers_ended++;
    return NULL;
}

static void *watch(void *arg)
{
    struct market *m = &market;

    while (m->senders_ended < SENDERS && m->flaw == NULL) {
        if (cel_sleep(1 + (int64_t)cel_sim_draw(HURRY)) < 0 || cel_sim_settle() < 0)
            break;
        m->trade->look(m);
    }
    m->is_over = true;
    m->trade->end(m);
    return NULL;
}

static void *settle_accounts(struct market *m)
{
    for (unsigned i = 0; i < m->offered && m->flaw == NULL; i++) {
        const struct good *g = &m->goods[i];

        blame(m, g->was_sent && g->got + g->was_dropped != 1, "something was lost");
        blame(m, !g->was_sent && g->got + g->was_dropped != 0, "what was refused arrived");
    }
    if (m->flaw != NULL)
        return cel_fail(-EPROTO, "%s", m->flaw);
    return NULL;
}

void *play_queues(void *arg)
{
    struct market *m = &market;

    memset(m, 0, sizeof *m);
    m->trade = &trades[cel_sim_draw(sizeof trades / sizeof trades[0])];
    HOLDS(m->trade->open(m) == 0);
    CEL_SCOPE (all, .timeout = 30 * CEL_SECOND) {
        for (unsigned i = 0; i < SENDERS + RECEIVERS; i++)
            (void)!cel_go(i < SENDERS ? send_some : receive_some, (void *)(intptr_t)i);
        (void)!cel_go(watch, NULL);
    }
    m->trade->close(m);
    HOLDS(m->flaw != NULL || !cel_scope_expired(&all));
    return settle_accounts(m);
}
