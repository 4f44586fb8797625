/* SPDX-License-Identifier: MIT */
#include "fiber/frames.h"

#include "base/cc.h"
#include "fiber/stack.h"

/* What a swap leaves on the stack, upwards (switch_*.S), by DWARF's numbers; the last word of it on
 * x86-64, the second on aarch64, is where the swap returns to. */
#if defined(__x86_64__)
#define SAVED_PC    6
#define SAVED_WORDS 7
static const uint8_t saved_regs[] = {15, 14, 13, 12, 3, 6};
#elif defined(__aarch64__)
#define SAVED_PC    1
#define SAVED_WORDS 20
static const uint8_t saved_regs[] = {29, 30, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28};
#endif

struct cel__extent cel__frames_extent(const struct cel_fiber *f)
{
    if (f == NULL || f->stack == NULL)
        return (struct cel__extent){0, 0};
    return (struct cel__extent){(uintptr_t)cel__stack_base(f->stack), (uintptr_t)f->stack->top};
}

static bool holds(struct cel__extent stack, uintptr_t from, size_t words)
{
    return from % sizeof from == 0 && from >= stack.low && from < stack.high &&
           stack.high - from >= words * sizeof from;
}

/* A stack, however it lies: its red zones are not for ASan to judge here. */
__attribute__((no_sanitize("address"))) static struct cel__unwind
suspended_by_swap(const uintptr_t *saved)
{
    struct cel__unwind u = {.pc = saved[SAVED_PC]};

    for (size_t i = 0; i < cel__countof(saved_regs); i++)
        u.reg[saved_regs[i]] = saved[i];
    u.reg[CEL__CFI_SP] = (uintptr_t)(saved + SAVED_WORDS);
    return u;
}

size_t cel__frames_parked(const struct cel_fiber *f, uintptr_t *out, size_t max)
{
    struct cel__extent stack = cel__frames_extent(f);
    uintptr_t sp = (uintptr_t)f->ctx.sp;

    if (f->hop_on != 0) {
        struct cel__unwind u = {.pc = (uintptr_t)f->hop_pc};

        u.reg[CEL__CFI_SP] = sp;
        u.reg[CEL__CFI_FP] = (uintptr_t)f->hop_frame;
        return cel__unwind_all(u, stack, out, max);
    }
    if (!holds(stack, sp, SAVED_WORDS))
        return 0;
    return cel__unwind_all(suspended_by_swap(f->ctx.sp), stack, out, max);
}
