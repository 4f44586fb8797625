/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SITE_H
#define TESTS_SITE_H

/* A server in the test's loop, and raw clients of it: the test writes bytes and reads bytes. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "celadon/server.h"
#include "celadon/task.h"

#define HOST            "Host: x\r\n"
#define CLOSE           "Connection: close\r\n"
#define GET(path, more) "GET " path " HTTP/1.1\r\n" HOST more "\r\n"

/* Listens and serves until site_close; add (NULL: none) adds its routes. */
struct cel_server *site_open(const struct cel_server_options *options,
                             void (*add)(struct cel_server *server));
/* Stops it, waits for its end, frees it. */
void site_close(struct cel_server *server);
struct cel_stream *site_dial(struct cel_server *server);
/* false: it could not be written. */
bool site_say(struct cel_stream *client, const char *text);
/* Reads until `want` stands in what came, or (NULL) to the end. -> what came, in one of 4 buffers
 * used in turn, so look at it before parking; a longer answer than these fails the test. */
const char *site_hear(struct cel_stream *client, const char *want);
/* A connection of its own: says it all, hears it all. */
const char *site_ask(struct cel_server *server, const char *text);
/* How often `word` stands in `text`. */
size_t site_count(const char *text, const char *word);
unsigned site_status(const char *answer);
/* Yields until so many connections are open; fails the test if that takes 20 s. */
void site_await_open(struct cel_server *server, unsigned count);

#define SAYS(answer, text)                                \
    do {                                                  \
        const char *said_ = (answer);                     \
        if (strstr(said_, (text)) == NULL)                \
            fail_msg("no \"%s\" in:\n%s", (text), said_); \
    } while (0)

#endif
