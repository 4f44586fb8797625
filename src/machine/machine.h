/* SPDX-License-Identifier: MIT */
#ifndef CEL__MACHINE_H
#define CEL__MACHINE_H

/* A machine that exists in memory: its clock, what is going to happen on it, and where its
 * choices come from. One a thread at most. Whoever drives it asks for the next event's time,
 * sets the clock forward, and lets the events happen.
 *
 * 1. Nothing depends on an address, on real time, or on what ran before: a seed and options give
 *    one sequence of events.
 * 2. Its memory is not the program's: it comes from outside of cel__mem, and the world ends when
 *    there is none. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/rand.h"
#include "celadon/sim.h"
#include "machine/diary.h"

struct cel_fiber;
struct cel__opened;
struct cel__station;
struct cel__machine;
struct cel__socket;

/* Something that is going to happen. Zeroed: it is not. */
struct cel__happening {
    int64_t at;
    uint64_t nth; /* orders those of one instant */
    void (*run)(struct cel__machine *m, struct cel__happening *event);
    uint32_t place;        /* in the heap, from 1; 0: not in it */
    uint32_t mark;         /* enum cel__mark */
    const char *from, *to; /* hosts, for people; NULL: none in particular */
};

/* A run's hash after one of its steps, an event or a task's slice. */
struct cel__step {
    uint64_t hash;
    int64_t when;
    const char *file; /* where the task was spawned; NULL: it was an event */
    int line;
    uint32_t mark;
};

/* A run's steps, for a second run to be compared with. */
struct cel__track {
    struct cel__step *steps;
    size_t count, cap;
    size_t at;        /* the second run's place */
    bool is_checking; /* this is the second run */
    bool differs;
    struct cel__step other;                       /* the second run's, where it differed first */
    void (*on_differing)(struct cel__machine *m); /* then; NULL: nothing is done */
};

/* Independent streams of choices, so that more of one kind do not shift the others. */
enum cel__draw {
    CEL__DRAW_NET,
    CEL__DRAW_ORDER,
    CEL__DRAW_FAULT,
    CEL__DRAW_SECRET,
    CEL__DRAW_USER,
    CEL__DRAW_LANES
};

struct cel__machine {
    int64_t now; /* ns, monotonic */
    int64_t began;
    int64_t epoch; /* wall time when now was 0 */
    struct cel_sim_options options;
    struct cel__rand rand[CEL__DRAW_LANES];
    uint64_t quirk;           /* tells which rare paths this run takes */
    bool is_alone;            /* there is nothing real beside it: within runs */
    unsigned refused;         /* kinds of what it has not that were asked for: absent.c */
    bool is_calm;             /* no faults by chance any more */
    int64_t paused_until;     /* some host is, at most until then */
    struct cel__track *trace; /* NULL: none is kept */
    /* events: a heap by time and number */
    struct cel__happening **heap;
    uint32_t count, cap;
    uint64_t scheduled;
    /* what was, for the report */
    uint64_t hash, events, switches, faults, draws;
    struct cel__diary *diary; /* and for people */
    /* the network's parts: host.h, socket.h */
    struct cel__list hosts;
    struct cel__list sockets;
    struct cel__list pairs;     /* of joined sockets, alive or lingering */
    struct cel__list datagrams; /* under way */
    struct cel__list news;      /* sockets whose readiness may have changed */
    struct cel__list zone;      /* names */
    struct cel__station *home;
    uint32_t host_count;
    uint64_t made; /* sockets, for their ids */
    struct cel__socket **by_fd;
    size_t by_fd_cap;
    /* the disks of hosts: opened.h */
    bool has_disks;              /* else files are the real ones */
    struct cel__opened **opened; /* by number */
    size_t opened_cap;
    void (*on_outage)(struct cel__station *h); /* a mortal host's power fails */
    /* Whose system calls these are; NULL: home's. */
    struct cel__station *(*host_here)(void);
    struct cel__station *acting; /* whose job runs, and from which of its lives; NULL: none does */
    uint32_t acting_life;
    bool (*look)(
        void); /* after each step of a task; -> false: no more of them. NULL: nobody does */
    /* Whose a fiber is; may be NULL, and so may be what it returns. */
    struct cel__station *(*host_of)(const struct cel_fiber *fiber);
};

extern __thread struct cel__machine *cel__machine_here;

/* At an instant not before now. The event must not be scheduled. */
void cel__machine_schedule(struct cel__machine *m, struct cel__happening *event, int64_t at);
/* Fine on one that is not scheduled. */
void cel__machine_unschedule(struct cel__machine *m, struct cel__happening *event);
/* INT64_MAX: nothing will ever happen. */
int64_t cel__machine_next(const struct cel__machine *m);
/* Sets the clock, and lets happen what is due then. */
void cel__machine_advance(struct cel__machine *m, int64_t to);
/* One more step of the trace, if one is kept. */
void cel__machine_trace(struct cel__machine *m, uint32_t mark);
/* Mixes what happened into the hash. */
void cel__machine_note(struct cel__machine *m, uint64_t mark, uint64_t value);

/* 0 <= result < bound. */
uint64_t cel__machine_draw(struct cel__machine *m, enum cel__draw lane, uint64_t bound);
/* Whether it happens, in a million; a fault, which is counted and has that name (static). Never
 * once calm. */
bool cel__machine_chance(struct cel__machine *m, int64_t ppm, const char *name);
/* One more fault, which may be left out: -> whether it happens. what, file: static. */
bool cel__machine_fault(struct cel__machine *m, const char *what, const char *file, int line);
/* Whether something may become a fault later. */
bool cel__machine_draws(struct cel__machine *m, int64_t ppm);
/* A fault by the option of that name. */
#define CEL__CHANCE(m, option) cel__machine_chance(m, (m)->options.option, #option)
/* Exponentially distributed. */
int64_t cel__machine_draw_time(struct cel__machine *m, enum cel__draw lane, int64_t mean);

/* Zeroed; aborts when there is none. */
void *cel__machine_alloc(size_t size);
void *cel__machine_resize(void *old, size_t size);
void cel__machine_release(void *ptr);

#endif
