/* SPDX-License-Identifier: MIT */
#ifndef CEL__SWITCH_AARCH64_H
#define CEL__SWITCH_AARCH64_H

/* Included by fiber/switch.h only. */

static inline __attribute__((always_inline)) void cel__ctx_save_control(struct cel__ctx *ctx)
{
    uint64_t fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    ctx->fpu_control = (uint32_t)fpcr;
    ctx->x87_control = 0;
}

/* Suspends into `from`, goes on in `to`; returns when somebody switches to `from`. */
static inline __attribute__((always_inline)) void cel__ctx_switch(struct cel__ctx *from,
                                                                  struct cel__ctx *to)
{
    register struct cel__ctx *x0 __asm__("x0") = from;
    register struct cel__ctx *x1 __asm__("x1") = to;

    cel__ctx_save_control(from);
    if (cel__unlikely(from->fpu_control != to->fpu_control))
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)to->fpu_control));

    /* x29 is the frame pointer and travels by hand. `hint 38` is the landing pad for jumps. */
    __asm__ volatile("adr x9, 1f\n\t"
                     "mov x10, sp\n\t"
                     "stp x10, x9, [x0]\n\t"
                     "str x29, [x0, #16]\n\t"
                     "ldp x10, x16, [x1]\n\t"
                     "ldr x29, [x1, #16]\n\t"
                     "mov sp, x10\n\t"
                     "br x16\n"
                     "1:\n\t"
                     "hint #38"
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                       "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
                       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31", "memory", "cc");
}

#endif
