/* SPDX-License-Identifier: MIT */
#include "ring/programs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"
#include "loop/policy.h"
#include "loop/proactor.h"
#include "machine/boot.h"
#include "machine/diary.h"
#include "machine/station.h"
#include "task/future.h"
#include "task/state.h"

#define TURNS_MAX   400000
#define TWICE_EVERY 10

const struct program programs[] = {
    {"echo", program_echo, false},           {"deadlines", program_deadlines, false},
    {"cancels", program_cancels, false},     {"accepts", program_accepts, false},
    {"buffers", program_buffers, true},      {"closing", program_closing, false},
    {"bulk", program_bulk, false},           {"ops", program_ops, false},
    {"datagrams", program_datagrams, false}, {"wakes", program_wakes, false},
    {"files", program_files, false},         {"queue", program_queue, false},
    {"busy", program_busy, false},           {"http", program_http, false},
};
const size_t program_count = cel__countof(programs);

static struct cel__rand choices;
static struct cel__station *acting; /* whose calls these are; NULL: home's */
static struct cel__station *far;

uint64_t ring_draw(uint64_t bound)
{
    return cel__rand_below(&choices, bound);
}

static struct cel__station *acting_station(void)
{
    return acting;
}

/* ---- what is left behind ---- */

static long blocks;
static int errors;
static char told[512]; /* the last of the log, or what the task failed with */
static bool has_cause;

static void *count_alloc(size_t size, void *arg)
{
    void *ptr = malloc(size);

    blocks += ptr != NULL;
    return ptr;
}

static void *count_realloc(void *old, size_t size, void *arg)
{
    void *ptr = realloc(old, size);

    blocks += old == NULL && ptr != NULL;
    return ptr;
}

static void count_free(void *ptr, void *arg)
{
    blocks -= ptr != NULL;
    free(ptr);
}

static void hear_log(enum cel_log_level level, const char *line, void *arg)
{
    errors += level == CEL_LOG_ERROR;
    if (level <= CEL_LOG_WARN && !has_cause)
        snprintf(told, sizeof told, "%s", line);
}

void program_count_memory(void)
{
    static const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};

    cel_set_allocator(&counting);
    cel_set_log(hear_log, NULL);
}

/* ---- for programs ---- */

void ring_work(int64_t ns)
{
    cel__machine_here->now += ns;
}

void ring_pause(void)
{
    static const int64_t most[] = {1, CEL_MICROSECOND, 50 * CEL_MICROSECOND, CEL_MILLISECOND};

    switch (ring_draw(4)) {
    case 0:
        break;
    case 1:
        (void)cel_yield();
        break;
    default:
        (void)cel_sleep((int64_t)ring_draw((uint64_t)most[ring_draw(4)]));
    }
}

int ring_listen(struct cel_listener **out)
{
    char address[32];
    int r;

    if (ring_draw(2))
        return cel_listen(out, "127.0.0.1:0", NULL);
    snprintf(address, sizeof address, "%s:0", far->address);
    acting = far;
    r = cel_listen(out, address, NULL);
    acting = NULL;
    return r;
}

struct guest {
    struct cel_listener *door;
    struct cel_stream *stream;
    int result;
};

static void *let_in(void *arg)
{
    struct guest *g = arg;

    g->result = cel_accept(g->door, &g->stream);
    return NULL;
}

int ring_join(struct cel_stream **a, struct cel_stream **b)
{
    struct guest guest = {0};
    int r;

    if (ring_draw(3) == 0)
        return cel_stream_pair(a, b);
    r = ring_listen(&guest.door);
    if (r < 0)
        return r;
    CEL_SCOPE (both) {
        r = cel_go(let_in, &guest);
        if (r == 0)
            r = cel_connect(a, cel_listener_address(guest.door), NULL);
    }
    *b = guest.stream;
    cel_listener_close(guest.door);
    return r < 0 ? r : guest.result;
}

/* ---- running ---- */

static void draw_network(const struct program *p, struct cel_sim_options *o)
{
    cel_sim_options_calm(o);
    o->latency = CEL_MICROSECOND << ring_draw(10);
    o->window = p->has_few_buffers ? 1 << 16 : 1 << (4 + ring_draw(13));
    o->segment = 1 << (2 + ring_draw(10));
    o->send_buffer = p->has_few_buffers ? 1 << 16 : 1 << (6 + ring_draw(11));
    o->tail = ring_draw(2) ? (int64_t)ring_draw(100000) : 0;
    o->cut = ring_draw(2) ? (int64_t)ring_draw(300000) : 0;
}

/* In which order tasks run, apart from the other choices. */
static void draw_policy(uint64_t seed, struct cel_sim_options *o)
{
    struct cel__rand r;

    cel__rand_seed(&r, seed ^ UINT64_C(0x706f6c696379));
    o->policy = (int64_t)cel__rand_below(&r, CEL_SIM_POLICIES);
    o->pct_changes = 1 + (int64_t)cel__rand_below(&r, 100);
}

static void draw_sizes(const struct program *p)
{
    unsigned few = 1U << ring_draw(2), many = 1U << ring_draw(7);

    cel__uring_sizes = (struct cel__uring_sizes){
        .sq_entries = 1U << (2 + ring_draw(5)),
        .cq_entries = 1U << (2 + ring_draw(7)),
        .buffers_first = p->has_few_buffers ? few : many,
        .buffers_max = (p->has_few_buffers ? few : many) << ring_draw(3),
        .buffer_bytes = 1U << (6 + ring_draw(9)),
        .unread_max = 1U << ring_draw(5),
    };
    if (cel__uring_sizes.cq_entries < cel__uring_sizes.sq_entries)
        cel__uring_sizes.cq_entries = cel__uring_sizes.sq_entries;
}

static int run_task(struct cel_loop *loop, cel_task_fn *fn)
{
    struct cel_task *task = cel_spawn(fn, NULL);
    int r = task == NULL ? -ENOMEM : 0;

    for (int i = 0; r >= 0 && task != NULL && !cel_is_done(task); i++)
        r = i < TURNS_MAX ? cel_loop_turn(loop, CEL_FOREVER) : -ETIMEDOUT;
    if (task != NULL && cel_is_done(task)) {
        const struct cel_error *error = cel__future_error(&task->future);

        r = cel_loop_until(loop, task, NULL);
        r = r == -CEL_EFAILED ? cel_outcome(task) : r;
        if (error != NULL)
            snprintf(told, sizeof told, "%s", error->text);
        has_cause = error != NULL;
    }
    if (r == 0)
        cel_task_free(task);
    return r > 0 ? 0 : r;
}

/* Slots, buffers and receivers: nothing may be out but the poll for messages. */
static int strays(struct cel_loop *loop)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    for (int i = 0; i < 10000 && loop->fds.closing != 0; i++)
        if (cel_loop_turn(loop, CEL_MILLISECOND) < 0)
            break;
    if (loop->fds.live != 0)
        return 1;
    return (int)(p->buffers.count - p->buffers.with_kernel) + (int)p->slots.live - 1 +
           (int)p->receivers + (int)loop->ops_in_flight;
}

static struct cel__policy policy;

static void run_ready(struct cel_loop *loop, int budget)
{
    struct cel__machine *m = cel__machine_here;

    while (budget-- > 0 && cel__sched_has_ready(&loop->sched)) {
        const struct cel__known *chosen = cel__policy_choose(&policy, m, &loop->sched);

        if (chosen == NULL)
            return;
        cel__diary_task(m->diary, chosen->fiber->name, chosen->fiber->file, chosen->fiber->line,
                        NULL);
        cel__machine_note(m, chosen->id, (uint64_t)m->now);
        cel__sched_run(&loop->sched, 1);
        cel__machine_trace(m, CEL__MARK_TASK);
    }
}

/* The backend as it is, but for who is next. */
static int open_loop(struct cel_loop **loop)
{
    static struct cel__backend by_policy;
    int r = cel_loop_new(loop, &(struct cel_loop_options){.backend = "uring"});

    if (r < 0)
        return r;
    by_policy = *(*loop)->backend;
    by_policy.run = run_ready;
    (*loop)->backend = &by_policy;
    return r;
}

static int run_loop(const struct program *p, const char **why)
{
    struct cel_loop *loop;
    int r = open_loop(&loop);
    int left;

    if (r < 0)
        return r;
    r = run_task(loop, p->run);
    if (r == 0 && strays(loop) != 0) {
        *why = "requests or buffers are astray";
        r = -EBUSY;
    }
    left = cel_loop_close(loop);
    cel__policy_fini(&policy);
    if (r == 0 && left != 0) {
        *why = "descriptors were left open";
        r = -EBUSY;
    }
    return r;
}

static void add_counts(struct fake_counts *sum, const struct fake_counts *one)
{
    sum->enters += one->enters;
    sum->requests += one->requests;
    sum->completions += one->completions;
    sum->overflows += one->overflows;
    sum->not_found += one->not_found;
    sum->already += one->already;
    for (int i = 0; i < FAKE_QUIRK_COUNT; i++)
        sum->quirks[i] += one->quirks[i];
}

static int run_once(const struct program *p, uint64_t seed, struct fake_counts *counts,
                    struct cel__track *trace, const char **why)
{
    struct cel_sim_options network;
    struct fake_options quirks;
    struct fake_counts one;
    const char *broken;
    struct cel__machine *m;
    int r;

    cel__rand_seed(&choices, seed);
    draw_network(p, &network);
    draw_policy(seed, &network);
    draw_sizes(p);
    fake_options_draw(&quirks, seed);
    errors = 0;
    told[0] = '\0';
    has_cause = false;
    m = cel__machine_boot(seed, &network);
    m->host_here = acting_station;
    m->trace = trace;
    far = cel__station_new(m, "far");
    fake_ring_install(seed, &quirks);
    r = run_loop(p, why);
    broken = fake_ring_remove(&one);
    if (broken != NULL) {
        *why = broken;
        r = -EPROTO;
    } else if (r == 0 && errors > (int)one.quirks[FAKE_stale]) { /* each is told, if it is seen */
        *why = "errors were logged";
        r = -EPROTO;
    }
    if (cel__machine_halt(m) != 0 && r == 0) {
        *why = "sockets were left open";
        r = -EBUSY;
    }
    if (counts != NULL)
        add_counts(counts, &one);
    return r;
}

/* Does each further run of the seed leave more behind? One alone may fill what is kept for good. */
static bool leaks(const struct program *p, uint64_t seed)
{
    const char *why;

    for (int i = 0; i < 3; i++) {
        long before = blocks;

        if (run_once(p, seed, NULL, NULL, &why) < 0 || blocks == before)
            return false;
    }
    return true;
}

/* Does the seed decide everything? Else the second run takes another way than the first. */
static int run_twice(const struct program *p, uint64_t seed, const char **why)
{
    struct cel__track trace = {0};
    int r = run_once(p, seed, NULL, &trace, why);

    if (r == 0) {
        trace.is_checking = true;
        r = run_once(p, seed, NULL, &trace, why);
    }
    if (r == 0 && (trace.differs || trace.at != trace.count)) {
        snprintf(told, sizeof told, "from step %zu of %zu on, at %lld ns (%s)", trace.at,
                 trace.count, (long long)trace.other.when, cel__mark_name(trace.other.mark));
        *why = "two runs differ";
        r = -EILSEQ;
    }
    cel__machine_release(trace.steps);
    return r;
}

int program_run(const struct program *p, uint64_t seed, struct fake_counts *counts)
{
    const struct cel__uring_sizes usual = cel__uring_sizes;
    const char *why = "";
    long before = blocks;
    int r = run_once(p, seed, counts, NULL, &why);

    if (r == 0 && seed % TWICE_EVERY == 0)
        r = run_twice(p, seed, &why);
    if (r == 0 && blocks != before && leaks(p, seed)) {
        why = "memory is lost";
        r = -EUCLEAN;
    }
    cel__uring_sizes = usual;
    if (r < 0)
        fprintf(stderr, "%s: seed %llu: %s %s %s\n", p->name, (unsigned long long)seed,
                cel_strerror(r), why, told);
    return r;
}
