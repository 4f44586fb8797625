/* SPDX-License-Identifier: MIT */
#include "http/site.h"

#include <stdlib.h>

#include "support/check.h"

#define ROOM (128 * 1024)

struct run {
    struct cel_server *server;
    struct cel_task *task;
    struct run *next;
};

static struct run *runs;

static void *serve(void *arg)
{
    assert_int_equal(cel_server_run(arg), 0);
    return NULL;
}

struct cel_server *site_open(const struct cel_server_options *options,
                             void (*add)(struct cel_server *server))
{
    struct run *run = calloc(1, sizeof *run);

    assert_non_null(run);
    run->server = cel_server_new(options);
    assert_non_null(run->server);
    if (add != NULL)
        add(run->server);
    assert_int_equal(cel_server_listen(run->server, "127.0.0.1:0"), 0);
    run->task = cel_spawn(serve, run->server);
    assert_non_null(run->task);
    assert_int_equal(cel_yield(), 0);
    run->next = runs;
    runs = run;
    return run->server;
}

void site_close(struct cel_server *server)
{
    struct run **at = &runs, *run;

    while ((*at)->server != server)
        at = &(*at)->next;
    run = *at;
    *at = run->next;
    cel_server_stop(server);
    assert_int_equal(cel_join(run->task, NULL), 0);
    cel_server_free(server);
    free(run);
}

struct cel_stream *site_dial(struct cel_server *server)
{
    struct cel_stream *client;

    assert_int_equal(cel_connect(&client, cel_server_address(server), NULL), 0);
    return client;
}

bool site_say(struct cel_stream *client, const char *text)
{
    size_t len = strlen(text);

    return cel_write(client, text, len) == (ssize_t)len;
}

/* Read into memory of its own, since others may hear meanwhile. */
const char *site_hear(struct cel_stream *client, const char *want)
{
    static char rooms[4][ROOM];
    static unsigned turn;
    char *heard = malloc(ROOM), *room;
    size_t len = 0;
    ssize_t n;

    assert_non_null(heard);
    heard[0] = '\0';
    do {
        assert_true(len < ROOM - 1);
        n = cel_read(client, heard + len, ROOM - 1 - len);
        if (n > 0)
            heard[len += (size_t)n] = '\0';
    } while (n > 0 && (want == NULL || strstr(heard, want) == NULL));
    room = rooms[turn++ % 4];
    memcpy(room, heard, len + 1);
    free(heard);
    return room;
}

const char *site_ask(struct cel_server *server, const char *text)
{
    struct cel_stream *client = site_dial(server);
    const char *answer;

    (void)site_say(client, text);
    answer = site_hear(client, NULL);
    cel_close(client);
    return answer;
}

size_t site_count(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        count++;
    return count;
}

unsigned site_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (unsigned)strtoul(answer + 9, NULL, 10) : 0;
}

void site_await_open(struct cel_server *server, unsigned count)
{
    struct cel_server_stats stats;

    CEL_SCOPE (guard, .timeout = 20 * CEL_SECOND)
        for (;;) {
            cel_server_stats(server, &stats);
            if (stats.open == count)
                break;
            assert_int_equal(cel_sleep(CEL_MILLISECOND / 4), 0);
        }
}
