/* SPDX-License-Identifier: MIT */
/* A fiber's stack comes and goes; sanitizers are told where control is. */
#include "fiber/life.h"

#include <errno.h>

#include "fiber/thread.h"

int cel__fiber_prepare(struct cel_fiber *f, size_t stack_bytes, cel__ctx_run *run)
{
    struct cel__thread *t = cel__thread();
    struct cel__stack *stack = cel__stack_get(&t->stacks, stack_bytes, f);

    if (stack == NULL)
        return -ENOMEM;
    *f = (struct cel_fiber){
        .stack = stack, .thread_id = t->main.thread_id, .switchable_on = CEL__FIBER_NOWHERE};
    cel__ctx_init(&f->ctx, stack->top, run);
#if CEL__TSAN
    f->tsan_fiber = stack->note.tsan_fiber;
#endif
    return 0;
}

void cel__fiber_release(struct cel_fiber *f)
{
    struct cel__stack *stack = f->stack;

    f->stack = NULL;
    cel__stack_put(&cel__thread_state.stacks, stack);
}

#if CEL__ANNOTATED
CEL__NO_TSAN void cel__fiber_leaving(struct cel_fiber *from, struct cel_fiber *to)
{
#if CEL__ASAN
    const struct cel__thread *t = &cel__thread_state;
    const char *base = to->stack != NULL ? cel__stack_base(to->stack) : t->main_base;
    size_t size = to->stack != NULL ? (size_t)(to->stack->top - base) : t->main_size_bytes;

    __sanitizer_start_switch_fiber(from != NULL ? &from->asan_stack : NULL, base, size);
#endif
#if CEL__TSAN
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
    (void)from;
    (void)to;
}

CEL__NO_TSAN void cel__fiber_arrived(struct cel_fiber *self)
{
#if CEL__ASAN
    __sanitizer_finish_switch_fiber(self->asan_stack, NULL, NULL);
#endif
    (void)self;
}
#endif
