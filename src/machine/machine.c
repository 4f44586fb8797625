/* SPDX-License-Identifier: MIT */
#include "machine/machine.h"

#include <stdlib.h>

#include "base/cc.h"

__thread struct cel__machine *cel__machine_here;

void *cel__machine_alloc(size_t size)
{
    void *ptr = calloc(1, size); /* lint: malloc: the machine's memory is not the program's */

    if (ptr == NULL)
        abort();
    return ptr;
}

void *cel__machine_resize(void *old, size_t size)
{
    void *ptr = realloc(old, size); /* lint: malloc: the machine's memory is not the program's */

    if (ptr == NULL)
        abort();
    return ptr;
}

void cel__machine_release(void *ptr)
{
    free(ptr); /* lint: malloc: the machine's memory is not the program's */
}

void cel__machine_note(struct cel__machine *m, uint64_t mark, uint64_t value)
{
    uint64_t z = m->hash ^ (mark * UINT64_C(0x9e3779b97f4a7c15)) ^ value;

    z = (z ^ (z >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    m->hash = z ^ (z >> 32);
}

static void remember(struct cel__track *t, const struct cel__step *step)
{
    if (t->count == t->cap) {
        t->cap = t->cap != 0 ? 2 * t->cap : 4096;
        t->steps = cel__machine_resize(t->steps, t->cap * sizeof *t->steps);
    }
    t->steps[t->count++] = *step;
}

void cel__machine_trace(struct cel__machine *m, uint32_t mark)
{
    struct cel__track *t = m->trace;
    struct cel__step step = {.hash = m->hash, .when = m->now, .mark = mark};

    if (t == NULL || t->differs)
        return;
    if (mark == CEL__MARK_TASK) {
        step.file = m->diary->task_file;
        step.line = m->diary->task_line;
    }
    if (!t->is_checking) {
        remember(t, &step);
        return;
    }
    t->differs = t->at == t->count || t->steps[t->at].hash != m->hash;
    t->other = step;
    if (t->differs && t->on_differing != NULL)
        t->on_differing(m);
    t->at += !t->differs;
}

uint64_t cel__machine_draw(struct cel__machine *m, enum cel__draw lane, uint64_t bound)
{
    uint64_t drawn = cel__rand_below(&m->rand[lane], bound);

    m->draws++;
    if (lane != CEL__DRAW_SECRET)
        cel__machine_note(m, (uint64_t)lane + 1, drawn);
    return drawn;
}

bool cel__machine_draws(struct cel__machine *m, int64_t ppm)
{
    return !m->is_calm && ppm != 0 && (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, 1000000) < ppm;
}

bool cel__machine_fault(struct cel__machine *m, const char *what, const char *file, int line)
{
    if (!cel__diary_fault(m->diary, what, file, line))
        return false;
    m->faults++;
    return true;
}

bool cel__machine_chance(struct cel__machine *m, int64_t ppm, const char *name)
{
    return cel__machine_draws(m, ppm) && cel__machine_fault(m, name, NULL, 0);
}

/* -ln of a uniform number as a sum of halvings: 2^-k has k bits, and ln 2 is 0.693. */
int64_t cel__machine_draw_time(struct cel__machine *m, enum cel__draw lane, int64_t mean)
{
    uint64_t bits = cel__machine_draw(m, lane, UINT64_MAX) | 1;
    int halvings = __builtin_clzll(bits);
    uint64_t rest = halvings == 63 ? 0 : bits << (halvings + 1) >> 44; /* 20 bits below the first */

    return (int64_t)((double)mean * 0.693 * (halvings + 1 - (double)rest / 1048576.0));
}

/* The heap, a binary one. */

static bool is_before(const struct cel__happening *a, const struct cel__happening *b)
{
    return a->at != b->at ? a->at < b->at : a->nth < b->nth;
}

static void put(struct cel__machine *m, uint32_t place, struct cel__happening *event)
{
    m->heap[place - 1] = event;
    event->place = place;
}

static void sift_up(struct cel__machine *m, uint32_t place, struct cel__happening *event)
{
    while (place > 1 && is_before(event, m->heap[place / 2 - 1])) {
        put(m, place, m->heap[place / 2 - 1]);
        place /= 2;
    }
    put(m, place, event);
}

static void sift_down(struct cel__machine *m, uint32_t place, struct cel__happening *event)
{
    for (;;) {
        uint32_t child = 2 * place;

        if (child < m->count && is_before(m->heap[child], m->heap[child - 1]))
            child++;
        if (child > m->count || !is_before(m->heap[child - 1], event))
            break;
        put(m, place, m->heap[child - 1]);
        place = child;
    }
    put(m, place, event);
}

void cel__machine_schedule(struct cel__machine *m, struct cel__happening *event, int64_t at)
{
    CEL__ASSERT(event->place == 0 && at >= m->now);
    if (m->count == m->cap) {
        m->cap = m->cap != 0 ? 2 * m->cap : 64;
        m->heap = cel__machine_resize(m->heap, m->cap * sizeof(struct cel__happening *));
    }
    event->at = at;
    event->nth = m->scheduled++;
    sift_up(m, ++m->count, event);
}

void cel__machine_unschedule(struct cel__machine *m, struct cel__happening *event)
{
    uint32_t place = event->place;
    struct cel__happening *last;

    if (place == 0)
        return;
    event->place = 0;
    last = m->heap[--m->count];
    if (last == event)
        return;
    if (place > 1 && is_before(last, m->heap[place / 2 - 1]))
        sift_up(m, place, last);
    else
        sift_down(m, place, last);
}

int64_t cel__machine_next(const struct cel__machine *m)
{
    return m->count != 0 ? m->heap[0]->at : INT64_MAX;
}

void cel__machine_advance(struct cel__machine *m, int64_t to)
{
    m->now = cel__max(m->now, to);
    while (m->count != 0 && m->heap[0]->at <= m->now) {
        struct cel__happening *event = m->heap[0];
        uint32_t event_mark = event->mark;

        cel__machine_unschedule(m, event);
        m->events++;
        cel__machine_note(m, event->mark, (uint64_t)event->at);
        cel__diary_event(m->diary, event->mark, event->from, event->to);
        event->run(m, event);
        cel__machine_trace(m, event_mark);
    }
}
