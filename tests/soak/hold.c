/* SPDX-License-Identifier: MIT */
/* Connections that are kept: as many as are wanted, over the servers in turn.
 *
 *   soak_hold ADDRESS[,ADDRESS...] COUNT [SOURCE]
 *
 * Opens them and pings through each; then obeys the lines of its input: "ping"; "drop", all are
 * reset at once; "again", 32 at a time come back; "jitter MS", each comes back by itself after a
 * random part of that time, and after a refusal of twice as much. Prints a line of JSON for each.
 * SOURCE: the last number of the one address that they come from; else they come from sixteen. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <celadon/net.h>
#include <celadon/task.h>

#define AT_ONCE     32
#define SERVERS_MAX 16

static struct sockaddr_storage servers[SERVERS_MAX];
static unsigned long server_count, wanted, source;

/* ---- one exchange ---- */

/* (parks) 0, or how it failed. */
static int exchange(struct cel_stream *s, size_t len)
{
    char sent[1024], got[1024];
    ssize_t n;

    for (size_t i = 0; i < len; i++)
        sent[i] = (char)(rand() >> 7);
    n = cel_write(s, sent, len);
    if (n < 0)
        return (int)n;
    n = cel_read_exactly(s, got, len);
    if (n < 0)
        return (int)n;
    return memcmp(sent, got, len) == 0 ? 0 : -CEL_EPROTOCOL;
}

/* ---- hold ---- */

static struct cel_stream **held;
static unsigned long next_held, answered, refusals;
static int last_refusal; /* 0: none */
static int64_t jitter;   /* before the first try */

/* A socket of one of sixteen addresses of ours: from one alone to one server the kernel tries its
 * 28,000 ports one after the other, and with 19,500 taken a connection costs it twenty times what
 * it costs us. */
static int socket_from(unsigned long number)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -errno;
    from.sin_addr.s_addr = htonl(source > 0 ? (INADDR_LOOPBACK & ~0xffu) + (uint32_t)source
                                            : INADDR_LOOPBACK + 1 + (uint32_t)(number % 16));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) {
        on = errno;
        close(fd);
        return -on;
    }
    return fd;
}

/* (parks) */
static int join(int fd, unsigned long number)
{
    const struct sockaddr_storage *to = &servers[number % server_count];
    socklen_t len = sizeof(int);
    int error = 0, r;

    if (connect(fd, (const struct sockaddr *)to, sizeof(struct sockaddr_in)) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    r = cel_wait_fd(fd, POLLOUT); /* parks */
    if (r >= 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
        r = -error;
    return r;
}

/* (parks) */
static int open_one(struct cel_stream **out, unsigned long number)
{
    int fd = socket_from(number);
    int r = fd < 0 ? fd : join(fd, number); /* parks */

    if (r == 0)
        r = cel_stream_open(out, fd, true);
    if (r < 0 && fd >= 0)
        close(fd);
    return r;
}

static void *open_some(void *arg)
{
    while (next_held < wanted) {
        unsigned long number = next_held++;
        int r = held[number] == NULL ? open_one(&held[number], number) : 0; /* parks */

        if (r < 0) {
            held[number] = NULL;
            last_refusal = r;
        }
    }
    return arg;
}

static void *ping_some(void *arg)
{
    while (next_held < wanted) {
        struct cel_stream **s = &held[next_held++];
        int r = -ENOTCONN;

        CEL_SCOPE (each, .timeout = 10 * CEL_SECOND)
            if (*s != NULL)
                r = exchange(*s, 16);
        answered += r == 0;
        if (r != 0) {
            cel_close(*s);
            *s = NULL;
        }
    }
    return arg;
}

/* Full jitter: somewhere within a window, which doubles with each refusal. */
static void *come_back(void *arg)
{
    unsigned long number = (unsigned long)(uintptr_t)arg;
    int64_t window = jitter;
    int r;

    do {
        r = cel_sleep(window > 0 ? (int64_t)(rand() % 1000000) * (window / 1000000)
                                 : 0); /* parks */
        if (r == 0)
            r = open_one(&held[number], number); /* parks */
        if (r < 0) {
            held[number] = NULL;
            refusals++;
            last_refusal = r;
        }
        window *= 2;
    } while (r < 0 && r != -ECANCELED && window <= 60 * CEL_SECOND);
    return NULL;
}

static int all_come_back(void)
{
    int r = 0;

    CEL_SCOPE (all)
        for (unsigned long i = 0; i < wanted && r == 0; i++)
            if (held[i] == NULL)
                r = cel_go(come_back, (void *)(uintptr_t)i);
    return r;
}

static int side_by_side(cel_task_fn *fn)
{
    int r = 0;

    next_held = 0;
    CEL_SCOPE (all)
        for (int i = 0; i < AT_ONCE && r == 0; i++)
            r = cel_go(fn, NULL);
    return r;
}

static void tell_held(const char *step, int64_t begin)
{
    unsigned long open = 0;

    for (unsigned long i = 0; i < wanted; i++)
        open += held[i] != NULL;
    printf("{\"step\": \"%s\", \"open\": %lu, \"answered\": %lu, \"refusals\": %lu, "
           "\"refusal\": \"%s\", \"seconds\": %.3f}\n",
           step, open, answered, refusals, last_refusal != 0 ? cel_errname(last_refusal) : "",
           (double)(cel_now() - begin) / 1e9);
    fflush(stdout);
}

static int step(const char *line)
{
    int64_t begin = cel_now();
    int r = 0;

    answered = 0;
    if (strcmp(line, "again") == 0)
        r = side_by_side(open_some);
    if (strncmp(line, "jitter ", 7) == 0) {
        jitter = strtol(line + 7, NULL, 10) * CEL_MILLISECOND;
        r = all_come_back();
    }
    if (strcmp(line, "drop") == 0) {
        for (unsigned long i = 0; i < wanted; i++) {
            cel_stream_abort(held[i]);
            held[i] = NULL;
        }
    } else if (r == 0) {
        r = side_by_side(ping_some);
    }
    tell_held(line, begin);
    return r;
}

static void *hold(void *arg)
{
    struct cel_stream *input;
    char line[32];
    int r = cel_stream_open(&input, STDIN_FILENO, false);

    held = calloc(wanted, sizeof(struct cel_stream *));
    if (held == NULL || r < 0)
        return cel_fail(-ENOMEM, "holding");
    r = step("again");
    while (r == 0) {
        ssize_t n = cel_read_line(input, line, sizeof line - 1); /* parks */

        if (n < 0)
            break;
        line[n] = '\0';
        r = step(line);
    }
    for (unsigned long i = 0; i < wanted; i++)
        cel_close(held[i]);
    cel_close(input);
    free(held);
    return r < 0 ? cel_fail(r, "holding") : arg;
}

static int parse_servers(char *list)
{
    char *rest;
    int r = 0;

    for (char *one = strtok_r(list, ",", &rest); one != NULL && r == 0;
         one = strtok_r(NULL, ",", &rest))
        if (server_count < SERVERS_MAX)
            r = cel_address_parse(one, &servers[server_count++]);
    return server_count == 0 ? -EINVAL : r;
}

int main(int argc, char **argv)
{
    if (argc < 3 || parse_servers(argv[1]) < 0) {
        fprintf(stderr, "usage: soak_hold ADDRESS[,ADDRESS...] COUNT [SOURCE]\n");
        return 2;
    }
    wanted = strtoul(argv[2], NULL, 10);
    source = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    return cel_run(hold, NULL, NULL) < 0;
}
