/* SPDX-License-Identifier: MIT */
#ifndef CEL__CFI_H
#define CEL__CFI_H

/* Call frame information (DWARF 5, section 6.4, as .eh_frame has it): where the registers of a
 * function's caller are, at one instruction of it. Reads only the module's file. */

#include <stdbool.h>
#include <stdint.h>

struct cel__module;

#if defined(__x86_64__)
#define CEL__CFI_REGS 17
#define CEL__CFI_SP   7
#define CEL__CFI_FP   6
#elif defined(__aarch64__)
#define CEL__CFI_REGS 32
#define CEL__CFI_SP   31
#define CEL__CFI_FP   29
#endif

enum cel__cfi_how {
    CEL__CFI_SAME,      /* it is as it was: also what nothing is said of */
    CEL__CFI_UNDEFINED, /* lost; of the return address: there is no caller */
    CEL__CFI_AT,        /* in memory, at the frame's address and `value` */
    CEL__CFI_SUM,       /* it is the frame's address and `value` */
    CEL__CFI_IN,        /* in the register `value` */
    CEL__CFI_AT_EXPR,   /* in memory, where the expression at `value` of the segment says */
    CEL__CFI_EXPR,      /* what that says */
};

struct cel__cfi_rule {
    uint8_t how; /* enum cel__cfi_how */
    int32_t value;
};

struct cel__cfi_row {
    uint8_t frame_reg;          /* the frame's address is this register and the value; */
    struct cel__cfi_rule frame; /* or, when it is not a SUM, an EXPR */
    struct cel__cfi_rule reg[CEL__CFI_REGS];
    uint8_t return_reg; /* which of them is the return address */
    bool is_signal;     /* the caller was interrupted where it is */
};

/* false: nothing is known there, or it is said in ways that are not understood. */
bool cel__cfi_find(const struct cel__module *m, uintptr_t pc, struct cel__cfi_row *row);

#endif
