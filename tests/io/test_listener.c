/* SPDX-License-Identifier: MIT */
/* Connections taken as descriptors, for whoever shall open them as streams: what is given, what
 * ends the waiting, and that nothing is lost or left open on the way, for cel_accept too. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "io/certs.h"
#include "io/pairs.h"
#include "support/fault.h"
#include "support/sysfault.h"

struct taking {
    struct cel_listener *door;
    int fd, result;
    bool has_ended;
};

static void *take(void *arg)
{
    struct taking *t = arg;

    t->fd = -7;
    t->result = cel_accept_fd(t->door, &t->fd);
    t->has_ended = true;
    return NULL;
}

/* A task that stands in cel_accept_fd. */
static struct cel_task *take_in_task(struct taking *t, struct cel_listener *door)
{
    struct cel_task *task;

    *t = (struct taking){.door = door};
    task = cel_spawn(take, t);
    assert_non_null(task);
    assert_int_equal(cel_yield(), 0);
    assert_false(t->has_ended);
    return task;
}

static struct cel_listener *open_door(const char *address)
{
    struct cel_listener *door;

    assert_int_equal(cel_listen(&door, address, NULL), 0);
    return door;
}

static struct cel_stream *visit(const struct cel_listener *door)
{
    struct cel_stream *s;

    assert_int_equal(cel_connect(&s, cel_listener_address(door), NULL), 0);
    return s;
}

/* It is the other end of the client, and works as a stream; both are closed. */
static void check_connected(int fd, struct cel_stream *client)
{
    struct cel_stream *s;
    char buf[4];

    assert_true(fd >= 0);
    assert_int_equal(cel_stream_open(&s, fd, true), 0);
    assert_int_equal(cel_write(client, "ping", 4), 4);
    assert_int_equal(cel_read_exactly(s, buf, 4), 4);
    assert_memory_equal(buf, "ping", 4);
    assert_int_equal(cel_write(s, "pong", 4), 4);
    assert_int_equal(cel_read_exactly(client, buf, 4), 4);
    assert_memory_equal(buf, "pong", 4);
    cel_close(s);
    assert_int_equal(cel_read(client, buf, 1), 0); /* it was the only copy */
    cel_close(client);
}

/* ---- what is given ---- */

static void check_accepts(const char *address)
{
    struct cel_listener *door = open_door(address);
    struct cel_stream *client = visit(door);
    struct cel_task *task;
    struct taking t;
    int fd;

    assert_int_equal(cel_accept_fd(door, &fd), 0); /* it waits at the door */
    check_connected(fd, client);
    task = take_in_task(&t, door); /* and this one is waited for */
    client = visit(door);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, 0);
    check_connected(t.fd, client);
    cel_listener_close(door);
}

IN_TASK(accept_fd_gives_who_came_and_who_comes)
{
    check_accepts("127.0.0.1:0");
}

IN_TASK(accept_fd_gives_who_comes_to_a_unix_listener)
{
    char directory[] = "/tmp/celadon-listener-XXXXXX", address[80];

    check_accepts("unix:@celadon-test-listener");
    assert_non_null(mkdtemp(directory));
    snprintf(address, sizeof address, "unix:%s/door", directory);
    check_accepts(address);
    assert_int_equal(rmdir(directory), 0); /* the file is gone */
}

IN_KERNEL(accept_fd_gives_what_no_child_inherits_and_no_call_blocks_on)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client;
    socklen_t len = sizeof(int);
    struct cel_task *task;
    struct taking t;
    int value = 0;

    for (int is_parked = 0; is_parked < 2; is_parked++) {
        client = is_parked ? NULL : visit(door);
        if (is_parked) {
            task = take_in_task(&t, door);
            client = visit(door);
            assert_int_equal(cel_join(task, NULL), 0);
        } else {
            t.result = cel_accept_fd(door, &t.fd);
        }
        assert_int_equal(t.result, 0);
        assert_int_equal(fcntl(t.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(fcntl(t.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_int_equal(getsockopt(t.fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
        assert_int_equal(value, 1);
        check_connected(t.fd, client);
    }
    cel_listener_close(door);
}

IN_TASK(accept_fd_stays_the_callers_when_its_listener_is_closed)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door);
    int fd;

    assert_int_equal(cel_accept_fd(door, &fd), 0);
    cel_listener_close(door);
    check_connected(fd, client);
}

IN_TASK(accept_fd_and_accept_share_a_door)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_task *streams = cel_spawn(accept_one, door), *fds;
    struct cel_stream *client[2], *accepted;
    void *value;
    struct taking t;

    assert_int_equal(cel_yield(), 0);
    fds = take_in_task(&t, door);
    client[0] = visit(door);
    client[1] = visit(door);
    assert_int_equal(cel_join(streams, &value), 0);
    assert_int_equal(cel_join(fds, NULL), 0);
    assert_int_equal(t.result, 0);
    accepted = value;
    assert_string_equal(cel_stream_peer(accepted), cel_stream_local(client[0])); /* came first */
    check_connected(t.fd, client[1]);
    cel_close(accepted);
    cel_close(client[0]);
    cel_listener_close(door);
}

static void *serve_fd(void *arg)
{
    struct cel_stream *s;
    char buf[4];

    if (cel_stream_open(&s, *(int *)arg, true) < 0)
        return cel_fail(-EIO, "opening");
    if (cel_read_exactly(s, buf, 4) != 4 || cel_write(s, buf, 4) != 4)
        return cel_fail(-EIO, "echoing");
    cel_close(s);
    return NULL;
}

static void *run_another_loop(void *arg)
{
    return (void *)(intptr_t)cel_run(serve_fd, arg, NULL);
}

IN_KERNEL(accept_fd_is_served_by_a_loop_of_another_thread)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door);
    pthread_t thread;
    void *result;
    char buf[4];
    int fd;

    assert_int_equal(cel_accept_fd(door, &fd), 0);
    assert_int_equal(pthread_create(&thread, NULL, run_another_loop, &fd), 0);
    assert_int_equal(cel_write(client, "over", 4), 4);
    assert_int_equal(cel_read_exactly(client, buf, 4), 4);
    assert_int_equal(cel_read(client, buf, 1), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, NULL);
    cel_close(client);
    cel_listener_close(door);
}

struct greeting {
    struct cel_stream *stream;
    struct cel_tls *tls;
    int result;
};

static void *greet(void *arg)
{
    struct greeting *g = arg;

    g->result = cel_stream_start_tls(g->stream, g->tls, NULL, true);
    return NULL;
}

/* The listener's TLS is for cel_accept: whoever opens the descriptor does its own handshake. */
IN_TASK(accept_fd_of_a_tls_listener_is_plain_until_it_is_told)
{
    struct cel_listen_options options = {0};
    struct greeting g = {0};
    struct cel_tls *trust;
    struct cel_listener *door;
    struct cel_stream *client;
    char buf[4];
    int fd;

    assert_int_equal(
        cel_tls_new(&options.tls, &(struct cel_tls_options){.cert_file = cert_path("good")}), 0);
    assert_int_equal(cel_tls_new(&trust, &(struct cel_tls_options){.ca_file = cert_path("ca")}), 0);
    assert_int_equal(cel_listen(&door, "127.0.0.1:0", &options), 0);
    client = visit(door);
    assert_int_equal(cel_accept_fd(door, &fd), 0);
    check_connected(fd, client);
    client = visit(door);
    assert_int_equal(cel_accept_fd(door, &fd), 0);
    assert_int_equal(cel_stream_open(&g.stream, fd, true), 0);
    g.tls = options.tls;
    CEL_SCOPE (both) {
        assert_int_equal(cel_go(greet, &g), 0);
        assert_int_equal(cel_stream_start_tls(client, trust, "good.test", false), 0);
    }
    assert_int_equal(g.result, 0);
    assert_int_equal(cel_write(g.stream, "safe", 4), 4);
    assert_int_equal(cel_read_exactly(client, buf, 4), 4);
    cel_close(client);
    cel_close(g.stream);
    cel_listener_close(door);
    cel_tls_free(options.tls);
    cel_tls_free(trust);
}

/* ---- what ends the waiting ---- */

IN_TASK(accept_fd_ends_by_cancel_and_by_deadline_and_takes_nobody)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client;
    struct taking t;
    struct cel_task *task = take_in_task(&t, door);
    int fd = -7;

    cel_task_cancel(task);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, -ECANCELED);
    assert_int_equal(t.fd, -7);
    CEL_SCOPE (patience, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_accept_fd(door, &fd), -ETIMEDOUT);
    client = visit(door);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(cel_accept_fd(door, &fd), -ECANCELED); /* though one waits */
    }
    assert_int_equal(fd, -7);
    assert_int_equal(cel_accept_fd(door, &fd), 0); /* and went on waiting */
    check_connected(fd, client);
    cel_listener_close(door);
}

/* A connection and a cancel in the same turn: the descriptor is handed out, or the connection is
 * still at the door. */
IN_TASK(accept_fd_beside_a_cancel_loses_no_connection)
{
    struct cel_listener *door = open_door("127.0.0.1:0");

    for (int i = 0; i < 30; i++) {
        struct taking t;
        struct cel_task *task = take_in_task(&t, door);
        struct cel_stream *client = visit(door);

        cel_task_cancel(task);
        assert_int_equal(cel_join(task, NULL), 0);
        if (t.result < 0) {
            assert_int_equal(t.result, -ECANCELED);
            assert_int_equal(t.fd, -7);
            assert_int_equal(cel_accept_fd(door, &t.fd), 0);
        }
        check_connected(t.fd, client);
    }
    cel_listener_close(door);
}

IN_TASK(accept_fd_ends_by_stop_and_by_close_for_all_who_wait)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct taking t[3];
    struct cel_task *tasks[3];
    int fd = -7;

    tasks[0] = take_in_task(&t[0], door);
    cel_listener_stop(door, 0);
    assert_int_equal(cel_join(tasks[0], NULL), 0);
    assert_int_equal(t[0].result, -CEL_ECLOSED);
    assert_int_equal(cel_accept_fd(door, &fd), -CEL_ECLOSED);
    cel_listener_close(door);
    door = open_door("127.0.0.1:0");
    for (int i = 0; i < 3; i++)
        tasks[i] = take_in_task(&t[i], door);
    cel_listener_close(door); /* freed by the last of them */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cel_join(tasks[i], NULL), 0);
        assert_int_equal(t[i].result, -CEL_ECLOSED);
        assert_int_equal(t[i].fd, -7);
    }
    assert_int_equal(fd, -7);
}

/* ---- when there is none to be had ---- */

static unsigned warnings;

static void count_warnings(enum cel_log_level level, const char *line, void *arg)
{
    if (level == CEL_LOG_WARN)
        warnings++;
}

/* No more descriptors for this process. */
static struct rlimit exhaust(void)
{
    struct rlimit before, tight;
    int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);

    assert_true(lowest > 0);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = (struct rlimit){(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    return before;
}

/* Who finds a connection and no descriptor for it, and pauses. */
static struct cel_task *pause_in_task(struct taking *t, struct cel_listener *door)
{
    struct cel_task *task;

    warnings = 0;
    cel_set_log(count_warnings, NULL);
    *t = (struct taking){.door = door};
    task = cel_spawn(take, t);
    assert_non_null(task);
    while (warnings == 0)
        assert_int_equal(cel_yield(), 0);
    assert_false(t->has_ended);
    cel_set_log(NULL, NULL);
    return task;
}

static void give_back(const struct rlimit *before)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

IN_KERNEL(accept_fd_out_of_descriptors_pauses_and_goes_on)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door);
    struct rlimit before = exhaust();
    struct taking t;
    struct cel_task *task = pause_in_task(&t, door);

    give_back(&before);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, 0);
    check_connected(t.fd, client);
    cel_listener_close(door);
}

/* The shortage is met by the kernel's own accept, in the ring, and not by the plain call. */
IN_KERNEL(accept_fd_parked_when_descriptors_run_out_goes_on)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client;
    struct sockaddr_storage at;
    struct rlimit before;
    struct taking t;
    struct cel_task *task = take_in_task(&t, door);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(cel_stream_open(&client, fd, true), 0);
    assert_int_equal(cel_address_parse(cel_listener_address(door), &at), 0);
    warnings = 0;
    cel_set_log(count_warnings, NULL);
    before = exhaust();
    (void)!connect(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in));
    while (warnings == 0)
        assert_int_equal(cel_yield(), 0);
    cel_set_log(NULL, NULL);
    assert_false(t.has_ended);
    give_back(&before);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, 0);
    check_connected(t.fd, client);
    cel_listener_close(door);
}

IN_KERNEL(accept_fd_pausing_ends_by_cancel_deadline_and_close)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door);
    struct rlimit before = exhaust();
    struct taking t;
    struct cel_task *task = pause_in_task(&t, door);
    int fd = -7;

    cel_task_cancel(task);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, -ECANCELED);
    CEL_SCOPE (patience, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_accept_fd(door, &fd), -ETIMEDOUT);
    give_back(&before);
    assert_int_equal(cel_accept_fd(door, &fd), 0); /* it still waited */
    check_connected(fd, client);
    client = visit(door);
    before = exhaust();
    task = pause_in_task(&t, door);
    cel_listener_close(door);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, -CEL_ECLOSED);
    give_back(&before);
    cel_close(client);
}

static int ping(struct cel_stream *a, struct cel_stream *b)
{
    char c;

    return cel_write(a, "x", 1) == 1 && cel_read(b, &c, 1) == 1 && c == 'x' ? 0 : -EIO;
}

IN_KERNEL(accept_fd_pausing_keeps_nobody_else)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct joined j = join(PAIR_TCP);
    struct cel_stream *client = visit(door);
    struct rlimit before = exhaust();
    struct taking t;
    struct cel_task *task = pause_in_task(&t, door);

    for (int i = 0; i < 100; i++)
        assert_int_equal(ping(j.a, j.b), 0);
    assert_false(t.has_ended);
    give_back(&before);
    part(j);
    assert_int_equal(cel_join(task, NULL), 0);
    check_connected(t.fd, client);
    cel_listener_close(door);
}

/* -> when (ns from the first) the listener asked again, until there were descriptors. */
static size_t asked_at(int64_t *times, size_t most)
{
    struct sysfault_plan plan = {
        .calls = SYSFAULT_BIT(accept4), .error = EMFILE, .nth = 1, .times = FAULT_FOREVER};
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door);
    struct cel_task *task;
    int64_t begin = cel_now();
    struct taking t = {.door = door};
    size_t count = 0;

    sysfault_begin(&plan);
    task = cel_spawn(take, &t);
    assert_non_null(task);
    while (count < most) {
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        while (count < most && count < sysfault_hits())
            times[count++] = cel_now() - begin;
    }
    sysfault_end();
    assert_int_equal(cel_join(task, NULL), 0);
    check_connected(t.fd, client);
    cel_listener_close(door);
    return count;
}

/* Not when the pause is over: it would be 100 ms. */
IN_TASK(accept_fd_pausing_goes_on_when_a_descriptor_is_closed)
{
    struct sysfault_plan plan = {
        .calls = SYSFAULT_BIT(accept4), .error = EMFILE, .nth = 1, .times = FAULT_FOREVER};
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct joined j = join(PAIR_SOCKETS);
    struct cel_stream *client = visit(door);
    struct taking t;
    struct cel_task *task;
    int64_t begin = cel_now();

    sysfault_begin(&plan);
    task = pause_in_task(&t, door);
    for (int i = 0; i < 3; i++) { /* it does not spin meanwhile */
        assert_int_equal(cel_yield(), 0);
        assert_int_equal(sysfault_hits(), 1);
    }
    sysfault_end();
    cel_close(j.a);
    assert_int_equal(cel_join(task, NULL), 0);
    if (is_simulated())
        assert_true(cel_now() - begin < 50 * CEL_MILLISECOND);
    check_connected(t.fd, client);
    cel_close(j.b);
    cel_listener_close(door);
}

/* On the simulated machine seconds cost nothing. */
IN_TASK(accept_fd_asks_seldomer_and_says_so_once_a_second)
{
    const int64_t pauses[] = {100, 200, 400, 800, 1000, 1000, 1000}; /* ms */
    int64_t times[8];

    if (!is_simulated())
        return; /* the same code, in seconds */
    warnings = 0;
    cel_set_log(count_warnings, NULL);
    assert_int_equal(asked_at(times, 8), 8);
    cel_set_log(NULL, NULL);
    for (int i = 0; i < 7; i++) {
        int64_t pause = (times[i + 1] - times[i]) / CEL_MILLISECOND;

        assert_in_range(pause, pauses[i] - 2, pauses[i] + 2);
    }
    assert_in_range(warnings, 4, 6); /* in 4.5 s */
}

/* -> how it ends when the first call fails by that; *fd is what was given. */
static int accept_failing_first(int error, int *fd)
{
    struct sysfault_plan plan = {
        .calls = SYSFAULT_BIT(accept4), .error = error, .nth = 1, .times = FAULT_ONCE};
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door);
    int r;

    warnings = 0;
    cel_set_log(count_warnings, NULL);
    sysfault_begin(&plan);
    *fd = -7;
    r = cel_accept_fd(door, fd);
    assert_int_equal(sysfault_hits(), 1);
    sysfault_end();
    cel_set_log(NULL, NULL);
    if (r == 0) {
        check_connected(*fd, client);
    } else {
        assert_int_equal(*fd, -7);
        cel_close(client);
    }
    cel_listener_close(door);
    return r;
}

IN_TASK(accept_fd_tells_shortage_from_failure)
{
    const int shortages[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    const int passing[] = {EINTR,    ECONNABORTED, EHOSTDOWN, EHOSTUNREACH,
                           ENETDOWN, ENETUNREACH,  EPROTO};
    int fd;

    for (size_t i = 0; i < sizeof shortages / sizeof *shortages; i++) {
        assert_int_equal(accept_failing_first(shortages[i], &fd), 0);
        assert_int_equal(warnings, 1);
    }
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        assert_int_equal(accept_failing_first(passing[i], &fd), 0);
        assert_int_equal(warnings, 0);
    }
    assert_int_equal(accept_failing_first(EPERM, &fd), -EPERM);
    assert_int_equal(accept_failing_first(EINVAL, &fd), -EINVAL);
}

/* ---- failures ---- */

/* The next cel_accept, which may fail for want of memory, but loses nobody. */
static void check_taken_at_last(struct cel_listener *door, struct cel_stream *client, int r,
                                struct cel_stream *accepted)
{
    if (r < 0) {
        assert_int_equal(r, -ENOMEM);
        assert_int_equal(cel_accept(door, &accepted), 0);
    }
    assert_string_equal(cel_stream_peer(accepted), cel_stream_local(client));
    cel_close(accepted);
    cel_close(client);
}

/* -> whether it went that far. */
static bool accept_failing_nth_allocation(size_t nth)
{
    struct cel_listener *door = open_door("127.0.0.1:0");
    struct cel_stream *client = visit(door), *accepted = NULL;
    size_t hits;
    int r;

    fault_alloc_begin();
    fault_alloc_arm(nth, FAULT_ONCE);
    r = cel_accept(door, &accepted);
    hits = fault_alloc_hits();
    fault_alloc_arm(0, FAULT_ONCE);
    fault_alloc_end();
    check_taken_at_last(door, client, r, accepted);
    cel_listener_close(door);
    return hits > 0;
}

IN_TASK(accept_without_memory_leaves_the_connection_waiting)
{
    size_t nth = 0;

    while (accept_failing_nth_allocation(++nth))
        continue;
    assert_true(nth > 1);
}

static int accept_unregistered(struct cel_listener *door, int error, struct cel_stream **accepted)
{
    struct sysfault_plan plan = {
        .calls = SYSFAULT_BIT(epoll_ctl), .error = error, .nth = 1, .times = FAULT_ONCE};
    int r;

    sysfault_begin(&plan);
    r = cel_accept(door, accepted);
    sysfault_end();
    return r;
}

IN_TASK(accept_of_what_cannot_be_watched_leaves_the_connection_waiting)
{
    const int errors[] = {ENOMEM, ENOSPC};
    struct cel_stream *client, *accepted = NULL;
    struct cel_listener *door = open_door("127.0.0.1:0");
    int fd = -1, r;

    for (int i = 0; i < 2; i++) {
        client = visit(door);
        r = accept_unregistered(door, errors[i], &accepted);
        check_taken_at_last(door, client, r, accepted);
    }
    client = visit(door);
    if (accept_unregistered(door, ENOMEM, &accepted) == 0) /* not epoll */
        cel_close(accepted);
    else
        assert_int_equal(cel_accept_fd(door, &fd), 0);
    cel__sys.close(fd);
    cel_close(client);
    client = visit(door);
    if (accept_unregistered(door, ENOMEM, &accepted) == 0)
        cel_close(accepted);
    cel_listener_close(door); /* and what it holds */
    assert_true(cel_read(client, &(char){0}, 1) <= 0);
    cel_close(client);
}

static void *take_and_serve(void *arg)
{
    struct taking *t = arg;
    struct cel_stream *s;
    char buf[4];

    (void)take(t);
    if (t->result < 0)
        return NULL;
    t->result = cel_stream_open(&s, t->fd, true);
    if (t->result < 0) {
        cel__sys.close(t->fd); /* it stayed the caller's */
        return NULL;
    }
    if (cel_read_exactly(s, buf, 4) == 4)
        (void)!cel_write(s, buf, 4);
    cel_close(s);
    return NULL;
}

static void *visit_once(void *arg)
{
    struct taking t = {0};
    struct cel_stream *client;
    int *code = arg;
    char buf[4];

    *code = cel_listen(&t.door, "127.0.0.1:0", NULL);
    if (*code < 0)
        return NULL;
    CEL_SCOPE (both, .timeout = CEL_SECOND / 4) {
        *code = cel_go(take_and_serve, &t);
        if (*code == 0)
            *code = cel_connect(&client, cel_listener_address(t.door), NULL);
        if (*code == 0) {
            *code = (int)cel_write(client, "ping", 4);
            if (*code > 0)
                *code = (int)cel_read_exactly(client, buf, 4);
            *code = *code == 4 ? 0 : *code;
            cel_close(client);
        }
        cel_scope_cancel(&both);
    }
    cel_listener_close(t.door);
    return NULL;
}

static int visit_in_loop(void *arg)
{
    int code = -EIO, r = cel_run(visit_once, &code, NULL);

    return r < 0 ? r : code;
}

static void accept_fd_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(visit_in_loop, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_fd_gives_who_came_and_who_comes),
        cmocka_unit_test(accept_fd_gives_who_comes_to_a_unix_listener),
        cmocka_unit_test(accept_fd_gives_what_no_child_inherits_and_no_call_blocks_on),
        cmocka_unit_test(accept_fd_stays_the_callers_when_its_listener_is_closed),
        cmocka_unit_test(accept_fd_and_accept_share_a_door),
        cmocka_unit_test(accept_fd_is_served_by_a_loop_of_another_thread),
        cmocka_unit_test(accept_fd_of_a_tls_listener_is_plain_until_it_is_told),
        cmocka_unit_test(accept_fd_ends_by_cancel_and_by_deadline_and_takes_nobody),
        cmocka_unit_test(accept_fd_beside_a_cancel_loses_no_connection),
        cmocka_unit_test(accept_fd_ends_by_stop_and_by_close_for_all_who_wait),
        cmocka_unit_test(accept_fd_out_of_descriptors_pauses_and_goes_on),
        cmocka_unit_test(accept_fd_parked_when_descriptors_run_out_goes_on),
        cmocka_unit_test(accept_fd_pausing_ends_by_cancel_deadline_and_close),
        cmocka_unit_test(accept_fd_pausing_keeps_nobody_else),
        cmocka_unit_test(accept_fd_asks_seldomer_and_says_so_once_a_second),
        cmocka_unit_test(accept_fd_pausing_goes_on_when_a_descriptor_is_closed),
        cmocka_unit_test(accept_fd_tells_shortage_from_failure),
        cmocka_unit_test(accept_without_memory_leaves_the_connection_waiting),
        cmocka_unit_test(accept_of_what_cannot_be_watched_leaves_the_connection_waiting),
        cmocka_unit_test(accept_fd_survives_each_failed_allocation),
    };

    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
