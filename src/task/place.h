/* SPDX-License-Identifier: MIT */
#ifndef CEL__PLACE_H
#define CEL__PLACE_H

/* Standing in line: what locks, channels and queues are made of.
 *
 * A place is on the stack of the task that stands there. Whoever takes it out of the line decides
 * how the wait ended, and readies the task; from then on a cancel does not reach it. A task that
 * selects stands in several lines at once, with one party for its places: the first that is taken
 * takes the others out too, before anything else can happen to them.
 *
 * 1. A place is in a line exactly while its `line` is not NULL; its task is parked then.
 * 2. First come, first served: places are appended at the end and taken from the front. */

#include "celadon/sync.h"
#include "task/wait.h"

struct cel__party;

struct cel__place {
    struct cel__place *next, *prev;
    struct cel_line *line;
    struct cel_task *task;
    void *value;              /* what it brings, or where it wants it, as its line defines */
    struct cel__party *party; /* NULL: it stands only here */
    int code;                 /* how the wait ended */
};

/* The places of one selecting task. */
struct cel__party {
    struct cel__place *places;
    size_t count;
    struct cel__place *taken; /* NULL while parked */
};

static inline struct cel__place *cel__line_first(const struct cel_line *line)
{
    return (struct cel__place *)line->first_;
}

static inline void cel__line_append(struct cel_line *line, struct cel__place *place)
{
    struct cel__place *last = (struct cel__place *)line->last_;

    place->line = line;
    place->next = NULL;
    place->prev = last;
    if (last != NULL)
        last->next = place;
    else
        line->first_ = place;
    line->last_ = place;
    line->count_++;
}

/* Fine on a place that is in no line. */
static inline void cel__line_remove(struct cel__place *place)
{
    struct cel_line *line = place->line;

    if (line == NULL)
        return;
    if (place->next != NULL)
        place->next->prev = place->prev;
    else
        line->last_ = place->prev;
    if (place->prev != NULL)
        place->prev->next = place->next;
    else
        line->first_ = place->next;
    place->line = NULL;
    line->count_--;
}

/* Takes a selecting task out of its other lines. */
void cel__party_take(struct cel__place *place);

/* Ends the wait of one place with `code` and readies its task. */
static inline void cel__place_end(struct cel__place *place, int code)
{
    cel__line_remove(place);
    place->code = code;
    if (place->party != NULL)
        cel__party_take(place);
    cel__unpark(place->task);
}

/* The first in line, with `code`. -> whether there was one. */
static inline bool cel__line_wake_one(struct cel_line *line, int code)
{
    struct cel__place *place = cel__line_first(line);

    if (place == NULL)
        return false;
    cel__place_end(place, code);
    return true;
}

void cel__line_wake_all(struct cel_line *line, int code);

/* Of a wait in one line: takes the place out. */
void cel__place_leave(struct cel_task *task, int code);

/* A wait in one line, for `what`. */
#define CEL__WAIT_FOR(what)                  \
    {                                        \
        (what), cel__place_leave, NULL, NULL \
    }

/* (parks) At the end of the line. What the place was ended with, or -ECANCELED, -ETIMEDOUT: nobody
 * took it. Not a checkpoint. The caller fills in value only. */
int cel__line_park(struct cel_line *line, struct cel__place *place, const struct cel__wait *wait);
/* (parks) In several lines, each place already in its own. 0 when one was taken. */
int cel__party_park(struct cel__party *party);

#endif
