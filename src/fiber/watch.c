/* SPDX-License-Identifier: MIT */
/* The report of a stack overflow: a fault in a guard becomes a message with the fiber's name, and
 * an abort. Runs in a signal handler on the alternate stack, so it formats by hand and calls only
 * write, sigaction and abort. */
#include "celadon/fiber.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "fiber/thread.h"

#define SIGNAL_STACK_BYTES ((size_t)64 << 10)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sigaction old_segv;
static struct sigaction old_bus;
static int install_result;

struct text {
    char bytes[512];
    size_t len;
};

static void put(struct text *text, const char *s)
{
    while (*s != '\0' && text->len < sizeof text->bytes)
        text->bytes[text->len++] = *s++;
}

static void put_number(struct text *text, size_t n)
{
    char digits[24];
    char *p = digits + sizeof digits;

    *--p = '\0';
    do
        *--p = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    put(text, p);
}

static void report(const struct cel__stack *stack, const struct cel_fiber *f)
{
    struct text text = {.len = 0};
    ssize_t n;

    put(&text, "celadon: stack overflow in fiber \"");
    put(&text, f->name != NULL ? f->name : "");
    put(&text, "\": its stack of ");
    put_number(&text, cel__stack_size(stack) >> 10);
    put(&text, " KiB is used up");
    if (f->file != NULL) {
        put(&text, "; made at ");
        put(&text, f->file);
        put(&text, ":");
        put_number(&text, (size_t)f->line);
    }
    put(&text, "\n");
    n = cel__sys.write(STDERR_FILENO, text.bytes, text.len);
    (void)n;
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
        report(stack, stack->owner);
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
