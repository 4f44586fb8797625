/* SPDX-License-Identifier: MIT */
/* Signals as events: one signalfd per loop, made by its first watcher. A watched signal is
 * blocked in the loop's thread, and unblocked again when its last watcher goes, if it was not
 * blocked before. A read that fails for want of memory is tried again: the signals wait meanwhile.
 */
#include "loop/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"

#define RETRY (10 * CEL_MILLISECOND)

struct cel__signals {
    struct cel_loop *loop;
    struct cel__fd *fd;
    struct cel__op op;
    struct signalfd_siginfo info;
    struct cel__list watchers;
    sigset_t watched;
    sigset_t was_blocked; /* of the watched, by the program */
    struct cel__soon soon;
    struct cel_timer retry;
    struct cel__list *next; /* the watcher to be told next: whoever is told may stop any of them */
    bool is_closing;
};

struct cel_signal {
    struct cel__list link;
    struct cel__signals *of;
    int signo;
    void (*fn)(void *arg, int signo);
    void *arg;
};

static void deliver(struct cel__signals *s, int signo)
{
    s->next = s->watchers.next;
    while (s->next != &s->watchers) {
        struct cel_signal *w = cel__container_of(s->next, struct cel_signal, link);

        s->next = s->next->next;
        if (w->signo == signo)
            w->fn(w->arg, signo);
    }
}

static void next_read(struct cel__signals *s)
{
    int r;

    s->op = (struct cel__op){.kind = CEL__OP_READ,
                             .fd = s->fd,
                             .buf = &s->info,
                             .len = sizeof s->info,
                             .done = s->op.done};
    cel__list_init(&s->op.link);
    r = cel__op_start(s->loop, &s->op);
    if (r < 0)
        s->op.result = r;
    if (r != 0)
        s->op.done(&s->op);
}

static void read_again(struct cel_timer *timer, void *arg)
{
    next_read(arg);
}

/* Out of the backend's hands: user code may run here. */
static void on_turn(struct cel__soon *soon)
{
    struct cel__signals *s = cel__container_of(soon, struct cel__signals, soon);

    deliver(s, (int)s->info.ssi_signo);
    if (s->loop->signals == s)
        next_read(s);
}

static void on_read(struct cel__op *op)
{
    struct cel__signals *s = cel__container_of(op, struct cel__signals, op);

    if (s->is_closing)
        cel__mem_free(s); /* the last event of this record */
    else if (op->result == (int64_t)sizeof s->info)
        cel__loop_soon(s->loop, &s->soon);
    else if (s->loop->signals == s)
        cel__log(CEL_LOG_ERROR, "signals cannot be read any more: %s",
                 cel_strerror((int)op->result));
    else
        cel_timer_start(s->loop, &s->retry, RETRY);
}

static int signals_new(struct cel_loop *loop)
{
    struct cel__signals *s = cel__mem_zalloc(sizeof *s);
    int fd, r;

    if (s == NULL)
        return -ENOMEM;
    s->loop = loop;
    cel__list_init(&s->watchers);
    sigemptyset(&s->watched);
    sigemptyset(&s->was_blocked);
    fd = cel__sys.signalfd(-1, &s->watched, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        r = -errno;
        goto fail;
    }
    r = cel__fd_open(loop, &s->fd, fd, true);
    if (r < 0) {
        cel__sys.close(fd);
        goto fail;
    }
    s->soon.run = on_turn;
    cel__list_init(&s->soon.link);
    cel_timer_init(&s->retry, read_again, s);
    s->op.done = on_read;
    loop->signals = s;
    next_read(s);
    return 0;

fail:
    cel__mem_free(s);
    return r;
}

static int watch(struct cel__signals *s, int signo)
{
    sigset_t one, before;

    if (sigismember(&s->watched, signo))
        return 0;
    sigemptyset(&one);
    sigaddset(&one, signo);
    sigaddset(&s->watched, signo);
    if (cel__sys.signalfd(s->fd->fd, &s->watched, 0) < 0) {
        sigdelset(&s->watched, signo);
        return -errno;
    }
    pthread_sigmask(SIG_BLOCK, &one, &before);
    if (sigismember(&before, signo))
        sigaddset(&s->was_blocked, signo);
    return 0;
}

static void unwatch(struct cel__signals *s, int signo)
{
    sigset_t one;

    sigdelset(&s->watched, signo);
    cel__sys.signalfd(s->fd->fd, &s->watched, 0);
    sigemptyset(&one);
    sigaddset(&one, signo);
    if (!sigismember(&s->was_blocked, signo))
        pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    sigdelset(&s->was_blocked, signo);
}

int cel_signal_start(struct cel_loop *loop, struct cel_signal **out, int signo,
                     void (*fn)(void *arg, int signo), void *arg)
{
    struct cel_signal *w;
    int r;

    CEL__ASSERT(loop != NULL && "this call needs a loop: cel_run or cel_loop_new");
    if (signo <= 0 || signo >= NSIG || signo == SIGKILL || signo == SIGSTOP)
        return -EINVAL;
    w = cel__mem_zalloc(sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    r = loop->signals == NULL ? signals_new(loop) : 0;
    if (r == 0)
        r = watch(loop->signals, signo);
    if (r < 0) {
        cel__mem_free(w);
        return r;
    }
    *w = (struct cel_signal){.of = loop->signals, .signo = signo, .fn = fn, .arg = arg};
    cel__list_append(&loop->signals->watchers, &w->link);
    *out = w;
    return 0;
}

void cel_signal_stop(struct cel_signal *signal)
{
    bool is_watched = false;

    if (signal == NULL)
        return;
    if (signal->of->next == &signal->link)
        signal->of->next = signal->link.next;
    cel__list_unlink(&signal->link);
    CEL__LIST_EACH (node, &signal->of->watchers)
        if (cel__container_of(node, struct cel_signal, link)->signo == signal->signo)
            is_watched = true;
    if (!is_watched)
        unwatch(signal->of, signal->signo);
    cel__mem_free(signal);
}

void cel__signals_free(struct cel__signals *signals)
{
    bool is_reading;

    if (signals == NULL)
        return;
    while (!cel__list_is_empty(&signals->watchers))
        cel_signal_stop(cel__container_of(signals->watchers.next, struct cel_signal, link));
    signals->loop->signals = NULL;
    signals->is_closing = true;
    cel_timer_stop(signals->loop, &signals->retry);
    is_reading = signals->op.is_in_flight;
    cel__list_unlink(&signals->soon.link);
    cel__fd_close(signals->loop, signals->fd); /* ends the read, which frees the record */
    if (!is_reading)
        cel__mem_free(signals);
}
