/* SPDX-License-Identifier: MIT */
    .text

/* cel__fiber_hop where sanitizers must hear of each switch: the call that it stands for. Code of a
 * plain build jumps here with f in rdi, the value in rsi, where to go on in r8, and nothing to keep
 * but rsp and rbp; it goes on with what was switched to it in rsi. The call is made below the red
 * zone of our caller, who does not know that it calls. */
    .globl  cel__fiber_hop
    .type   cel__fiber_hop, @function
    .p2align 5
cel__fiber_hop:
    .cfi_startproc
    .cfi_def_cfa rsp, 0
    .cfi_register rip, r8
    leaq    -128(%rsp), %rsp
    .cfi_adjust_cfa_offset 128
    pushq   %r8
    .cfi_adjust_cfa_offset 8
    .cfi_offset rip, -136
    pushq   %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbp, -144
    movq    %rsp, %rbp
    .cfi_def_cfa_register rbp
    andq    $-16, %rsp
    call    cel__fiber_switch_called
    movq    %rax, %rsi
    movq    %rbp, %rsp
    .cfi_def_cfa_register rsp
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_same_value rbp
    popq    %r8
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, r8
    subq    $-128, %rsp
    .cfi_adjust_cfa_offset -128
    notrack jmpq *%r8
    .cfi_endproc
    .size   cel__fiber_hop, . - cel__fiber_hop

    .section .note.GNU-stack, "", @progbits

/* Landing pads yes (bit 0), shadow stacks no (bit 1): a fiber's stack has no shadow. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long   4, 16, 5
    .asciz  "GNU"
    .long   0xc0000002, 4, 1, 0
