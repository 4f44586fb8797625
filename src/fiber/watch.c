/* SPDX-License-Identifier: MIT */
/* The report of a stack overflow: a fault in a guard becomes a message with the fiber's name, and
 * where it happened, and an abort. Runs in a signal handler on the alternate stack, and calls only
 * what may be called there. */
#include "celadon/fiber.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/modules.h"
#include "base/report.h"
#include "base/symbols.h"
#include "base/sys.h"
#include "base/unwind.h"
#include "fiber/thread.h"

#define FRAMES_MAX         16
#define SIGNAL_STACK_BYTES ((size_t)64 << 10)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sigaction old_segv;
static struct sigaction old_bus;
static int install_result;

static void report(const struct cel__stack *stack, const struct cel_fiber *f, const void *context)
{
    struct cel__extent extent = {(uintptr_t)cel__stack_base(stack), (uintptr_t)stack->top};
    struct cel__symbols known = {0};
    uintptr_t frames[FRAMES_MAX];
    struct cel__report to;

    cel__report_init(&to, STDERR_FILENO);
    cel__report_str(&to, "celadon: stack overflow in fiber \"");
    cel__report_str(&to, f->name);
    cel__report_str(&to, "\": its stack of ");
    cel__report_number(&to, (int64_t)(cel__stack_size(stack) >> 10));
    cel__report_str(&to, " KiB is used up");
    if (f->file != NULL) {
        cel__report_str(&to, f->line != 0 ? "; made at " : "; made by ");
        cel__report_str(&to, f->file);
    }
    if (f->file != NULL && f->line != 0) {
        cel__report_str(&to, ":");
        cel__report_number(&to, f->line);
    }
    cel__report_end(&to);
    cel__report_flush(&to);
    cel__modules_note();
    cel__report_frames(&to, &known, frames,
                       cel__unwind_all(cel__unwind_of(context), extent, frames, FRAMES_MAX));
    cel__report_flush(&to);
}

/* To the handler that was there before us. The system's default acts when the fault repeats, or,
 * when somebody sent the signal, on a second one. */
static void chain(const struct sigaction *old, int signal, siginfo_t *info, void *context)
{
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(signal, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(signal);
    } else {
        (void)cel__sys.sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        if (info->si_code <= 0)
            (void)raise(signal);
    }
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    struct cel__thread *t = &cel__thread_state;
    int saved_errno = errno;
    struct cel__stack *stack = NULL;

    /* Only the kernel's own faults carry an address. */
    if (cel__thread_has_started(t) && info->si_code > 0)
        stack = cel__stack_guarding(&t->stacks, info->si_addr);
    if (stack != NULL && stack->owner != NULL) {
        report(stack, stack->owner, context);
        abort();
    }
    chain(signal == SIGSEGV ? &old_segv : &old_bus, signal, info, context);
    errno = saved_errno;
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    if (cel__sys.sigaction(SIGSEGV, &action, &old_segv) < 0 ||
        cel__sys.sigaction(SIGBUS, &action, &old_bus) < 0)
        install_result = -errno;
}

static int give_signal_stack(struct cel__thread *t)
{
    stack_t stack;

    if (cel__sys.sigaltstack(NULL, &stack) < 0)
        return -errno;
    if (!(stack.ss_flags & SS_DISABLE))
        return 0;
    stack = (stack_t){.ss_size = SIGNAL_STACK_BYTES};
    t->signal_stack = cel__mem_alloc(stack.ss_size);
    if (t->signal_stack == NULL)
        return -ENOMEM;
    stack.ss_sp = t->signal_stack;
    if (cel__sys.sigaltstack(&stack, NULL) < 0) {
        int r = -errno;

        cel__mem_free(t->signal_stack);
        t->signal_stack = NULL;
        return r;
    }
    return 0;
}

int cel_stack_watch(void)
{
    int r = give_signal_stack(cel__thread());

    if (r < 0)
        return r;
    pthread_once(&once, install);
    return install_result;
}
