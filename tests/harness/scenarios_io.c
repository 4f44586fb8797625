/* SPDX-License-Identifier: MIT */
/* Sockets, streams, TLS, names, descriptors, signals, files. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cc.h"
#include "base/sys.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "celadon/server.h"
#include "harness/scenario_tls.h"
#include "harness/scenarios.h"
#include "io/dns.h"
#include "io/resolve.h"

#define MS CEL_MILLISECOND

static void *echo(void *arg)
{
    char buf[4096];
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        if (cel_write(arg, buf, (size_t)n) < 0)
            break;
    cel_close(arg);
    return NULL;
}

static void *accepts_one(void *arg)
{
    struct cel_stream *peer;

    if (cel_accept(arg, &peer) == 0)
        return echo(peer);
    return NULL;
}

/* The descriptor is this task's between the two calls. */
static void *accepts_descriptor(void *arg)
{
    struct cel_stream *peer;
    int fd;

    if (cel_accept_fd(arg, &fd) < 0)
        return NULL;
    if (cel_stream_open(&peer, fd, true) == 0)
        return echo(peer);
    cel__sys.close(fd);
    return NULL;
}

static void talk(struct cel_stream *s)
{
    char buf[16];

    CEL__ASSERT(cel_stream_peer(s) != NULL && cel_stream_local(s) != NULL);
    for (int i = 0; i < 3; i++)
        if (cel_write(s, "0123456789abcdef", 16) != 16 || cel_read_exactly(s, buf, 16) != 16)
            break;
}

struct visit {
    const char *address; /* to listen on */
    const char *name;    /* to connect to; NULL: where it listens */
    struct cel_listen_options listen;
    struct cel_connect_options connect;
    cel_task_fn *host;
    void (*guest)(struct cel_stream *s);
};

static int dial(struct cel_stream **out, const struct visit *v, const struct cel_listener *door)
{
    const char *at = cel_listener_address(door), *colon = strrchr(at, ':');
    char address[128];

    snprintf(address, sizeof address, "%s", at);
    if (v->name != NULL && colon != NULL)
        snprintf(address, sizeof address, "%s%s", v->name, colon);
    return cel_connect(out, address, &v->connect);
}

static void *visits(const struct visit *v)
{
    struct cel_listener *door;
    struct cel_stream *s;

    if (cel_listen(&door, v->address, &v->listen) < 0)
        return NULL;
    CEL_SCOPE (scope) {
        if (cel_go(v->host, door) == 0 && dial(&s, v, door) == 0) {
            v->guest(s);
            cel_close(s);
        } else {
            cel_scope_cancel(&scope);
        }
    }
    cel_listener_close(door);
    return NULL;
}

static void *tcp_echo(void *arg)
{
    return visits(&(struct visit){.address = "127.0.0.1:0", .host = accepts_one, .guest = talk});
}

static void *echo_by_descriptor(void *arg)
{
    return visits(
        &(struct visit){.address = "127.0.0.1:0", .host = accepts_descriptor, .guest = talk});
}

static void *unix_echo(void *arg)
{
    return visits(
        &(struct visit){.address = "unix:@celadon-harness", .host = accepts_one, .guest = talk});
}

/* The file of a listener that is gone is in the way: it is taken away. */
static void *unix_stale(void *arg)
{
    char address[80];
    struct sockaddr_storage at;
    int fd;

    snprintf(address, sizeof address, "unix:%s/socket", cert_directory);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (cel_address_parse(address, &at) < 0 || fd < 0)
        return NULL;
    (void)!bind(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_un));
    close(fd);
    (void)visits(&(struct visit){.address = address, .host = accepts_one, .guest = talk});
    unlink(address + 5);
    return NULL;
}

/* The name may mean ::1 too, where nobody listens. */
static void *by_race(void *arg)
{
    return visits(&(struct visit){
        .address = "127.0.0.1:0", .name = "localhost", .host = accepts_one, .guest = talk});
}

static void half_closes(struct cel_stream *s)
{
    char buf[16];

    if (cel_write(s, "the question", 12) == 12 && cel_shutdown(s) == 0)
        while (cel_read(s, buf, sizeof buf) > 0)
            continue;
}

static void *answers_at_the_end(void *arg)
{
    struct cel_stream *s;
    char buf[64];
    ssize_t n, len = 0;

    if (cel_accept(arg, &s) < 0)
        return NULL;
    while ((n = cel_read(s, buf + len, sizeof buf - (size_t)len)) > 0)
        len += n;
    if (n == 0 && cel_write(s, buf, (size_t)len) == len)
        (void)!cel_shutdown(s);
    cel_close(s);
    return NULL;
}

static void *half_close(void *arg)
{
    return visits(&(struct visit){
        .address = "127.0.0.1:0", .host = answers_at_the_end, .guest = half_closes});
}

static void *tls_echo(void *arg)
{
    return visits(&(struct visit){.address = "127.0.0.1:0",
                                  .listen.tls = server_tls,
                                  .connect.tls = client_tls,
                                  .host = accepts_one,
                                  .guest = talk});
}

static void *tls_half_close(void *arg)
{
    return visits(&(struct visit){.address = "127.0.0.1:0",
                                  .listen.tls = server_tls,
                                  .connect.tls = client_tls,
                                  .host = answers_at_the_end,
                                  .guest = half_closes});
}

static void *tls_refused(void *arg)
{
    return visits(&(struct visit){.address = "127.0.0.1:0",
                                  .listen.tls = server_tls,
                                  .connect = {client_tls, "another.name", false},
                                  .host = accepts_one,
                                  .guest = talk});
}

static void *tls_context(void *arg)
{
    struct cel_tls *tls;
    const struct cel_tls_options options = {.cert_file = cert_path("good"),
                                            .ca_file = cert_path("ca"),
                                            .alpn = "http/1.1",
                                            .verify_client = true};

    if (cel_tls_new(&tls, &options) == 0)
        cel_tls_free(tls);
    return NULL;
}

static void *starts_tls_as_server(void *arg)
{
    if (cel_stream_start_tls(arg, server_tls, NULL, true) == 0)
        return echo(arg);
    cel_close(arg);
    return NULL;
}

static void *tls_over_pair(void *arg)
{
    struct cel_stream *a, *b;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(starts_tls_as_server, b) < 0)
            cel_close(b);
        else if (cel_stream_start_tls(a, client_tls, "good.test", false) == 0)
            talk(a);
        cel_close(a);
    }
    return NULL;
}

/* Whoever was spawned comes to stand in its call. */
static void stand_in_place(void)
{
    CEL_SCOPE (shield, .is_shielded = true)
        (void)cel_yield();
}

static void *accepts_all(void *arg)
{
    struct cel_stream *peer;

    while (cel_accept(arg, &peer) == 0)
        if (cel_go(echo, peer) < 0)
            cel_close(peer);
    return NULL;
}

static void *calls_once(void *arg)
{
    struct cel_stream *s;

    if (cel_connect(&s, arg, NULL) < 0)
        return NULL;
    talk(s);
    cel_close(s);
    return NULL;
}

static void *crowd(void *arg)
{
    struct cel_listener *door;
    char address[64];

    if (cel_listen(&door, "127.0.0.1:0", NULL) < 0)
        return NULL;
    snprintf(address, sizeof address, "%s", cel_listener_address(door));
    CEL_SCOPE (s) {
        struct cel_task *guests[4];

        if (cel_go(accepts_all, door) == 0) {
            stand_in_place();
            for (int i = 0; i < 4; i++)
                guests[i] = cel_spawn(calls_once, address);
            (void)!cel_gather_outcomes(guests, 4, NULL, NULL);
        }
        cel_listener_close(door); /* under who accepts */
    }
    return NULL;
}

static int pipe_streams(struct cel_stream **in, struct cel_stream **out)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    if (cel_stream_open(in, ends[0], true) < 0) {
        close(ends[0]);
        close(ends[1]);
        return -ENOMEM;
    }
    if (cel_stream_open(out, ends[1], true) < 0) {
        cel_close(*in);
        close(ends[1]);
        return -ENOMEM;
    }
    return 0;
}

static void *writes_and_closes(void *arg)
{
    for (int i = 0; i < 3; i++)
        if (cel_write(arg, "some bytes", 10) < 0 || cel_yield() < 0)
            break;
    cel_close(arg);
    return NULL;
}

static void *pipes(void *arg)
{
    struct cel_stream *in, *out;
    char buf[8];

    if (pipe_streams(&in, &out) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(writes_and_closes, out) < 0)
            cel_close(out);
        while (cel_read(in, buf, sizeof buf) > 0)
            continue;
    }
    cel_close(in);
    return NULL;
}

/* Nobody reads: no SIGPIPE may come of it. */
static void *broken_pipe(void *arg)
{
    struct cel_stream *in, *out;

    if (pipe_streams(&in, &out) < 0)
        return NULL;
    cel_close(in);
    for (int i = 0; i < 2; i++)
        CEL__ASSERT(cel_write(out, "x", 1) < 0);
    cel_close(out);
    return NULL;
}

static void *refused(void *arg)
{
    struct sockaddr_in6 of_link = {
        .sin6_family = AF_INET6, .sin6_addr = {{{0xfe, 0x80}}}, .sin6_scope_id = 1};
    struct sockaddr_storage at = {0};
    struct cel_stream *s;
    char text[128];

    memcpy(&at, &of_link, sizeof of_link);
    CEL__ASSERT(cel_address_format(&at, text, sizeof text) != NULL);

    if (cel_connect(&s, "127.0.0.1:1", NULL) == 0)
        cel_close(s);
    return NULL;
}

static void *by_name(void *arg)
{
    struct sockaddr_storage out[4];
    size_t n = 4;

    (void)!cel_resolve("localhost", 80, out, &n);
    return NULL;
}

static void *writes_lines(void *arg)
{
    const struct iovec iov[] = {{"one\ntw", 6}, {"o\nthree", 7}};

    (void)cel_yield();
    if (cel_writev(arg, iov, 2) == 13)
        (void)!cel_shutdown(arg);
    cel_close(arg);
    return NULL;
}

static void *reads_lines(void *arg)
{
    struct cel_stream *a, *b;
    const char *data;
    char line[16];

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(writes_lines, b) < 0) {
            cel_close(b);
        } else if (cel_read_until(a, '\n', line, sizeof line) == 4 && cel_peek(a, &data, 4) >= 4) {
            cel_consume(a, 4);
            while (cel_read(a, line, 2) > 0)
                continue;
        }
    }
    cel_close(a);
    return NULL;
}

struct bulk {
    struct cel_stream *stream;
    size_t got;
    bool has_failed;
};

static void *reads_slowly(void *arg)
{
    struct bulk *bulk = arg;
    static char buf[65536];
    ssize_t n = 0;

    /* Not to be cancelled: it must count all that went out. */
    CEL_SCOPE (shield, .is_shielded = true)
        while ((n = cel_read(bulk->stream, buf, sizeof buf)) > 0) {
            bulk->got += (size_t)n;
            (void)cel_yield();
        }
    bulk->has_failed = n < 0;
    return NULL;
}

/* What `written` says is what the peer gets, whatever ended the write. */
static void *writes_much(void *arg)
{
    enum { MUCH = 1 << 20 };
    static char much[MUCH];
    struct cel_stream *a;
    struct bulk bulk = {0};
    size_t written = 0;
    bool is_clean = true;

    if (cel_stream_pair(&a, &bulk.stream) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(reads_slowly, &bulk) == 0) {
            ssize_t n = cel_write(a, much, MUCH);

            written = cel_stream_written(a);
            is_clean = n >= 0 || n == -ECANCELED || n == -ETIMEDOUT;
            if (n == -ECANCELED && cel_checkpoint() == 0)
                is_clean = false;
        }
        cel_close(a);
    }
    cel_close(bulk.stream);
    CEL__ASSERT(!is_clean || bulk.has_failed || bulk.got == written);
    return NULL;
}

/* A name server that never answers: whoever wants a name waits for it. */
static void *by_mute_server(void *arg)
{
    struct cel__dns_options options = {.timeout_ms = 5, .tries = 1};
    struct cel_server *site = cel_server_new(NULL);
    struct cel_listener *door;
    struct cel_socket *mute = NULL;

    if (cel_udp_open(&mute, "127.0.0.1:0") == 0) {
        options.servers = cel_socket_address(mute);
        if (cel__resolve_configure(&options) == 0) {
            if (cel_listen(&door, "no.such.name:0", NULL) == 0)
                cel_listener_close(door);
            CEL__ASSERT(cel_server_listen(site, "no.such.name:0") < 0);
        }
    }
    cel_server_free(site);
    cel_socket_close(mute);
    return NULL;
}

static void *reads_forever(void *arg)
{
    char c;
    ssize_t n = cel_read(arg, &c, 1);

    CEL__ASSERT(n < 0);
    return NULL;
}

static void *closes_under_reader(void *arg)
{
    struct cel_stream *a, *b;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(reads_forever, a) == 0)
            stand_in_place();
        cel_close(a);
    }
    cel_close(b);
    return NULL;
}

static void *datagrams(void *arg)
{
    struct cel_socket *a = NULL, *b = NULL;
    struct sockaddr_storage to;
    char buf[8];

    if (cel_udp_open(&a, "127.0.0.1:0") == 0 && cel_udp_open(&b, NULL) == 0 &&
        cel_address_parse(cel_socket_address(a), &to) == 0 && cel_send_to(b, "ping", 4, &to) == 4)
        (void)!cel_recv_from(a, buf, sizeof buf, NULL);
    cel_socket_close(a);
    cel_socket_close(b);
    return NULL;
}

static void *pokes(void *arg)
{
    if (cel_sleep(MS) == 0)
        (void)!write((int)(intptr_t)arg, "x", 1);
    return NULL;
}

static void *waits_for_input(void *arg)
{
    (void)!cel_wait_fd((int)(intptr_t)arg, POLLIN);
    return NULL;
}

static void *waits_fd(void *arg)
{
    int ends[2];

    if (pipe(ends) < 0)
        return NULL;
    CEL_SCOPE (s)
        if (cel_go(pokes, (void *)(intptr_t)ends[1]) == 0)
            (void)!cel_wait_fd(ends[0], POLLIN);
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

/* Two wait for one descriptor. */
static void *waits_fd_twice(void *arg)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    CEL_SCOPE (s) {
        (void)!cel_spawn(waits_for_input, (void *)(intptr_t)ends[0]);
        (void)!cel_spawn(waits_for_input, (void *)(intptr_t)ends[0]);
        if (cel_yield() < 0 || write(ends[1], "x", 1) < 0)
            cel_scope_cancel(&s);
    }
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

static void *receives(void *arg)
{
    char buf[8];

    (void)!cel_recv_from(arg, buf, sizeof buf, NULL);
    return NULL;
}

static void *closes_under_receiver(void *arg)
{
    struct cel_socket *a;

    if (cel_udp_open(&a, "127.0.0.1:0") < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(receives, a) == 0)
            stand_in_place();
        cel_socket_close(a);
    }
    return NULL;
}

static void *no_such_name(void *arg)
{
    struct cel_stream *s;

    if (cel_connect(&s, "no name at all:80", NULL) == 0)
        cel_close(s);
    if (cel_connect(&s, "[fe80::1%lo]:1", NULL) == 0)
        cel_close(s);
    return NULL;
}

struct heard {
    bool has_come;
    int signo;
};

static void hear(void *arg, int signo)
{
    *(struct heard *)arg = (struct heard){true, signo};
}

static void *signals(void *arg)
{
    static struct heard heard;
    struct cel_signal *a = NULL, *b = NULL;
    struct cel_loop *loop = cel_loop_current();

    heard = (struct heard){0};
    if (cel_signal_start(loop, &a, SIGUSR1, hear, &heard) == 0 &&
        cel_signal_start(loop, &b, SIGUSR2, hear, &heard) == 0) {
        raise(SIGUSR1);
        for (int i = 0; i < 100 && !heard.has_come && cel_sleep(MS / 10) == 0; i++)
            continue;
    } else if (a != NULL) {
        raise(SIGUSR1);
        (void)cel_sleep(MS / 10);
    }
    /* A signal that is still pending when it is let through again would end the program. */
    if (a != NULL && !heard.has_come)
        sigtimedwait(&(sigset_t){{1UL << (SIGUSR1 - 1)}}, NULL, &(struct timespec){0});
    cel_signal_stop(a);
    cel_signal_stop(b);
    return NULL;
}

static void op_ended(void *arg, int64_t result)
{
    (void)cel_future_set(arg, "ended");
}

/* Completion callbacks, and a cancel of one that waits. */
static void *handles(void *arg)
{
    struct cel_future *read_done = cel_future_new(), *write_done = cel_future_new();
    struct cel_handle *h = NULL;
    struct cel_op *op = NULL;
    static char buf[4];
    int ends[2] = {-1, -1};

    if (read_done != NULL && write_done != NULL &&
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 &&
        cel_handle_open(cel_loop_current(), &h, ends[0], false) == 0) {
        bool reads = cel_op_read(h, buf, sizeof buf, op_ended, read_done, &op) == 0;
        bool writes = cel_op_write(h, "abc", 3, op_ended, write_done, NULL) == 0;

        (void)cel_sleep(MS / 4);
        if (reads && !cel_is_done(read_done))
            cel_op_cancel(op);
        CEL_SCOPE (shield, .is_shielded = true) {
            if (reads)
                (void)!cel_await(read_done, NULL);
            if (writes)
                (void)!cel_await(write_done, NULL);
        }
    }
    cel_handle_close(h);
    close(ends[0]);
    close(ends[1]);
    cel_future_free(read_done);
    cel_future_free(write_done);
    return NULL;
}

static void take_fd(void *arg, int64_t result)
{
    if (result >= 0)
        close((int)result);
    (void)cel_future_set(arg, "ended");
}

/* Callbacks for a peer who comes and for bytes that do not. */
static void *handle_accepts(void *arg)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX}; /* the kernel finds a name */
    struct cel_future *accepted = cel_future_new(), *polled = cel_future_new();
    struct cel_handle *h = NULL;
    struct cel_op *poll = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (accepted != NULL && polled != NULL && bind(fd, (void *)&at, sizeof at.sun_family) == 0 &&
        listen(fd, 1) == 0 && cel_handle_open(cel_loop_current(), &h, fd, false) == 0) {
        struct cel_op *accept = NULL;
        bool accepts = cel_op_accept(h, take_fd, accepted, &accept) == 0;
        bool polls = cel_op_poll(h, POLLIN, op_ended, polled, &poll) == 0;

        (void)cel_yield();
        if (accepts)
            cel_op_cancel(accept);
        if (polls)
            cel_op_cancel(poll);
        CEL_SCOPE (shield, .is_shielded = true) {
            if (accepts)
                (void)!cel_await(accepted, NULL);
            if (polls)
                (void)!cel_await(polled, NULL);
        }
    }
    cel_handle_close(h);
    close(fd);
    cel_future_free(accepted);
    cel_future_free(polled);
    return NULL;
}

static void *file_facts(void *arg)
{
    struct cel_file *f;
    struct stat st;

    if (cel_file_open(&f, cert_path("ca"), O_RDONLY, 0) < 0)
        return NULL;
    (void)!cel_file_stat(f, &st);
    cel_file_close(f);
    if (cel_file_open(&f, "/nowhere/at/all", O_RDONLY, 0) == 0)
        cel_file_close(f);
    return NULL;
}

static void *files(void *arg)
{
    char path[] = "/tmp/celadon-test-XXXXXX", buf[8], *all = NULL;
    int fd = mkstemp(path);
    struct cel_file *f;
    size_t len;

    if (fd < 0)
        return NULL;
    close(fd);
    if (cel_file_open(&f, path, O_RDWR, 0) == 0) {
        if (cel_file_write(f, "content", 7, 0) == 7 && cel_file_sync(f) == 0)
            (void)!cel_file_read(f, buf, sizeof buf, 0);
        cel_file_close(f);
    }
    if (cel_file_load(path, 100, &all, &len) == 0)
        cel_free(all);
    unlink(path);
    return NULL;
}

const struct scenario scenarios[] = {
    {"tcp_echo", tcp_echo},
    {"accept_fd", echo_by_descriptor},
    {"unix_echo", unix_echo},
    {"unix_stale", unix_stale},
    {"crowd", crowd},
    {"refused", refused},
    {"by_name", by_name},
    {"by_mute_server", by_mute_server, .needs_kernel = true},
    {"by_race", by_race},
    {"no_such_name", no_such_name},
    {"half_close", half_close},
    {"lines", reads_lines},
    {"much", writes_much},
    {"close", closes_under_reader},
    {"pipes", pipes},
    {"broken_pipe", broken_pipe},
    {"tls_echo", tls_echo},
    {"tls_half_close", tls_half_close},
    {"tls_refused", tls_refused},
    {"tls_pair", tls_over_pair},
    {"tls_context", tls_context},
    {"datagrams", datagrams},
    {"datagram_close", closes_under_receiver},
    {"wait_fd", waits_fd},
    {"wait_fd_twice", waits_fd_twice},
    {"signals", signals},
    {"handles", handles},
    {"handle_accepts", handle_accepts, .needs_kernel = true},
    {"files", files, .uses_pool = true},
    {"file_facts", file_facts, .uses_pool = true},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
