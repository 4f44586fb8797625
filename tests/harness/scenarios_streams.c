/* SPDX-License-Identifier: MIT */
/* Streams put to use: descriptors handed over, copies, relays, writers, lines, shared descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "celadon/relay.h"
#include "celadon/terminal.h"
#include "celadon/unix.h"
#include "celadon/writer.h"
#include "harness/scenarios.h"

#define MS CEL_MILLISECOND

static void *sends_descriptor(void *arg)
{
    int fd = 1;

    (void)!cel_send_fds(arg, "x", 1, &fd, 1);
    return NULL;
}

static void *scenario_descriptors(void *arg)
{
    struct cel_stream *a, *b;
    size_t count = 1;
    int fd;
    char c;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s)
        if (cel_go(sends_descriptor, a) == 0 && cel_recv_fds(b, &c, 1, &fd, &count) > 0) {
            CEL__ASSERT(count == 1);
            close(fd);
        }
    cel_close(a);
    cel_close(b);
    return NULL;
}

static void *drains_later(void *arg)
{
    static char buf[65536];
    size_t count = 0;

    (void)cel_sleep(2 * MS);
    CEL_SCOPE (shield, .is_shielded = true)
        while (cel_recv_fds(arg, buf, sizeof buf, NULL, &count) > 0)
            count = 0; /* no room for any */
    return NULL;
}

/* The socket takes nothing more for a while. */
static void *scenario_descriptors_wait(void *arg)
{
    static char much[1 << 20];
    struct cel_stream *a, *b;
    int fd = 1;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        CEL_SCOPE (filling, .timeout = MS / 2)
            (void)!cel_write(a, much, sizeof much);
        if (cel_go(drains_later, b) == 0)
            (void)!cel_send_fds(a, "x", 1, &fd, 1);
        cel_close(a); /* who drains comes to the end, whatever happened */
    }
    cel_close(b);
    return NULL;
}

static void *writes_and_ends(void *arg)
{
    for (int i = 0; i < 3 && cel_write(arg, "bytes", 5) == 5 && cel_yield() == 0; i++)
        continue;
    (void)!cel_shutdown(arg);
    return NULL;
}

static void *scenario_copy(void *arg)
{
    struct cel_stream *from[2], *to[2];
    char buf[15];

    if (cel_stream_pair(&from[0], &from[1]) < 0)
        return NULL;
    if (cel_stream_pair(&to[0], &to[1]) == 0) {
        CEL_SCOPE (s)
            if (cel_go(writes_and_ends, from[0]) == 0 && cel_copy(from[1], to[0], -1) == 15)
                (void)!cel_read_exactly(to[1], buf, 15);
        cel_close(to[0]);
        cel_close(to[1]);
    }
    cel_close(from[0]);
    cel_close(from[1]);
    return NULL;
}

static void *joins_streams(void *arg)
{
    struct cel_stream **ends = arg;

    (void)!cel_pipe_through(ends[0], ends[1], NULL);
    return NULL;
}

static void *answers(void *arg)
{
    char c;

    if (cel_read(arg, &c, 1) == 1 && cel_write(arg, &c, 1) == 1)
        (void)!cel_shutdown(arg);
    return NULL;
}

static void *scenario_relay(void *arg)
{
    struct cel_stream *near, *far, *middle[2];
    char c;

    if (cel_stream_pair(&near, &middle[0]) < 0)
        return NULL;
    if (cel_stream_pair(&middle[1], &far) == 0) {
        CEL_SCOPE (s) {
            if (cel_go(joins_streams, middle) < 0 || cel_go(answers, far) < 0 ||
                cel_write(near, "x", 1) < 0 || cel_shutdown(near) < 0 || cel_read(near, &c, 1) < 0)
                cel_scope_cancel(&s);
        }
        cel_close(middle[1]);
        cel_close(far);
    }
    cel_close(near);
    cel_close(middle[0]);
    return NULL;
}

static void *scenario_send_file(void *arg)
{
    struct cel_stream *a, *b;
    struct cel_file *file;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    if (cel_file_temp(&file, NULL) == 0) {
        if (cel_file_write(file, "bytes", 5, 0) == 5)
            (void)!cel_send_file(a, file, 0, -1);
        cel_file_close(file);
    }
    cel_close(a);
    cel_close(b);
    return NULL;
}

static void echo_one(struct cel_stream *stream, void *arg)
{
    char c;

    if (cel_read(stream, &c, 1) == 1)
        (void)!cel_write(stream, &c, 1);
}

static void *serves(void *arg)
{
    (void)!cel_listener_serve(arg, echo_one, NULL, 1);
    return NULL;
}

static void *scenario_serve(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;
    char c;

    if (cel_listen(&door, "127.0.0.1:0", NULL) < 0)
        return NULL;
    CEL_SCOPE (scope) {
        if (cel_go(serves, door) == 0) {
            if (cel_connect(&s, cel_listener_address(door),
                            &(struct cel_connect_options){.local = "127.0.0.2:0"}) == 0) {
                if (cel_write(s, "x", 1) == 1)
                    (void)!cel_read(s, &c, 1);
                cel_close(s);
            }
            cel_listener_stop(door, MS);
        }
    }
    cel_listener_close(door);
    return NULL;
}

static void *scenario_writer(void *arg)
{
    struct cel_stream *a, *b;
    struct cel_writer *w;
    char buf[8];

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    if (cel_writer_new(&w, a, 1, 2) == 0) {
        if (cel_writer_put(w, "four", 4) == 0 && cel_writer_drain(w) == 0)
            (void)!cel_read_exactly(b, buf, 4);
        (void)!cel_writer_put(w, "more", 4);
        cel_writer_free(w);
    }
    cel_close(a);
    cel_close(b);
    return NULL;
}

static void *scenario_writer_flush(void *arg)
{
    static char much[1 << 20];
    struct cel_stream *a, *b;
    struct cel_writer *w;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(drains_later, b) == 0 && cel_writer_new(&w, a, 1, 2) == 0) {
            if (cel_writer_put(w, much, sizeof much) == 0 && cel_writer_flush(w) == 0)
                CEL__ASSERT(cel_writer_pending(w) == 0);
            cel_writer_free(w);
        }
        cel_close(a);
    }
    cel_close(b);
    return NULL;
}

static void *writes_slowly(void *arg)
{
    const char *text = "a\r\nb|c";

    for (; *text != '\0' && cel_write(arg, text, 1) == 1; text++)
        (void)cel_yield();
    cel_close(arg);
    return NULL;
}

static void *scenario_read_lines(void *arg)
{
    const struct cel_str any[] = {CEL_LIT("|"), CEL_LIT("\n")};
    struct cel_stream *a, *b;
    char line[8];

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(writes_slowly, b) < 0)
            cel_close(b);
        else if (cel_read_line(a, line, sizeof line) == 1 && cel_stream_feed(a, "x", 1) == 0 &&
                 cel_read_until_any(a, any, 2, line, sizeof line, NULL) == 3)
            (void)!cel_read_line(a, line, sizeof line);
    }
    cel_close(a);
    return NULL;
}

static void *scenario_share(void *arg)
{
    struct cel_stream *in = NULL, *out = NULL;
    int fds[2];
    char c;

    CEL__ASSERT(pipe2(fds, O_CLOEXEC) == 0);
    if (cel_stream_share(&in, fds[0]) == 0 && cel_stream_share(&out, fds[1]) == 0 &&
        cel_write(out, "x", 1) == 1)
        (void)!cel_read(in, &c, 1);
    CEL__ASSERT(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
    cel_close(in);
    cel_close(out);
    close(fds[0]);
    close(fds[1]);
    return NULL;
}

/* A socket cannot be opened anew: a thread reads it. */
static void *scenario_share_socket(void *arg)
{
    struct cel_stream *in = NULL;
    int fds[2];
    char c;

    CEL__ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    if (cel_stream_share(&in, fds[0]) == 0 && write(fds[1], "x", 1) == 1)
        (void)!cel_read(in, &c, 1);
    cel_close(in);
    close(fds[0]);
    close(fds[1]);
    return NULL;
}

const struct scenario scenarios[] = {
    {"descriptors", scenario_descriptors},
    {"descriptors_wait", scenario_descriptors_wait},
    {"copy", scenario_copy},
    {"relay", scenario_relay},
    {"send_file", scenario_send_file, .uses_pool = true},
    {"serve", scenario_serve},
    {"writer", scenario_writer},
    {"writer_flush", scenario_writer_flush},
    {"read_lines", scenario_read_lines},
    {"share", scenario_share, .uses_pool = true},
    {"share_socket", scenario_share_socket, .uses_pool = true, .needs_kernel = true},
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
