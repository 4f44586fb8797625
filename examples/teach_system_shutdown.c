/* SPDX-License-Identifier: MIT */
/* SIGTERM ends a server in order: nobody new is taken in, who is being served gets the answer, and
 * a handler that asks before it waits for the next request leaves by itself; the grace is for those
 * that do not. */
#include <signal.h>
#include <stdio.h>

#include <celadon/net.h>
#include <celadon/signal.h>
#include <celadon/sync.h>

static struct cel_event is_working;

static void work(struct cel_stream *client, void *door)
{
    char line[64];
    ssize_t n;

    while (cel_listener_is_serving(door) && (n = cel_read_line(client, line, sizeof line)) >= 0) {
        cel_event_set(&is_working);
        if (cel_sleep(5 * CEL_MILLISECOND) < 0 || cel_write(client, "done\n", 5) < 0)
            break;
        printf("served: %.*s\n", (int)n, line);
    }
}

static void *serve(void *door)
{
    int r = cel_listener_serve(door, work, door, 100);

    puts(r == 0 ? "all have left by themselves" : "some had to be sent away");
    return r < 0 && r != -ETIMEDOUT ? cel_fail(r, "serving") : NULL;
}

static void *stop_at_signal(void *door)
{
    const int signos[] = {SIGTERM, SIGINT};
    int signo = cel_signal_wait(signos, 2); /* parks */

    if (signo < 0)
        return cel_fail(signo, "waiting for a signal");
    printf("signal %s\n", signo == SIGTERM ? "TERM" : "INT");
    cel_listener_stop(door, 10 * CEL_SECOND);
    return NULL;
}

static void *main_task(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s = NULL;
    char line[64];
    int r = cel_listen(&door, "127.0.0.1:0", NULL);

    if (r < 0)
        return cel_fail(r, "listening");
    CEL_SCOPE (all, .is_group = true) {
        if (cel_go(serve, door) < 0 || cel_go(stop_at_signal, door) < 0)
            cel_scope_cancel(&all);
        r = cel_connect(&s, cel_listener_address(door), NULL);
        if (r < 0) {
            cel_scope_cancel(&all);
            break;
        }
        if (cel_write(s, "the last one\n", 13) < 0 || cel_event_wait(&is_working) < 0)
            cel_scope_cancel(&all);
        raise(SIGTERM); /* in the middle of it */
        while (cel_read_line(s, line, sizeof line) >= 0)
            continue; /* the server closes when it is through */
    }
    cel_close(s);
    cel_listener_close(door);
    return r < 0 ? cel_fail(r, "asking") : arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
