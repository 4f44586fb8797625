/* SPDX-License-Identifier: MIT */
/* The watchdog. Its thread looks at the loop's beat twice in the time a turn may take. A beat that
 * has not moved, of a loop that does not sleep in the kernel, is a stall: the thread sends the
 * loop's thread a signal, and the handler there tells where that thread is.
 *
 * 1. The loop pays two plain stores a turn, watched or not.
 * 2. A stall is counted and reported once, however long it lasts.
 * 3. A loop in the kernel's wait is idle; one that polls there or runs anything is busy. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "celadon/debug.h"
#include "task/dump_signal.h"

#define WARN_AFTER         (25 * CEL_MILLISECOND)
#define REPORTS_PER_MINUTE 5
#define USUAL_SIGNAL       SIGURG

struct watch {
    struct cel__attachment attachment;
    struct cel_loop *loop;
    pthread_t watched;
    struct cel__extent thread_stack;
    int64_t warn_after;
    int signo;
    int told_us;      /* atomic: a report is wanted of the handler */
    uint64_t stalls;  /* atomic */
    unsigned reports; /* of this minute */
    int64_t minute;   /* began then */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop;
    bool is_stopping; /* by mutex */
};

static struct watch *watch_of(struct cel_loop *loop);

static void on_signal(int signo, siginfo_t *info, void *context)
{
    struct watch *w = cel__loop_here != NULL ? watch_of(cel__loop_here) : NULL;
    struct cel__symbols known = {0};
    struct cel__report to;
    struct cel__here here;

    if (w == NULL || __atomic_exchange_n(&w->told_us, 0, __ATOMIC_ACQ_REL) == 0)
        return;
    here = cel__here_of(context, w->thread_stack);
    cel__report_init(&to, STDERR_FILENO);
    cel__report_str(&to, "celadon: stall: a turn of the loop has taken more than ");
    cel__report_duration(&to, w->warn_after);
    cel__report_str(&to, "; ");
    cel__dump_running(&to, &known, w->loop, &here);
    cel__report_flush(&to);
}

static bool may_report(struct watch *w, int64_t now)
{
    if (now - w->minute >= CEL_MINUTE) {
        w->minute = now;
        w->reports = 0;
    }
    return w->reports++ < REPORTS_PER_MINUTE;
}

static void report(struct watch *w)
{
    __atomic_fetch_add(&w->stalls, 1, __ATOMIC_RELAXED);
    if (!may_report(w, cel__clock_monotonic()))
        return;
    __atomic_store_n(&w->told_us, 1, __ATOMIC_RELEASE);
    (void)pthread_kill(w->watched, w->signo);
}

static bool is_idle(struct watch *w)
{
    return cel__inbox_is_asleep(&w->loop->inbox);
}

/* Until half of the time is over. -> false when the watch ends. */
static bool pause_half(struct watch *w)
{
    int64_t until = cel__clock_monotonic() + w->warn_after / 2;
    struct timespec ts = {.tv_sec = until / CEL_SECOND, .tv_nsec = until % CEL_SECOND};
    bool goes_on;

    (void)pthread_mutex_lock(&w->mutex);
    while (!w->is_stopping && pthread_cond_timedwait(&w->stop, &w->mutex, &ts) != ETIMEDOUT)
        continue;
    goes_on = !w->is_stopping;
    (void)pthread_mutex_unlock(&w->mutex);
    return goes_on;
}

static void *watch_main(void *arg)
{
    struct watch *w = arg;
    uint32_t last = 0;
    int same = 0;

    while (pause_half(w)) {
        uint32_t beat = __atomic_load_n(&w->loop->beat, __ATOMIC_RELAXED);

        same = beat == last && !is_idle(w) ? same + 1 : 0;
        last = beat;
        if (same == 2)
            report(w);
    }
    return NULL;
}

static void stop(struct watch *w)
{
    (void)pthread_mutex_lock(&w->mutex);
    w->is_stopping = true;
    (void)pthread_cond_signal(&w->stop);
    (void)pthread_mutex_unlock(&w->mutex);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->stop);
    (void)pthread_mutex_destroy(&w->mutex);
    cel__mem_free(w);
}

static void end_watch(struct cel__attachment *attachment)
{
    stop(cel__container_of(attachment, struct watch, attachment));
}

static struct watch *watch_of(struct cel_loop *loop)
{
    struct cel__attachment *a = cel__loop_find(loop, end_watch);

    return a != NULL ? cel__container_of(a, struct watch, attachment) : NULL;
}

/* A thread that takes no signals of the program. */
static int start_thread(struct watch *w)
{
    pthread_condattr_t monotonic;
    sigset_t all, before;
    int r;

    sigfillset(&all);
    (void)pthread_mutex_init(&w->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->stop, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = cel__sys.pthread_create(&w->thread, NULL, watch_main, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

int cel_stall_watch(const struct cel_stall_options *options)
{
    static const struct cel_stall_options usual;
    struct cel_loop *loop = cel__loop_here;
    struct watch *w;
    int r;

    if (loop == NULL)
        return -ENODEV;
    if (watch_of(loop) != NULL)
        return -EALREADY;
    if (options == NULL)
        options = &usual;
    w = cel__mem_zalloc(sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    w->attachment.end = end_watch;
    w->loop = loop;
    w->watched = pthread_self();
    w->thread_stack = cel__thread_stack();
    w->warn_after = options->warn_after > 0 ? options->warn_after : WARN_AFTER;
    w->signo = options->signo != 0 ? options->signo : USUAL_SIGNAL;
    w->minute = cel__clock_monotonic();
    cel__symbols_note();
    r = cel__take_signal(w->signo, on_signal);
    if (r == 0)
        r = start_thread(w);
    if (r < 0) {
        cel__mem_free(w);
        return r;
    }
    cel__loop_attach(loop, &w->attachment);
    return 0;
}

void cel_stall_unwatch(void)
{
    struct watch *w = cel__loop_here != NULL ? watch_of(cel__loop_here) : NULL;

    if (w == NULL)
        return;
    cel__list_unlink(&w->attachment.link);
    stop(w);
}

uint64_t cel_stall_count(void)
{
    struct watch *w = cel__loop_here != NULL ? watch_of(cel__loop_here) : NULL;

    return w != NULL ? __atomic_load_n(&w->stalls, __ATOMIC_RELAXED) : 0;
}
