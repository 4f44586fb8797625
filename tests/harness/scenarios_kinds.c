/* SPDX-License-Identifier: MIT */
/* Processes, paths, descriptors handed over, relays, writers, signals, watches, terminals. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "celadon/process.h"
#include "celadon/relay.h"
#include "celadon/signal.h"
#include "celadon/terminal.h"
#include "celadon/udp.h"
#include "celadon/unix.h"
#include "celadon/watch.h"
#include "celadon/writer.h"
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

static void use_folder(const char *folder)
{
    char path[128], to[128], line[16], **names;
    struct cel_stream *s;
    struct cel_file *file;

    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(to, sizeof to, "%s/copy", folder);
    if (cel_file_save(path, "one\ntwo\n", 8, 0600) < 0 || cel_path_copy(path, to) < 0)
        return;
    if (cel_file_open(&file, to, 0, 0) == 0) {
        if (cel_file_stream(&s, file, 4) < 0) {
            cel_file_close(file);
        } else {
            (void)!cel_read_until(s, '\n', line, sizeof line);
            cel_close(s);
        }
    }
    if (cel_dir_names(folder, 10, &names) >= 0)
        cel_free(names);
}

static void empty(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
}

static void *scenario_paths(void *arg)
{
    char *folder;

    if (cel_path_temp_dir(&folder, NULL) < 0)
        return NULL;
    use_folder(folder);
    empty(folder); /* a half-saved file too, where taking it away was made to fail */
    CEL__ASSERT(rmdir(folder) == 0);
    cel_free(folder);
    return NULL;
}

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

static void *scenario_file_lock(void *arg)
{
    struct cel_file *a = NULL, *b = NULL;
    char *path = NULL;

    if (cel_file_temp_named(&a, &path, NULL) < 0)
        return NULL;
    if (cel_file_open(&b, path, O_RDWR, 0) == 0 && cel_file_lock(a, false) == 0) {
        CEL_SCOPE (s, .timeout = MS)
            (void)!cel_file_lock(b, true);
    }
    cel_file_close(a);
    cel_file_close(b);
    CEL__ASSERT(unlink(path) == 0);
    cel_free(path);
    return NULL;
}

static void *scenario_attributes(void *arg)
{
    struct cel_space space;
    char *real = NULL;

    (void)!cel_path_access("/tmp", F_OK);
    (void)!cel_path_space("/tmp", &space);
    if (cel_path_real("/tmp", &real) == 0)
        cel_free(real);
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
    {"signals", scenario_signals, .needs_kernel = true},
    {"terminal", scenario_terminal, .needs_kernel = true},
    {"watch", scenario_watch, .uses_pool = true, .needs_kernel = true},
    {"datagram_batch", scenario_datagram_batch},
    {"wait_fds", scenario_wait_fds},
    {"wait_many", scenario_wait_many},
    {"share", scenario_share, .uses_pool = true},
    {"share_socket", scenario_share_socket, .uses_pool = true, .needs_kernel = true},
    {"paths", scenario_paths, .uses_pool = true},
    {"file_lock", scenario_file_lock, .uses_pool = true, .needs_kernel = true},
    {"attributes", scenario_attributes, .uses_pool = true},
    {"unix_datagram", scenario_unix_datagram, .needs_kernel = true},
    {"process_terminal", scenario_process_terminal, .uses_pool = true, .needs_kernel = true},
    {"process", scenario_process, .uses_pool = true, .needs_kernel = true},
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
