/* SPDX-License-Identifier: MIT */
/* What a loop counts, as text for people (the trace) and for Prometheus (the metrics). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "celadon/debug.h"
#include "loop/core.h"
#include "loop/pool.h"
#include "task/dump.h"

#define EVENTS_USUAL 2048

int cel_trace_start(size_t events)
{
    struct cel_loop *loop = cel__loop_here;

    if (loop == NULL)
        return -ENODEV;
    if (loop->trace != NULL)
        return -EALREADY;
    loop->trace = cel__trace_new(events != 0 ? events : EVENTS_USUAL, loop->backend->now(loop));
    return loop->trace != NULL ? 0 : -ENOMEM;
}

void cel_trace_stop(void)
{
    struct cel_loop *loop = cel__loop_here;
    struct cel__trace *trace;

    if (loop == NULL)
        return;
    trace = loop->trace;
    loop->trace = NULL; /* first: a signal handler may look */
    cel__mem_free(trace);
}

static void tell_event(struct cel__report *to, const struct cel__event_record *e, int64_t now)
{
    cel__report_str(to, "    ");
    cel__report_duration(to, now - e->time);
    cel__report_str(to, " ago  ");
    cel__report_str(to, cel__trace_name(e->kind));
    if (e->what != NULL) {
        cel__report_str(to, "  ");
        cel__report_str(to, cel__trace_what(e->kind));
        cel__report_str(to, " ");
        cel__report_hex(to, (uintptr_t)e->what);
    }
    if (e->kind == CEL__EVENT_task_park) {
        cel__report_str(to, "  ");
        cel__report_str(to, (const char *)(intptr_t)e->value); /* what the wait calls itself */
    } else if (cel__trace_value(e->kind)[0] != '\0') {
        cel__report_str(to, "  ");
        cel__report_str(to, cel__trace_value(e->kind));
        cel__report_str(to, " ");
        cel__report_number(to, e->value);
    }
    cel__report_end(to);
}

void cel__dump_trace(struct cel__report *to, const struct cel_loop *loop, size_t max)
{
    const struct cel__trace *t = loop->trace;
    size_t kept = t != NULL ? cel__min(t->at, t->mask + 1) : 0;
    size_t count = cel__min(kept, max);

    for (size_t i = t != NULL ? t->at - count : 0; count != 0; count--, i++)
        tell_event(to, &t->ring[i & t->mask], loop->now);
}

int cel_trace_dump(int fd)
{
    struct cel_loop *loop = cel__loop_here;
    struct cel__report to;

    if (loop == NULL || loop->trace == NULL)
        return -ENODEV;
    cel__report_init(&to, fd);
    cel__dump_trace(&to, loop, SIZE_MAX);
    cel__report_flush(&to);
    return 0;
}

/* ---- Prometheus ---- */

struct text {
    char *buf;
    size_t size;
    size_t len; /* may grow beyond size */
};

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

static void add_one(struct text *text, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    add(text, "# HELP celadon_%s %s\n# TYPE celadon_%s %s\nceladon_%s %llu\n", name, help, name,
        type, name, (unsigned long long)value);
}

static void add_gauges(struct text *text, const struct cel_loop *loop)
{
    const struct cel__tasks *tasks = loop->tasks;

    add_one(text, "tasks", "gauge", "Tasks that have not ended.", tasks != NULL ? tasks->live : 0);
    add_one(text, "operations_in_flight", "gauge", "Operations that the kernel has.",
            loop->ops_in_flight);
    add_one(text, "timers_armed", "gauge", "Deadlines and sleeps.", loop->wheel.armed);
    add_one(text, "descriptors", "gauge", "Descriptors under the loop's care.", loop->fds.live);
    add_one(text, "descriptors_closing", "gauge", "Closed, and not let go by the kernel yet.",
            loop->fds.closing);
    add_one(text, "jobs", "gauge", "Jobs of this loop with the offload pool.", loop->jobs);
}

static const char *const lane_names[CEL__LANES] = {"blocking", "cpu"};

static void add_lane(struct text *text, const char *name, const char *type, const char *help,
                     const uint64_t values[CEL__LANES])
{
    add(text, "# HELP celadon_lane_%s %s\n# TYPE celadon_lane_%s %s\n", name, help, name, type);
    for (int i = 0; i < CEL__LANES; i++)
        add(text, "celadon_lane_%s{lane=\"%s\"} %llu\n", name, lane_names[i],
            (unsigned long long)values[i]);
}

static void add_lanes(struct text *text, const struct cel_loop *loop)
{
    uint64_t threads[CEL__LANES], running[CEL__LANES], queued[CEL__LANES], ended[CEL__LANES];

    for (int i = 0; i < CEL__LANES; i++) {
        struct cel__lane_state state;

        cel__pool_look(loop, (enum cel_lane)i, &state);
        threads[i] = state.threads;
        running[i] = state.running;
        queued[i] = state.queued;
        ended[i] = state.ended;
    }
    add_lane(text, "threads", "gauge", "Threads of the lane.", threads);
    add_lane(text, "jobs_running", "gauge", "Jobs that have a thread.", running);
    add_lane(text, "jobs_waiting", "gauge", "Jobs that wait for one.", queued);
    add_lane(text, "jobs_ended_total", "counter",
             "Jobs that ran, of all loops that share the lane.", ended);
}

static void add_counters(struct text *text, const struct cel__trace *t)
{
    add(text, "# HELP celadon_events_total Events since the trace began.\n"
              "# TYPE celadon_events_total counter\n");
    for (uint32_t kind = 0; kind < CEL__EVENT_KINDS; kind++)
        add(text, "celadon_events_total{event=\"%s\"} %llu\n", cel__trace_name(kind),
            (unsigned long long)t->counts[kind]);
}

static void add_lag(struct text *text, const struct cel__trace *t)
{
    uint64_t sum = 0;

    add(text, "# HELP celadon_loop_lag_seconds How long turns keep the loop from the kernel.\n"
              "# TYPE celadon_loop_lag_seconds histogram\n");
    for (int i = 0; i < CEL__LAG_BUCKETS - 1; i++) {
        sum += t->lag[i];
        add(text, "celadon_loop_lag_seconds_bucket{le=\"%.9g\"} %llu\n",
            (double)cel__trace_lag_limit(i) / CEL_SECOND, (unsigned long long)sum);
    }
    sum += t->lag[CEL__LAG_BUCKETS - 1];
    add(text,
        "celadon_loop_lag_seconds_bucket{le=\"+Inf\"} %llu\n"
        "celadon_loop_lag_seconds_sum %.9g\nceladon_loop_lag_seconds_count %llu\n",
        (unsigned long long)sum, (double)t->lag_sum / CEL_SECOND, (unsigned long long)sum);
}

int cel_metrics(char *buf, size_t size)
{
    struct cel_loop *loop = cel__loop_here;
    struct text text = {buf, size, 0};

    if (loop == NULL)
        return -ENODEV;
    add_gauges(&text, loop);
    add_lanes(&text, loop);
    if (loop->trace != NULL) {
        add_counters(&text, loop->trace);
        add_lag(&text, loop->trace);
    }
    return (int)text.len;
}
