/* SPDX-License-Identifier: MIT */
#ifndef CEL__TRACE_H
#define CEL__TRACE_H

/* What happened last in a loop, and how often: a ring of events and counters, kept when the program
 * asks for it. The same places are static probes (USDT) where the header for them was there at the
 * build: a no-op each until somebody attaches. Without either, an event costs a load and a branch.
 *
 * Times in the ring are those of the turn: reading a clock would cost more than the event. */

#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#endif
#endif
#ifdef DTRACE_PROBE2
#define CEL__PROBE(name, what, value) DTRACE_PROBE2(celadon, name, what, value)
#else
#define CEL__PROBE(name, what, value) ((void)0)
#endif

/* name, what it says of `what`, of `value` */
#define CEL__EVENTS(X)               \
    X(turn, "", "busy ns before")    \
    X(task_spawn, "task", "line")    \
    X(task_end, "task", "code")      \
    X(task_park, "task", "")         \
    X(task_resume, "task", "")       \
    X(scope_cancel, "scope", "code") \
    X(op_start, "op", "kind")        \
    X(op_end, "op", "result")        \
    X(op_cancel, "op", "code")       \
    X(timers_fire, "", "count")      \
    X(job_start, "job", "")          \
    X(job_end, "job", "")            \
    X(dns_answer, "lookup", "code")  \
    X(tls_handshake, "link", "code")

enum cel__event {
#define X(name, what, value) CEL__EVENT_##name,
    CEL__EVENTS(X)
#undef X
        CEL__EVENT_KINDS
};

struct cel__event_record {
    int64_t time;
    const void *what;
    int64_t value;
    uint32_t kind; /* enum cel__event */
};

#define CEL__LAG_BUCKETS 12 /* turns busy for less than 16 us, 64 us, 256 us, … */

struct cel__trace {
    uint64_t counts[CEL__EVENT_KINDS];
    uint64_t lag[CEL__LAG_BUCKETS];
    int64_t lag_sum;
    int64_t woke_at; /* when the turn under way came back from the kernel */
    size_t at;       /* events so far */
    size_t mask;
    struct cel__event_record ring[];
};

static inline void cel__trace_add(struct cel__trace *t, int64_t now, enum cel__event kind,
                                  const void *what, int64_t value)
{
    struct cel__event_record *r = &t->ring[t->at++ & t->mask];

    t->counts[kind]++;
    *r = (struct cel__event_record){now, what, value, kind};
}

/* An event of a loop (loop/core.h). */
#define CEL__TRACE(loop, name, what_, value_)                                      \
    do {                                                                           \
        CEL__PROBE(name, what_, value_);                                           \
        if (cel__unlikely((loop)->trace != NULL))                                  \
            cel__trace_add((loop)->trace, (loop)->now, CEL__EVENT_##name, (what_), \
                           (int64_t)(value_));                                     \
    } while (0)

/* A ring of at least so many events. NULL when memory is out. */
struct cel__trace *cel__trace_new(size_t events, int64_t now);
/* The loop was busy since it woke: goes into the histogram, and into the ring. */
void cel__trace_turn(struct cel__trace *t, int64_t now);
/* The upper end of a bucket, ns; of the last INT64_MAX. */
int64_t cel__trace_lag_limit(int bucket);
const char *cel__trace_name(uint32_t kind);
const char *cel__trace_what(uint32_t kind);
const char *cel__trace_value(uint32_t kind);

#endif
