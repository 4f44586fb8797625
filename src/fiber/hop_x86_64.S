/* SPDX-License-Identifier: MIT */
    .text

/* cel__fiber_hop: cel_fiber_switch, reached by a jump: f in rdi, the value in rsi, where to go on in
 * r8, and nothing to keep but rsp and rbp. It goes on with what was switched to us in rsi.
 *
 * The one comparison says all: the current fiber may be left in this way (else its switchable_on is
 * no thread's id), and f is of this thread, alive, not parked, and suspended by a hop. In other
 * cases C finds out who goes on. Calls are made below the red zone of our caller, who does not know
 * that it calls. */
    .globl  cel__fiber_hop
    .type   cel__fiber_hop, @function
    .p2align 5
cel__fiber_hop:
    .cfi_startproc
    .cfi_def_cfa rsp, 0
    .cfi_register rip, r8
    movq    cel__thread_state@gottpoff(%rip), %rax
    movq    %fs:(%rax), %rdx        /* the current fiber */
    movl    44(%rdx), %ecx          /* its switchable_on */
    cmpl    %ecx, 52(%rdi)          /* hop_on */
    jne     4f
    movq    $0, 48(%rdi)            /* thrown and hop_on */
    movl    %ecx, 52(%rdx)
    movq    %rdi, %fs:(%rax)
1:  stmxcsr 8(%rdx)
    fnstcw  12(%rdx)
    ldmxcsr 8(%rdi)
    movzwl  12(%rdi), %eax
    cmpw    12(%rdx), %ax
    jne     3f
2:  movq    %rbp, 24(%rdx)
    movq    %r8, 16(%rdx)
    movq    %rsp, (%rdx)
    movq    (%rdi), %rsp
    .cfi_remember_state
    .cfi_escape 0x10, 16, 2, 0x75, 16 /* rip at 16(%rdi) */
    .cfi_escape 0x10, 6, 2, 0x75, 24  /* rbp at 24(%rdi) */
    movq    24(%rdi), %rbp
    .cfi_same_value rbp
    notrack jmpq *16(%rdi)
    .cfi_restore_state
3:  fldcw   12(%rdi)
    jmp     2b

/* The current fiber in rdx, its switchable_on in ecx. */
4:  leaq    -128(%rsp), %rsp
    .cfi_adjust_cfa_offset 128
    pushq   %r8
    .cfi_adjust_cfa_offset 8
    .cfi_offset rip, -136
    pushq   %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbp, -144
    movq    %rdx, %rbx
    movq    %rsp, %rbp
    .cfi_def_cfa_register rbp
    andq    $-16, %rsp
    cmpl    $-1, %ecx               /* CEL__FIBER_NOWHERE */
    je      5f
    call    cel__fiber_hop_slowly   /* -> who goes on, with what */
    movq    %rax, %rdi
    movq    %rdx, %rsi
    jmp     6f
5:  call    cel__fiber_switch_called
    xorl    %edi, %edi              /* we do */
    movq    %rax, %rsi
6:  movq    %rbp, %rsp
    .cfi_def_cfa_register rsp
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_same_value rbp
    popq    %r8
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, r8
    subq    $-128, %rsp
    .cfi_adjust_cfa_offset -128
    movq    %rbx, %rdx
    testq   %rdi, %rdi
    jz      8f
    testb   $1, %dil
    jz      1b
    decq    %rdi                    /* suspended by a swap */
    stmxcsr 8(%rdx)
    fnstcw  12(%rdx)
    ldmxcsr 8(%rdi)
    fldcw   12(%rdi)
    movq    %rbp, 24(%rdx)
    movq    %r8, 16(%rdx)
    movq    %rsp, (%rdx)
    movq    %rsi, %rax
    movq    (%rdi), %rsp
    .cfi_remember_state
    .cfi_def_cfa rsp, 56
    .cfi_offset rip, -8
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    jmp     cel__ctx_resume
    .cfi_restore_state
8:  notrack jmpq *%r8
    .cfi_endproc
    .size   cel__fiber_hop, . - cel__fiber_hop

    .section .note.GNU-stack, "", @progbits

/* Landing pads yes (bit 0), shadow stacks no (bit 1): a fiber's stack has no shadow. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long   4, 16, 5
    .asciz  "GNU"
    .long   0xc0000002, 4, 1, 0
