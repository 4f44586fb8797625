/* SPDX-License-Identifier: MIT */
#include "loop/shuffle.h"

#include <stdlib.h>

#include "base/log.h"
#include "fiber/order.h"

#define SEEN_MAX 64 /* of the ready ones, from the front */

void cel__shuffle_init(struct cel_loop *loop)
{
    const char *text = getenv("CELADON_SHUFFLE");
    char *end;

    if (text == NULL || *text == '\0')
        return;
    cel__rand_seed(&loop->shuffle, strtoull(text, &end, 10));
    loop->is_shuffled = *end == '\0';
    if (!loop->is_shuffled)
        cel__log(CEL_LOG_WARN, "CELADON_SHUFFLE is '%s': say a number", text);
}

void cel__shuffle_run(struct cel_loop *loop, int budget)
{
    struct cel__sched *s = &loop->sched;

    while (budget-- > 0 && cel__sched_has_ready(s)) {
        unsigned count = cel__sched_count(s, SEEN_MAX);

        cel__sched_bring(s, (unsigned)cel__rand_below(&loop->shuffle, count));
        cel__sched_run(s, 1);
    }
}
