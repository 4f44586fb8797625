/* SPDX-License-Identifier: MIT */
/* The life of a fiber: a stack at init, the entry's call, the end. */
#include "fiber/fiber.h"

#include <errno.h>
#include <string.h>

#include "fiber/thread.h"

int cel__fiber_prepare(struct cel_fiber *f, size_t stack_bytes, void (*run)(struct cel__ctx *))
{
    struct cel__thread *t = cel__thread();
    struct cel__stack *stack = cel__stack_get(t->stacks, stack_bytes, f);

    if (stack == NULL)
        return -ENOMEM;
    memset(f, 0, sizeof *f);
    f->stack = stack;
    f->link = f->top = f;
    f->thread_id = t->main.thread_id;
    cel__ctx_init(&f->ctx, stack->top, run);
    return 0;
}

void cel__fiber_release(struct cel_fiber *f)
{
    struct cel__stack *stack = f->stack;

    f->stack = NULL;
    cel__stack_put(cel__thread()->stacks, stack);
}

struct cel_fiber *cel__fiber_current(void)
{
    return cel__thread()->current;
}
