/* SPDX-License-Identifier: MIT */
#ifndef CEL__DIARY_H
#define CEL__DIARY_H

/* What happened on a machine, for people: its last entries, how often which fault came, and, when
 * somebody follows it, all of it as lines of text.
 *
 * 1. Faults are numbered, from 1, in the order in which chance brings them. A run in which some of
 *    the numbers are left out is a run like any other, and replays as well; so a list of faults can
 *    be cut down to those that matter.
 * 2. Nothing of it is in the run's hash: who looks changes nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happens, for the hash and for people. */
enum cel__mark {
    CEL__MARK_TASK = 7,
    CEL__MARK_PARTING = 50,
    CEL__MARK_CALM,
    CEL__MARK_IMPATIENT,
    CEL__MARK_RESUME,
    CEL__MARK_CLOG,
    CEL__MARK_OUTAGE,
    CEL__MARK_JOB = 60,
    CEL__MARK_NAME = 70,
    CEL__MARK_DATAGRAM = 80,
    CEL__MARK_KNOCK = 90,
    CEL__MARK_PACKET = 100 /* and the kind of it */
};

#define CEL__DIARY_LAST  48 /* entries that are kept */
#define CEL__DIARY_KINDS 32 /* of faults */

struct cel__note {
    int64_t at;
    uint64_t fault; /* its number; 0: none */
    const char *what;
    const char *from, *to; /* hosts; NULL: none in particular */
    const char *file;      /* where a task was spawned, or a rare path is; NULL */
    int line;
    bool is_task;
    char text[61]; /* the task's name, if it has one, or what somebody has to say */
};

struct cel__diary {
    const int64_t *now;
    int64_t began;
    const char *(*who)(void *arg); /* whose doing it is: a host, or NULL */
    void *arg;
    struct cel__note last[CEL__DIARY_LAST];
    uint64_t count; /* of entries so far */
    uint64_t numbers;
    struct {
        const char *what;
        uint64_t count;
    } kinds[CEL__DIARY_KINDS];
    const char *wanted;    /* "1-4,7,9-": the faults that may happen; NULL: all */
    const char *task_file; /* of the last task that ran */
    int task_line;
    int fd;         /* who follows; -1: nobody */
    bool is_closed; /* no more entries are kept */
};

/* Entries. `mark` is the event's (cel__mark_name). file and hosts
 * outlive the diary. */
void cel__diary_event(struct cel__diary *d, uint32_t mark, const char *from, const char *to);
void cel__diary_task(struct cel__diary *d, const char *name, const char *file, int line,
                     const char *on);
/* Somebody's own words. */
void cel__diary_say(struct cel__diary *d, const char *text);
/* One more fault, which may be left out: -> whether it happens. `what` is static. */
bool cel__diary_fault(struct cel__diary *d, const char *what, const char *file, int line);

/* Is that how numbers of faults are told? */
bool cel__diary_understands(const char *wanted);
/* "cut 12, loss 3"; "none". */
char *cel__diary_counts(const struct cel__diary *d, char *out, size_t cap);
/* The nth of those that are kept, the oldest is 0. -> false: there are no more. */
bool cel__diary_line(const struct cel__diary *d, unsigned nth, char *out, size_t cap);
/* What an event is, in words. */
const char *cel__mark_name(uint32_t mark);

#endif
