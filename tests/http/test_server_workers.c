/* SPDX-License-Identifier: MIT */
/* The same server on several loops: all listen, all answer, and they end together. */
#include <celadon/server.h>
#include <celadon/task.h>
#include <celadon/workers.h>

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/check.h"
#include "support/fault.h"

enum { COUNT = 3 };

static const struct cel_workers_options three = {.count = COUNT};

struct run {
    char address[128];
    unsigned setups, told; /* atomic */
    unsigned fail_at;      /* the nth setup fails; 0: none */
};

static struct cel_server *servers[COUNT];

static int say_which(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "worker %u", cel_worker_index());
}

static int stop(struct cel_request *req, struct cel_reply *reply)
{
    cel_server_stop(servers[cel_worker_index()]);
    return cel_reply_text(reply, 200, "stopping");
}

static int set_up(struct cel_server *server, void *arg)
{
    struct run *run = arg;
    unsigned nth = __atomic_add_fetch(&run->setups, 1, __ATOMIC_SEQ_CST);
    int r;

    if (nth == run->fail_at)
        return -EXDEV;
    servers[cel_worker_index()] = server;
    r = cel_route(server, "GET /", say_which, NULL);
    return r < 0 ? r : cel_route(server, "GET /stop", stop, NULL);
}

static void talk(int fd, const char *path)
{
    char buf[1024] = "";
    size_t len = 0;
    ssize_t n;

    snprintf(buf, sizeof buf, "GET %s HTTP/1.0\r\nHost: x\r\n\r\n", path);
    assert_int_equal(write(fd, buf, strlen(buf)), strlen(buf));
    while ((n = read(fd, buf + len, sizeof buf - 1 - len)) > 0)
        len += (size_t)n;
    assert_int_equal(n, 0);
    buf[len] = '\0';
    assert_non_null(strstr(buf, " 200 "));
}

static int dial(const char *address)
{
    struct sockaddr_storage to;
    int fd;

    assert_int_equal(cel_address_parse(address, &to), 0);
    fd = socket(to.ss_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)), 0);
    return fd;
}

static pthread_t visitor;

static void *visit(void *arg)
{
    struct run *run = arg;

    for (int i = 0; i < 40; i++) {
        int fd = dial(run->address);

        talk(fd, i < 39 ? "/" : "/stop");
        close(fd);
    }
    return NULL;
}

static void tell(const char *address, void *arg)
{
    struct run *run = arg;

    run->told++;
    snprintf(run->address, sizeof run->address, "%s", address);
    assert_int_equal(pthread_create(&visitor, NULL, visit, run), 0);
}

static int serve(struct run *run, struct cel_server_stats *stats)
{
    return cel_serve_workers(
        "127.0.0.1:0",
        &(struct cel_serve_workers_options){
            .workers = &three, .setup = set_up, .on_listening = tell, .arg = run, .stats = stats});
}

static void servers_answer_until_one_is_stopped(void **state)
{
    struct cel_server_stats stats;
    struct run run = {0};

    assert_int_equal(serve(&run, &stats), 0);
    pthread_join(visitor, NULL);
    assert_int_equal(run.told, 1);
    assert_int_equal(run.setups, COUNT);
    assert_int_equal(stats.requests, 40);
    assert_int_equal(stats.connections, 40);
}

static void keep_quiet(enum cel_log_level level, const char *line, void *arg)
{
}

static void servers_end_when_one_cannot_begin(void **state)
{
    cel_set_log(keep_quiet, NULL);
    for (unsigned nth = 1; nth <= COUNT; nth++) {
        struct cel_server_stats stats;
        struct run run = {.fail_at = nth};

        assert_int_equal(serve(&run, &stats), -EXDEV);
        assert_int_equal(run.told, 0);
        assert_int_equal(run.setups, nth);
    }
    cel_set_log(NULL, NULL);
}

static void address_of_no_use_is_told(void **state)
{
    struct cel_serve_workers_options options = {.workers = &three, .setup = set_up};
    struct run run = {0};
    char wide[300];

    cel_set_log(keep_quiet, NULL);
    options.arg = &run;
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    assert_int_equal(cel_serve_workers(wide, &options), -EINVAL);
    assert_int_equal(cel_serve_workers("nonsense", &options), -EINVAL);
    assert_int_equal(run.setups, 1);
    cel_set_log(NULL, NULL);
}

/* Ends itself once it listens, so that each run without a failure ends too. */
static void stop_all(const char *address, void *arg)
{
    raise(SIGTERM);
}

static int start_and_stop(void *arg)
{
    struct run run = {0};

    return cel_serve_workers("127.0.0.1:0",
                             &(struct cel_serve_workers_options){.workers = &three,
                                                                 .setup = set_up,
                                                                 .on_listening = stop_all,
                                                                 .arg = &run,
                                                                 .stops_on_signals = true});
}

static void signal_stops_all(void **state)
{
    assert_int_equal(start_and_stop(NULL), 0);
}

/* A failure may come before the signal was taken in: it must not end the process then. */
static int start_and_stop_once(void *arg)
{
    int r = start_and_stop(arg);
    struct timespec no_time = {0};

    (void)sigtimedwait(arg, NULL, &no_time);
    return r;
}

static void servers_survive_every_allocation_that_fails(void **state)
{
    sigset_t term, before;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    cel_set_log(keep_quiet, NULL);
    assert_true(fault_every_alloc(start_and_stop_once, &term) > 20);
    cel_set_log(NULL, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_answer_until_one_is_stopped),
        cmocka_unit_test(servers_end_when_one_cannot_begin),
        cmocka_unit_test(address_of_no_use_is_told),
        cmocka_unit_test(signal_stops_all),
        cmocka_unit_test(servers_survive_every_allocation_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
