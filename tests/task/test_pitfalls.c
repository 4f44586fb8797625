/* SPDX-License-Identifier: MIT */
/* What happens to programs that have stacks of their own: the clock jumps, the process is stopped,
 * address space runs out, somebody unwinds, exits or faults on a task's stack. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include "base/sys.h"
#include "celadon/debug.h"
#include "celadon/fiber.h"
#include "celadon/offload.h"
#include "celadon/task.h"
#include "support/check.h"
#include "support/intask.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true /* it takes the signals, or the address space, or cannot fork */
#else
#define IS_SANITIZED false
#endif

#define HOUR (60 * CEL_MINUTE)

/* ---- threads ---- */

static void *return_it(void *arg)
{
    return arg;
}

/* What the compiler remembers of thread-locals (errno's address) over a call stays right. */
IN_TASK(task_stays_on_its_thread_over_each_kind_of_wait)
{
    pthread_t here = pthread_self();
    struct cel_task *child = cel_spawn(return_it, "x");
    void *value;

    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_join(child, NULL), 0);
    assert_int_equal(cel_offload_await(return_it, "y", &value), 0);
    assert_true(pthread_equal(here, pthread_self()));
}

/* ---- time ---- */

static int64_t ahead;

static int clock_ahead(clockid_t id, struct timespec *ts)
{
    int r = cel__sys_floor.clock_gettime(id, ts);

    ts->tv_sec += ahead / CEL_SECOND;
    return r;
}

struct sleeper {
    int64_t for_ns;
    int order, result;
};

static int woken;

static void *sleep_and_count(void *arg)
{
    struct sleeper *s = arg;

    s->result = cel_sleep(s->for_ns);
    s->order = woken++;
    return NULL;
}

/* More than fire in one turn, armed the other way round, and all overdue at once. */
IN_KERNEL(clock_that_jumps_a_day_wakes_all_in_order)
{
    enum { MANY = 3000 };
    static struct sleeper sleepers[MANY];

    woken = 0;
    cel__sys.clock_gettime = clock_ahead;
    CEL_SCOPE (all) {
        for (int i = MANY - 1; i >= 0; i--) {
            sleepers[i] = (struct sleeper){.for_ns = HOUR + i * CEL_SECOND};
            assert_int_equal(cel_go(sleep_and_count, &sleepers[i]), 0);
        }
        assert_int_equal(cel_yield(), 0);
        ahead = 24 * HOUR;
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(sleepers[i].result, 0);
        assert_int_equal(sleepers[i].order, i);
    }
    ahead = 0;
    cel__sys_reset();
}

static int wall_back(clockid_t id, struct timespec *ts)
{
    int r = cel__sys_floor.clock_gettime(id, ts);

    if (id == CLOCK_REALTIME)
        ts->tv_sec -= 365 * 86400;
    return r;
}

IN_KERNEL(wall_clock_set_back_delays_nobody)
{
    int r = 0;

    cel__sys.clock_gettime = wall_back;
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        r = cel_sleep(HOUR);
    assert_int_equal(r, -ETIMEDOUT);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    cel__sys_reset();
}

/* Never earlier than asked, whatever is asked: what lies before now is due, what does not fit is
 * for ever. */
IN_TASK(sleeps_of_boundary_values_end_early_never)
{
    static const int64_t due[] = {INT64_MIN, INT64_MIN + 1, -HOUR, -1, 0};
    static const int64_t soon[] = {1, 999, 1000, 1001, 65535, 65536, 999999, 1000000, 1000001};
    static const int64_t never[] = {INT64_MAX,        INT64_MAX - 1,    INT64_MAX / 2,
                                    INT64_MAX / 1000, (int64_t)1 << 62, (int64_t)1 << 52,
                                    (int64_t)1 << 48};

    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++)
        assert_int_equal(cel_sleep(due[i]), 0);
    for (size_t i = 0; i < sizeof soon / sizeof soon[0]; i++) {
        int64_t begin = cel_now();

        assert_int_equal(cel_sleep(soon[i]), 0);
        assert_true(cel_now() - begin >= soon[i]);
    }
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        int r = 0;

        CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
            r = cel_sleep(never[i]);
        assert_int_equal(r, -ETIMEDOUT);
    }
}

/* ---- processes of their own ---- */

/* fn(arg) in a loop of another process. -> its status. */
static int status_of(cel_task_fn *fn, void *arg)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int signo = 1; signo < 32; signo++)
            (void)sigaction(signo, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        (void)!freopen("/dev/null", "w", stderr);
        _exit(cel_run(fn, arg, NULL) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    if (WIFSTOPPED(status)) {
        assert_int_equal(kill(pid, SIGCONT), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    return status;
}

static void *nap(void *arg)
{
    return cel_sleep(10 * CEL_MILLISECOND) == 0 ? arg : NULL;
}

static void *stop_and_go_on(void *arg)
{
    struct cel_task *others[20];

    for (int i = 0; i < 20; i++)
        others[i] = cel_spawn(nap, "x");
    (void)cel_yield();
    raise(SIGSTOP);
    return cel_gather(others, 20, NULL) == 0 ? arg : cel_fail(-EIO, "not all have come back");
}

static void stopped_process_goes_on_where_it_was(void **state)
{
    int status;

    if (is_simulated() || IS_SANITIZED)
        skip();
    status = status_of(stop_and_go_on, "x");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void *spawn_until_refused(void *arg)
{
    struct rlimit limit;
    struct cel_task *first = cel_spawn(nap, "first"), *task;
    void *value = NULL;
    int count = 0;

    if (getrlimit(RLIMIT_AS, &limit) < 0)
        return cel_fail(-errno, "limit");
    limit.rlim_cur = (rlim_t)256 << 20;
    if (setrlimit(RLIMIT_AS, &limit) < 0)
        return cel_fail(-errno, "limit");
    while (count < 100000 &&
           (task = cel_spawn_with(nap, arg, .stack_size_bytes = 1 << 20)) != NULL) {
        cel_task_free(task);
        count++;
    }
    if (count == 0 || count == 100000)
        return cel_fail(-ERANGE, "%d", count);
    if (cel_join(first, &value) < 0 || value == NULL)
        return cel_fail(-EIO, "the others suffered");
    if (cel_sleep(50 * CEL_MILLISECOND) < 0 || cel_spawn(nap, NULL) == NULL)
        return cel_fail(-ENOMEM, "room does not come back");
    return arg;
}

static void spawn_without_address_space_is_refused_and_harms_nobody(void **state)
{
    int status;

    if (is_simulated() || IS_SANITIZED)
        skip();
    status = status_of(spawn_until_refused, "x");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void leave_by_handler(void)
{
    _exit(42);
}

static void *exit_amid(void *arg)
{
    (void)atexit(leave_by_handler);
    exit(7);
}

static void exit_in_a_task_runs_the_exit_handlers(void **state)
{
    int status;

    if (IS_SANITIZED)
        skip();
    status = status_of(exit_amid, NULL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* ---- unwinding ---- */

static void drop_exception(_Unwind_Reason_Code code, struct _Unwind_Exception *e)
{
}

/* As a throw of C++ that nobody catches: the search must end where the task begins. */
static void *raise_in_vain(void *arg)
{
    struct _Unwind_Exception *e = arg;

    e->exception_cleanup = drop_exception;
    return (void *)(intptr_t)_Unwind_RaiseException(e); /* parks never, and comes back */
}

IN_TASK(exception_that_nobody_catches_ends_its_search_at_the_entry)
{
    static struct _Unwind_Exception e;
    struct cel_task *task = cel_spawn(raise_in_vain, &e);
    void *code;

    assert_int_equal(cel_join(task, &code), 0);
    assert_int_equal((intptr_t)code, _URC_END_OF_STACK);
}

/* ---- signals ---- */

/* Small stacks have no room for a frame of a handler with wide registers. */
static void handlers_of_ours_have_a_stack_of_their_own(void **state)
{
    struct cel_loop *loop;
    int ours = 0;

    if (IS_SANITIZED)
        skip();
    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_int_equal(cel_stack_watch(), 0);
    assert_int_equal(cel_dump_on_signal(SIGQUIT), 0);
    for (int signo = 1; signo < NSIG; signo++) {
        struct sigaction action;

        if (sigaction(signo, NULL, &action) < 0 || action.sa_handler == SIG_DFL ||
            action.sa_handler == SIG_IGN)
            continue;
        if (signo != SIGALRM && signo != SIGSEGV && signo != SIGBUS && signo != SIGQUIT)
            continue; /* the tests' own */
        if ((action.sa_flags & SA_ONSTACK) == 0)
            fail_msg("signal %d runs on a task's stack", signo);
        ours++;
    }
    assert_int_equal(ours, 3);
    assert_int_equal(cel_loop_close(loop), 0);
}

static void *touch_what_was_cut_off(void *arg)
{
    char path[] = "/tmp/celadon-test-XXXXXX";
    int fd = mkstemp(path);
    volatile char *page;

    unlink(path);
    if (cel_stack_watch() < 0 || ftruncate(fd, 4096) < 0)
        return cel_fail(-EIO, "no file");
    page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED || ftruncate(fd, 0) < 0)
        return cel_fail(-EIO, "no map");
    return page[0] == 0 ? arg : NULL;
}

/* It is nobody's overflow, and must not go on. */
static void bus_error_of_a_cut_file_kills_by_default(void **state)
{
    int status;

    if (is_simulated() || IS_SANITIZED)
        skip();
    status = status_of(touch_what_was_cut_off, NULL);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_stays_on_its_thread_over_each_kind_of_wait),
        cmocka_unit_test(clock_that_jumps_a_day_wakes_all_in_order),
        cmocka_unit_test(wall_clock_set_back_delays_nobody),
        cmocka_unit_test(sleeps_of_boundary_values_end_early_never),
        cmocka_unit_test(stopped_process_goes_on_where_it_was),
        cmocka_unit_test(spawn_without_address_space_is_refused_and_harms_nobody),
        cmocka_unit_test(exit_in_a_task_runs_the_exit_handlers),
        cmocka_unit_test(exception_that_nobody_catches_ends_its_search_at_the_entry),
        cmocka_unit_test(handlers_of_ours_have_a_stack_of_their_own),
        cmocka_unit_test(bus_error_of_a_cut_file_kills_by_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
