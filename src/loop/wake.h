/* SPDX-License-Identifier: MIT */
#ifndef CEL__WAKE_H
#define CEL__WAKE_H

/* Messages from other threads: a lock-free stack that the loop takes whole, and an
 * eventfd that is written only when the loop sleeps. The order of posts by one thread is kept. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cc.h"

struct cel__post {
    struct cel__post *next;
    void (*run)(struct cel__post *post); /* on the loop's thread; may free the post */
};

struct cel__inbox {
    char apart[CEL__APART]; /* what posters write shares no cache line with the loop's own */
    struct cel__post *head; /* atomic; newest first */
    int is_sleeping;        /* atomic; the loop is, or is about to be, in the kernel */
    unsigned posters;       /* atomic; who is between enter and leave */
    char and_apart[CEL__APART];
};

/* Any thread. -> true when the loop sleeps and must be woken by the caller. */
bool cel__inbox_push(struct cel__inbox *in, struct cel__post *post);
/* Any thread: around a push and the waking that it may ask for. */
static inline void cel__inbox_enter(struct cel__inbox *in)
{
    __atomic_fetch_add(&in->posters, 1, __ATOMIC_RELAXED); /* the push publishes it */
}
static inline void cel__inbox_leave(struct cel__inbox *in)
{
    __atomic_fetch_sub(&in->posters, 1, __ATOMIC_RELEASE);
}
/* The loop is about to go: waits for those whose message has been taken and who are still at it. */
void cel__inbox_quit(struct cel__inbox *in);
/* The loop is going to sleep. -> false when there is mail: do not. */
bool cel__inbox_sleep(struct cel__inbox *in);
/* The loop is awake. */
void cel__inbox_awake(struct cel__inbox *in);
static inline bool cel__inbox_has_mail(const struct cel__inbox *in)
{
    const struct cel__post *head = __atomic_load_n(&in->head, __ATOMIC_SEQ_CST);

    cel__fetch_to_write(head); /* another core has written there, and we shall */
    return head != NULL;
}
/* Runs all that is there. -> how many. */
unsigned cel__inbox_run(struct cel__inbox *in);

#endif
