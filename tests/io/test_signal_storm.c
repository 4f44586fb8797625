/* SPDX-License-Identifier: MIT */
/* Signals as fast as another thread can send them, to a loop that has work: streams lose no byte,
 * no child's end is missed, and of the signals themselves the last is told. Once they are watched
 * for; and once they interrupt whatever system call the loop is in. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "celadon/file.h"
#include "celadon/process.h"
#include "celadon/signal.h"
#include "io/pairs.h"

#define SIGNALS  20000 /* at least */
#define MESSAGES 2000  /* likewise */
#define CHILDREN 40

static pthread_t loop_thread;
static atomic_bool is_enough;
static atomic_ulong sent;

/* To the process, or to the loop's thread. */
static void *storm(void *is_aimed)
{
    sigset_t usr1;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    while (!atomic_load(&is_enough)) {
        if (is_aimed != NULL)
            pthread_kill(loop_thread, SIGUSR1);
        else
            kill(getpid(), SIGUSR1);
        if (atomic_fetch_add(&sent, 1) % 16 == 15)
            sched_yield();
    }
    return NULL;
}

/* ---- the work ---- */

static void *echoes(void *arg)
{
    char buf[4096];
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        assert_int_equal(cel_write(arg, buf, (size_t)n), n);
    assert_int_equal(n, 0);
    return NULL;
}

static void *talks(void *arg)
{
    unsigned char out[600], in[600];
    size_t at = 0;

    for (int i = 0; i < MESSAGES || atomic_load(&sent) < SIGNALS; i++) {
        for (size_t k = 0; k < sizeof out; k++)
            out[k] = byte_at(at++);
        assert_int_equal(cel_write(arg, out, sizeof out), sizeof out);
        assert_int_equal(cel_read_exactly(arg, in, sizeof in), sizeof in);
        assert_memory_equal(in, out, sizeof in);
    }
    assert_int_equal(cel_shutdown(arg), 0);
    return NULL;
}

static unsigned ended;

static void *runs_child(void *arg)
{
    const char *const argv[] = {"sh", "-c", "exit 5", NULL};
    struct cel_process *process;
    struct cel_exit exit = {0};

    assert_int_equal(cel_process_spawn(&process, argv, NULL), 0);
    assert_int_equal(cel_process_wait(process, &exit), 0);
    assert_int_equal(exit.code, 5);
    assert_int_equal(exit.signo, 0);
    cel_process_close(process);
    ended++;
    return arg;
}

static void *runs_children(void *arg)
{
    for (int i = 0; i < CHILDREN / 4; i++) {
        CEL_SCOPE (four)
            for (int k = 0; k < 4; k++)
                assert_int_equal(cel_go(runs_child, NULL), 0);
    }
    return arg;
}

/* What goes to the pool's threads, and what makes and ends sockets. */
static void *loads_and_visits(void *arg)
{
    for (int i = 0; i < 50; i++) {
        struct joined j = join(PAIR_TCP);
        char *bytes;
        size_t len;

        part(j);
        assert_int_equal(cel_file_load("/etc/passwd", 1 << 20, &bytes, &len), 0);
        assert_true(len > 0);
        cel_free(bytes);
        assert_int_equal(cel_sleep(CEL_MILLISECOND / 10), 0);
    }
    return arg;
}

static void work_in_the_storm(bool is_aimed)
{
    struct joined j = join(PAIR_SOCKETS);
    unsigned long calm;
    pthread_t thread;

    ended = 0;
    loop_thread = pthread_self();
    atomic_store(&is_enough, false);
    atomic_store(&sent, 0);
    assert_int_equal(pthread_create(&thread, NULL, storm, is_aimed ? &loop_thread : NULL), 0);
    while (atomic_load(&sent) < 100)
        assert_int_equal(cel_yield(), 0);
    CEL_SCOPE (all) {
        assert_int_equal(cel_go(echoes, j.b), 0);
        assert_int_equal(cel_go(talks, j.a), 0);
        assert_int_equal(cel_go(runs_children, NULL), 0);
        assert_int_equal(cel_go(loads_and_visits, NULL), 0);
    }
    calm = atomic_load(&sent) + SIGNALS / 4;
    while (atomic_load(&sent) < calm) /* with nothing else to do: it is the kernel's wait */
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    atomic_store(&is_enough, true);
    pthread_join(thread, NULL);
    assert_int_equal(ended, CHILDREN);
    part(j);
}

/* ---- both ways ---- */

static unsigned long heard;

static void hear(void *arg, int signo)
{
    heard++;
}

IN_KERNEL(storm_that_is_watched_stops_nothing_and_its_end_is_told)
{
    struct cel_signal *watcher;
    unsigned long before;

    heard = 0;
    assert_int_equal(cel_signal_start(cel_loop_current(), &watcher, SIGUSR1, hear, NULL), 0);
    work_in_the_storm(false);
    assert_true(heard > 0);
    assert_true(heard <= atomic_load(&sent));
    do { /* what was pending */
        before = heard;
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    } while (heard != before);
    kill(getpid(), SIGUSR1);
    while (heard == before)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(heard, before + 1);
    cel_signal_stop(watcher);
}

static atomic_ulong handled;

static void handle(int signo)
{
    atomic_fetch_add(&handled, 1);
}

IN_KERNEL(storm_that_interrupts_each_call_is_not_noticed)
{
    struct sigaction interrupt = {.sa_handler = handle}, before; /* no SA_RESTART */

    atomic_store(&handled, 0);
    assert_int_equal(sigaction(SIGUSR1, &interrupt, &before), 0);
    work_in_the_storm(true);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    assert_true(atomic_load(&handled) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storm_that_is_watched_stops_nothing_and_its_end_is_told),
        cmocka_unit_test(storm_that_interrupts_each_call_is_not_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
