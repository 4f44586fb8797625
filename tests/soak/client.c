/* SPDX-License-Identifier: MIT */
/* The clients of the load tests. Each prints one line of JSON per step.
 *
 * soak_client MODE ADDRESS NUMBER
 *
 * - churn: so many connections one after the other, 32 at a time.
 * - load: for so many seconds, or until its input ends, HTTP requests over kept connections, 32 at
 *   a time. ADDRESS: the URL.
 * - stuck: so many that ask for much and read nothing; ends with its input.
 *
 * Every exchange is counted once when it begins and once in exactly one of its outcomes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <celadon/http.h>
#include <celadon/net.h>
#include <celadon/pool.h>
#include <celadon/task.h>

#include "outcomes.h"

#define AT_ONCE       32
#define STUCK_AT_ONCE 512 /* most of them wait for a second, for nothing */

static const char *address;
static unsigned long wanted;

static struct outcomes sum;

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

/* ---- churn, load ---- */

static int side_by_side(cel_task_fn *fn, int count)
{
    int r = 0;

    CEL_SCOPE (all)
        for (int i = 0; i < count && r == 0; i++)
            r = cel_go(fn, NULL);
    return r;
}

static void *churn_some(void *arg)
{
    while (sum.begun < wanted) {
        sum.begun++;
        outcomes_count(&sum, visit(16));
    }
    return arg;
}

static int64_t until, slowest;
static struct cel_session *web;

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

        sum.begun++;
        outcomes_count(&sum, fetch());
        if (cel_now() - begin > slowest)
            slowest = cel_now() - begin;
    }
    return arg;
}

/* The load may be over before its time. */
static void *end_with_input(void *arg)
{
    struct cel_stream *input;
    char c;

    if (cel_stream_open(&input, STDIN_FILENO, false) < 0)
        return cel_fail(-ENOMEM, "reading the input");
    while (cel_read(input, &c, 1) > 0) /* parks */
        continue;
    until = 0;
    cel_close(input);
    return arg;
}

static void *run_many(void *arg)
{
    cel_task_fn *fn = *(cel_task_fn **)arg;
    int64_t begin = cel_now();
    int r;

    until = begin + (int64_t)wanted * CEL_SECOND;
    if (fn == load_some)
        web = cel_session_new(NULL);
    r = cel_background(end_with_input, NULL);
    if (r == 0)
        r = side_by_side(fn, AT_ONCE);
    printf("{\"seconds\": %.3f, \"slowest\": %.3f, ", (double)(cel_now() - begin) / 1e9,
           (double)slowest / 1e9);
    outcomes_print(&sum);
    printf("}\n");
    cel_session_free(web);
    return r < 0 ? cel_fail(r, "running") : NULL;
}

/* ---- stuck ---- */

static struct cel_stream **stuck;
static unsigned long next_stuck, open_stuck;

/* (parks) Ten times what a socket holds. */
static bool ask_for_much(struct cel_stream *s)
{
    static const char ask[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";

    for (int k = 0; k < 10; k++)
        if (cel_write(s, ask, sizeof ask - 1) < 0)
            return false;
    return true;
}

static void *stick_some(void *arg)
{
    while (next_stuck < wanted) {
        struct cel_stream **s = &stuck[next_stuck++];

        CEL_SCOPE (patience, .timeout = CEL_SECOND)
            if (cel_connect(s, address, NULL) < 0) /* parks */
                *s = NULL;
        open_stuck += *s != NULL && ask_for_much(*s); /* parks */
    }
    return arg;
}

static void *be_stuck(void *arg)
{
    struct cel_stream *input;
    char c;

    stuck = calloc(wanted, sizeof(struct cel_stream *));
    if (stuck == NULL || cel_stream_open(&input, STDIN_FILENO, false) < 0)
        return cel_fail(-ENOMEM, "being stuck");
    if (side_by_side(stick_some, STUCK_AT_ONCE) < 0) /* parks */
        return cel_fail(-ENOMEM, "being stuck");
    printf("{\"open\": %lu}\n", open_stuck);
    fflush(stdout);
    (void)!cel_read(input, &c, 1); /* parks */
    for (unsigned long i = 0; i < wanted; i++)
        cel_close(stuck[i]);
    cel_close(input);
    free(stuck);
    return arg;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        cel_task_fn *run, *each;
    } modes[] = {
        {"churn", run_many, churn_some}, {"load", run_many, load_some}, {"stuck", be_stuck, NULL}};

    if (argc != 4) {
        fprintf(stderr, "usage: soak_client churn|load|stuck ADDRESS NUMBER\n");
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
