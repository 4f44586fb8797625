/* SPDX-License-Identifier: MIT */
/* The same server on every core: each worker has its own, with its own listener on the shared
 * address, and the kernel spreads connections over them. The first worker's main task leads:
 *
 *   each part in turn: made, set up, listens -> all serve -> one has ended, or a signal came, or
 * the lead is cancelled -> the others are cancelled, which gives their requests their grace -> end
 *
 * The first part listens before the others, because it finds out the port when none was given.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/cc.h"
#include "base/mem.h"
#include "celadon/server.h"
#include "celadon/workers.h"
#include "http/serving.h"

struct fleet;

struct part {
    struct fleet *fleet;
    struct cel_promise *listening; /* kept by the part, if it begins */
    struct cel_future *serving;
    bool has_begun; /* the part's, until it has ended, as the next: */
    struct cel_server_stats stats;
};

struct fleet {
    const struct cel_serve_workers_options *options;
    struct cel_server_options server;
    char address[256]; /* where to listen; known better once the first one does */
    struct part *parts;
    unsigned begun;
    int code;
    struct cel_future *interrupt; /* done when a signal has come */
};

/* ---- a part, on its own loop ---- */

static int open_part(struct part *part, struct cel_server **out)
{
    struct fleet *fleet = part->fleet;
    struct cel_server *server = *out = cel_server_new(&fleet->server);
    int r;

    if (server == NULL)
        return cel__server_missing();
    r = fleet->options->setup(server, fleet->options->arg);
    if (r == 0)
        r = cel_server_listen(server, fleet->address); /* parks */
    if (r == 0 && part == fleet->parts)
        snprintf(fleet->address, sizeof fleet->address, "%s", cel_server_address(server));
    return r;
}

static void *run_part(void *arg)
{
    struct part *part = arg;
    struct cel_server *server;
    int r;

    part->has_begun = true;
    r = open_part(part, &server); /* parks */
    if (r < 0) {
        (void)cel_promise_fail(part->listening, r, "listening");
    } else {
        (void)cel_promise_set(part->listening, NULL);
        r = cel_server_run(server); /* parks */
        cel_server_stats(server, &part->stats);
    }
    cel_server_free(server);
    return r < 0 && r != -ECANCELED ? cel_fail(r, "serving") : NULL;
}

/* ---- the lead ---- */

/* (parks) Until the part listens, or has failed. */
static int begin_part(struct fleet *fleet, unsigned i)
{
    struct part *part = &fleet->parts[i];
    struct cel_future *both[2] = {NULL, NULL};
    int r;

    part->fleet = fleet;
    part->listening = cel_promise_new(&both[0]);
    if (part->listening == NULL)
        return -ENOMEM;
    part->serving = both[1] = cel_spawn_on(cel_worker_loop(i), run_part, part);
    if (part->serving == NULL) {
        cel_promise_drop(part->listening);
        cel_future_free(both[0]);
        return -ENOMEM;
    }
    fleet->begun = i + 1;
    r = cel_wait(both, 2, CEL_WAIT_FIRST); /* parks */
    if (r >= 0)
        r = cel_is_done(both[0]) ? cel_outcome(both[0]) : cel_outcome(both[1]);
    cel_future_free(both[0]);
    return r;
}

static void on_signal(void *arg, int signo)
{
    (void)cel_future_set(((struct fleet *)arg)->interrupt, NULL);
}

static int watch_signals(struct fleet *fleet, struct cel_signal *signals[2])
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    int r = 0;

    if (!fleet->options->stops_on_signals)
        return 0;
    for (int i = 0; i < 2 && r == 0; i++)
        r = cel_signal_start(cel_loop_current(), &signals[i], numbers[i], on_signal, fleet);
    return r;
}

/* (parks) Until one has ended, or a signal came. */
static int wait_for_the_first(struct fleet *fleet)
{
    struct cel_future **any = cel__mem_zalloc((fleet->begun + 1) * sizeof(struct cel_future *));
    int r;

    if (any == NULL)
        return -ENOMEM;
    any[0] = fleet->interrupt;
    for (unsigned i = 0; i < fleet->begun; i++)
        any[i + 1] = fleet->parts[i].serving;
    r = cel_wait(any, fleet->begun + 1, CEL_WAIT_FIRST); /* parks */
    cel__mem_free(any);
    return r < 0 ? r : 0;
}

static int serve_all(struct fleet *fleet)
{
    struct cel_signal *signals[2] = {NULL, NULL};
    int r = watch_signals(fleet, signals);

    for (unsigned i = 0; i < cel_worker_count() && r == 0; i++)
        r = begin_part(fleet, i); /* parks */
    if (r == 0 && fleet->options->on_listening != NULL)
        fleet->options->on_listening(fleet->address, fleet->options->arg);
    if (r == 0)
        r = wait_for_the_first(fleet); /* parks */
    cel_signal_stop(signals[0]);
    cel_signal_stop(signals[1]);
    return r;
}

/* (parks) Whatever the scopes around say: a part's grace is its own. -> the first failure. */
static int end_all(struct fleet *fleet, struct cel_server_stats *sum)
{
    int r = 0;

    for (unsigned i = 0; i < fleet->begun; i++)
        (void)cel_future_cancel(fleet->parts[i].serving);
    for (unsigned i = 0; i < fleet->begun; i++) {
        struct part *part = &fleet->parts[i];

        (void)!cel_await_shielded(part->serving, NULL); /* parks */
        if (r == 0 && cel_outcome(part->serving) != -ECANCELED)
            r = cel_outcome(part->serving);
        if (!part->has_begun) /* there was no memory for its task */
            cel_promise_drop(part->listening);
        sum->connections += part->stats.connections;
        sum->requests += part->stats.requests;
        sum->errors += part->stats.errors;
        cel_future_free(part->serving);
    }
    return r;
}

static void *lead(void *arg)
{
    struct fleet *fleet = arg;
    struct cel_server_stats sum = {0};
    int r = -ENOMEM, ended;

    if (cel_worker_index() != 0)
        return NULL; /* its loop answers until the lead has ended */
    fleet->server.listen.reuse_port |= cel_worker_count() > 1;
    fleet->parts = cel__mem_zalloc(cel_worker_count() * sizeof(struct part));
    fleet->interrupt = cel_future_new();
    if (fleet->parts != NULL && fleet->interrupt != NULL)
        r = serve_all(fleet);     /* parks */
    ended = end_all(fleet, &sum); /* parks */
    if (fleet->options->stats != NULL)
        *fleet->options->stats = sum;
    cel_future_free(fleet->interrupt);
    cel__mem_free(fleet->parts);
    fleet->code = r != 0 ? r : ended; /* told to the caller, so not a failure of the task's */
    return NULL;
}

int cel_serve_workers(const char *address, const struct cel_serve_workers_options *options)
{
    struct fleet fleet = {.options = options};
    int r;

    if (snprintf(fleet.address, sizeof fleet.address, "%s", address) >= (int)sizeof fleet.address)
        return -EINVAL;
    if (options->server != NULL)
        fleet.server = *options->server;
    r = cel_run_workers(options->workers, lead, &fleet);
    return r < 0 ? r : fleet.code;
}
