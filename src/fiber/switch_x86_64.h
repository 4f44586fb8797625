/* SPDX-License-Identifier: MIT */
#ifndef CEL__SWITCH_X86_64_H
#define CEL__SWITCH_X86_64_H

/* Included by fiber/switch.h only. */

/* Rounding, masks, flush-to-zero; the rest of mxcsr are sticky flags, which no call preserves. */
#define CEL__MXCSR_CONTROL 0xffc0u

#ifdef __AVX512F__
#define CEL__CLOBBER_AVX512                                                                        \
    , "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", \
        "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",  \
        "xmm31"
#else
#define CEL__CLOBBER_AVX512
#endif

static inline __attribute__((always_inline)) void cel__ctx_save_control(struct cel__ctx *ctx)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(ctx->fpu_control), "=m"(ctx->x87_control));
}

/* Suspends into `from`, goes on in `to`; returns when somebody switches to `from`. */
static inline __attribute__((always_inline)) void cel__ctx_switch(struct cel__ctx *from,
                                                                  struct cel__ctx *to)
{
    cel__ctx_save_control(from);
    if (cel__unlikely(((from->fpu_control ^ to->fpu_control) & CEL__MXCSR_CONTROL) |
                      (uint32_t)(from->x87_control ^ to->x87_control)))
        __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(to->fpu_control), "m"(to->x87_control));

    /* rbp holds the frame pointer and cannot be named as clobbered, so it travels by hand.
     * The jump is indirect and not a `ret`, whose prediction would be wrong by construction. */
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, (%%rdi)\n\t"
                     "movq %%rax, 8(%%rdi)\n\t"
                     "movq %%rbp, 16(%%rdi)\n\t"
                     "movq (%%rsi), %%rsp\n\t"
                     "movq 16(%%rsi), %%rbp\n\t"
                     "jmpq *8(%%rsi)\n"
                     "1:\n\t"
                     "endbr64"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st",
                       "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1",
                       "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "memory",
                       "cc" CEL__CLOBBER_AVX512);
}

#endif
