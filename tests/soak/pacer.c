/* SPDX-License-Identifier: MIT */
/* Exchanges at a pace, whatever becomes of them: so that after a fault it can be seen when as many
 * succeed again as before it.
 *
 *   soak_pacer ADDRESS A_SECOND
 *
 * One in two is made over a connection that was used before, when there is one. Each has a second,
 * is counted when it begins and once when it ends. Prints a line for each tenth of a second: its
 * number since the start, how many began in it, and how many of these succeeded and failed. When
 * the input ends, prints a line of JSON: the sums. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <celadon/net.h>
#include <celadon/task.h>

#include "outcomes.h"

#define LENGTH   1024
#define KEPT_MAX 16
#define WINDOWS  32
#define FINAL    15 /* tenths of a second after which nothing changes any more */

/* What began in a tenth of a second, and what became of it. */
struct window {
    unsigned begun, ok, failed;
};

static const char *address;
static int64_t start;
static struct outcomes sum;
static struct window windows[WINDOWS]; /* in turn */
static size_t printed;                 /* up to here; the rest may still change */
static struct cel_stream *kept[KEPT_MAX];
static unsigned kept_count;
static unsigned long over_kept, under_way;
static bool is_over;

static size_t window_now(void)
{
    return (size_t)((cel_now() - start) / (100 * CEL_MILLISECOND));
}

static void print_windows(size_t before)
{
    for (; printed < before; printed++) {
        struct window *w = &windows[printed % WINDOWS];

        printf("%zu %u %u %u\n", printed, w->begun, w->ok, w->failed);
        *w = (struct window){0};
    }
    fflush(stdout);
}

/* (parks) 0, or how it failed. */
static int exchange(struct cel_stream *s)
{
    char sent[LENGTH], got[LENGTH];
    ssize_t n;

    for (size_t i = 0; i < LENGTH; i++)
        sent[i] = (char)(rand() >> 7);
    n = cel_write(s, sent, LENGTH);
    if (n >= 0)
        n = cel_read_exactly(s, got, LENGTH);
    if (n < 0)
        return (int)n;
    return memcmp(sent, got, LENGTH) == 0 ? 0 : -CEL_EPROTOCOL;
}

/* Beyond what is kept the stream is closed. */
static void keep(struct cel_stream *s)
{
    if (kept_count < KEPT_MAX)
        kept[kept_count++] = s;
    else
        cel_close(s);
}

static int exchange_once(bool wants_kept)
{
    struct cel_stream *s = NULL;
    int r = 0;

    if (wants_kept && kept_count > 0) {
        s = kept[--kept_count];
        over_kept++;
    } else {
        r = cel_connect(&s, address, NULL); /* parks */
    }
    if (r == 0)
        r = exchange(s); /* parks */
    if (r == 0)
        keep(s);
    else
        cel_close(s);
    return r;
}

static void *take_part(void *arg)
{
    struct window *w = &windows[window_now() % WINDOWS];
    int r = -ECANCELED;

    sum.begun++;
    w->begun++;
    under_way++;
    CEL_SCOPE (patience, .timeout = CEL_SECOND)
        r = exchange_once(arg != NULL); /* parks */
    outcomes_count(&sum, r);
    if (r == 0)
        w->ok++;
    else
        w->failed++;
    under_way--;
    return NULL;
}

static void *keep_pace(void *arg)
{
    int64_t gap = CEL_SECOND / *(long *)arg, due = start;

    for (unsigned long i = 0; !is_over; i++) {
        due += gap;
        if (cel_sleep_until(due) < 0) /* parks */
            break;
        if (window_now() > printed + FINAL)
            print_windows(window_now() - FINAL);
        if (cel_go(take_part, i % 2 == 0 ? &sum : NULL) < 0)
            return cel_fail(-ENOMEM, "keeping the pace");
    }
    return NULL;
}

static void print_all(void)
{
    printf("{\"over_kept\": %lu, \"under_way\": %lu, ", over_kept, under_way);
    outcomes_print(&sum);
    printf("}\n");
}

static void *run(void *arg)
{
    struct cel_stream *input;
    char c;

    start = cel_now();
    if (cel_stream_open(&input, STDIN_FILENO, false) < 0)
        return cel_fail(-ENOMEM, "reading the input");
    printf("{\"start\": %.6f}\n", (double)start / 1e9);
    fflush(stdout);
    CEL_SCOPE (all) {
        if (cel_go(keep_pace, arg) < 0)
            return cel_fail(-ENOMEM, "pacing");
        while (cel_read(input, &c, 1) > 0) /* parks */
            continue;
        is_over = true;
    }
    print_all();
    while (kept_count > 0)
        cel_close(kept[--kept_count]);
    cel_close(input);
    return NULL;
}

int main(int argc, char **argv)
{
    long rate = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

    if (rate <= 0) {
        fprintf(stderr, "usage: soak_pacer ADDRESS A_SECOND\n");
        return 2;
    }
    address = argv[1];
    return cel_run(run, &rate, NULL) < 0;
}
