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
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "celadon/debug.h"

#define LOOPS_MAX 64

struct dumped {
    struct cel__attachment attachment;
    struct cel__extent thread_stack;
    int place;
};

static int threads[LOOPS_MAX]; /* atomic */

struct cel__here cel__here_of(const void *context, struct cel__extent thread_stack)
{
    const ucontext_t *u = context;
    struct cel__here here = {.thread_stack = thread_stack};

#if defined(__x86_64__)
    here.pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
    here.frame = (uintptr_t)u->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
    here.pc = (uintptr_t)u->uc_mcontext.pc;
    here.frame = (uintptr_t)u->uc_mcontext.regs[29];
#endif
    return here;
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

int cel__take_signal(int signo, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigset_t it;

    sigemptyset(&action.sa_mask);
    if (cel__sys.sigaction(signo, &action, NULL) < 0)
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

static void on_signal(int signo, siginfo_t *info, void *context)
{
    struct cel_loop *loop = cel__loop_here;
    struct cel__attachment *a = loop != NULL ? cel__loop_find(loop, end_dumped) : NULL;
    bool is_passed_on = info->si_code == SI_QUEUE && info->si_value.sival_ptr == threads;
    int saved_errno = errno;

    if (!is_passed_on)
        pass_on(signo, gettid());
    if (a != NULL) {
        struct cel__here here =
            cel__here_of(context, cel__container_of(a, struct dumped, attachment)->thread_stack);

        cel__dump_loop(loop, STDERR_FILENO, &here);
    }
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

int cel_dump_on_signal(int signo)
{
    int r;

    if (cel__loop_here == NULL)
        return -ENODEV;
    r = register_thread(cel__loop_here);
    if (r < 0)
        return r;
    cel__symbols_note();
    return cel__take_signal(signo, on_signal);
}
