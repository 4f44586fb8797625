/* SPDX-License-Identifier: MIT */
/* The dump on a signal. A signal reaches one thread; its handler there passes it on to the other
 * threads with loops, and each dumps its own loop, of which nothing moves meanwhile.
 *
 * Places in the table are taken and given by their threads, and read by handlers: one word, the
 * thread's number, 0 when free. */
#include "task/dump_signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/modules.h"
#include "base/sys.h"
#include "celadon/debug.h"
#include "task/dump.h"

#define LOOPS_MAX   64
#define TURN_PAUSES 1000 /* of a millisecond */

struct dumped {
    struct cel__attachment attachment;
    struct cel__extent thread_stack;
    int place;
};

static int threads[LOOPS_MAX]; /* atomic */
static int turn;               /* atomic: the thread that writes its dump; 0: none */

/* Signals that the program does not survive, and who had them before us. */
static struct death {
    const char *name;
    int signo;
    bool has_address; /* of data, not of the instruction */
    struct sigaction old;
} deaths[] = {
    {.name = "SIGSEGV", .signo = SIGSEGV, .has_address = true},
    {.name = "SIGBUS", .signo = SIGBUS, .has_address = true},
    {.name = "SIGFPE", .signo = SIGFPE},
    {.name = "SIGILL", .signo = SIGILL},
    {.name = "SIGABRT", .signo = SIGABRT},
};

struct cel__here cel__here_of(const void *context, struct cel__extent thread_stack)
{
    return (struct cel__here){.at = cel__unwind_of(context), .thread_stack = thread_stack};
}

struct cel__extent cel__thread_stack(void)
{
    struct cel__extent stack = {0, 0};
    pthread_attr_t attr;
    void *low;
    size_t size;

    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return stack;
    if (pthread_attr_getstack(&attr, &low, &size) == 0)
        stack = (struct cel__extent){(uintptr_t)low, (uintptr_t)low + size};
    (void)pthread_attr_destroy(&attr);
    return stack;
}

int cel__take_signal(int signo, void (*handler)(int, siginfo_t *, void *), struct sigaction *old)
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigset_t it;

    sigemptyset(&action.sa_mask);
    if (cel__sys.sigaction(signo, &action, old) < 0)
        return -errno;
    sigemptyset(&it);
    (void)sigaddset(&it, signo);
    return -pthread_sigmask(SIG_UNBLOCK, &it, NULL);
}

static void end_dumped(struct cel__attachment *attachment)
{
    struct dumped *d = cel__container_of(attachment, struct dumped, attachment);

    __atomic_store_n(&threads[d->place], 0, __ATOMIC_RELEASE);
    cel__mem_free(d);
}

static void pass_on(int signo, int self)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = signo;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = threads;
    for (int i = 0; i < LOOPS_MAX; i++) {
        int thread = __atomic_load_n(&threads[i], __ATOMIC_ACQUIRE);

        if (thread != 0 && thread != self)
            (void)cel__sys.rt_tgsigqueueinfo(info.si_pid, thread, signo, &info);
    }
}

/* One after the other, so that lines of two loops do not mix; but nobody waits for ever, and nobody
 * for itself. */
static bool take_turn(int self)
{
    const struct timespec pause = {.tv_nsec = CEL_MILLISECOND};

    for (int i = 0; i < TURN_PAUSES; i++) {
        int nobody = 0;

        if (__atomic_compare_exchange_n(&turn, &nobody, self, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
        if (nobody == self)
            return false;
        /* lint: seam: a signal handler waits for another thread's */
        (void)syscall(SYS_nanosleep, &pause, NULL);
    }
    return false;
}

static void dump_here(const void *context)
{
    struct cel_loop *loop = cel__loop_here;
    struct cel__attachment *a = loop != NULL ? cel__loop_find(loop, end_dumped) : NULL;
    struct cel__here here;
    bool is_mine;

    if (a == NULL)
        return;
    here = cel__here_of(context, cel__container_of(a, struct dumped, attachment)->thread_stack);
    is_mine = take_turn(gettid());
    cel__dump_loop(loop, STDERR_FILENO, &here, NULL);
    if (is_mine)
        __atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
}

static struct death *death_of(int signo)
{
    for (size_t i = 0; i < cel__countof(deaths); i++)
        if (deaths[i].signo == signo)
            return &deaths[i];
    return NULL;
}

/* The instruction is tried again, or what was raised is raised again, by the rules that held before
 * us. */
static void die(const struct death *death, const siginfo_t *info)
{
    (void)cel__sys.sigaction(death->signo, &death->old, NULL);
    if (info->si_code <= 0)
        (void)raise(death->signo);
}

static void tell_death(const struct death *death, const siginfo_t *info)
{
    struct cel__report to;

    cel__report_init(&to, STDERR_FILENO);
    cel__report_str(&to, "celadon: ");
    cel__report_str(&to, death->name);
    if (info->si_code > 0) {
        cel__report_str(&to, death->has_address ? ", the address is " : ", at the instruction ");
        cel__report_hex(&to, (uintptr_t)info->si_addr);
    }
    cel__report_end(&to);
    cel__report_flush(&to);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
    const struct death *death = death_of(signo);
    bool is_passed_on = info->si_code == SI_QUEUE && info->si_value.sival_ptr == threads;
    int saved_errno = errno;

    if (death != NULL)
        tell_death(death, info);
    else if (!is_passed_on)
        pass_on(signo, gettid());
    dump_here(context);
    if (death != NULL)
        die(death, info);
    errno = saved_errno;
}

/* -> the place, or -ENOSPC. */
static int take_place(int thread)
{
    for (int i = 0; i < LOOPS_MAX; i++) {
        int nobody = 0;

        if (__atomic_compare_exchange_n(&threads[i], &nobody, thread, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return i;
    }
    return -ENOSPC;
}

static int register_thread(struct cel_loop *loop)
{
    struct dumped *d;

    if (cel__loop_find(loop, end_dumped) != NULL)
        return 0;
    d = cel__mem_zalloc(sizeof *d);
    if (d == NULL)
        return -ENOMEM;
    d->place = take_place(gettid());
    if (d->place < 0) {
        cel__mem_free(d);
        return -ENOSPC;
    }
    d->attachment.end = end_dumped;
    d->thread_stack = cel__thread_stack();
    cel__loop_attach(loop, &d->attachment);
    return 0;
}

static int take_signal(int signo)
{
    struct death *death = death_of(signo);
    struct sigaction old;
    int r = cel__take_signal(signo, on_signal, &old);

    if (r == 0 && death != NULL && old.sa_sigaction != on_signal)
        death->old = old;
    return r;
}

int cel_dump_on_signal(int signo)
{
    int r;

    if (cel__loop_here == NULL)
        return -ENODEV;
    r = register_thread(cel__loop_here);
    if (r < 0)
        return r;
    cel__modules_note(); /* while it may: the handler looks only for what has come since */
    return take_signal(signo);
}
