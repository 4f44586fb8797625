/* SPDX-License-Identifier: MIT */
#ifndef CEL__SWITCH_H
#define CEL__SWITCH_H

/* The change of stacks, in assembly (switch_<cpu>.S).
 *
 * A suspended context is its stack pointer and its floating-point control words, which the ABI
 * makes the callee's to preserve; the callee-saved registers and the address to go on at lie on its
 * stack, in the order that the assembly, `cel__ctx_init` and the gdb helper share. The swap goes on
 * by `ret` when the return predictor is going to be right and by a jump when it would be wrong;
 * docs/design/switch.md has the measurements. Compilers turn a call of the swap that stands last in
 * a function into a jump, and our hot functions count on it. */

#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"

struct cel__ctx {
    void *sp;
    uint32_t fpu_control; /* x86-64: mxcsr, with its sticky flags; aarch64: fpcr */
    uint16_t x87_control;
};

static_assert(offsetof(struct cel__ctx, sp) == 0, "assembly");
static_assert(offsetof(struct cel__ctx, fpu_control) == 8, "assembly");
static_assert(offsetof(struct cel__ctx, x87_control) == 12, "assembly");

/* Suspends into `from` and goes on in `to`. Returns when somebody swaps to `from`, with the
 * value that they brought. */
void *cel__ctx_swap(struct cel__ctx *from, struct cel__ctx *to, void *value);

/* Where every fresh context starts; not callable. */
extern const char cel__ctx_entry[];

/* Who goes on when a context has ended. A swap suspended it. */
struct cel__ctx_heir {
    struct cel__ctx *to;
    void *value;
};

typedef struct cel__ctx_heir cel__ctx_run(struct cel__ctx *ctx, void *value);

/* The first swap to ctx calls run(ctx, value) on the stack that ends at `top`, aligned to 16; what
 * that returns goes on. The context inherits the caller's floating-point control, as a thread does.
 */
static inline void cel__ctx_init(struct cel__ctx *ctx, void *top, cel__ctx_run *run)
{
    uintptr_t *frame = top;

#if defined(__x86_64__)
    *--frame = (uintptr_t)cel__ctx_entry;
    *--frame = 0;              /* rbp: the chain of frames ends here */
    *--frame = (uintptr_t)ctx; /* rbx */
    *--frame = (uintptr_t)run; /* r12 */
    frame -= 3;                /* r13 to r15: whatever */
    __asm__("stmxcsr %0\n\tfnstcw %1" : "=m"(ctx->fpu_control), "=m"(ctx->x87_control));
#elif defined(__aarch64__)
    uint64_t fpcr;

    frame -= 20;
    frame[0] = 0; /* x29: the chain of frames ends here */
    frame[1] = (uintptr_t)cel__ctx_entry;
    frame[2] = (uintptr_t)ctx; /* x19 */
    frame[3] = (uintptr_t)run; /* x20 */
    __asm__("mrs %0, fpcr" : "=r"(fpcr));
    ctx->fpu_control = (uint32_t)fpcr;
    ctx->x87_control = 0;
#else
#error "celadon knows x86-64 and aarch64"
#endif
    ctx->sp = frame;
}

#endif
