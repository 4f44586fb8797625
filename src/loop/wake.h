/* SPDX-License-Identifier: MIT */
#ifndef CEL__WAKE_H
#define CEL__WAKE_H

/* Messages from other threads: a lock-free stack that the loop takes whole, and an
 * eventfd that is written only when the loop sleeps. The order of posts by one thread is kept.
 *
 * 1. A sleeping loop's stack holds a mark in place of messages. Whoever replaces the mark, and
 *    nobody else, must write the eventfd.
 * 2. Who posts to a loop that is awake touches nothing of it afterwards. Who replaced the mark says
 *    so when it has written; the loop counts the marks that were taken. So it knows when nobody is
 *    on the way to it any more, and may close as soon as it has what it waited for. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"

struct cel__post {
    struct cel__post *next;
    void (*run)(struct cel__post *post); /* on the loop's thread; may free the post */
};

#define CEL__ASLEEP_MARK 1
#define CEL__ASLEEP      ((struct cel__post *)(uintptr_t)CEL__ASLEEP_MARK)

struct cel__inbox {
    char apart[CEL__APART]; /* what posters write shares no cache line with the loop's own */
    struct cel__post *head; /* atomic; newest first; CEL__ASLEEP: rule 1 */
    char and_apart[CEL__APART];
    unsigned marks_taken; /* the loop's */
    unsigned wakers_done; /* atomic; rule 2 */
};

/* Any thread. -> true when the loop sleeps and must be woken by the caller, who then says
 * cel__inbox_woken. */
bool cel__inbox_push(struct cel__inbox *in, struct cel__post *post);
void cel__inbox_woken(struct cel__inbox *in);
/* The loop is going to sleep. -> false when there is mail: do not. */
bool cel__inbox_sleep(struct cel__inbox *in);
/* The loop is awake. */
void cel__inbox_awake(struct cel__inbox *in);
/* Any thread: the loop is, or is about to be, in the kernel, and nobody has written to it. */
static inline bool cel__inbox_is_asleep(const struct cel__inbox *in)
{
    return __atomic_load_n(&in->head, __ATOMIC_RELAXED) == CEL__ASLEEP;
}
static inline bool cel__inbox_has_mail(const struct cel__inbox *in)
{
    const struct cel__post *head = __atomic_load_n(&in->head, __ATOMIC_SEQ_CST);

    cel__fetch_to_write(head); /* another core has written there, and we shall */
    return head != NULL && head != CEL__ASLEEP;
}
/* Runs all that is there. -> how many. */
unsigned cel__inbox_run(struct cel__inbox *in);
/* Waits until everybody who had to wake the loop has done so. It is awake, and nobody posts to it
 * any more. */
void cel__inbox_settle(struct cel__inbox *in);

#endif
