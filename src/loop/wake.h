/* SPDX-License-Identifier: MIT */
#ifndef CEL__WAKE_H
#define CEL__WAKE_H

/* Messages from other threads: a lock-free stack that the loop takes whole, and an
 * eventfd that is written only when the loop sleeps. The order of posts by one thread is kept. */

#include <stdbool.h>

struct cel__post {
    struct cel__post *next;
    void (*run)(struct cel__post *post); /* on the loop's thread; may free the post */
};

struct cel__inbox {
    struct cel__post *head; /* atomic; newest first */
    int is_sleeping;        /* atomic; the loop is, or is about to be, in the kernel */
};

/* Any thread. -> true when the loop sleeps and must be woken by the caller. */
bool cel__inbox_push(struct cel__inbox *in, struct cel__post *post);
/* The loop is going to sleep. -> false when there is mail: do not. */
bool cel__inbox_sleep(struct cel__inbox *in);
/* The loop is awake. */
void cel__inbox_awake(struct cel__inbox *in);
bool cel__inbox_has_mail(const struct cel__inbox *in);
/* Runs all that is there. -> how many. */
unsigned cel__inbox_run(struct cel__inbox *in);

#endif
