/* SPDX-License-Identifier: MIT */
/* The backend `sim`: a reactor over a simulated machine.
 *
 * 1. Ops are the plain non-blocking calls of attempt.c, which the machine answers. An op that must
 *    wait stands in its descriptor's queue until the machine has news of it.
 * 2. When nothing is ready the clock jumps to the next event or timer. When there is neither,
 *    nothing can happen any more, and the turn says so.
 * 3. A loop that found no machine in its thread has one of its own, without faults, and lives among
 *    real things besides: descriptors that are not simulated are polled, other threads may post.
 *    Within a run of cel_sim_run there is only the machine. */
#include "loop/simulated.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/attempt.h"
#include "loop/policy.h"
#include "machine/absent.h"
#include "machine/boot.h"
#include "machine/calls.h"
#include "machine/power.h"
#include "machine/recipe.h"
#include "machine/socket.h"
#include "machine/zone.h"

#define SLICE_MIN   50 /* ns that a task's slice takes, and */
#define SLICE_MORE  51
#define BUSY_SPAN   64 /* one slice out of so many may take up to */
#define BUSY_MAX    CEL_MILLISECOND
#define TURN_SPAN   8 /* one turn ends after about so many switches */
#define FUSE_MAX    8 /* calls of a job that are made before power goes */
#define NOWHERE     (10u << 24 | 250u << 16 | 1) /* no host has it */
#define LATE_ANSWER (5 * CEL_SECOND)
#define GRACE_MS    2 /* that real things get before the clock jumps */

struct simulated {
    struct cel__machine *machine;
    bool owns_machine;
    int wake_fd; /* -1: there are no other threads */
    struct cel__loans loans;
    struct cel__policy policy;
    struct cel__list foreign; /* struct watch */
    unsigned foreign_count;
    struct pollfd *polls;      /* room for each of them and the wake-up */
    struct cel__list leaving;  /* struct leaving */
    struct cel__list asked;    /* struct question */
    struct cel__list settling; /* struct cel__soon */
    struct cel__list delayed;  /* struct delayed */
};

/* A descriptor under the loop's care: one that watches a socket, or one of the real kernel. */
struct watch {
    struct cel__list link;
    struct cel__fd *fd;
    bool is_foreign;
};

static struct simulated *sim_of(struct cel_loop *loop)
{
    return loop->backend_data;
}

static struct cel__machine *machine_of_environment(void)
{
    const char *seed = getenv("CEL_SEED"), *config = getenv("CEL_CFG");
    struct cel_sim_options options;
    struct cel__machine *m;
    struct timespec wall;

    cel_sim_options_calm(&options);
    if (config != NULL && cel__options_parse(&options, config) < 0)
        cel__log(CEL_LOG_WARN, "CEL_CFG is not understood");
    cel__sys.clock_gettime(CLOCK_REALTIME, &wall);
    m = cel__machine_boot(seed != NULL ? strtoull(seed, NULL, 10) : 1, &options);
    m->epoch = (int64_t)wall.tv_sec * CEL_SECOND + wall.tv_nsec - m->now;
    return m;
}

static int sim_open(struct cel_loop *loop)
{
    struct simulated *sim = cel__mem_zalloc(sizeof *sim);
    int r = -ENOMEM;

    if (sim == NULL)
        return r;
    cel__list_init(&sim->foreign);
    cel__list_init(&sim->leaving);
    cel__list_init(&sim->asked);
    cel__list_init(&sim->settling);
    cel__list_init(&sim->delayed);
    sim->wake_fd = -1;
    sim->machine = cel__machine_here;
    if (sim->machine == NULL) {
        sim->polls = cel__mem_alloc(sizeof *sim->polls);
        if (sim->polls == NULL)
            goto fail;
        sim->wake_fd = cel__sys.eventfd(0, O_NONBLOCK | O_CLOEXEC);
        r = -errno;
        if (sim->wake_fd < 0)
            goto fail;
        sim->machine = machine_of_environment();
        sim->owns_machine = true;
    }
    loop->backend_data = sim;
    return 0;

fail:
    cel__mem_free(sim->polls);
    cel__mem_free(sim);
    return r;
}

static void sim_close(struct cel_loop *loop)
{
    struct simulated *sim = sim_of(loop);

    if (sim->owns_machine)
        (void)cel__machine_halt(sim->machine);
    if (sim->wake_fd >= 0)
        cel__sys.close(sim->wake_fd);
    cel__policy_fini(&sim->policy);
    cel__loans_fini(&sim->loans);
    cel__mem_free(sim->polls);
    cel__mem_free(sim);
}

static int make_room(struct simulated *sim, int fd)
{
    size_t size = (sim->foreign_count + 2) * sizeof *sim->polls;
    struct pollfd *polls;

    int r;

    /* lint: seam: of the real kernel, whose descriptor it is */
    if (fcntl(fd, F_GETFD) < 0)
        return -errno;
    r = cel__absent_descriptor(sim->machine, fd);
    if (r < 0)
        return r;
    polls = cel__mem_realloc(sim->polls, size);
    if (polls == NULL)
        return -ENOMEM;
    sim->polls = polls;
    sim->foreign_count++;
    return 0;
}

static int sim_attach(struct cel_loop *loop, struct cel__fd *f)
{
    struct simulated *sim = sim_of(loop);
    struct cel__socket *s = cel__socket_find(f->fd);
    int r = s == NULL ? make_room(sim, f->fd) : 0;
    struct watch *watch;

    if (r < 0)
        return r;
    watch = cel__machine_alloc(sizeof *watch);
    watch->fd = f;
    watch->is_foreign = s == NULL;
    f->backend_data = watch;
    cel__list_append(s == NULL ? &sim->foreign : &s->watchers, &watch->link);
    return 0;
}

static bool is_foreign(const struct cel__fd *f)
{
    return ((const struct watch *)f->backend_data)->is_foreign;
}

static struct cel__list *queue_of(struct cel__op *op)
{
    return cel__op_is_write(op) ? &op->fd->writers : &op->fd->readers;
}

static void end(struct cel_loop *loop, struct cel__op *op, int64_t result)
{
    cel__list_unlink(&op->link);
    cel__op_end(loop, op, result);
}

static void let_go(struct cel_loop *loop, struct cel__fd *f)
{
    struct cel__list *queues[] = {&f->readers, &f->writers};
    struct watch *watch = f->backend_data;

    for (int i = 0; i < 2; i++)
        while (!cel__list_is_empty(queues[i]))
            end(loop, cel__container_of(queues[i]->next, struct cel__op, link), -CEL_ECLOSED);
    cel__list_unlink(&watch->link);
    sim_of(loop)->foreign_count -= watch->is_foreign;
    cel__machine_release(watch);
    if (f->owns)
        cel__sys.close(f->fd);
    cel__fd_release(loop, f);
}

/* A descriptor whose operations end in a later turn. */
struct leaving {
    struct cel__list link;
    struct cel__fd *fd;
};

static void sim_detach(struct cel_loop *loop, struct cel__fd *f)
{
    struct simulated *sim = sim_of(loop);
    struct leaving *leaving;

    if (!is_foreign(f) && CEL__CHANCE(sim->machine, late_cancel)) {
        leaving = cel__machine_alloc(sizeof *leaving);
        leaving->fd = f;
        cel__list_append(&sim->leaving, &leaving->link);
        return;
    }
    let_go(loop, f);
}

static void let_leave(struct cel_loop *loop)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&sim_of(loop)->leaving)) != NULL) {
        struct leaving *leaving = cel__container_of(node, struct leaving, link);

        let_go(loop, leaving->fd);
        cel__machine_release(leaving);
    }
}

/* Whether a connection is there is asked only once there is an answer. */
static int64_t attempt(struct cel_loop *loop, struct cel__op *op)
{
    bool is_connecting = op->kind == CEL__OP_CONNECT && op->moved != 0;
    short events;

    if (is_foreign(op->fd))
        return cel__attempt(op, &sim_of(loop)->loans);
    if (is_connecting && cel__calls_poll(op->fd->fd, POLLOUT) == 0)
        return CEL__NOTHING_YET;
    if (op->kind != CEL__OP_POLL)
        return cel__attempt(op, &sim_of(loop)->loans);
    events = cel__calls_poll(op->fd->fd, op->events);
    return events != 0 ? events : CEL__NOTHING_YET;
}

static bool is_late(struct cel_loop *loop, const struct cel__op *op)
{
    struct cel__machine *m = sim_of(loop)->machine;

    return !is_foreign(op->fd) && CEL__CHANCE(m, late);
}

static int sim_start(struct cel_loop *loop, struct cel__op *op)
{
    struct cel__fd *f = op->fd;
    struct cel__list *queue = queue_of(op);
    struct cel__socket *s;

    if (op->kind >= CEL__OP_PREAD)
        return -ENOSYS;
    op->result = -CEL_ECLOSED;
    if (f->is_closing)
        return 1;
    if (cel__list_is_empty(queue) || op->kind == CEL__OP_POLL) {
        op->result = is_late(loop, op) ? CEL__NOTHING_YET : attempt(loop, op);
        if (op->result != CEL__NOTHING_YET)
            return 1;
        s = cel__socket_find(f->fd);
        if (s != NULL)
            cel__socket_tell(s);
    }
    op->is_in_flight = 1;
    op->is_cancelled = 0;
    cel__list_append(queue, &op->link);
    return 0;
}

static void sim_cancel(struct cel_loop *loop, struct cel__op *op)
{
    struct cel__machine *m = sim_of(loop)->machine;
    struct cel__socket *s = cel__socket_find(op->fd->fd);

    if (s != NULL && CEL__CHANCE(m, late_cancel))
        cel__socket_tell(s);
    else
        end(loop, op, op->cancel_code);
}

/* The first of the queue that can end. Polls stand outside of its order. */
static struct cel__op *find_end(struct cel_loop *loop, struct cel__list *queue, int64_t *result)
{
    bool is_blocked = false;

    CEL__LIST_EACH (node, queue) {
        struct cel__op *op = cel__container_of(node, struct cel__op, link);
        bool is_poll = op->kind == CEL__OP_POLL;

        *result = is_poll || !is_blocked ? attempt(loop, op) : CEL__NOTHING_YET;
        if (*result == CEL__NOTHING_YET && op->is_cancelled)
            *result = op->cancel_code;
        if (*result != CEL__NOTHING_YET)
            return op;
        is_blocked |= !is_poll;
    }
    return NULL;
}

static void pump(struct cel_loop *loop, struct cel__fd *f)
{
    struct cel__list *queues[] = {&f->readers, &f->writers};
    struct cel__op *op;
    int64_t result;

    for (int i = 0; i < 2; i++)
        while ((op = find_end(loop, queues[i], &result)) != NULL)
            end(loop, op, result);
}

/* What one does may be news to another. */
static void take_news(struct cel_loop *loop)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&sim_of(loop)->machine->news)) != NULL) {
        struct cel__socket *s = cel__container_of(node, struct cel__socket, news);

        CEL__LIST_EACH_SAFE (inner, &s->watchers)
            pump(loop, cel__container_of(inner, struct watch, link)->fd);
    }
    let_leave(loop);
}

/* Real things. */

static int wanted_by(const struct cel__list *queue, int otherwise)
{
    int events = 0;

    CEL__LIST_EACH (node, queue) {
        const struct cel__op *op = cel__container_of(node, struct cel__op, link);

        events |= op->kind == CEL__OP_POLL ? op->events : otherwise;
    }
    return events;
}

/* No more than somebody takes: what nobody takes would wake us for ever. */
static short wanted_of(const struct cel__fd *f)
{
    return (short)(wanted_by(&f->readers, POLLIN | POLLRDHUP) | wanted_by(&f->writers, POLLOUT));
}

static bool pump_foreign(struct cel_loop *loop)
{
    struct simulated *sim = sim_of(loop);
    uint32_t before = loop->ops_in_flight;

    CEL__LIST_EACH (node, &sim->foreign) {
        struct cel__fd *f = cel__container_of(node, struct watch, link)->fd;

        if (!cel__list_is_empty(&f->readers) || !cel__list_is_empty(&f->writers))
            pump(loop, f);
    }
    return loop->ops_in_flight != before;
}

/* -> true: something has come, or the wait is to end. */
static bool wait_really(struct cel_loop *loop, int ms)
{
    struct simulated *sim = sim_of(loop);
    uint64_t count;
    ssize_t got;
    nfds_t n = 0;

    sim->polls[n++] = (struct pollfd){.fd = sim->wake_fd, .events = POLLIN};
    CEL__LIST_EACH (node, &sim->foreign) {
        const struct cel__fd *f = cel__container_of(node, struct watch, link)->fd;
        short events = wanted_of(f);

        if (events != 0)
            sim->polls[n++] = (struct pollfd){.fd = f->fd, .events = events};
    }
    if (n == 1 && ms >= 0 && loop->holds == 0)
        return false;
    /* lint: seam: real time has to pass here */
    if (poll(sim->polls, n, ms) == 0)
        return false;
    while ((got = cel__sys.read(sim->wake_fd, &count, sizeof count)) < 0 && errno == EINTR)
        continue;
    return pump_foreign(loop) || got > 0;
}

static bool let_settle(struct cel_loop *loop)
{
    struct cel__list *settling = &sim_of(loop)->settling;

    if (cel__list_is_empty(settling))
        return false;
    CEL__LIST_EACH (node, settling)
        loop->jobs--;
    cel__list_splice(&loop->soon, settling);
    return true;
}

static int sim_wait(struct cel_loop *loop, int64_t until)
{
    struct simulated *sim = sim_of(loop);
    struct cel__machine *m = sim->machine;
    int64_t next;

    if (sim->foreign_count != 0)
        (void)pump_foreign(loop);
    cel__machine_advance(m, m->now);
    take_news(loop);
    if (until <= m->now || cel__loop_has_ready(loop) || loop->is_awaited)
        return 0;
    if (cel__machine_next(m) > m->now && let_settle(loop))
        return 0;
    next = cel__min(until, cel__machine_next(m));
    if (next == INT64_MAX) {
        if (sim->wake_fd < 0 || (loop->holds == 0 && sim->foreign_count == 0))
            return -EDEADLK;
        (void)wait_really(loop, -1);
        return 0;
    }
    if (sim->wake_fd >= 0 && wait_really(loop, GRACE_MS))
        return 0;
    cel__machine_advance(m, next);
    take_news(loop);
    return 0;
}

static bool is_rare(struct cel__machine *m, uint64_t span)
{
    return m->options.buggify != 0 && !m->is_calm &&
           cel__machine_draw(m, CEL__DRAW_ORDER, span) == 0;
}

/* Now and then a task computes for a while, and what comes meanwhile is there at once. */
static int64_t slice_of(struct cel__machine *m, const struct cel__station *host)
{
    uint64_t ns = SLICE_MIN + cel__machine_draw(m, CEL__DRAW_ORDER, SLICE_MORE);

    if (is_rare(m, BUSY_SPAN))
        ns += cel__machine_draw(m, CEL__DRAW_ORDER, BUSY_MAX);
    return (int64_t)(host != NULL && !m->is_calm ? ns * host->slowness : ns);
}

/* A turn may end before all that are ready have run, as with many tasks it does. */
static void sim_run_ready(struct cel_loop *loop, int budget)
{
    struct simulated *sim = sim_of(loop);
    struct cel__machine *m = sim->machine;

    while (budget-- > 0 && loop->sched.tail != NULL) {
        const struct cel__known *chosen = cel__policy_choose(&sim->policy, m, &loop->sched);
        const struct cel__station *host;
        const struct cel_fiber *f;

        if (chosen == NULL) { /* their hosts stand still: time goes by */
            cel__machine_advance(m, cel__min(cel__wheel_next(&loop->wheel), cel__machine_next(m)));
            take_news(loop);
            return;
        }
        m->switches++;
        f = chosen->fiber;
        host = chosen->host;
        cel__diary_task(m->diary, f->name, f->file, f->line, host != NULL ? host->name : NULL);
        cel__machine_note(m, chosen->id, (uint64_t)m->now);
        cel__sched_run(&loop->sched, 1);
        cel__machine_trace(m, CEL__MARK_TASK);
        if (m->look != NULL && !m->look())
            return;
        m->now += slice_of(m, host);
        if (is_rare(m, TURN_SPAN)) {
            cel__machine_advance(m, m->now); /* jobs end while tasks are ready */
            take_news(loop);
            return;
        }
    }
}

static void sim_wake(struct cel_loop *loop)
{
    struct simulated *sim = sim_of(loop);
    uint64_t one = 1;

    while (sim->wake_fd >= 0 && cel__sys.write(sim->wake_fd, &one, sizeof one) < 0 &&
           errno == EINTR)
        continue;
}

static int64_t sim_now(struct cel_loop *loop)
{
    return sim_of(loop)->machine->now;
}

static void sim_loan_return(struct cel_loop *loop, const struct cel__loan *loan)
{
    cel__loan_give(&sim_of(loop)->loans, loan->data);
}

/* A job, which acts for the host that has asked for it. */
struct delayed {
    struct cel__list link;
    struct cel__happening event;
    struct cel__post *post;
    struct cel__station *station;
    uint32_t life; /* of that */
};

static void run_delayed(struct cel__machine *m, struct cel__happening *event)
{
    struct delayed *d = cel__container_of(event, struct delayed, event);
    struct cel__post *post = d->post;

    m->acting = d->station;
    m->acting_life = d->life;
    cel__list_unlink(&d->link);
    cel__machine_release(d);
    post->run(post);
    m->acting = NULL;
}

static void sim_later(struct cel_loop *loop, struct cel__post *post)
{
    struct cel__machine *m = sim_of(loop)->machine;
    struct delayed *d = cel__machine_alloc(sizeof *d);

    d->event.run = run_delayed;
    d->event.mark = CEL__MARK_JOB;
    d->post = post;
    d->station = cel__station_current(m);
    d->life = d->station->life;
    d->event.from = d->station->name;
    cel__list_append(&sim_of(loop)->delayed, &d->link);
    cel__machine_schedule(m, &d->event,
                          m->now + cel__machine_draw_time(m, CEL__DRAW_NET, m->options.job_delay));
}

static struct delayed *delayed_of(struct simulated *sim, const struct cel__station *station)
{
    CEL__LIST_EACH (node, &sim->delayed) {
        struct delayed *d = cel__container_of(node, struct delayed, link);

        if (d->station == station && d->life == station->life)
            return d;
    }
    return NULL;
}

/* What its threads are in the middle of ends there: one job is begun, and power goes after some of
 * its calls. */
void cel__sim_cut_power(struct cel_loop *loop, struct cel__station *station)
{
    struct cel__machine *m = sim_of(loop)->machine;
    struct delayed *d = delayed_of(sim_of(loop), station);

    if (d != NULL && cel__machine_draw(m, CEL__DRAW_FAULT, 4) != 0) {
        station->fuse = 1 + (unsigned)cel__machine_draw(m, CEL__DRAW_FAULT, FUSE_MAX);
        cel__machine_unschedule(m, &d->event);
        run_delayed(m, &d->event);
    }
    if (station->power == CEL__STATION_UP)
        cel__power_fail(station);
}

/* Counts as a job, so that the loop knows that something will come. */
struct question {
    struct cel__list link;
    struct cel__happening event;
    struct cel_loop *loop;
    cel__names_fn *fn;
    void *arg;
    enum { NO_FLAW, NOT_FOUND, LATE, NOBODY_THERE, FLAWS } flaw;
    char name[256];
};

static void answer(struct cel__machine *m, struct cel__happening *event)
{
    struct question *q = cel__container_of(event, struct question, event);
    struct question copy = *q;
    struct sockaddr_storage nowhere = {0};
    struct sockaddr_in *at = (struct sockaddr_in *)&nowhere;
    const struct cel__name *name = cel__zone_find(m, copy.name);

    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(NOWHERE);
    copy.loop->jobs--;
    cel__list_unlink(&q->link);
    cel__machine_release(q);
    if (copy.flaw == NOT_FOUND)
        copy.fn(copy.arg, -CEL_EDNS, "the name server does not know", NULL, 0);
    else if (copy.flaw == NOBODY_THERE)
        copy.fn(copy.arg, 0, "", &nowhere, 1);
    else if (name == NULL)
        copy.fn(copy.arg, -CEL_EDNS, "no such name", NULL, 0);
    else
        copy.fn(copy.arg, 0, "", name->at, name->count);
}

static void give_up_questions(struct simulated *sim)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&sim->asked)) != NULL) {
        struct question *q = cel__container_of(node, struct question, link);

        q->loop->jobs--;
        cel__machine_unschedule(sim->machine, &q->event);
        q->fn(q->arg, -CEL_EDNS, "the resolver was closed", NULL, 0);
        cel__machine_release(q);
    }
}

static void sim_resolve(struct cel_loop *loop, const char *name, cel__names_fn *fn, void *arg)
{
    struct simulated *sim = sim_of(loop);
    struct cel__machine *m = sim->machine;
    struct question *q;

    if (name == NULL) {
        give_up_questions(sim);
        return;
    }
    q = cel__machine_alloc(sizeof *q);
    q->event.run = answer;
    q->event.mark = CEL__MARK_NAME;
    q->event.from = cel__station_current(m)->name;
    q->loop = loop;
    loop->jobs++;
    q->fn = fn;
    q->arg = arg;
    for (size_t i = 0; i < sizeof q->name - 1 && name[i] != '\0'; i++)
        q->name[i] = name[i];
    if (CEL__CHANCE(m, bad_name))
        q->flaw = 1 + (unsigned)cel__machine_draw(m, CEL__DRAW_FAULT, FLAWS - 1);
    cel__list_append(&sim->asked, &q->link);
    cel__machine_schedule(
        m, &q->event,
        m->now + (q->flaw == LATE
                      ? LATE_ANSWER
                      : cel__machine_draw_time(m, CEL__DRAW_NET, 2 * m->options.latency)));
}

void cel__sim_when_settled(struct cel_loop *loop, struct cel__soon *soon)
{
    loop->jobs++;
    cel__list_append(&sim_of(loop)->settling, &soon->link);
}

bool cel__sim_unsettle(struct cel_loop *loop, struct cel__soon *soon)
{
    CEL__LIST_EACH (node, &sim_of(loop)->settling) {
        if (node != &soon->link)
            continue;
        cel__list_unlink(node);
        loop->jobs--;
        return true;
    }
    return false;
}

const struct cel__backend cel__sim_backend = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .attach = sim_attach,
    .detach = sim_detach,
    .start = sim_start,
    .cancel = sim_cancel,
    .loan_return = sim_loan_return,
    .wait = sim_wait,
    .wake = sim_wake,
    .now = sim_now,
    .run = sim_run_ready,
    .later = sim_later,
    .resolve = sim_resolve,
};
