/* SPDX-License-Identifier: MIT */
/* Which form of context switch is fast, and where: the measurement behind docs/design/switch.md.
 *
 *   switch_forms [-n SWITCHES]                   every form in every pattern, ns per switch
 *   switch_forms -n SWITCHES FORM PATTERN        one cell, for counting instructions under
 * cachegrind
 *
 * Patterns: two fibers that switch from the same call site or from different ones, either directly
 * ("flat") or below three calls that return after each switch ("deep"), as a task does that reads
 * through read(), wait() and park(). Kept apart from the library: it compares forms the library
 * does not have. x86-64 only. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__clang__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif
#define STACK (64 << 10)

struct ctx {
    void *sp;
    void *pc;
    void *fp;
    uint32_t mxcsr;
    uint16_t x87;
    uint16_t pad;
};

#define PUSH "pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
#define POP  "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp\n"
#define SWAP "movq %rsp, (%rdi); movq (%rsi), %rsp\n"

#define FUNCTION(name, body)                                    \
    void name(struct ctx *from, struct ctx *to);                \
    __asm__(".text\n.p2align 4\n.globl " #name "\n" #name ":\n" \
            "endbr64\n" body)

FUNCTION(form_push_ret, PUSH SWAP POP "ret\n");
FUNCTION(form_push_jmp, PUSH SWAP POP "popq %rcx; jmpq *%rcx\n");
/* `ret` when the return predictor will be right, a jump when it would be wrong. */
FUNCTION(form_push_both, "movq (%rsp), %rdx\n" PUSH SWAP POP
                         "cmpq (%rsp), %rdx; jne 1f; ret\n1: popq %rcx; jmpq *%rcx\n");
/* The same, with the control words stored and compared, without the sticky flags, and loaded only
 * when different. */
FUNCTION(form_push_both_fpu,
         "movq (%rsp), %rdx\n" PUSH "stmxcsr 24(%rdi); fnstcw 28(%rdi)\n"
         "movl 24(%rsi), %eax; xorl 24(%rdi), %eax; andl $0xffc0, %eax\n"
         "movzwl 28(%rsi), %ecx; xorw 28(%rdi), %cx; orl %ecx, %eax; jnz 2f\n3:\n" SWAP POP
         "cmpq (%rsp), %rdx; jne 1f; ret\n1: popq %rcx; jmpq *%rcx\n"
         "2: ldmxcsr 24(%rsi); fldcw 28(%rsi); jmp 3b\n");
/* The same with flags and both words compared at once: the load waits for both stores to retire. */
FUNCTION(form_push_both_fpu64, "movq (%rsp), %rdx\n" PUSH "stmxcsr 24(%rdi); fnstcw 28(%rdi)\n"
                               "movq 24(%rsi), %rax; cmpq 24(%rdi), %rax; jne 2f\n3:\n" SWAP POP
                               "cmpq (%rsp), %rdx; jne 1f; ret\n1: popq %rcx; jmpq *%rcx\n"
                               "2: ldmxcsr 24(%rsi); fldcw 28(%rsi); jmp 3b\n");
/* The same with flags, which are a fiber's own then. */
FUNCTION(form_push_both_flags,
         "movq (%rsp), %rdx\n" PUSH "stmxcsr 24(%rdi); fnstcw 28(%rdi)\n"
         "movl 24(%rsi), %eax; cmpl 24(%rdi), %eax; jne 2f; movzwl 28(%rsi), %eax; cmpw 28(%rdi), "
         "%ax; jne 2f\n3:\n" SWAP POP "cmpq (%rsp), %rdx; jne 1f; ret\n1: popq %rcx; jmpq *%rcx\n"
         "2: ldmxcsr 24(%rsi); fldcw 28(%rsi); jmp 3b\n");
/* The same, with both always loaded. */
FUNCTION(form_push_both_load, "movq (%rsp), %rdx\n" PUSH "stmxcsr 24(%rdi); fnstcw 28(%rdi)\n"
                              "ldmxcsr 24(%rsi); fldcw 28(%rsi)\n" SWAP POP
                              "cmpq (%rsp), %rdx; jne 1f; ret\n1: popq %rcx; jmpq *%rcx\n");
/* The same, with one always loaded and the other compared: the library's. */
FUNCTION(form_library,
         "movq (%rsp), %rdx\n" PUSH "stmxcsr 24(%rdi); fnstcw 28(%rdi); ldmxcsr 24(%rsi)\n"
         "movzwl 28(%rsi), %eax; cmpw 28(%rdi), %ax; jne 2f\n3:\n" SWAP POP
         "cmpq (%rsp), %rdx; jne 1f; ret\n1: popq %rcx; jmpq *%rcx\n2: fldcw 28(%rsi); jmp 3b\n");
/* Reached by a jump with the address to go on at in r8, and clobbers all but rsp and rbp: the
 * library's between greenlets. */
FUNCTION(hop_routine, "stmxcsr 24(%rdi); fnstcw 28(%rdi); ldmxcsr 24(%rsi)\n"
                      "movzwl 28(%rsi), %eax; cmpw 28(%rdi), %ax; jne 2f\n3:\n"
                      "movq %rbp, 16(%rdi); movq %r8, 8(%rdi); movq %rsp, (%rdi)\n"
                      "movq (%rsi), %rsp; movq 16(%rsi), %rbp; jmpq *8(%rsi)\n"
                      "2: fldcw 28(%rsi); jmp 3b\n");
/* The same, with the control words always loaded, as most libraries do. */
FUNCTION(form_push_ret_fpu, PUSH "stmxcsr 24(%rdi); fnstcw 28(%rdi)\n" SWAP
                                 "ldmxcsr 24(%rsi); fldcw 28(%rsi)\n" POP "ret\n");

static inline __attribute__((always_inline)) void form_inline(struct ctx *from, struct ctx *to)
{
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
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
                       "memory", "cc");
}

static inline __attribute__((always_inline)) void form_inline_hop(struct ctx *from, struct ctx *to)
{
    __asm__ volatile("leaq 1f(%%rip), %%r8\n\t"
                     "jmp hop_routine\n"
                     "1:\n\t"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
                       "memory", "cc");
}

static inline __attribute__((always_inline)) void form_inline_fpu(struct ctx *from, struct ctx *to)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(from->mxcsr), "=m"(from->x87));
    if (__builtin_expect(((from->mxcsr ^ to->mxcsr) & 0xffc0) | (uint32_t)(from->x87 ^ to->x87), 0))
        __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(to->mxcsr), "m"(to->x87));
    form_inline(from, to);
}

/* Inline assembly inside a function of the library: it ends in the compiler's `ret`. */
static NOINLINE void form_inline_called(struct ctx *from, struct ctx *to)
{
    form_inline(from, to);
}

static NOINLINE void form_inline_fpu_called(struct ctx *from, struct ctx *to)
{
    form_inline_fpu(from, to);
}

static struct ctx host, left, right;
static long rounds;

/* Per form: the loops of two fibers, `a` and `b` alike but at different addresses. */
#define PATTERNS(form)                                                     \
    static NOINLINE void form##_flat_a(struct ctx *self, struct ctx *peer) \
    {                                                                      \
        for (long i = rounds; i > 0; i--)                                  \
            form(self, peer);                                              \
    }                                                                      \
    static NOINLINE void form##_flat_b(struct ctx *self, struct ctx *peer) \
    {                                                                      \
        for (;;)                                                           \
            form(self, peer);                                              \
    }                                                                      \
    static NOINLINE int form##_d1a(struct ctx *self, struct ctx *peer)     \
    {                                                                      \
        form(self, peer);                                                  \
        return 1;                                                          \
    }                                                                      \
    static NOINLINE int form##_d2a(struct ctx *self, struct ctx *peer)     \
    {                                                                      \
        return form##_d1a(self, peer) + 1;                                 \
    }                                                                      \
    static NOINLINE int form##_d3a(struct ctx *self, struct ctx *peer)     \
    {                                                                      \
        return form##_d2a(self, peer) + 1;                                 \
    }                                                                      \
    static NOINLINE int form##_d1b(struct ctx *self, struct ctx *peer)     \
    {                                                                      \
        form(self, peer);                                                  \
        return 2;                                                          \
    }                                                                      \
    static NOINLINE int form##_d2b(struct ctx *self, struct ctx *peer)     \
    {                                                                      \
        return form##_d1b(self, peer) + 2;                                 \
    }                                                                      \
    static NOINLINE int form##_d3b(struct ctx *self, struct ctx *peer)     \
    {                                                                      \
        return form##_d2b(self, peer) + 2;                                 \
    }                                                                      \
    static NOINLINE void form##_deep_a(struct ctx *self, struct ctx *peer) \
    {                                                                      \
        for (long i = rounds; i > 0; i--)                                  \
            sink += form##_d3a(self, peer);                                \
    }                                                                      \
    static NOINLINE void form##_deep_b(struct ctx *self, struct ctx *peer) \
    {                                                                      \
        for (;;)                                                           \
            sink += form##_d3b(self, peer);                                \
    }                                                                      \
    static void form##_end(void)                                           \
    {                                                                      \
        form(&left, &host);                                                \
    }                                                                      \
    static void form##_begin(void)                                         \
    {                                                                      \
        form(&host, &left);                                                \
    }

static volatile int sink;

#define FORMS(X)            \
    X(form_push_ret)        \
    X(form_push_ret_fpu)    \
    X(form_push_jmp)        \
    X(form_push_both)       \
    X(form_push_both_fpu)   \
    X(form_push_both_fpu64) \
    X(form_push_both_flags) \
    X(form_push_both_load)  \
    X(form_library)         \
    X(form_inline_hop)      \
    X(form_inline)          \
    X(form_inline_fpu)      \
    X(form_inline_called)   \
    X(form_inline_fpu_called)

FORMS(PATTERNS)

typedef void loop(struct ctx *self, struct ctx *peer);

static const struct form {
    const char *name;
    void (*begin)(void);
    void (*end)(void);
    loop *flat_a, *flat_b, *deep_a, *deep_b;
} forms[] = {
#define ROW(form)                                               \
    {&#form[5],     form##_begin,  form##_end,   form##_flat_a, \
     form##_flat_b, form##_deep_a, form##_deep_b},
    FORMS(ROW)};

static const struct pattern {
    const char *name;
    int is_deep, is_same;
} patterns[] = {
    {"flat-same", 0, 1}, {"flat-different", 0, 0}, {"deep-same", 1, 1}, {"deep-different", 1, 0}};

static const struct form *form;
static loop *left_loop, *right_loop;

static void run_left(void)
{
    left_loop(&left, &right);
    form->end();
}

static void run_right(void)
{
    right_loop(&right, &left);
}

/* A stack from which both kinds of forms can start: popped registers, then the address. */
static void prepare(struct ctx *ctx, char *stack, void (*run)(void))
{
    void **sp = (void **)(stack + STACK - 64);

    *--sp = NULL;
    *--sp = (void *)run;
    ctx->pc = (void *)run;
    ctx->fp = NULL;
    if (strstr(form->name, "inline") == NULL)
        sp -= 6;
    else
        sp++;
    ctx->sp = sp;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(ctx->mxcsr), "=m"(ctx->x87));
}

static double measure(const struct form *f, const struct pattern *p, long n)
{
    static char stacks[2][STACK] __attribute__((aligned(64)));
    struct timespec t0, t1;

    memset(stacks, 0, sizeof stacks);
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    form = f;
    rounds = n / 2;
    left_loop = p->is_deep ? f->deep_a : f->flat_a;
    right_loop = p->is_deep ? f->deep_b : f->flat_b;
    if (p->is_same)
        right_loop = left_loop;
    prepare(&left, stacks[0], run_left);
    prepare(&right, stacks[1], run_right);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    f->begin();
    clock_gettime(CLOCK_MONOTONIC, &t1);
    return ((double)(t1.tv_sec - t0.tv_sec) * 1e9 + (double)(t1.tv_nsec - t0.tv_nsec)) / (double)n;
}

static double best_of(const struct form *f, const struct pattern *p, long n)
{
    double best = 1e9;

    for (int i = 0; i < 7; i++) {
        double ns = measure(f, p, n);

        best = ns < best ? ns : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    long n = 2000000;

    if (argc >= 3 && strcmp(argv[1], "-n") == 0) {
        n = strtol(argv[2], NULL, 10);
        argc -= 2;
        argv += 2;
    }
    if (argc == 1) {
        printf("%-18s", "best of 7, ns");
        for (size_t p = 0; p < 4; p++)
            printf(" %15s", patterns[p].name);
        putchar('\n');
    }
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if (argc == 1)
            printf("%-18s", forms[f].name);
        for (size_t p = 0; p < 4; p++)
            if (argc == 1)
                printf(" %15.2f", best_of(&forms[f], &patterns[p], n));
            else if (argc == 3 && strcmp(forms[f].name, argv[1]) == 0 &&
                     strcmp(patterns[p].name, argv[2]) == 0)
                printf("%s %s %.2f\n", argv[1], argv[2], measure(&forms[f], &patterns[p], n));
        if (argc == 1)
            putchar('\n');
    }
    return 0;
}
