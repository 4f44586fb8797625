/* SPDX-License-Identifier: MIT */
/* What is put under load: an echo, or an HTTP server that hands its door over to its successor.
 *
 *   soak_server echo ADDRESS [alive]
 *   soak_server http ADDRESS [SOCKET|- [CONNECTIONS]]
 *
 * With "alive" silent peers are asked whether they are there, after five seconds. With a SOCKET (a
 * path) whoever serves there is asked for its listening descriptor, and stops once
 * it has given it away. Not more than CONNECTIONS are served at once. SIGTERM stops in order. The
 * last line says what was served. A line of the input is obeyed: "metrics" prints cel_metrics and
 * a line with a dot; "children N" runs so many, while SIGUSR1 is watched, eight at a time, and
 * prints how many ended, how many of them well, and how many signals were told meanwhile. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <celadon/debug.h>
#include <celadon/loop.h>
#include <celadon/offload.h>
#include <celadon/process.h>
#include <celadon/server.h>
#include <celadon/signal.h>
#include <celadon/task.h>
#include <celadon/unix.h>

static struct cel_server *site;
static struct cel_listener *echoes;
static int door = -1; /* the listening descriptor, to be handed on */

static void echo(struct cel_stream *peer, void *arg)
{
    char buf[1024];
    ssize_t n;

    if (arg != NULL && cel_stream_set_keepalive(peer, 5 * CEL_SECOND, CEL_SECOND, 3) < 0)
        return;
    for (;;) {
        const char *data;

        n = cel_peek(peer, &data, 1); /* parks: an idle one holds no buffer */
        if (n <= 0)
            return;
        n = n < (ssize_t)sizeof buf ? n : (ssize_t)sizeof buf;
        memcpy(buf, data, (size_t)n);
        cel_consume(peer, (size_t)n);
        if (cel_write(peer, buf, (size_t)n) < 0) /* parks */
            return;
    }
}

static int hello(struct cel_request *req, struct cel_reply *reply)
{
    (void)req;
    if (cel_sleep(CEL_MILLISECOND) < 0) /* parks: so that a stop finds requests under way */
        return -ECANCELED;
    return cel_reply_text(reply, 200, "hello");
}

static int large(struct cel_request *req, struct cel_reply *reply)
{
    static char bytes[256 * 1024];

    (void)req;
    return cel_reply_bytes(reply, 200, "text/plain", bytes, sizeof bytes);
}

static void *think(void *arg)
{
    return arg;
}

/* What a thread must do. */
static int pooled(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_offload_await(think, req, NULL); /* parks */

    return r < 0 ? r : cel_reply_text(reply, 200, "hello");
}

static void *stop_on_term(void *arg)
{
    const int signals[] = {SIGTERM};

    if (cel_signal_wait(signals, 1) >= 0) { /* parks */
        if (site != NULL)
            cel_server_stop(site);
        if (echoes != NULL)
            cel_listener_stop(echoes, CEL_SECOND);
    }
    return arg;
}

/* ---- a child, and what is asked of it ---- */

/* (parks) One that ends at once by a code of its own. -> whether its end was told, and right. */
static int run_child(void)
{
    const char *const argv[] = {"/bin/sh", "-c", "exit 5", NULL};
    struct cel_process *child;
    struct cel_exit end = {0};
    int r = cel_process_spawn(&child, argv, NULL); /* parks */

    if (r < 0)
        return r;
    r = cel_process_wait(child, &end); /* parks */
    cel_process_close(child);
    return r < 0 ? r : end.code == 5 && end.signo == 0;
}

/* What a process must do. */
static int spawned(struct cel_request *req, struct cel_reply *reply)
{
    int r = run_child(); /* parks */

    (void)req;
    return r < 0 ? r : cel_reply_text(reply, 200, r == 1 ? "hello" : "wrong");
}

static unsigned long children_left, children_ended, children_right, signals_told;

static void *run_children(void *arg)
{
    while (children_left > 0) {
        int r;

        children_left--;
        r = run_child(); /* parks */
        children_ended += r >= 0;
        children_right += r == 1;
    }
    return arg;
}

static void tell_signal(void *arg, int signo)
{
    (void)arg;
    (void)signo;
    signals_told++;
}

static int run_so_many(unsigned long count)
{
    int64_t begin = cel_now();
    int r = 0;

    children_left = count;
    children_ended = children_right = signals_told = 0;
    CEL_SCOPE (all)
        for (int i = 0; i < 8 && r == 0; i++)
            r = cel_go(run_children, NULL);
    printf("{\"ended\": %lu, \"right\": %lu, \"told\": %lu, \"seconds\": %.3f}\n", children_ended,
           children_right, signals_told, (double)(cel_now() - begin) / 1e9);
    fflush(stdout);
    return r;
}

static void print_metrics(void)
{
    char text[16384];

    if (cel_metrics(text, sizeof text) > 0)
        fputs(text, stdout);
    puts(".");
    fflush(stdout);
}

static void *obey(void *arg)
{
    struct cel_stream *input;
    struct cel_signal *watcher = NULL;
    char line[40];

    if (cel_stream_open(&input, STDIN_FILENO, false) < 0)
        return cel_fail(-ENOMEM, "reading the input");
    for (ssize_t n; (n = cel_read_line(input, line, sizeof line - 1)) >= 0;) { /* parks */
        line[n] = '\0';
        if (strcmp(line, "metrics") == 0)
            print_metrics();
        if (watcher == NULL && strncmp(line, "children ", 9) == 0 &&
            cel_signal_start(cel_loop_current(), &watcher, SIGUSR1, tell_signal, NULL) < 0)
            return cel_fail(-ENOMEM, "watching for signals");
        if (strncmp(line, "children ", 9) == 0 && run_so_many(strtoul(line + 9, NULL, 10)) < 0)
            break;
    }
    cel_signal_stop(watcher);
    cel_close(input);
    return arg;
}

static int start_beside(void)
{
    int r = cel_background(stop_on_term, NULL);

    return r == 0 ? cel_background(obey, NULL) : r;
}

/* ---- serving ---- */

static void *serve_echo(char **argv)
{
    struct cel_listen_options options = {.backlog = 4096};
    int r = cel_listen(&echoes, argv[0], &options);

    if (r < 0)
        return cel_fail(r, "listening on %s", argv[0]);
    if (start_beside() < 0)
        return cel_fail(-ENOMEM, "watching for the end");
    cel_yield(); /* parks: what the watching needs is open before anybody counts */
    printf("%s\n", cel_listener_address(echoes));
    fflush(stdout);
    r = cel_listener_serve(echoes, echo, argv[1], 0); /* parks */
    cel_listener_close(echoes);
    return r == 0 || r == -ETIMEDOUT ? NULL : cel_fail(r, "serving");
}

/* ---- handing over ---- */

static int listen_plainly(const char *address)
{
    struct sockaddr_storage at;
    int r = cel_address_parse(address, &at);
    int fd = r == 0 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    int on = 1;

    if (fd < 0)
        return r < 0 ? r : -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)) < 0 || listen(fd, 4096) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

/* (parks) From whoever serves now, or a new one. */
static int get_door(const char *address, const char *path)
{
    struct cel_stream *old;
    size_t count = 1;
    char c;
    int fd = -1;

    if (cel_connect(&old, path, NULL) < 0) /* parks */
        return listen_plainly(address);
    if (cel_recv_fds(old, &c, 1, &fd, &count) != 1 || count != 1) /* parks */
        fd = -EPROTO;
    if (fd >= 0 && cel_write(old, "k", 1) != 1) /* parks: it may stop now */
        fd = -EPROTO;
    cel_close(old);
    return fd;
}

static void *hand_on(void *path)
{
    struct cel_listener *l;
    struct cel_stream *next;
    char c;

    if (cel_listen(&l, path, NULL) < 0)
        return cel_fail(-EADDRINUSE, "listening on %s", (char *)path);
    if (cel_accept(l, &next) == 0) { /* parks */
        cel_listener_close(l);       /* the path is the successor's */
        if (cel_send_fds(next, "d", 1, &door, 1) == 1 && cel_read(next, &c, 1) == 1) /* parks */
            cel_server_stop(site);
        cel_close(next);
    } else {
        cel_listener_close(l);
    }
    return NULL;
}

static bool hands_over(char **argv)
{
    return argv[1] != NULL && strcmp(argv[1], "-") != 0;
}

static int start_http(char **argv)
{
    char name[32];
    char path[200];

    if (!hands_over(argv))
        return cel_server_listen(site, argv[0]);
    snprintf(path, sizeof path, "unix:%s", argv[1]);
    door = get_door(argv[0], path); /* parks */
    if (door < 0)
        return door;
    snprintf(name, sizeof name, "fd:%d", door);
    return cel_server_listen(site, name);
}

static void *serve_http(void *arg)
{
    struct cel_server_options options = {.listen.backlog = 4096};
    struct cel_server_stats stats;
    char **argv = arg;
    static char path[200];
    int r = -ENOMEM;

    if (argv[1] != NULL && argv[2] != NULL)
        options.connections_max = (unsigned)strtoul(argv[2], NULL, 10);
    site = cel_server_new(&options);
    if (site != NULL)
        r = cel_route(site, "GET /", hello, NULL);
    if (r == 0)
        r = cel_route(site, "GET /large", large, NULL);
    if (r == 0)
        r = cel_route(site, "GET /pooled", pooled, NULL);
    if (r == 0)
        r = cel_route(site, "GET /spawned", spawned, NULL);
    if (r == 0)
        r = start_http(argv); /* parks */
    if (r < 0)
        return cel_fail(r, "starting on %s", argv[0]);
    if (start_beside() < 0)
        return cel_fail(-ENOMEM, "watching for the end");
    if (hands_over(argv)) {
        snprintf(path, sizeof path, "unix:%s", argv[1]);
        if (cel_background(hand_on, path) < 0)
            return cel_fail(-ENOMEM, "handing on");
    }
    cel_yield(); /* parks */
    printf("%s\n", cel_server_address(site));
    fflush(stdout);
    r = cel_server_run(site); /* parks */
    cel_server_stats(site, &stats);
    printf("{\"requests\": %llu, \"connections\": %llu}\n", (unsigned long long)stats.requests,
           (unsigned long long)stats.connections);
    cel_server_free(site);
    if (door >= 0)
        close(door);
    return r < 0 ? cel_fail(r, "serving") : NULL;
}

static void *start(void *arg)
{
    char **argv = arg;

    return strcmp(argv[0], "echo") == 0 ? serve_echo(argv + 1) : serve_http(argv + 1);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr,
                "usage: soak_server echo ADDRESS [alive]|http ADDRESS [SOCKET|- [CONNECTIONS]]\n");
        return 2;
    }
    return cel_run(start, argv + 1, NULL) < 0;
}
