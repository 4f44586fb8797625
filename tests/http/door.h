/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DOOR_H
#define TESTS_DOOR_H

/* A scripted server in a task of the test's loop: it plays exact bytes. A request for "/3" gets
 * the answer number 3. What was asked is kept for the test to look at. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "celadon/net.h"
#include "celadon/task.h"

enum then { KEEP, CLOSE, RESET, STALL };

struct answer {
    const char *text; /* NULL: none */
    enum then then;
    size_t len;       /* 0: strlen(text) */
    bool is_bytewise; /* one write per byte */
    int64_t pause;    /* before it */
};

#define REQUESTS_MAX 64
#define HEAD_MAX     2048

struct door {
    struct cel_listener *listener;
    struct cel_task *task;
    bool is_tls;
    const struct answer *answers;
    size_t answer_count;
    unsigned accepted, closed, request_count;
    unsigned at_once, at_once_max; /* connections */
    char requests[REQUESTS_MAX][HEAD_MAX];
    size_t body_bytes; /* of requests, seen behind their heads */
    char bodies[4096];
    /* instead of answers: plays a whole connection; closes nothing */
    void (*play)(struct door *door, struct cel_stream *peer, unsigned nth);
};

struct door *door_open(const struct answer *answers, size_t count);
/* The same behind TLS; door_url then says https. */
struct door *door_open_tls(const struct answer *answers, size_t count, struct cel_tls *tls);
/* Waits until its clients have left, and frees it. */
void door_close(struct door *door);
/* "http://127.0.0.1:PORT/PATH" in one of 16 buffers used in turn. */
const char *door_url(const struct door *door, const char *path_fmt, ...) CEL_PRINTF(2, 3);
/* Reads one request's head and body into the log: false at the end. */
bool door_read(struct door *door, struct cel_stream *peer, char *head, size_t cap);
void door_say(struct cel_stream *peer, const char *text);
/* Closes with a reset. */
void door_reset(struct cel_stream *peer);

#define DOOR(name, ...)                                          \
    static const struct answer name##_answers[] = {__VA_ARGS__}; \
    struct door *name = door_open(name##_answers, sizeof name##_answers / sizeof name##_answers[0])

#endif
