/* SPDX-License-Identifier: MIT */
/* A room where everybody hears everybody: a line that one guest sends goes to all the others.
 *
 *   chat_server [ADDRESS]      default 127.0.0.1:7001; talk to it with: nc 127.0.0.1 7001
 *
 * Each guest has two tasks: one listens to what the guest says, the other tells it what has been
 * put into its mailbox. There are no locks: between two calls that park, nothing else runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/net.h>

struct guest {
    struct guest *next;
    struct cel_stream *stream;
    char mail[8192]; /* lines to be told */
    size_t mail_len;
    struct cel_future *has_mail;
};

static struct guest *room;

/* Who does not read for long misses lines; the others do not wait. */
static void post(struct guest *to, const char *line, size_t len)
{
    if (to->has_mail == NULL || to->mail_len + len > sizeof to->mail)
        return;
    memcpy(to->mail + to->mail_len, line, len);
    to->mail_len += len;
    cel_future_set(to->has_mail, NULL);
}

static void announce(const struct guest *from, const char *line, size_t len)
{
    for (struct guest *g = room; g != NULL; g = g->next)
        if (g != from)
            post(g, line, len);
}

static void *tell(void *arg)
{
    struct guest *g = arg;
    char lines[sizeof g->mail];
    size_t len;

    while (cel_await(g->has_mail, NULL) == 0) {
        cel_future_free(g->has_mail);
        g->has_mail = cel_future_new();
        len = g->mail_len;
        memcpy(lines, g->mail, len);
        g->mail_len = 0;
        if (g->has_mail == NULL || cel_write(g->stream, lines, len) < 0)
            break;
    }
    return NULL;
}

static void listen_to(struct guest *g)
{
    char line[512];
    ssize_t n;

    while ((n = cel_read_until(g->stream, '\n', line, sizeof line)) > 0)
        announce(g, line, (size_t)n);
}

static void leave(struct guest *g)
{
    struct guest **at = &room;

    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
}

static void *welcome(void *arg)
{
    struct guest *g = calloc(1, sizeof *g);
    struct cel_task *teller = NULL;

    if (g != NULL)
        g->has_mail = cel_future_new();
    if (g != NULL && g->has_mail != NULL) {
        g->stream = arg;
        g->next = room;
        room = g;
        teller = cel_spawn(tell, g);
        if (teller != NULL)
            listen_to(g);
        leave(g);
    }
    if (teller != NULL) {
        cel_task_cancel(teller);
        (void)!cel_await_shielded(teller, NULL);
    }
    cel_close(arg);
    if (g != NULL)
        cel_future_free(g->has_mail);
    free(g);
    return NULL;
}

static void *open_room(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *stream;
    int r = cel_listen(&door, arg, NULL);

    if (r < 0)
        return cel_fail(r, "cannot listen");
    fprintf(stderr, "the room is open at %s\n", cel_listener_address(door));
    while ((r = cel_accept(door, &stream)) == 0)
        if (cel_go(welcome, stream) < 0)
            cel_close(stream); /* no memory for one more */
    cel_listener_close(door);
    return cel_fail(r, "accepting");
}

int main(int argc, char **argv)
{
    return cel_run(open_room, argc > 1 ? argv[1] : (char *)"127.0.0.1:7001", NULL) < 0;
}
