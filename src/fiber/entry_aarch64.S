/* SPDX-License-Identifier: MIT */
/* Where a fresh context begins. The switch leaves the context's address in x1, the function to
 * call in x29, and an empty stack aligned to 16. Nobody returns from here: the undefined return address ends every backtrace. */
    .text
    .globl  cel__ctx_entry
    .hidden cel__ctx_entry
    .type   cel__ctx_entry, %function
    .p2align 4
cel__ctx_entry:
    .cfi_startproc
    .cfi_undefined x30
    hint    #38
    mov     x0, x1
    mov     x9, x29
    mov     x29, xzr
    mov     x30, xzr
    blr     x9
    brk     #1
    .cfi_endproc
    .size   cel__ctx_entry, . - cel__ctx_entry

    .section .note.GNU-stack, "", %progbits
