/* SPDX-License-Identifier: MIT */
/* A process that forks while its loop is alive, in many states. In the child each call says
 * -CEL_EFORK and none parks for ever, and a loop of its own may be made. The parent loses nothing:
 * what was in flight ends there, with its result. */
#include <celadon/celadon.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/intask.h"

/* ---- what somebody waits for while the process forks ---- */

static struct play {
    struct cel_stream *near, *far;
    struct cel_stream *idle, *idle_far; /* with a byte that has come in, and nobody at it */
    struct cel_listener *door;
    struct cel_future *future;
    struct cel_chan *chan;
    struct cel_socket *socket;
    struct cel_lock lock;
    struct cel_event event;
    struct cel_sem sem;
    struct cel_countdown countdown;
    struct cel_barrier barrier;
    struct cel_rwlock rwlock; /* read by the one who forks */
    struct cel_queue *queue;
    int pipe[2];
    bool is_got;
} p;

static char much[4 << 20];

static void *reads(void *arg)
{
    char c = 0;

    p.is_got = cel_read(p.near, &c, 1) == 1 && c == 'r';
    return arg;
}

static void write_far(void)
{
    assert_int_equal(cel_write(p.far, "r", 1), 1);
}

static void *writes(void *arg)
{
    p.is_got = cel_write(p.near, much, sizeof much) == sizeof much;
    return arg;
}

static void drain_far(void)
{
    for (size_t left = sizeof much; left > 0;) {
        ssize_t n = cel_read(p.far, much, left);

        assert_true(n > 0);
        left -= (size_t)n;
    }
}

static void *accepts(void *arg)
{
    struct cel_stream *s;

    p.is_got = cel_accept(p.door, &s) == 0;
    if (p.is_got)
        cel_close(s);
    return arg;
}

static void visit_door(void)
{
    struct cel_stream *s;

    assert_int_equal(cel_connect(&s, cel_listener_address(p.door), NULL), 0);
    cel_close(s);
}

static void *receives(void *arg)
{
    char c = 0;

    p.is_got = cel_recv_from(p.socket, &c, 1, NULL) == 1 && c == 'd';
    return arg;
}

static void send_datagram(void)
{
    struct sockaddr_storage to;

    assert_int_equal(cel_address_parse(cel_socket_address(p.socket), &to), 0);
    assert_int_equal(cel_send_to(p.socket, "d", 1, &to), 1);
}

static void *sleeps(void *arg)
{
    p.is_got = cel_sleep(5 * CEL_MILLISECOND) == 0;
    return arg;
}

static void *awaits(void *arg)
{
    void *value = NULL;

    p.is_got = cel_await(p.future, &value) == 0 && value == &p;
    return arg;
}

static void set_future(void)
{
    assert_int_equal(cel_future_set(p.future, &p), 0);
}

static void *takes(void *arg)
{
    int n = 0;

    p.is_got = cel_chan_recv(p.chan, &n) == 0 && n == 7;
    return arg;
}

static void give(void)
{
    int n = 7;

    assert_int_equal(cel_chan_send(p.chan, &n), 0);
}

static void *locks(void *arg)
{
    p.is_got = cel_lock_acquire(&p.lock) == 0;
    cel_lock_release(&p.lock);
    return arg;
}

static void unlock(void)
{
    cel_lock_release(&p.lock);
}

static void *blocks(void *arg)
{
    char c = 0;

    return read(p.pipe[0], &c, 1) == 1 && c == 'b' ? &p : NULL;
}

static void *offloads(void *arg)
{
    void *value = NULL;

    p.is_got = cel_offload_await(blocks, NULL, &value) == 0 && value == &p;
    return arg;
}

static void write_pipe(void)
{
    assert_int_equal(write(p.pipe[1], "b", 1), 1);
}

static void *waits_fd(void *arg)
{
    p.is_got = cel_wait_fd(p.pipe[0], POLLIN) == POLLIN;
    return arg;
}

static void *waits_signal(void *arg)
{
    const int signals[] = {SIGUSR1};

    p.is_got = cel_signal_wait(signals, 1) == SIGUSR1;
    return arg;
}

static void raise_signal(void)
{
    raise(SIGUSR1);
}

static void *waits_process(void *arg)
{
    const char *const argv[] = {"sh", "-c", "exit 3", NULL};
    struct cel_process *process;
    struct cel_exit status = {0};

    if (cel_process_spawn(&process, argv, NULL) < 0)
        return arg;
    p.is_got = cel_process_wait(process, &status) == 0 && status.code == 3;
    cel_process_close(process);
    return arg;
}

static void *waits_event(void *arg)
{
    p.is_got = cel_event_wait(&p.event) == 0;
    return arg;
}

static void set_event(void)
{
    cel_event_set(&p.event);
}

static void *takes_permit(void *arg)
{
    p.is_got = cel_sem_acquire(&p.sem) == 0;
    return arg;
}

static void give_permit(void)
{
    cel_sem_release(&p.sem);
}

static void *counts_down(void *arg)
{
    p.is_got = cel_countdown_wait(&p.countdown) == 0;
    return arg;
}

static void count_down(void)
{
    cel_countdown_done(&p.countdown);
}

static void *meets(void *arg)
{
    p.is_got = cel_barrier_wait(&p.barrier) >= 0;
    return arg;
}

static void meet(void)
{
    assert_true(cel_barrier_wait(&p.barrier) >= 0);
}

static void *writes_alone(void *arg)
{
    p.is_got = cel_rwlock_write(&p.rwlock) == 0;
    cel_rwlock_write_release(&p.rwlock);
    return arg;
}

static void stop_reading(void)
{
    cel_rwlock_read_release(&p.rwlock);
}

static void *gets_item(void *arg)
{
    void *item = NULL;

    p.is_got = cel_queue_get(p.queue, &item) == 0 && item == &p;
    return arg;
}

static void put_item(void)
{
    assert_int_equal(cel_queue_put(p.queue, &p), 0);
}

static void *selects(void *arg)
{
    int n = 0;
    struct cel_case cases[] = {CEL_RECV(p.chan, &n), CEL_DONE(p.future)};

    p.is_got = cel_select(cases, 2) == 0 && n == 7;
    return arg;
}

static void *gathers(void *arg)
{
    void *value = NULL;

    p.is_got = cel_gather(&p.future, 1, &value) == 0 && value == &p;
    return arg;
}

static void nothing(void)
{
}

static const struct state {
    const char *name;
    cel_task_fn *waits;
    void (*release)(void);
} states[] = {
    {"reading", reads, write_far},
    {"writing", writes, drain_far},
    {"accepting", accepts, visit_door},
    {"receiving", receives, send_datagram},
    {"sleeping", sleeps, nothing},
    {"awaiting", awaits, set_future},
    {"taking from a channel", takes, give},
    {"locking", locks, unlock},
    {"offloading", offloads, write_pipe},
    {"waiting for a pipe", waits_fd, write_pipe},
    {"waiting for a signal", waits_signal, raise_signal},
    {"running a process", waits_process, nothing},
    {"waiting for an event", waits_event, set_event},
    {"taking a permit", takes_permit, give_permit},
    {"counting down", counts_down, count_down},
    {"meeting", meets, meet},
    {"writing alone", writes_alone, stop_reading},
    {"getting from a queue", gets_item, put_item},
    {"selecting", selects, give},
    {"gathering", gathers, set_future},
};

static void open_play(void)
{
    const char *data;

    p = (struct play){.lock = CEL_LOCK_INIT,
                      .event = CEL_EVENT_INIT,
                      .sem = CEL_SEM_INIT(0),
                      .countdown = CEL_COUNTDOWN_INIT(1),
                      .barrier = CEL_BARRIER_INIT(2),
                      .rwlock = CEL_RWLOCK_INIT};
    assert_int_equal(cel_queue_new(&p.queue, NULL), 0);
    assert_int_equal(cel_stream_pair(&p.near, &p.far), 0);
    assert_int_equal(cel_stream_pair(&p.idle, &p.idle_far), 0);
    assert_int_equal(cel_write(p.idle_far, "i", 1), 1);
    assert_int_equal(cel_peek(p.idle, &data, 1), 1);
    assert_int_equal(cel_listen(&p.door, "127.0.0.1:0", NULL), 0);
    assert_int_equal(cel_udp_open(&p.socket, "127.0.0.1:0"), 0);
    p.future = cel_future_new();
    assert_non_null(p.future);
    assert_int_equal(cel_chan_new(&p.chan, sizeof(int), 0), 0);
    assert_int_equal(pipe2(p.pipe, O_CLOEXEC), 0);
}

static void close_play(void)
{
    char c = 0;

    assert_int_equal(cel_read(p.idle, &c, 1), 1); /* the child did not take it */
    assert_int_equal(c, 'i');
    cel_close(p.idle);
    cel_close(p.idle_far);
    cel_close(p.near);
    cel_close(p.far);
    cel_listener_close(p.door);
    cel_socket_close(p.socket);
    cel_future_free(p.future);
    cel_chan_free(p.chan);
    cel_queue_free(p.queue);
    close(p.pipe[0]);
    close(p.pipe[1]);
}

/* ---- the child ---- */

static void *answers(void *arg)
{
    struct cel_stream *a, *b;
    char c;

    if (cel_stream_pair(&a, &b) < 0 || cel_write(a, "x", 1) != 1 || cel_read(b, &c, 1) != 1)
        return cel_fail(-EIO, "talking");
    cel_close(a);
    cel_close(b);
    return arg;
}

#define REFUSES(call)                                \
    do {                                             \
        long r_ = (long)(call);                      \
        if (r_ != -CEL_EFORK) {                      \
            fprintf(stderr, "%s: %ld\n", #call, r_); \
            return 1;                                \
        }                                            \
    } while (0)

static int calls_refuse(void)
{
    struct cel_stream *s;
    struct cel_listener *l;
    struct cel_socket *u;
    struct cel_file *f;
    char buf[8];
    int fd;

    REFUSES(cel_yield());
    REFUSES(cel_sleep(CEL_MILLISECOND));
    REFUSES(cel_checkpoint());
    REFUSES(cel_read(p.idle, buf, 1));
    REFUSES(cel_read(p.idle_far, buf, 1));
    REFUSES(cel_write(p.idle, "c", 1));
    REFUSES(cel_accept(p.door, &s));
    REFUSES(cel_accept_fd(p.door, &fd));
    REFUSES(cel_connect(&s, cel_listener_address(p.door), NULL));
    REFUSES(cel_stream_open(&s, p.pipe[1], false));
    REFUSES(cel_listen(&l, "127.0.0.1:0", NULL));
    REFUSES(cel_udp_open(&u, "127.0.0.1:0"));
    REFUSES(cel_recv_from(p.socket, buf, 1, NULL));
    REFUSES(cel_await(p.future, NULL));
    REFUSES(cel_await_shielded(p.future, NULL));
    REFUSES(cel_chan_recv(p.chan, buf));
    REFUSES(cel_event_wait(&p.event));
    REFUSES(cel_sem_acquire(&p.sem));
    REFUSES(cel_offload_await(answers, NULL, NULL));
    REFUSES(cel_wait_fd(p.pipe[0], POLLIN));
    REFUSES(cel_file_open(&f, "/dev/null", O_RDONLY, 0));
    REFUSES(cel_go(answers, NULL));
    return cel_spawn(answers, NULL) == NULL ? 0 : 2;
}

/* -> how the process ends. */
static int in_child(void)
{
    struct cel_scope shield;
    void *value = NULL;
    int r = calls_refuse();

    if (r != 0)
        return r;
    cel_scope_enter(&shield, &(struct cel_scope_options){.is_shielded = true});
    r = calls_refuse();
    cel_scope_cancel(&shield);
    if (r == 0)
        r = calls_refuse();
    (void)cel_scope_leave(&shield);
    if (r != 0)
        return r + 10;
    cel_close(p.idle);
    cel_close(p.near); /* what is in flight on it is the parent's */
    cel_listener_close(p.door);
    cel_socket_close(p.socket);
    if (cel_loop_turn(cel_loop_current(), 0) != -CEL_EFORK || cel_loop_close(cel_loop_current()))
        return 3;
    r = cel_run(answers, &p, &value);
    return r == 0 && value == &p ? 0 : 4;
}

static pid_t fork_child(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(in_child());
    return pid;
}

static void check_child(pid_t pid, const char *name)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s: the child ended with %#x", name, (unsigned)status);
}

/* ---- the parent ---- */

/* The child runs beside the parent, or has ended before what is waited for comes. */
static void fork_in(const struct state *state, bool is_child_first)
{
    struct cel_task *task;
    pid_t pid;

    open_play();
    if (state->waits == locks)
        assert_int_equal(cel_lock_acquire(&p.lock), 0);
    if (state->waits == writes_alone)
        assert_int_equal(cel_rwlock_read(&p.rwlock), 0);
    task = cel_spawn(state->waits, NULL);
    assert_non_null(task);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cel_yield(), 0);
    pid = fork_child();
    if (is_child_first)
        check_child(pid, state->name);
    state->release();
    assert_int_equal(cel_join(task, NULL), 0);
    if (!p.is_got)
        fail_msg("%s: the parent lost its result", state->name);
    if (!is_child_first)
        check_child(pid, state->name);
    close_play();
}

IN_KERNEL(child_of_a_fork_is_refused_and_the_parent_loses_nothing)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        fork_in(&states[i], true);
        fork_in(&states[i], false);
    }
}

IN_KERNEL(fork_within_scopes_is_told_through_them)
{
    const struct state *reading = &states[0];

    CEL_SCOPE (outer, .timeout = CEL_MINUTE) {
        CEL_SCOPE (inner, .is_group = true)
            fork_in(reading, true);
    }
    CEL_SCOPE (shield, .is_shielded = true, .timeout = CEL_MINUTE)
        fork_in(reading, true);
    open_play();
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        check_child(fork_child(), "cancelled");
    }
    close_play();
}

static void *forks(void *arg)
{
    fork_in(&states[1], true);
    return arg;
}

IN_KERNEL(fork_of_a_task_among_others_keeps_the_others)
{
    struct cel_task *sleeper = cel_spawn(sleeps, NULL);
    void *value = NULL;

    assert_int_equal(cel_join(cel_spawn(forks, &p), &value), 0);
    assert_ptr_equal(value, &p);
    assert_int_equal(cel_join(sleeper, NULL), 0);
}

static int forked_status;

/* The child goes on in the task to its end, and out of cel_run with what the task returned. */
static void *forks_and_returns(void *arg)
{
    pid_t pid = fork();

    if (pid > 0)
        assert_int_equal(waitpid(pid, &forked_status, 0), pid);
    else
        (void)cel_sleep(CEL_MILLISECOND);
    return pid == 0 ? arg : NULL;
}

static void child_that_returns_from_its_task_comes_out_of_the_loop(void **state)
{
    pid_t parent = getpid();
    void *value = NULL;
    int r;

    if (is_simulated())
        skip();
    forked_status = -1;
    fflush(stdout);
    r = cel_run(forks_and_returns, &p, &value);
    if (getpid() != parent)
        _exit(r == 0 && value == &p && cel_loop_current() == NULL ? 0 : 1);
    assert_int_equal(r, 0);
    assert_int_equal(forked_status, 0);
}

#if defined(__SANITIZE_THREAD__)
static void forked_child_is_refused(void **state)
{
    skip(); /* TSan's view of the fibers does not survive the fork. */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_of_a_fork_is_refused_and_the_parent_loses_nothing),
        cmocka_unit_test(fork_within_scopes_is_told_through_them),
        cmocka_unit_test(fork_of_a_task_among_others_keeps_the_others),
        cmocka_unit_test(child_that_returns_from_its_task_comes_out_of_the_loop),
    };
#if defined(__SANITIZE_THREAD__)
    const struct CMUnitTest none[] = {cmocka_unit_test(forked_child_is_refused)};

    (void)tests;
    return cmocka_run_group_tests(none, NULL, NULL);
#endif

    return cmocka_run_group_tests(tests, NULL, NULL);
}
