/* SPDX-License-Identifier: MIT */
    .text

/* The registers that a call must keep, and where unwinders find them: the last one is where a
 * suspended context's stack pointer points. */
    .macro  push_kept
    .irp    reg, rbp, rbx, r12, r13, r14, r15
    pushq   %\reg
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \reg, 0
    .endr
    .endm

/* void *cel__ctx_swap(struct cel__ctx *from, struct cel__ctx *to, void *value)
 *
 * Left on the stack, downwards: the return address, rbp, rbx, r12, r13, r14, r15.
 *
 * A `ret` is predicted to go where the last call came from. That is right when the fiber that goes on
 * had called from the same place as the one that stops, and then the frames above return
 * as predicted too; elsewhere it costs a misprediction, and a jump does not. `notrack`, because a
 * return address has no landing pad. */
    .globl  cel__ctx_swap
    .hidden cel__ctx_swap
    .type   cel__ctx_swap, @function
    .p2align 5
cel__ctx_swap:
    .cfi_startproc
    movq    (%rsp), %r8
    push_kept
    stmxcsr 8(%rdi)
    fnstcw  12(%rdi)
    ldmxcsr 8(%rsi)
    movzwl  12(%rsi), %eax
    cmpw    12(%rdi), %ax
    jne     4f
2:  movq    %rsp, (%rdi)
    movq    (%rsi), %rsp
    movq    %rdx, %rax
    .cfi_remember_state
    .globl  cel__ctx_resume         /* of hop_x86_64.S: the rest of a swap */
    .hidden cel__ctx_resume
cel__ctx_resume:
    popq    %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq    %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq    %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq    %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    cmpq    (%rsp), %r8
    jne     5f
    ret
5:  popq    %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    notrack jmpq *%rcx
    .cfi_restore_state
4:  fldcw   12(%rsi)
    jmp     2b
    .cfi_endproc
    .size   cel__ctx_swap, . - cel__ctx_swap

/* void *cel__ctx_hop(struct cel__ctx *from, struct cel__ctx *to, void *value)
 *
 * Suspends as the swap does, and resumes what a hop suspended. */
    .globl  cel__ctx_hop
    .hidden cel__ctx_hop
    .type   cel__ctx_hop, @function
    .p2align 4
cel__ctx_hop:
    .cfi_startproc
    push_kept
    stmxcsr 8(%rdi)
    fnstcw  12(%rdi)
    ldmxcsr 8(%rsi)
    fldcw   12(%rsi)
    movq    %rsp, (%rdi)
    movq    %rsi, %rdi
    movq    %rdx, %rsi
    movq    (%rdi), %rsp
    .cfi_def_cfa rsp, 0
    .cfi_escape 0x10, 16, 2, 0x75, 16 /* rip at 16(%rdi) */
    .cfi_escape 0x10, 6, 2, 0x75, 24  /* rbp at 24(%rdi) */
    .cfi_same_value rbx
    .cfi_same_value r12
    .cfi_same_value r13
    .cfi_same_value r14
    .cfi_same_value r15
    movq    24(%rdi), %rbp
    .cfi_same_value rbp
    notrack jmpq *16(%rdi)
    .cfi_endproc
    .size   cel__ctx_hop, . - cel__ctx_hop

/* A fresh context: itself in rbx, the function in r12, the first value in rax, an empty stack
 * aligned to 16. The undefined return address ends every backtrace. Since the function returns, the
 * predictor then expects a return to where whoever started us had called the swap from, in r8. */
    .globl  cel__ctx_entry
    .hidden cel__ctx_entry
    .type   cel__ctx_entry, @function
    .p2align 4
    .cfi_startproc
    .cfi_undefined rip
    nop     /* an unwinder looks one byte before the address */
cel__ctx_entry:
    endbr64
    movq    %r8, %r13
    movq    %rbx, %rdi
    movq    %rax, %rsi
    call    *%r12
    ldmxcsr 8(%rax)
    fldcw   12(%rax)
    movq    %r13, %r8
    movq    (%rax), %rsp
    .cfi_def_cfa rsp, 56
    .cfi_offset rip, -8
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    movq    %rdx, %rax
    jmp     cel__ctx_resume
    .cfi_endproc
    .size   cel__ctx_entry, . - cel__ctx_entry

    .section .note.GNU-stack, "", @progbits

/* Landing pads yes (bit 0), shadow stacks no (bit 1): a fiber's stack has no shadow. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long   4, 16, 5
    .asciz  "GNU"
    .long   0xc0000002, 4, 1, 0
