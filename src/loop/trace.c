/* SPDX-License-Identifier: MIT */
#include "loop/trace.h"

#include "base/mem.h"

#define LAG_FIRST 16384 /* ns; each bucket reaches four times as far as the one before */

struct cel__trace *cel__trace_new(size_t events, int64_t now)
{
    size_t count = 64;
    struct cel__trace *t;

    while (count < events && count < ((size_t)1 << 24))
        count *= 2;
    t = cel__mem_zalloc(sizeof *t + count * sizeof t->ring[0]);
    if (t == NULL)
        return NULL;
    t->mask = count - 1;
    t->woke_at = now;
    return t;
}

int64_t cel__trace_lag_limit(int bucket)
{
    return bucket >= CEL__LAG_BUCKETS - 1 ? INT64_MAX : (int64_t)LAG_FIRST << 2 * bucket;
}

void cel__trace_turn(struct cel__trace *t, int64_t now)
{
    int64_t busy = now - t->woke_at;
    int bucket = 0;

    while (busy >= cel__trace_lag_limit(bucket) && bucket < CEL__LAG_BUCKETS - 1)
        bucket++;
    t->lag[bucket]++;
    t->lag_sum += busy;
    cel__trace_add(t, now, CEL__EVENT_turn, NULL, busy);
}

const char *cel__trace_name(uint32_t kind)
{
    static const char *const names[] = {
#define X(name, what, value) #name,
        CEL__EVENTS(X)
#undef X
    };

    return names[kind];
}

const char *cel__trace_what(uint32_t kind)
{
    static const char *const names[] = {
#define X(name, what, value) what,
        CEL__EVENTS(X)
#undef X
    };

    return names[kind];
}

const char *cel__trace_value(uint32_t kind)
{
    static const char *const names[] = {
#define X(name, what, value) value,
        CEL__EVENTS(X)
#undef X
    };

    return names[kind];
}
