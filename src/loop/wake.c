/* SPDX-License-Identifier: MIT */
/* The sleeping protocol: the loop sets is_sleeping and then looks at the stack; a poster
 * pushes and then takes is_sleeping away. Both sides are sequentially consistent, so at
 * least one sees the other: no wake-up is lost, and of many posters one writes.
 *
 * A poster is still at the loop when its message has been taken already: it looks whether it must
 * wake it. A loop that ends by that message waits for it, which is a matter of nanoseconds unless
 * the poster's thread has just been taken off its core. */
#include "loop/wake.h"

#include <sched.h>

bool cel__inbox_push(struct cel__inbox *in, struct cel__post *post)
{
    struct cel__post *head = NULL; /* mostly; looking first would fetch the cache line twice */

    do
        post->next = head;
    while (!__atomic_compare_exchange_n(&in->head, &head, post, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    return __atomic_load_n(&in->is_sleeping, __ATOMIC_SEQ_CST) != 0 &&
           __atomic_exchange_n(&in->is_sleeping, 0, __ATOMIC_SEQ_CST) != 0;
}

bool cel__inbox_sleep(struct cel__inbox *in)
{
    __atomic_store_n(&in->is_sleeping, 1, __ATOMIC_SEQ_CST);
    if (!cel__inbox_has_mail(in))
        return true;
    cel__inbox_awake(in);
    return false;
}

void cel__inbox_awake(struct cel__inbox *in)
{
    __atomic_store_n(&in->is_sleeping, 0, __ATOMIC_SEQ_CST);
}

void cel__inbox_quit(struct cel__inbox *in)
{
    while (__atomic_load_n(&in->posters, __ATOMIC_ACQUIRE) != 0)
        (void)sched_yield(); /* lint: seam: it cannot fail */
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
