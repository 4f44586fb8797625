/* SPDX-License-Identifier: MIT */
#ifndef CELADON_FIBER_H
#define CELADON_FIBER_H

/* Fibers (greenlets): functions that run on stacks of their own and switch to each other by name.
 *
 * No loop is needed. A fiber belongs to the thread that made it. It has a parent, at first the
 * fiber that made it; the ends of fibers travel up that tree: a fiber that returns, or is thrown
 * something it does not handle, continues its nearest live ancestor. A thread's own stack is its
 * main fiber, the root. Inside a task the task is the root, a fiber may call whatever parks (the
 * whole task parks and goes on in that fiber), and no switch leads from one task into another.
 *
 * Switching is not parking: it never runs anybody but the fiber named, or its ancestor. */

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_fiber;

#if defined(__x86_64__) && defined(__LP64__) && !defined(__APX_F__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(CEL__FIBER_CALLS)
#if defined(__has_feature)
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define CEL__FIBER_HOPS
#endif
#else
#define CEL__FIBER_HOPS
#endif
#endif

#if defined(CEL__FIBER_HOPS)
/* All that a call may change, and what it must keep save for rsp and rbp. */
#if defined(__AVX512F__)
#define CEL__FIBER_HOP_CLOBBERS_512                                                               \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",   \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", \
        "k7"
#else
#define CEL__FIBER_HOP_CLOBBERS_512
#endif
#define CEL__FIBER_HOP_CLOBBERS                                                                   \
    "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",     \
        "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
        "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",    \
        "st(6)", "st(7)", "memory", "cc" CEL__FIBER_HOP_CLOBBERS_512
#endif

/* The code that ends a fiber quietly: thrown into a fiber, and raised by it, it does not go on as a
 * throw but is what the switch in the parent returns, as CEL_FIBER_EXIT_VALUE. */
#define CEL_FIBER_EXIT       (-4200)
#define CEL_FIBER_EXIT_VALUE ((void *)(intptr_t)CEL_FIBER_EXIT)

struct cel_fiber_options {
    size_t stack_bytes;       /* 0: 64 KiB; rounded up to a power of two, at most 8 MiB */
    const char *name;         /* for reports; must outlive the fiber; NULL: none */
    struct cel_fiber *parent; /* NULL: the current fiber */
    const char *file;         /* where it was made; static; NULL: unknown */
    int line;
};

/* A fiber that will run fn(arg) when it is first switched to. What fn returns is what the switch in
 * its parent returns. Owner: the caller, until cel_fiber_free. -> NULL when memory is out. */
CEL_PUBLIC CEL_NODISCARD struct cel_fiber *cel_fiber_new(void *(*fn)(void *arg), void *arg);

/* The same with options (NULL: none). -ENOMEM; -EINVAL a stack of more than 8 MiB; for the parent
 * the errors of cel_fiber_set_parent. */
CEL_PUBLIC CEL_NODISCARD int cel_fiber_new_with(struct cel_fiber **out, void *(*fn)(void *arg),
                                                void *arg, const struct cel_fiber_options *options);

/* What cel_fiber_new is: the same, remembering where it was called. */
CEL_PUBLIC CEL_NODISCARD struct cel_fiber *cel_fiber_new_at(void *(*fn)(void *arg), void *arg,
                                                            const char *file, int line);
#define cel_fiber_new(fn, arg) cel_fiber_new_at((fn), (arg), __FILE__, __LINE__)

/* NULL is fine. A suspended fiber is never dropped with frames on its stack: CEL_FIBER_EXIT is
 * thrown into it first, with the caller as its parent, so that it can clean up. The children of a
 * freed fiber go to its parent.
 * -> 0, or 1 when the fiber had to be ended by that throw; if it then raised a code of its own,
 * cel_fiber_thrown() has it.
 * -EBUSY: it is the current, a main or a parked fiber, or it did not end when told to; it is as
 * alive as it was. -CEL_ETHREAD: it belongs to another thread and is not dead. */
CEL_PUBLIC int cel_fiber_free(struct cel_fiber *f);

/* Suspends the current fiber and resumes (or starts) f; returns what is later switched to the
 * current fiber. To itself: returns value at once. To a dead fiber: its nearest live ancestor gets
 * the value instead. When something was thrown instead, returns NULL and cel_fiber_thrown() has the
 * code; so it does, without a switch, when f belongs to another thread (-CEL_ETHREAD) or is a task
 * other than the caller's, or a fiber parked in one (-EBUSY). */
CEL_PUBLIC CEL__DIRECT void *cel_fiber_switch(struct cel_fiber *f, void *value);

#if defined(CEL__FIBER_HOPS)
/* Where a switch jumps to. Not to be called: a program calls cel_fiber_switch, of which the
 * compiler is told what it leaves of the registers, so nothing has to be saved that the caller does
 * not need. To the function of that name leads (cel_fiber_switch)(f, value): also for a function
 * that is compiled for AVX-512 by an attribute of its own and not by the command line. */
CEL_PUBLIC void cel__fiber_hop(void);

static inline __attribute__((always_inline)) void *cel__fiber_hop_to(struct cel_fiber *f,
                                                                     void *value)
{
    __asm__ volatile("lea{q}\t{1f(%%rip), %%r8|r8, [rip+1f]}\n\t"
                     "notrack jmp{q}\t{*cel__fiber_hop@GOTPCREL(%%rip)|qword ptr "
                     "[rip+cel__fiber_hop@GOTPCREL]}\n1:"
                     : "+D"(f), "+S"(value)
                     :
                     : CEL__FIBER_HOP_CLOBBERS);
    return value;
}
#define cel_fiber_switch(f, value) cel__fiber_hop_to((f), (value))
#endif

/* Like a switch, but the switch by which f suspended itself returns NULL and cel_fiber_thrown()
 * there has the code, which must be negative. A fiber that has not run dies without running, and
 * the throw goes to its parent. Into a dead fiber: CEL_FIBER_EXIT_VALUE is switched to its nearest
 * live ancestor for CEL_FIBER_EXIT, and other codes are thrown there. */
CEL_PUBLIC void *cel_fiber_throw(struct cel_fiber *f, int code);

/* The code thrown by the last switch to the current fiber; 0 when it was an ordinary one. */
CEL_PUBLIC int cel_fiber_thrown(void);

/* Ends the current fiber with a code, thrown into its parent: `return cel_fiber_raise(code);`
 * at the end of the fiber's function. Returns NULL. Code 0 takes it back. */
CEL_PUBLIC void *cel_fiber_raise(int code);

/* What the first switch to the current fiber brought; NULL in a main fiber or a task. */
CEL_PUBLIC void *cel_fiber_value(void);

/* Never NULL: outside all fibers it is the thread's main fiber, which is made here if need be. */
CEL_PUBLIC struct cel_fiber *cel_fiber_current(void);

/* NULL for a main fiber and a task, and for a fiber whose ancestors are all gone (it ends into the
 * root of wherever it runs then). The parent may be dead. */
CEL_PUBLIC struct cel_fiber *cel_fiber_parent(const struct cel_fiber *f);

/* -EINVAL: NULL, or f is a main fiber or a task. -ELOOP: f is an ancestor of parent, or parent
 * itself. -CEL_ETHREAD: not both of the calling thread. -ESRCH: parent is dead. f keeps its parent
 * then. */
CEL_PUBLIC int cel_fiber_set_parent(struct cel_fiber *f, struct cel_fiber *parent);

/* Started and not dead. */
CEL_PUBLIC int cel_fiber_is_active(const struct cel_fiber *f);

/* Has returned, or was thrown something before it ran. */
CEL_PUBLIC int cel_fiber_is_dead(const struct cel_fiber *f);

/* "" when it has none; a main fiber's is "main". */
CEL_PUBLIC const char *cel_fiber_name(const struct cel_fiber *f);

/* Asks that a stack overflow in a fiber of this thread be reported (the fiber's name, stack size
 * and where it was made, on stderr) before the process aborts. Takes the process's SIGSEGV and
 * SIGBUS handlers, which get all other faults, and an alternate signal stack for the thread unless
 * it has one. Once per thread; a second call does nothing. -ENOMEM, or -errno of sigaction. */
CEL_PUBLIC int cel_stack_watch(void);

#ifdef __cplusplus
}
#endif

#endif
