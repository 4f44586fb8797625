/* SPDX-License-Identifier: MIT */
/* The sleeping protocol: the loop goes to sleep by putting its mark where no message lies, in one
 * step; a poster learns in the step that puts its message there whether the mark was. So no wake-up
 * is lost, and of many posters one writes. */
#include "loop/wake.h"

#include <time.h>

#include "base/sys.h"
#include "celadon/base.h"

bool cel__inbox_push(struct cel__inbox *in, struct cel__post *post)
{
    struct cel__post *head = NULL; /* mostly; looking first would fetch the cache line twice */

    do
        post->next = head == CEL__ASLEEP ? NULL : head;
    while (!__atomic_compare_exchange_n(&in->head, &head, post, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    return head == CEL__ASLEEP;
}

void cel__inbox_woken(struct cel__inbox *in)
{
    __atomic_add_fetch(&in->wakers_done, 1, __ATOMIC_RELEASE);
}

bool cel__inbox_sleep(struct cel__inbox *in)
{
    struct cel__post *none = NULL;

    return __atomic_compare_exchange_n(&in->head, &none, CEL__ASLEEP, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

void cel__inbox_awake(struct cel__inbox *in)
{
    struct cel__post *mark = CEL__ASLEEP;

    if (!__atomic_compare_exchange_n(&in->head, &mark, NULL, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED))
        in->marks_taken++;
}

static struct cel__post *reverse(struct cel__post *head)
{
    struct cel__post *reversed = NULL;

    while (head != NULL) {
        struct cel__post *next = head->next;

        head->next = reversed;
        reversed = head;
        head = next;
    }
    return reversed;
}

unsigned cel__inbox_run(struct cel__inbox *in)
{
    struct cel__post *post;
    unsigned count = 0;

    if (__atomic_load_n(&in->head, __ATOMIC_RELAXED) == NULL)
        return 0;
    post = reverse(__atomic_exchange_n(&in->head, NULL, __ATOMIC_ACQUIRE));
    while (post != NULL) {
        struct cel__post *next = post->next;

        post->run(post);
        post = next;
        count++;
    }
    return count;
}

/* A waker is between two steps of its own: waiting for it is rare, and short unless its thread has
 * lost its processor. */
void cel__inbox_settle(struct cel__inbox *in)
{
    const struct timespec a_little = {.tv_nsec = 20 * CEL_MICROSECOND};

    while (__atomic_load_n(&in->wakers_done, __ATOMIC_ACQUIRE) != in->marks_taken)
        (void)cel__sys.clock_nanosleep(CLOCK_MONOTONIC, 0, &a_little, NULL);
}
