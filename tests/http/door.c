/* SPDX-License-Identifier: MIT */
#include "http/door.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "support/check.h"

struct visit {
    struct door *door;
    struct cel_stream *peer;
    unsigned nth;
};

static size_t body_length(const char *head)
{
    const char *field = strcasestr(head, "\r\nContent-Length:");

    return field != NULL ? strtoul(field + 17, NULL, 10) : 0;
}

static void note_body(struct door *door, const char *body, size_t len)
{
    if (door->body_bytes + len < sizeof door->bodies)
        memcpy(door->bodies + door->body_bytes, body, len);
    door->body_bytes += len;
}

/* Of a body with a length; "chunked" is noted as it comes, up to its last chunk. */
static bool read_body(struct door *door, struct cel_stream *peer, const char *head)
{
    size_t left = body_length(head);
    bool is_chunked = strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL;
    char line[1024];
    ssize_t n;

    while (left > 0) {
        n = cel_read(peer, line, left < sizeof line ? left : sizeof line);
        if (n <= 0)
            return false;
        note_body(door, line, (size_t)n);
        left -= (size_t)n;
    }
    while (is_chunked) {
        n = cel_read_until(peer, '\n', line, sizeof line);
        if (n <= 0)
            return false;
        left = strtoul(line, NULL, 16) + 2;
        is_chunked = left > 2;
        while (left > 0) {
            n = cel_read(peer, line, left < sizeof line ? left : sizeof line);
            if (n <= 0)
                return false;
            note_body(door, line, (size_t)n);
            left -= (size_t)n;
        }
    }
    return true;
}

bool door_read(struct door *door, struct cel_stream *peer, char *head, size_t cap)
{
    size_t len = 0;

    while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
        ssize_t n = cel_read_until(peer, '\n', head + len, cap - 1 - len);

        if (n <= 0)
            return false;
        len += (size_t)n;
        if (len < 4)
            head[len] = '\0';
    }
    head[len] = '\0';
    memcpy(door->requests[door->request_count++ % REQUESTS_MAX], head, len + 1);
    return read_body(door, peer, head);
}

void door_say(struct cel_stream *peer, const char *text)
{
    (void)!cel_write(peer, text, strlen(text));
}

void door_reset(struct cel_stream *peer)
{
    struct linger now = {.l_onoff = 1};

    setsockopt(cel_stream_fd(peer), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void say(struct cel_stream *peer, const struct answer *a)
{
    size_t len = a->len != 0 ? a->len : strlen(a->text);

    if (!a->is_bytewise) {
        (void)!cel_write(peer, a->text, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (cel_write(peer, a->text + i, 1) < 0)
            return;
        cel_yield();
        cel_yield();
    }
}

static void play_answers(struct door *door, struct cel_stream *peer)
{
    char head[HEAD_MAX];

    while (door_read(door, peer, head, sizeof head)) {
        const char *slash = strchr(head, '/');
        size_t i = strtoul(slash + 1, NULL, 10);
        const struct answer *a;

        assert_true(i < door->answer_count);
        a = &door->answers[i];
        if (a->pause != 0 && cel_sleep(a->pause) < 0)
            return;
        if (a->text != NULL)
            say(peer, a);
        if (a->then == RESET)
            door_reset(peer);
        if (a->then == STALL)
            (void)!cel_read(peer, head, 1);
        if (a->then != KEEP)
            return;
    }
}

static void *visit(void *arg)
{
    struct visit v = *(struct visit *)arg;

    free(arg);
    v.door->at_once++;
    if (v.door->at_once > v.door->at_once_max)
        v.door->at_once_max = v.door->at_once;
    if (v.door->play != NULL)
        v.door->play(v.door, v.peer, v.nth);
    else
        play_answers(v.door, v.peer);
    cel_close(v.peer);
    v.door->at_once--;
    v.door->closed++;
    return NULL;
}

static void *keep_door(void *arg)
{
    struct door *door = arg;
    struct cel_stream *peer;

    while (cel_accept(door->listener, &peer) == 0) {
        struct visit *v = malloc(sizeof *v);

        assert_non_null(v);
        *v = (struct visit){door, peer, door->accepted++};
        assert_int_equal(cel_go(visit, v), 0);
    }
    return NULL;
}

struct door *door_open(const struct answer *answers, size_t count)
{
    return door_open_tls(answers, count, NULL);
}

struct door *door_open_tls(const struct answer *answers, size_t count, struct cel_tls *tls)
{
    struct cel_listen_options options = {.tls = tls};
    struct door *door = calloc(1, sizeof *door);

    assert_non_null(door);
    door->answers = answers;
    door->answer_count = count;
    door->is_tls = tls != NULL;
    assert_int_equal(cel_listen(&door->listener, "127.0.0.1:0", &options), 0);
    door->task = cel_spawn(keep_door, door);
    assert_non_null(door->task);
    return door;
}

void door_close(struct door *door)
{
    cel_yield(); /* it may not have begun */
    cel_listener_close(door->listener);
    assert_int_equal(cel_join(door->task, NULL), 0);
    while (door->at_once > 0)
        assert_int_equal(cel_yield(), 0);
    free(door);
}

const char *door_url(const struct door *door, const char *path_fmt, ...)
{
    static char urls[16][256];
    static unsigned turn;
    char *url = urls[turn++ % 16];
    int n = snprintf(url, 256, "http%s://%s", door->is_tls ? "s" : "",
                     cel_listener_address(door->listener));
    va_list va;

    va_start(va, path_fmt);
    vsnprintf(url + n, 256 - (size_t)n, path_fmt, va);
    va_end(va);
    return url;
}
