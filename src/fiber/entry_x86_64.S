/* SPDX-License-Identifier: MIT */
/* Where a fresh context begins. The switch leaves the context's address in rsi, the function to
 * call in rbp, and an empty stack aligned to 16. Nobody returns from here: the undefined return address ends every backtrace. */
    .text
    .globl  cel__ctx_entry
    .hidden cel__ctx_entry
    .type   cel__ctx_entry, @function
    .p2align 4
cel__ctx_entry:
    .cfi_startproc
    .cfi_undefined rip
    endbr64
    movq    %rsi, %rdi
    movq    %rbp, %rax
    xorl    %ebp, %ebp
    call    *%rax
    ud2
    .cfi_endproc
    .size   cel__ctx_entry, . - cel__ctx_entry

    .section .note.GNU-stack, "", @progbits

/* Landing pads yes (bit 0), shadow stacks no (bit 1): a fiber's stack has no shadow. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long   4, 16, 5
    .asciz  "GNU"
    .long   0xc0000002, 4, 1, 0
