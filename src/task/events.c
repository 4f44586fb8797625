/* SPDX-License-Identifier: MIT */
/* What happened last in a loop, as text for people. */
#include <errno.h>

#include "base/mem.h"
#include "celadon/debug.h"
#include "loop/core.h"
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
