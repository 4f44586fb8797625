/* SPDX-License-Identifier: MIT */
/* Drawing is what "swarm testing" is: a run that has everything a little finds less than runs that
 * have some things much and others not at all. So each kind of fault is off in half of the runs,
 * and where it is on, its size is drawn by orders of magnitude. */
#include "machine/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cc.h"
#include "base/rand.h"

struct option {
    const char *name;
    size_t offset;
    int64_t calm;      /* without faults */
    int64_t low, high; /* drawn in between, evenly by orders of magnitude */
    bool is_fault;     /* 0 in half of the runs */
};

#define OPTION(name, ...)                                          \
    {                                                              \
#name, offsetof(struct cel_sim_options, name), __VA_ARGS__ \
    }

static const struct option table[] = {
    OPTION(policy, CEL_SIM_FIFO, 0, 0, false),
    OPTION(pct_changes, 0, 1, 100, false),
    OPTION(latency, 50 * CEL_MICROSECOND, CEL_MICROSECOND, 50 * CEL_MILLISECOND, false),
    OPTION(tail, 0, 100, 10000, true),
    OPTION(loss, 0, 100, 100000, true),
    OPTION(duplicate, 0, 1000, 200000, true),
    OPTION(clog, 0, 10, 1000, true),
    OPTION(reset, 0, 1000, 300000, true),
    OPTION(partition, 0, 1000, 50000, true),
    OPTION(window, 65536, 1, 65536, false),
    OPTION(segment, 65536, 1, 65536, false),
    OPTION(send_buffer, 131072, 1, 262144, false),
    OPTION(cut, 0, 1000, 500000, true),
    OPTION(late, 0, 1000, 1000000, true),
    OPTION(late_cancel, 0, 1000, 1000000, true),
    OPTION(job_delay, 20 * CEL_MICROSECOND, CEL_MICROSECOND, 20 * CEL_MILLISECOND, false),
    OPTION(io_error, 0, 100, 20000, true),
    OPTION(disk_full, 0, 100, 20000, true),
    OPTION(pause, 0, 1000, 50000, true),
    OPTION(slow, 0, 1000, 500000, true),
    OPTION(jump, 0, 1000, 50000, true),
    OPTION(outage, 0, 1000, 100000, true),
    OPTION(swizzle, 0, 1000, 50000, true),
    OPTION(bad_name, 0, 1000, 200000, true),
    OPTION(corrupt, 0, 0, 0, true),
    OPTION(shortage, 0, 100, 20000, true),
    OPTION(skew, 0, CEL_MILLISECOND, 1000 * CEL_SECOND, true),
    OPTION(buggify, 0, 1, 1, true),
    OPTION(faults_for, 0, CEL_SECOND, 30 * CEL_SECOND, false),
    OPTION(patience, 0, 60 * CEL_SECOND, 60 * CEL_SECOND, false),
};

static int64_t *value_of(struct cel_sim_options *o, const struct option *option)
{
    return (int64_t *)((char *)o + option->offset);
}

void cel_sim_options_calm(struct cel_sim_options *out)
{
    for (size_t i = 0; i < cel__countof(table); i++)
        *value_of(out, &table[i]) = table[i].calm;
}

/* A number of bits between the two, then the bits. */
static int64_t draw_between(struct cel__rand *r, int64_t low, int64_t high)
{
    int least = 63 - __builtin_clzll((uint64_t)low), most = 63 - __builtin_clzll((uint64_t)high);
    int bits = least + (int)cel__rand_below(r, (uint64_t)(most - least + 1));
    int64_t drawn = (INT64_C(1) << bits) + (int64_t)cel__rand_below(r, UINT64_C(1) << bits);

    return cel__min(cel__max(drawn, low), high);
}

/* Bytes one by one over long ways take all the events there are. */
static void keep_affordable(struct cel_sim_options *o)
{
    if (o->segment < 64 && o->latency > CEL_MILLISECOND)
        o->segment = 64;
    if (o->window < 64 && o->latency > CEL_MILLISECOND)
        o->window = 64;
    if (o->send_buffer < 64 && o->latency > CEL_MILLISECOND)
        o->send_buffer = 64;
}

void cel_sim_options_draw(struct cel_sim_options *out, uint64_t seed)
{
    struct cel__rand r;

    cel__rand_seed(&r, seed ^ UINT64_C(0x6f7074696f6e73));
    for (size_t i = 0; i < cel__countof(table); i++) {
        const struct option *option = &table[i];
        int64_t drawn = option->high == 0 ? 0 : draw_between(&r, option->low, option->high);
        bool is_off = option->is_fault && cel__rand_below(&r, 2) == 0;

        *value_of(out, option) = is_off ? 0 : drawn;
    }
    out->policy = (int64_t)cel__rand_below(&r, CEL_SIM_POLICIES);
    keep_affordable(out);
}

char *cel__options_format(const struct cel_sim_options *o, char *out, size_t cap)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < cel__countof(table) && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, "%s%s=%lld", i != 0 ? "," : "", table[i].name,
                                (long long)*value_of((struct cel_sim_options *)o, &table[i]));
    return out;
}

static const struct option *option_named(const char *name, size_t len)
{
    for (size_t i = 0; i < cel__countof(table); i++)
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    return NULL;
}

int cel__options_parse(struct cel_sim_options *o, const char *text)
{
    while (*text != '\0') {
        const struct option *option = option_named(text, strcspn(text, "="));
        const char *number = strchr(text, '=');
        char *end;

        if (option == NULL || number == NULL)
            return -EINVAL;
        *value_of(o, option) = strtoll(number + 1, &end, 10);
        if (end == number + 1 || (*end != '\0' && *end != ','))
            return -EINVAL;
        text = *end == ',' ? end + 1 : end;
    }
    return 0;
}
