/* SPDX-License-Identifier: MIT */
#ifndef CEL__UNWIND_H
#define CEL__UNWIND_H

/* From one frame of a stack to its caller's: by the call frame information of the module (cfi.h),
 * which code without frame pointers has too; where there is none, by the frame pointer. Never reads
 * outside of the stack. Safe in a signal handler, and cheap enough for ten thousand stacks. */

#include <stddef.h>
#include <stdint.h>

#include "base/cfi.h"

struct cel__extent {
    uintptr_t low, high;
};

/* Registers as they are, or were, in a frame; by DWARF's numbers. */
struct cel__unwind {
    uintptr_t pc; /* 0: not known */
    uintptr_t reg[CEL__CFI_REGS];
    bool is_exact; /* the pc is where it was interrupted, not where a call returns to */
};

/* Return addresses (and first the pc), innermost first, from that frame on. -> how many. */
size_t cel__unwind_all(struct cel__unwind from, struct cel__extent stack, uintptr_t *out,
                       size_t max);

/* Where a signal interrupted, by the third argument of its handler. */
struct cel__unwind cel__unwind_of(const void *context);

/* The frame of the function that calls this. */
static inline __attribute__((always_inline)) struct cel__unwind cel__unwind_here(void)
{
    struct cel__unwind u = {.is_exact = true};

#if defined(__x86_64__)
    __asm__ volatile("leaq 0(%%rip), %0" : "=r"(u.pc));
    __asm__ volatile("movq %%rsp, %0\n\tmovq %%rbp, %1" : "=m"(u.reg[7]), "=m"(u.reg[6]));
    __asm__ volatile("movq %%rbx, %0\n\tmovq %%r12, %1" : "=m"(u.reg[3]), "=m"(u.reg[12]));
    __asm__ volatile("movq %%r13, %0\n\tmovq %%r14, %1" : "=m"(u.reg[13]), "=m"(u.reg[14]));
    __asm__ volatile("movq %%r15, %0" : "=m"(u.reg[15]));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, ." : "=r"(u.pc));
    __asm__ volatile(
        "stp x19, x20, [%0]\n\tstp x21, x22, [%0, 16]\n\tstp x23, x24, [%0, 32]\n\t"
        "stp x25, x26, [%0, 48]\n\tstp x27, x28, [%0, 64]\n\tstp x29, x30, [%0, 80]\n\t"
        "mov x9, sp\n\tstr x9, [%0, 96]"
        :
        : "r"(&u.reg[19])
        : "memory", "x9");
#endif
    return u;
}

#endif
