/* SPDX-License-Identifier: MIT */
/* A proxy moves bytes both ways until both sides have ended. That one side has no more to say is
 * not the end: the answer may be still to come, here from a counter that waits for it. */
#include <stdio.h>
#include <string.h>

#include <celadon/relay.h>

static struct cel_piped moved;

static void forward(struct cel_stream *client, void *upstream)
{
    struct cel_stream *server;
    int r = 0;

    CEL_SCOPE (patience, .timeout = 5 * CEL_SECOND)
        r = cel_connect(&server, upstream, NULL);
    if (r < 0) {
        fprintf(stderr, "%s\n", cel_last_error()->text); /* names the address and the cause */
        return;
    }
    r = cel_pipe_through(client, server, &moved); /* parks until both have ended */
    if (r < 0)
        fprintf(stderr, "%s\n", cel_strerror(r));
    cel_close(server);
}

/* Says how much came, when no more will come. */
static void count(struct cel_stream *client, void *arg)
{
    char buf[64];
    ssize_t n, all = 0;

    while ((n = cel_read(client, buf, sizeof buf)) > 0)
        all += n;
    if (n == 0 && cel_write(client, buf, (size_t)snprintf(buf, sizeof buf, "%zd\n", all)) < 0)
        fprintf(stderr, "nobody hears that it were %zd\n", all);
}

struct service {
    struct cel_listener *door;
    cel_serve_fn *fn;
    void *arg;
};

static void *run(void *arg)
{
    struct service *s = arg;
    int r = cel_listener_serve(s->door, s->fn, s->arg, 100);

    return r < 0 ? cel_fail(r, "serving") : NULL;
}

static int ask(const char *address)
{
    struct cel_stream *s;
    char answer[64];
    ssize_t n;
    int r = cel_connect(&s, address, NULL);

    if (r < 0)
        return r;
    n = cel_write(s, "how many are these?", 19);
    if (n > 0)
        n = cel_shutdown(s); /* no more from us; reading goes on */
    if (n == 0)
        n = cel_read_line(s, answer, sizeof answer);
    if (n > 0)
        printf("the answer is %.*s\n", (int)n, answer);
    cel_close(s);
    return n < 0 ? (int)n : 0;
}

static void *main_task(void *arg)
{
    struct service front = {.fn = forward}, back = {.fn = count};
    int r = cel_listen(&back.door, "127.0.0.1:0", NULL);

    if (r == 0)
        r = cel_listen(&front.door, "127.0.0.1:0", NULL);
    if (r < 0)
        return cel_fail(r, "opening");
    front.arg = (void *)cel_listener_address(back.door);
    CEL_SCOPE (all, .is_group = true) {
        if (cel_go(run, &front) == 0 && cel_go(run, &back) == 0)
            r = ask(cel_listener_address(front.door));
        cel_listener_stop(front.door, CEL_SECOND);
        cel_listener_stop(back.door, CEL_SECOND);
    }
    printf("%d bytes there, %d back\n", (int)moved.a_to_b, (int)moved.b_to_a);
    cel_listener_close(front.door);
    cel_listener_close(back.door);
    return r < 0 ? cel_fail(r, "asking") : arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
