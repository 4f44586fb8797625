/* SPDX-License-Identifier: MIT */
#ifndef CEL__SWITCH_H
#define CEL__SWITCH_H

/* The change of stacks.
 *
 * A context is where a suspended fiber goes on: stack pointer, address, frame
 * pointer, and the floating-point control words, which the ABI makes the
 * callee's to preserve. Every other register is given up by the inline assembly's
 * clobber list, so the compiler saves only those that hold something and nothing is
 * written to the stack that is left. docs/design/switch.md has the measurements.
 *
 * 1. Assembly knows the offsets below.
 * 2. A fresh context starts at cel__ctx_entry, which calls the function kept in `fp` with the
 *    context's address; so a context that has not run yet has not touched its stack.
 * 3. `cel__ctx_switch` must be inlined only where no object of more than 16 bytes' alignment
 *    lives: there compilers would take a base register of their own. */

#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"

struct cel__ctx {
    void *sp;
    void *pc;
    void *fp;
    uint32_t fpu_control; /* x86-64: mxcsr; aarch64: fpcr */
    uint16_t x87_control;
};

static_assert(offsetof(struct cel__ctx, sp) == 0, "assembly");
static_assert(offsetof(struct cel__ctx, pc) == 8, "assembly");
static_assert(offsetof(struct cel__ctx, fp) == 16, "assembly");

/* Where every fresh context starts (entry_*.S); not callable. */
extern const char cel__ctx_entry[];

#if defined(__x86_64__)
#include "fiber/switch_x86_64.h"
#elif defined(__aarch64__)
#include "fiber/switch_aarch64.h"
#else
#error "celadon knows x86-64 and aarch64"
#endif

/* `top` is the end of the stack, aligned to 16; `run` must not return. The new context inherits the
 * caller's floating-point control words, as a new thread does. */
static inline void cel__ctx_init(struct cel__ctx *ctx, void *top, void (*run)(struct cel__ctx *))
{
    ctx->sp = top;
    ctx->pc = (void *)(uintptr_t)cel__ctx_entry;
    ctx->fp = (void *)(uintptr_t)run;
    cel__ctx_save_control(ctx);
}

#endif
