/* SPDX-License-Identifier: MIT */
    .text

/* void *cel__ctx_swap(struct cel__ctx *from, struct cel__ctx *to, void *value)
 *
 * Left on the stack, upwards: x29, x30, x19 to x28, d8 to d15. It goes on by `ret` when the return
 * predictor is right and by a jump when it would be wrong: see switch_x86_64.S. */
    .globl  cel__ctx_swap
    .hidden cel__ctx_swap
    .type   cel__ctx_swap, %function
    .p2align 4
cel__ctx_swap:
    .cfi_startproc
    hint    #34 /* bti c */
    stp     x29, x30, [sp, #-160]!
    .cfi_def_cfa_offset 160
    .cfi_offset 29, -160
    .cfi_offset 30, -152
    stp     x19, x20, [sp, #16]
    .cfi_offset 19, -144
    .cfi_offset 20, -136
    stp     x21, x22, [sp, #32]
    .cfi_offset 21, -128
    .cfi_offset 22, -120
    stp     x23, x24, [sp, #48]
    .cfi_offset 23, -112
    .cfi_offset 24, -104
    stp     x25, x26, [sp, #64]
    .cfi_offset 25, -96
    .cfi_offset 26, -88
    stp     x27, x28, [sp, #80]
    .cfi_offset 27, -80
    .cfi_offset 28, -72
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    mrs     x9, fpcr
    str     w9, [x0, #8]
    ldr     w10, [x1, #8]
    cmp     w9, w10
    b.ne    2f
1:  mov     x9, sp
    str     x9, [x0]
    ldr     x9, [x1]
    mov     sp, x9
    mov     x16, x30
    mov     x0, x2
    .cfi_remember_state
cel__ctx_resume:
    ldp     d14, d15, [sp, #144]
    ldp     d12, d13, [sp, #128]
    ldp     d10, d11, [sp, #112]
    ldp     d8, d9, [sp, #96]
    ldp     x27, x28, [sp, #80]
    ldp     x25, x26, [sp, #64]
    ldp     x23, x24, [sp, #48]
    ldp     x21, x22, [sp, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x29, x30, [sp], #160
    .cfi_def_cfa_offset 0
    .cfi_restore 29
    .cfi_restore 30
    cmp     x16, x30
    b.ne    3f
    ret
3:  br      x30
    .cfi_restore_state
2:  msr     fpcr, x10
    b       1b
    .cfi_endproc
    .size   cel__ctx_swap, . - cel__ctx_swap

/* A fresh context: itself in x19, the function in x20, the first value in x0, an empty stack
 * aligned to 16. The undefined return address ends every backtrace. */
    .globl  cel__ctx_entry
    .hidden cel__ctx_entry
    .type   cel__ctx_entry, %function
    .p2align 4
    .cfi_startproc
    .cfi_undefined 30
    nop     /* an unwinder looks before the address */
cel__ctx_entry:
    hint    #38 /* bti jc */
    mov     x21, x16
    mov     x1, x0
    mov     x0, x19
    blr     x20
    ldr     w10, [x0, #8]
    msr     fpcr, x10
    mov     x16, x21
    ldr     x9, [x0]
    mov     x0, x1
    mov     sp, x9
    .cfi_def_cfa sp, 160
    .cfi_offset 29, -160
    .cfi_offset 30, -152
    .cfi_offset 19, -144
    .cfi_offset 20, -136
    .cfi_offset 21, -128
    .cfi_offset 22, -120
    .cfi_offset 23, -112
    .cfi_offset 24, -104
    .cfi_offset 25, -96
    .cfi_offset 26, -88
    .cfi_offset 27, -80
    .cfi_offset 28, -72
    b       cel__ctx_resume
    .cfi_endproc
    .size   cel__ctx_entry, . - cel__ctx_entry

    .section .note.GNU-stack, "", %progbits
