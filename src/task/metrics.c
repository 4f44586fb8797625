/* SPDX-License-Identifier: MIT */
/* What loops count, as text for Prometheus. Each loop notes its own numbers, on its own thread; the
 * text has a family's numbers of all loops together, as the format asks. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "celadon/debug.h"
#include "celadon/workers.h"
#include "loop/core.h"
#include "loop/pool.h"
#include "task/state.h"

enum { TASKS, OPERATIONS, TIMERS, DESCRIPTORS, CLOSING, JOBS, GAUGES };
enum { LANE_THREADS, LANE_RUNNING, LANE_WAITING, LANE_ENDED, LANE_NUMBERS };

/* The numbers of one loop at one instant. */
struct numbers {
    struct cel_future *answer; /* that they are noted: of a worker */
    char label[32];            /* worker="0", or "" */
    uint64_t gauges[GAUGES];
    uint64_t lanes[LANE_NUMBERS][CEL__LANES];
    uint64_t stalls;
    bool has_trace;
    uint64_t events[CEL__EVENT_KINDS];
    uint64_t lag[CEL__LAG_BUCKETS];
    int64_t lag_sum;
};

struct text {
    char *buf;
    size_t size;
    size_t len; /* may grow beyond size */
    const struct numbers *all;
    unsigned count;
};

/* ---- noting ---- */

static void note_lanes(struct numbers *n, const struct cel_loop *loop)
{
    for (int i = 0; i < CEL__LANES; i++) {
        struct cel__lane_state state;

        cel__pool_look(loop, (enum cel_lane)i, &state);
        n->lanes[LANE_THREADS][i] = state.threads;
        n->lanes[LANE_RUNNING][i] = state.running;
        n->lanes[LANE_WAITING][i] = state.queued;
        n->lanes[LANE_ENDED][i] = state.ended;
    }
}

static void note_trace(struct numbers *n, const struct cel__trace *t)
{
    n->has_trace = true;
    for (int kind = 0; kind < CEL__EVENT_KINDS; kind++)
        n->events[kind] = t->counts[kind];
    for (int i = 0; i < CEL__LAG_BUCKETS; i++)
        n->lag[i] = t->lag[i];
    n->lag_sum = t->lag_sum;
}

static void note(struct numbers *n)
{
    const struct cel_loop *loop = cel__loop_here;
    const struct cel__tasks *tasks = loop->tasks;

    n->gauges[TASKS] = tasks != NULL ? tasks->live : 0;
    n->gauges[OPERATIONS] = loop->ops_in_flight;
    n->gauges[TIMERS] = loop->wheel.armed;
    n->gauges[DESCRIPTORS] = loop->fds.live;
    n->gauges[CLOSING] = loop->fds.closing;
    n->gauges[JOBS] = loop->jobs;
    n->stalls = cel_stall_count();
    note_lanes(n, loop);
    if (loop->trace != NULL)
        note_trace(n, loop->trace);
}

/* ---- the text ---- */

CEL_PRINTF(2, 3) static void add(struct text *text, const char *fmt, ...)
{
    size_t at = cel__min(text->len, text->size);
    va_list va;
    int n;

    va_start(va, fmt);
    n = vsnprintf(text->buf + at, text->size - at, fmt, va);
    va_end(va);
    text->len += n > 0 ? (size_t)n : 0;
}

static void add_family(struct text *text, const char *name, const char *type, const char *help)
{
    add(text, "# HELP celadon_%s %s\n# TYPE celadon_%s %s\n", name, help, name, type);
}

/* label: its own, beside that of the loop; NULL: none. */
static void add_sample(struct text *text, const char *name, const struct numbers *n,
                       const char *label, const char *value, uint64_t number)
{
    bool has_both = n->label[0] != '\0' && label != NULL;

    add(text, "celadon_%s", name);
    if (n->label[0] != '\0' || label != NULL)
        add(text, "{%s%s", n->label, has_both ? "," : "");
    if (label != NULL)
        add(text, "%s=\"%s\"", label, value);
    if (n->label[0] != '\0' || label != NULL)
        add(text, "}");
    add(text, " %llu\n", (unsigned long long)number);
}

static void add_gauges(struct text *text)
{
    static const struct {
        const char *name, *help;
    } gauges[GAUGES] = {
        [TASKS] = {"tasks", "Tasks that have not ended."},
        [OPERATIONS] = {"operations_in_flight", "Operations that the kernel has."},
        [TIMERS] = {"timers_armed", "Deadlines and sleeps."},
        [DESCRIPTORS] = {"descriptors", "Descriptors under the loop's care."},
        [CLOSING] = {"descriptors_closing", "Closed, and not let go by the kernel yet."},
        [JOBS] = {"jobs", "Jobs of this loop with the offload pool."},
    };

    for (int g = 0; g < GAUGES; g++) {
        add_family(text, gauges[g].name, "gauge", gauges[g].help);
        for (unsigned i = 0; i < text->count; i++)
            add_sample(text, gauges[g].name, &text->all[i], NULL, NULL, text->all[i].gauges[g]);
    }
    add_family(text, "stalls_total", "counter", "Turns that cel_stall_watch found too long.");
    for (unsigned i = 0; i < text->count; i++)
        add_sample(text, "stalls_total", &text->all[i], NULL, NULL, text->all[i].stalls);
}

static void add_lanes(struct text *text)
{
    static const char *const lane_names[CEL__LANES] = {"blocking", "cpu"};
    static const struct {
        const char *name, *type, *help;
    } families[LANE_NUMBERS] = {
        [LANE_THREADS] = {"lane_threads", "gauge", "Threads of the lane."},
        [LANE_RUNNING] = {"lane_jobs_running", "gauge", "Jobs that have a thread."},
        [LANE_WAITING] = {"lane_jobs_waiting", "gauge", "Jobs that wait for one."},
        [LANE_ENDED] = {"lane_jobs_ended_total", "counter",
                        "Jobs that ran, of all loops that share the lane."},
    };

    for (int f = 0; f < LANE_NUMBERS; f++) {
        add_family(text, families[f].name, families[f].type, families[f].help);
        for (unsigned i = 0; i < text->count; i++)
            for (int lane = 0; lane < CEL__LANES; lane++)
                add_sample(text, families[f].name, &text->all[i], "lane", lane_names[lane],
                           text->all[i].lanes[f][lane]);
    }
}

static void add_events(struct text *text)
{
    add_family(text, "events_total", "counter", "Events since the trace began.");
    for (unsigned i = 0; i < text->count; i++)
        for (uint32_t kind = 0; kind < CEL__EVENT_KINDS && text->all[i].has_trace; kind++)
            add_sample(text, "events_total", &text->all[i], "event", cel__trace_name(kind),
                       text->all[i].events[kind]);
}

static void add_lag_of(struct text *text, const struct numbers *n)
{
    uint64_t sum = 0;
    char limit[32];

    for (int i = 0; i < CEL__LAG_BUCKETS; i++) {
        sum += n->lag[i];
        if (i < CEL__LAG_BUCKETS - 1)
            (void)snprintf(limit, sizeof limit, "%.9g",
                           (double)cel__trace_lag_limit(i) / CEL_SECOND);
        add_sample(text, "loop_lag_seconds_bucket", n, "le",
                   i < CEL__LAG_BUCKETS - 1 ? limit : "+Inf", sum);
    }
    add(text, "celadon_loop_lag_seconds_sum%s%s%s %.9g\n", n->label[0] != '\0' ? "{" : "", n->label,
        n->label[0] != '\0' ? "}" : "", (double)n->lag_sum / CEL_SECOND);
    add_sample(text, "loop_lag_seconds_count", n, NULL, NULL, sum);
}

static void add_lag(struct text *text)
{
    add_family(text, "loop_lag_seconds", "histogram",
               "How long turns keep the loop from the kernel.");
    for (unsigned i = 0; i < text->count; i++)
        if (text->all[i].has_trace)
            add_lag_of(text, &text->all[i]);
}

static int write_all(const struct numbers *all, unsigned count, char *buf, size_t size)
{
    struct text text = {buf, size, 0, all, count};
    bool has_trace = false;

    for (unsigned i = 0; i < count; i++)
        has_trace |= all[i].has_trace;
    add_gauges(&text);
    add_lanes(&text);
    if (has_trace) {
        add_events(&text);
        add_lag(&text);
    }
    return (int)text.len;
}

int cel_metrics(char *buf, size_t size)
{
    struct numbers n = {.has_trace = false};

    if (cel__loop_here == NULL)
        return -ENODEV;
    note(&n);
    return write_all(&n, 1, buf, size);
}

/* ---- of all workers ---- */

static void *note_there(void *arg)
{
    struct numbers *n = arg;

    (void)snprintf(n->label, sizeof n->label, "worker=\"%u\"", cel_worker_index());
    note(n);
    return arg;
}

/* All are asked, then all are awaited: what they write to must stay until then. */
static int note_workers(struct numbers *all, unsigned count)
{
    int r = 0;

    for (unsigned i = 0; i < count; i++)
        all[i].answer = cel_spawn_on(cel_worker_loop(i), note_there, &all[i]);
    for (unsigned i = 0; i < count; i++) {
        if (cel_await_shielded(all[i].answer, NULL) < 0 && r == 0) /* parks */
            r = cel_outcome(all[i].answer);
        cel_future_free(all[i].answer);
    }
    return r;
}

int cel_metrics_workers(char *buf, size_t size)
{
    unsigned count = cel_worker_count();
    struct numbers *all;
    int r = cel_checkpoint();

    if (r < 0)
        return r;
    if (cel_worker_loop(0) == NULL)
        return cel_metrics(buf, size);
    all = cel__mem_zalloc(count * sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    r = note_workers(all, count); /* parks */
    if (r == 0)
        r = write_all(all, count, buf, size);
    cel__mem_free(all);
    return r;
}
