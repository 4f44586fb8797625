/* SPDX-License-Identifier: MIT */
/* Processes, datagrams, descriptors waited for, signals, watches, terminals. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/net.h"
#include "celadon/process.h"
#include "celadon/signal.h"
#include "celadon/terminal.h"
#include "celadon/udp.h"
#include "celadon/unix.h"
#include "celadon/watch.h"
#include "harness/scenarios.h"

#define MS CEL_MILLISECOND

static void *scenario_process(void *arg)
{
    const char *const argv[] = {"cat", NULL};
    struct cel_output output;

    if (cel_process_run(argv, NULL, "text", 4, 100, &output) == 0) {
        CEL__ASSERT(output.out_len == 4 && strcmp(output.out, "text") == 0);
        cel_output_free(&output);
    }
    return NULL;
}

static void *scenario_process_stop(void *arg)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    struct cel_process *p;
    struct cel_exit exit = {0};

    if (cel_process_spawn(&p, argv, NULL) < 0)
        return NULL;
    CEL_SCOPE (s, .timeout = MS)
        (void)!cel_process_wait(p, NULL);
    CEL__ASSERT(cel_process_stop(p, MS, &exit) < 0 || exit.signo != 0);
    cel_process_close(p);
    return NULL;
}

/* The child goes on when its talk is cut short: closing gives it up. */
static void *scenario_process_talk(void *arg)
{
    const char *const argv[] = {"cat", NULL};
    const struct cel_process_options options = {.in.kind = CEL_STDIO_PIPE,
                                                .out.kind = CEL_STDIO_PIPE};
    struct cel_process *p;
    struct cel_output output;

    if (cel_process_spawn(&p, argv, &options) < 0)
        return NULL;
    if (cel_process_communicate(p, "text", 4, 100, &output) == 0) {
        CEL__ASSERT(output.out_len == 4 && strcmp(output.out, "text") == 0);
        cel_output_free(&output);
    }
    cel_process_close(p);
    return NULL;
}

static void *scenario_signals(void *arg)
{
    const int signos[] = {SIGURG, SIGWINCH}; /* ignored by default: one may be left */
    struct cel_signals *s;

    if (cel_signals_open(&s, signos, 2) < 0)
        return NULL;
    raise(SIGWINCH);
    if (cel_signals_next(s) == SIGWINCH) {
        CEL_SCOPE (scope, .timeout = MS)
            (void)!cel_signal_wait(signos, 2);
    }
    cel_signals_close(s);
    return NULL;
}

static void *resizes(void *arg)
{
    if (cel_sleep(MS / 2) == 0) {
        (void)ioctl((int)(intptr_t)arg, TIOCSWINSZ, &(struct winsize){.ws_row = 5, .ws_col = 7});
        raise(SIGWINCH); /* it is not this program's terminal */
    }
    return NULL;
}

static void *scenario_terminal(void *arg)
{
    int keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), line;
    struct cel_terminal_size size = {0};
    struct cel_terminal_guard *guard;

    CEL__ASSERT(keys >= 0 && grantpt(keys) == 0 && unlockpt(keys) == 0);
    line = open(ptsname(keys), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CEL__ASSERT(line >= 0);
    CEL_SCOPE (s)
        if (cel_terminal_size(line, &size) == 0 && cel_go(resizes, (void *)(intptr_t)keys) == 0 &&
            cel_terminal_resized(line, &size) == 0)
            CEL__ASSERT(size.rows == 5 && size.columns == 7);
    if (cel_terminal_enter(&guard, line, CEL_TERMINAL_RAW) == 0)
        (void)!cel_terminal_leave(guard);
    close(line);
    close(keys);
    return NULL;
}

static void *scenario_watch(void *arg)
{
    const struct cel_watch_options options = {.is_recursive = true};
    char folder[] = "/tmp/celadon-watch-XXXXXX", path[64];
    struct cel_watch_event event;
    struct cel_watch *w;

    CEL__ASSERT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/new", folder);
    if (cel_watch_open(&w, folder, &options) == 0) {
        mkdir(path, 0700);
        (void)!cel_watch_next(w, &event);
        CEL_SCOPE (s, .timeout = MS)
            (void)!cel_watch_next(w, &event);
        cel_watch_close(w);
    }
    rmdir(path);
    rmdir(folder);
    return NULL;
}

static void *scenario_datagram_batch(void *arg)
{
    struct cel_socket *a = NULL, *b = NULL;
    struct cel_datagram d = {.buf = "fourteen bytes", .len = 14, .segment = 4};
    char buf[16];

    if (cel_udp_open(&a, "127.0.0.1:0") == 0 && cel_udp_open(&b, NULL) == 0 &&
        cel_address_parse(cel_socket_address(a), &d.peer) == 0 &&
        cel_udp_send_batch(b, &d, 1) == 1) {
        struct cel_datagram in = {.buf = buf, .len = sizeof buf};

        (void)!cel_udp_recv_batch(a, &in, 1);
        CEL_SCOPE (s, .timeout = MS)
            while (cel_udp_recv_batch(a, &in, 1) > 0)
                continue;
    }
    cel_socket_close(a);
    cel_socket_close(b);
    return NULL;
}

static void *scenario_wait_many(void *arg)
{
    struct pollfd fds[20];
    int ends[2];

    CEL__ASSERT(pipe2(ends, O_CLOEXEC) == 0);
    for (int i = 0; i < 20; i++)
        fds[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    CEL_SCOPE (s, .timeout = MS)
        (void)!cel_wait_fds(fds, 20);
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

static void *scenario_wait_fds(void *arg)
{
    int first[2], second[2];
    struct pollfd fds[2];

    CEL__ASSERT(pipe2(first, O_CLOEXEC) == 0 && pipe2(second, O_CLOEXEC) == 0);
    fds[0] = (struct pollfd){.fd = first[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = second[0], .events = POLLIN};
    CEL_SCOPE (s, .timeout = MS)
        (void)!cel_wait_fds(fds, 2);
    CEL__ASSERT(write(second[1], "x", 1) == 1);
    if (cel_wait_fds(fds, 2) == 1)
        CEL__ASSERT(fds[0].revents == 0 && fds[1].revents == POLLIN);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
    return NULL;
}

static void *scenario_unix_datagram(void *arg)
{
    struct cel_socket *a = NULL, *b = NULL;
    struct sockaddr_storage at;
    ssize_t n = 1;
    char c;

    if (cel_unix_open(&a, NULL) == 0 && cel_unix_open(&b, NULL) == 0 &&
        cel_address_parse(cel_socket_address(b), &at) == 0) {
        CEL_SCOPE (s, .timeout = 3 * MS) /* a full queue is waited for */
            while (n == 1)
                n = cel_send_to(a, "x", 1, &at);
        (void)!cel_recv_from(b, &c, 1, NULL);
    }
    cel_socket_close(a);
    cel_socket_close(b);
    return NULL;
}

static void *scenario_process_terminal(void *arg)
{
    const char *const argv[] = {"echo", "shown", NULL};
    const struct cel_terminal_size size = {0};
    const struct cel_process_options o = {.terminal = &size};
    struct cel_process *p;
    char line[16];

    if (cel_process_spawn(&p, argv, &o) < 0)
        return NULL;
    if (cel_read_line(cel_process_terminal(p), line, sizeof line) > 0)
        (void)!cel_process_wait(p, NULL);
    (void)cel_process_stop(p, 0, NULL);
    cel_process_close(p);
    return NULL;
}

/* A child of another user, if this one may make some, with a mask and a descriptor of its own. */
static void *scenario_process_identity(void *arg)
{
    static const struct cel_identity nobody = {.uid = 65534, .gid = 65534};
    const char *const argv[] = {"sh", "-c", "echo x >&3; umask", NULL};
    struct cel_process_options o = {.has_umask = true, .umask = 077, .cwd = "/"};
    struct cel_output output;
    int ends[2];
    char c = 0;

    CEL__ASSERT(pipe2(ends, O_CLOEXEC) == 0);
    o.fds = &ends[1];
    o.fds_count = 1;
    o.identity = geteuid() == 0 ? &nobody : NULL;
    if (cel_process_run(argv, &o, "", 0, 100, &output) == 0) {
        CEL__ASSERT(strcmp(output.out, "0077\n") == 0);
        CEL__ASSERT(read(ends[0], &c, 1) == 1 && c == 'x');
        cel_output_free(&output);
    }
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

const struct scenario scenarios[] = {
    {"signals", scenario_signals, .needs_kernel = true},
    {"terminal", scenario_terminal, .needs_kernel = true},
    {"watch", scenario_watch, .uses_pool = true, .needs_kernel = true},
    {"datagram_batch", scenario_datagram_batch},
    {"wait_fds", scenario_wait_fds},
    {"wait_many", scenario_wait_many},
    {"unix_datagram", scenario_unix_datagram, .needs_kernel = true},
    {"process_terminal", scenario_process_terminal, .uses_pool = true, .needs_kernel = true},
    {"process", scenario_process, .uses_pool = true, .needs_kernel = true},
    {"process_identity", scenario_process_identity, .uses_pool = true, .needs_kernel = true},
    {"process_talk", scenario_process_talk, .uses_pool = true, .needs_kernel = true},
    {"process_stop", scenario_process_stop, .uses_pool = true, .needs_kernel = true},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

int scenarios_open(void **state)
{
    return 0;
}

int scenarios_close(void **state)
{
    return 0;
}
