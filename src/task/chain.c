/* SPDX-License-Identifier: MIT */
/* Two waiters that know of each other, one at each future: whichever is done first takes the other
 * off. */
#include <errno.h>

#include "base/mem.h"
#include "celadon/compose.h"
#include "task/error.h"
#include "task/future.h"

struct chain {
    struct cel__waiter on_from, on_to;
    struct cel_future *from, *to;
};

static void pass(const struct cel_future *from, struct cel_future *to)
{
    const struct cel_error *error;
    struct cel_error *copy = NULL;

    if (from == NULL) {
        cel__future_end(to, NULL, -ENOMEM, NULL);
        return;
    }
    error = cel__future_error(from);
    if (error != NULL)
        copy = cel__error_new(error->file, error->line, error->code, error->text);
    cel__future_end(to, from->code == 0 ? from->value : NULL, from->code, copy);
}

static void from_done(struct cel__waiter *waiter)
{
    struct chain chain = *cel__container_of(waiter, struct chain, on_from);

    cel__list_unlink(&cel__container_of(waiter, struct chain, on_from)->on_to.link);
    cel__mem_free(cel__container_of(waiter, struct chain, on_from));
    pass(chain.from, chain.to);
}

static void to_done(struct cel__waiter *waiter)
{
    struct chain *chain = cel__container_of(waiter, struct chain, on_to);

    cel__list_unlink(&chain->on_from.link);
    cel__mem_free(chain);
}

int(cel_chain)(union cel_awaitable from, struct cel_future *to)
{
    struct cel_future *f = cel_ensure(from);
    struct chain *chain;

    CEL__ASSERT(!to->is_task && f != to);
    if (cel__future_is_done(to))
        return 0;
    if (cel__future_is_done(f)) {
        pass(f, to);
        return 0;
    }
    chain = cel__mem_alloc(sizeof *chain);
    if (chain == NULL)
        return -ENOMEM;
    *chain = (struct chain){.on_from.wake = from_done, .on_to.wake = to_done, .from = f, .to = to};
    cel__list_append(&f->waiters, &chain->on_from.link);
    cel__list_append(&to->waiters, &chain->on_to.link);
    return 0;
}

struct cel_future *(cel_shield)(union cel_awaitable x)
{
    struct cel_future *outer = cel_future_new();

    if (outer != NULL && cel_chain(x, outer) < 0) {
        cel_future_free(outer);
        return NULL;
    }
    return outer;
}
