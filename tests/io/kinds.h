/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_KINDS_H
#define TESTS_IO_KINDS_H

/* The kinds of stream, each as a maker of two joined ones. What is written to `a` is read from `b`,
 * and where a kind goes both ways the other way round too. A new kind is a function and a line of
 * the table. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "celadon/file.h"
#include "celadon/green.h"
#include "celadon/process.h"
#include "certs.h"
#include "pairs.h"

/* What not every kind has. */
enum {
    BOTH_WAYS = 1, /* and cel_shutdown ends one of them */
    RESETS = 2,    /* cel_stream_abort is told to the peer */
    SEALED = 4,    /* TLS: a write cannot be taken up again, an end can be told from a cut */
    BORROWED = 8,  /* the ends are not the program's to close */
    REAL = 16,     /* not on the simulated machine */
    SOCKETS = 32,  /* can tell whether it is quiet */
    TERMINAL = 64, /* who hangs up is an error to the other side, and no end */
    FILED = 128,   /* never waits: what is not there yet is the end */
};

/* A task that hands on, by libc's own calls. */
struct carrier {
    int from, to;
    struct cel_task *task; /* NULL: there is none */
};

struct ends {
    struct cel_stream *a, *b; /* NULL: closed */
    struct cel_process *child;
    struct cel_tls *tls[2];
    struct carrier carriers[2];
};

struct kind {
    const char *name;
    void (*join)(struct ends *e);
    unsigned traits;
};

static inline void take_joined(struct ends *e, struct joined j)
{
    e->a = j.a;
    e->b = j.b;
}

static inline void join_sockets(struct ends *e)
{
    take_joined(e, join(PAIR_SOCKETS));
}

static inline void join_tcp(struct ends *e)
{
    take_joined(e, join(PAIR_TCP));
}

static inline void join_unix(struct ends *e)
{
    take_joined(e, join(PAIR_UNIX));
}

/* Descriptors from elsewhere. */
static inline void join_wrapped(struct ends *e)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(cel_stream_open(&e->a, fds[0], true), 0);
    assert_int_equal(cel_stream_open(&e->b, fds[1], true), 0);
}

static inline void join_pipe(struct ends *e)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(cel_stream_open(&e->b, fds[0], true), 0);
    assert_int_equal(cel_stream_open(&e->a, fds[1], true), 0);
}

static inline void make_tls(struct ends *e)
{
    const struct cel_tls_options server = {.cert_file = cert_path("good")};
    const struct cel_tls_options client = {.ca_file = cert_path("ca")};

    assert_int_equal(cel_tls_new(&e->tls[0], &client), 0);
    assert_int_equal(cel_tls_new(&e->tls[1], &server), 0);
}

static inline void *shake_hands(void *arg)
{
    struct ends *e = arg;

    assert_int_equal(cel_stream_start_tls(e->b, e->tls[1], NULL, true), 0);
    return NULL;
}

/* Both hands are shaken, and the server's tickets are read, so that the stream is as quiet as
 * another. */
static inline void seal(struct ends *e)
{
    struct cel_task *server;
    char byte;

    make_tls(e);
    server = cel_spawn(shake_hands, e);
    assert_int_equal(cel_stream_start_tls(e->a, e->tls[0], "good.test", false), 0);
    assert_int_equal(cel_join(server, NULL), 0);
    assert_int_equal(cel_write(e->b, "!", 1), 1);
    assert_int_equal(cel_read(e->a, &byte, 1), 1);
}

static inline void join_tls_over_tcp(struct ends *e)
{
    join_tcp(e);
    seal(e);
}

static inline void join_tls_over_sockets(struct ends *e)
{
    join_sockets(e);
    seal(e);
}

static inline void *let_in_and_greet(void *arg)
{
    struct cel_stream *s = accept_one(arg);

    assert_int_equal(cel_write(s, "!", 1), 1); /* and so shakes hands */
    return s;
}

/* As programs have it: the server's hand is shaken at its first write. */
static inline void join_tls_by_listener(struct ends *e)
{
    struct cel_listener *door;
    struct cel_task *server;
    void *accepted;
    char byte;

    make_tls(e);
    assert_int_equal(
        cel_listen(&door, "127.0.0.1:0", &(struct cel_listen_options){.tls = e->tls[1]}), 0);
    server = cel_spawn(let_in_and_greet, door);
    assert_int_equal(
        cel_connect(&e->a, cel_listener_address(door),
                    &(struct cel_connect_options){.tls = e->tls[0], .server_name = "good.test"}),
        0);
    assert_int_equal(cel_read(e->a, &byte, 1), 1);
    assert_int_equal(cel_join(server, &accepted), 0);
    e->b = accepted;
    cel_listener_close(door);
}

/* A child stands between: it hands on what it reads. */
static inline void join_child(struct ends *e)
{
    static const char *const argv[] = {"cat", NULL};
    const struct cel_process_options options = {.in.kind = CEL_STDIO_PIPE,
                                                .out.kind = CEL_STDIO_PIPE};

    assert_int_equal(cel_process_spawn(&e->child, argv, &options), 0);
    e->a = cel_process_stdin(e->child);
    e->b = cel_process_stdout(e->child);
}

/* What the line says comes to who holds the keys. */
static inline void join_terminal(struct ends *e)
{
    int keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), line;
    struct termios raw;

    assert_true(keys >= 0 && grantpt(keys) == 0 && unlockpt(keys) == 0);
    line = open(ptsname(keys), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(line >= 0 && tcgetattr(line, &raw) == 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(line, TCSANOW, &raw), 0);
    assert_int_equal(cel_stream_open(&e->a, line, true), 0);
    assert_int_equal(cel_stream_open(&e->b, keys, true), 0);
}

/* Two positions in one file. */
static inline void join_file(struct ends *e)
{
    char path[] = "/tmp/celadon-test-XXXXXX";
    struct cel_file *files[2];

    close(mkstemp(path));
    assert_int_equal(cel_file_open(&files[0], path, O_WRONLY, 0), 0);
    assert_int_equal(cel_file_open(&files[1], path, O_RDONLY, 0), 0);
    unlink(path);
    assert_int_equal(cel_file_stream(&e->a, files[0], 0), 0);
    assert_int_equal(cel_file_stream(&e->b, files[1], 0), 0);
}

/* read and write wait for others here: with libceladon-green before libc they park. */
static inline void *carry(void *arg)
{
    struct carrier *c = arg;
    char buf[9000];
    ssize_t n, m = 0;

    while (m >= 0 && (n = read(c->from, buf, sizeof buf)) > 0)
        for (ssize_t at = 0; m >= 0 && at < n; at += m)
            m = send(c->to, buf + at, (size_t)(n - at), MSG_NOSIGNAL);
    (void)shutdown(c->to, SHUT_WR);
    if (m < 0)
        (void)shutdown(c->from, SHUT_RD);
    return NULL;
}

static inline void join_green(struct ends *e)
{
    int near[2], far[2];

    assert_true(cel_green_is_active());
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, near), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, far), 0);
    assert_int_equal(cel_stream_open(&e->a, near[0], true), 0);
    assert_int_equal(cel_stream_open(&e->b, far[1], true), 0);
    e->carriers[0] = (struct carrier){.from = near[1], .to = far[0]};
    e->carriers[1] = (struct carrier){.from = far[0], .to = near[1]};
    for (int i = 0; i < 2; i++)
        e->carriers[i].task = cel_spawn(carry, &e->carriers[i]);
}

static inline void join_carriers(struct ends *e)
{
    if (e->carriers[0].task == NULL)
        return;
    for (int i = 0; i < 2; i++)
        assert_int_equal(cel_join(e->carriers[i].task, NULL), 0);
    close(e->carriers[0].from);
    close(e->carriers[0].to);
}

#ifdef KINDS_OF_GREEN
static const struct kind kinds[] = {{"green", join_green, BOTH_WAYS | SOCKETS | REAL}};
#else
static const struct kind kinds[] = {
    {"socketpair", join_sockets, BOTH_WAYS | SOCKETS},
    {"tcp", join_tcp, BOTH_WAYS | RESETS | SOCKETS},
    {"unix", join_unix, BOTH_WAYS | SOCKETS},
    {"wrapped", join_wrapped, BOTH_WAYS | SOCKETS | REAL},
    {"pipe", join_pipe, REAL},
    {"tls over tcp", join_tls_over_tcp, BOTH_WAYS | RESETS | SEALED | SOCKETS},
    {"tls over socketpair", join_tls_over_sockets, BOTH_WAYS | SEALED | SOCKETS},
    {"tls by listener", join_tls_by_listener, BOTH_WAYS | RESETS | SEALED | SOCKETS},
    {"child", join_child, BORROWED | REAL},
    {"terminal", join_terminal, TERMINAL | REAL},
    {"file", join_file, FILED | REAL},
};
#endif

/* The end of what `a` writes: a half-close, or the only close there is. */
static inline void end_writing(struct ends *e, const struct kind *k)
{
    if (k->traits & BOTH_WAYS) {
        assert_int_equal(cel_shutdown(e->a), 0);
    } else if (k->traits & BORROWED) {
        cel_process_close_stdin(e->child);
        e->a = NULL;
    } else {
        cel_close(e->a);
        e->a = NULL;
    }
}

static inline void close_end(struct cel_stream **s)
{
    cel_close(*s);
    *s = NULL;
}

static inline void part_ends(struct ends *e)
{
    if (e->child != NULL) {
        cel_process_close(e->child);
        return;
    }
    close_end(&e->a);
    close_end(&e->b);
    join_carriers(e);
    cel_tls_free(e->tls[0]);
    cel_tls_free(e->tls[1]);
}

#endif
