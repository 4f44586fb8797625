/* SPDX-License-Identifier: MIT */
/* The clients of the load tests. Each prints one line of JSON per step.
 *
 * soak_client MODE ADDRESS NUMBER
 *
 * - hold: opens so many connections and pings through each; then obeys the lines of its input,
 *   "ping", "drop", "again"; ends with it.
 * - churn: so many connections one after the other, 32 at a time.
 * - chaos: for so many seconds exchanges of 1 KiB, each with a second to succeed, 32 at a time.
 * - load: for so many seconds HTTP requests over kept connections, 32 at a time. ADDRESS: the URL.
 * - stuck: so many that ask for much and read nothing; ends with its input.
 *
 * Every exchange is counted once when it begins and once in exactly one of its outcomes. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <celadon/http.h>
#include <celadon/net.h>
#include <celadon/pool.h>
#include <celadon/task.h>

#define AT_ONCE 32

static const char *address;
static unsigned long wanted;

/* ---- counting ---- */

enum outcome { OK, REFUSED, RESET, ENDED, TIMED_OUT, WRONG, OTHER, OUTCOMES };
static const char *const names[] = {"ok",        "refused", "reset", "ended",
                                    "timed_out", "wrong",   "other"};
static unsigned long begun, ended[OUTCOMES], since_heal[OUTCOMES];
static int other_code;

static enum outcome outcome_of(int r)
{
    switch (r) {
    case 0:
        return OK;
    case -ECONNREFUSED:
        return REFUSED;
    case -ECONNRESET:
    case -EPIPE:
        return RESET;
    case -CEL_EEOF:
    case -CEL_ETRUNCATED:
        return ENDED;
    case -ETIMEDOUT:
        return TIMED_OUT;
    case -CEL_EPROTOCOL:
        return WRONG;
    default:
        other_code = r;
        return OTHER;
    }
}

static void count(int r)
{
    ended[outcome_of(r)]++;
    since_heal[outcome_of(r)]++;
}

static void print_counts(const char *what, const unsigned long *counts)
{
    printf("\"%s\": {", what);
    for (int i = 0; i < OUTCOMES; i++)
        printf("%s\"%s\": %lu", i > 0 ? ", " : "", names[i], counts[i]);
    printf("}");
}

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

static int visit(size_t len)
{
    struct cel_stream *s;
    int r = cel_connect(&s, address, NULL);

    if (r < 0)
        return r;
    r = exchange(s, len);
    cel_close(s);
    return r;
}

/* ---- hold ---- */

static struct cel_stream **held;
static unsigned long next_held, answered;
static int last_refusal; /* 0: none */

/* A socket of one of sixteen addresses of ours: of one alone the kernel tries its 28,000 ports one
 * after the other, and with 19,500 taken a connection costs it twenty times what it costs us. */
static int socket_from(unsigned long number)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -errno;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(number % 16));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) {
        on = errno;
        close(fd);
        return -on;
    }
    return fd;
}

/* (parks) */
static int join(int fd)
{
    struct sockaddr_storage to;
    socklen_t len = sizeof(int);
    int error = 0;
    int r = cel_address_parse(address, &to);

    if (r < 0)
        return r;
    if (connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)) == 0)
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
    int r = fd < 0 ? fd : join(fd); /* parks */

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
    printf("{\"step\": \"%s\", \"open\": %lu, \"answered\": %lu, \"refusal\": \"%s\", "
           "\"seconds\": %.3f}\n",
           step, open, answered, last_refusal != 0 ? cel_errname(last_refusal) : "",
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

/* ---- churn, chaos, load ---- */

static void *churn_some(void *arg)
{
    while (begun < wanted) {
        begun++;
        count(visit(16));
    }
    return arg;
}

static int64_t until, slowest;
static struct cel_session *web;

static void *chaos_some(void *arg)
{
    while (cel_now() < until) {
        int r = -ECANCELED;

        begun++;
        CEL_SCOPE (patience, .timeout = CEL_SECOND)
            r = visit(1024);
        count(r);
        if (r < 0 && cel_sleep(CEL_MILLISECOND) < 0) /* a refusal costs nothing */
            break;
    }
    return arg;
}

static int fetch(void)
{
    struct cel_response *page;
    int r = cel_get(web, address, &page);

    if (r < 0)
        return r;
    r = page->status == 200 && strcmp(cel_text(page).ptr, "hello") == 0 ? 0 : -CEL_EPROTOCOL;
    cel_response_free(page);
    return r;
}

static void *load_some(void *arg)
{
    while (cel_now() < until) {
        int64_t begin = cel_now();

        begun++;
        count(fetch());
        if (cel_now() - begin > slowest)
            slowest = cel_now() - begin;
    }
    return arg;
}

/* "heal": what is counted from then on is told apart. */
static void *hear_of_healing(void *arg)
{
    struct cel_stream *input;
    char c;

    if (cel_stream_open(&input, STDIN_FILENO, false) == 0) {
        while (cel_read(input, &c, 1) == 1)
            memset(since_heal, 0, sizeof since_heal);
        cel_close(input);
    }
    return arg;
}

static void *run_many(void *arg)
{
    cel_task_fn *fn = *(cel_task_fn **)arg;
    int64_t begin = cel_now();
    int r = 0;

    until = begin + (int64_t)wanted * CEL_SECOND;
    if (fn == load_some)
        web = cel_session_new(NULL);
    if (fn == chaos_some)
        r = cel_background(hear_of_healing, NULL);
    if (r == 0)
        r = side_by_side(fn);
    printf("{\"begun\": %lu, \"seconds\": %.3f, \"slowest\": %.3f, \"other_code\": \"%s\", ", begun,
           (double)(cel_now() - begin) / 1e9, (double)slowest / 1e9,
           other_code != 0 ? cel_errname(other_code) : "");
    print_counts("ended", ended);
    printf(", ");
    print_counts("since_heal", since_heal);
    printf("}\n");
    cel_session_free(web);
    return r < 0 ? cel_fail(r, "running") : NULL;
}

/* ---- stuck ---- */

static void *be_stuck(void *arg)
{
    static const char ask[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
    struct cel_stream **all = calloc(wanted, sizeof(struct cel_stream *)), *input;
    unsigned long open = 0;
    char c;

    if (all == NULL || cel_stream_open(&input, STDIN_FILENO, false) < 0) {
        free(all);
        return cel_fail(-ENOMEM, "being stuck");
    }
    for (unsigned long i = 0; i < wanted; i++) {
        CEL_SCOPE (patience, .timeout = CEL_SECOND)
            if (cel_connect(&all[i], address, NULL) < 0)
                all[i] = NULL;
        for (int k = 0; all[i] != NULL && k < 10; k++) /* ten times what a socket holds */
            if (cel_write(all[i], ask, sizeof ask - 1) < 0)
                break;
        open += all[i] != NULL;
    }
    printf("{\"open\": %lu}\n", open);
    fflush(stdout);
    (void)!cel_read(input, &c, 1); /* parks */
    for (unsigned long i = 0; i < wanted; i++)
        cel_close(all[i]);
    cel_close(input);
    free(all);
    return arg;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        cel_task_fn *run, *each;
    } modes[] = {{"hold", hold, NULL},
                 {"churn", run_many, churn_some},
                 {"chaos", run_many, chaos_some},
                 {"load", run_many, load_some},
                 {"stuck", be_stuck, NULL}};

    if (argc != 4) {
        fprintf(stderr, "usage: soak_client hold|churn|chaos|load|stuck ADDRESS NUMBER\n");
        return 2;
    }
    address = argv[2];
    wanted = strtoul(argv[3], NULL, 10);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        cel_task_fn *each = modes[i].each;

        if (strcmp(argv[1], modes[i].name) == 0)
            return cel_run(modes[i].run, (void *)&each, NULL) < 0;
    }
    return 2;
}
