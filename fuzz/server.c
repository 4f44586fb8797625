/* SPDX-License-Identifier: MIT */
/* A whole server against a client whose every byte is the fuzzer's: whatever comes, what goes back
 * is a row of whole answers, each framed once, and the connection ends.
 *
 * The first byte chooses: 1 the client ends its side behind its bytes, 2 it leaves without reading,
 * 4 narrow limits, 8 the server is stopped amid it. The second is where the bytes are cut in two.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "celadon/net.h"
#include "celadon/server.h"
#include "celadon/task.h"
#include "http/connection.h"
#include "proto/chunked.h"
#include "proto/h1_parse.h"

#define MS CEL_MILLISECOND

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
    const char *bytes;
    size_t len, cut;
    uint8_t choice;
    struct cel__buf heard;
};

/* ---- the site ---- */

static int say_hello(struct cel_request *req, struct cel_reply *reply)
{
    const char *name = cel_param(req, "name"), *q = cel_request_query_param(req, "q");

    return cel_reply_text(reply, 200, "%s %s", name, q != NULL ? q : "");
}

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    return r < 0 ? r : cel_reply_bytes(reply, 200, NULL, body.ptr, body.len);
}

static int stream_back(struct cel_request *req, struct cel_reply *reply)
{
    char piece[16];
    ssize_t n = 0;
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    while (r == 0 && (n = cel_request_read(req, piece, sizeof piece)) > 0)
        r = cel_reply_write(reply, piece, (size_t)n);
    return r < 0 ? r : (int)n;
}

/* Whatever the client sends as a field's value may be tried in an answer. */
static int repeat_fields(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str value = cel_request_header(req, "X");
    char text[64] = "";

    memcpy(text, value.len != 0 ? value.ptr : "", cel__min(value.len, sizeof text - 1));
    (void)!cel_reply_header(reply, "X", text);
    return cel_reply_redirect(reply, 302, text);
}

static int fail_midway(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    return r < 0 || (r = cel_reply_write(reply, "half", 4)) < 0 ? r : -EIO;
}

static void add_routes(struct cel_server *server)
{
    CEL__ASSERT(cel_route(server, "GET /hello/{name}", say_hello, NULL) == 0 &&
                cel_route(server, "POST /back", say_back, NULL) == 0 &&
                cel_route(server, "PUT /stream/{rest...}", stream_back, NULL) == 0 &&
                cel_route(server, "GET /x", repeat_fields, NULL) == 0 &&
                cel_route(server, "GET /fail", fail_midway, NULL) == 0 &&
                cel_route_files(server, "/dev/", "/dev") == 0);
}

/* ---- the client ---- */

static void *hear(void *arg)
{
    struct cel_stream *client = ((void **)arg)[0];
    struct input *in = ((void **)arg)[1];
    char piece[4096];
    ssize_t n;

    while ((n = cel_read(client, piece, sizeof piece)) > 0)
        CEL__ASSERT(cel__buf_add(&in->heard, piece, (size_t)n) == 0);
    return NULL;
}

static void speak(struct input *in, struct cel_stream *client)
{
    if (cel_write(client, in->bytes, in->cut) < 0 || cel_yield() < 0 || cel_yield() < 0 ||
        cel_write(client, in->bytes + in->cut, in->len - in->cut) < 0)
        return;
    if (in->choice & 1)
        (void)!cel_shutdown(client);
}

static void converse(struct input *in, struct cel_stream *client)
{
    void *args[2] = {client, in};

    if (in->choice & 2) {
        speak(in, client);
        return;
    }
    CEL_SCOPE (both)
        if (cel_go(hear, args) == 0)
            speak(in, client);
}

/* ---- what must hold ---- */

/* -> bytes of a body; the rest of the text where it is cut or has no end. */
static size_t body_length(const struct cel__h1_head *head, const char *at, size_t len)
{
    struct cel__chunked chunked;
    size_t used = 0, total = 0;
    struct cel_str piece;
    int r = 0;

    if (head->body == CEL__H1_BODY_LENGTH)
        return (size_t)cel__min(head->body_bytes, (uint64_t)len);
    if (head->body != CEL__H1_BODY_CHUNKED)
        return head->body == CEL__H1_BODY_NONE ? 0 : len;
    cel__chunked_init(&chunked, NULL);
    while (r == 0 && total < len) {
        r = cel__chunked_next(&chunked, at + total, len - total, &used, &piece);
        CEL__ASSERT(r >= 0);
        total += used;
    }
    cel__chunked_fini(&chunked);
    return total;
}

/* Answers behind a HEAD cannot be told from others by their bytes. */
static void check_answers(const struct input *in)
{
    const char *at = in->heard.ptr;
    size_t left = in->heard.len;

    if (memmem(in->bytes, in->len, "HEAD", 4) != NULL)
        return;
    while (left != 0) {
        struct cel__h1_field fields[20];
        struct cel__h1_head head;
        ssize_t n;
        size_t body;

        cel__h1_head_init(&head, CEL__H1_RESPONSE, fields, cel__countof(fields), NULL);
        n = cel__h1_parse(&head, at, left);
        CEL__ASSERT(n > 0 && head.status >= 100 && head.status < 600);
        body = body_length(&head, at + n, left - (size_t)n);
        at += n + (ssize_t)body;
        left -= (size_t)n + body;
        CEL__ASSERT(left == 0 || head.keep_alive);
    }
}

static void *work(void *arg)
{
    struct input *in = arg;
    bool is_narrow = (in->choice & 4) != 0;
    struct cel_server_options options = {
        .header_bytes_max = is_narrow ? 128 : 0,
        .header_fields_max = is_narrow ? 4 : 0,
        .body_bytes_max = is_narrow ? 16 : 1 << 16,
        .header_timeout = 2 * MS,
        .idle_timeout = 2 * MS,
        .body_timeout = 2 * MS,
        .write_timeout = 5 * MS,
        .stop_grace = 5 * MS,
    };
    struct cel_server *server = cel_server_new(&options);
    struct cel_stream *client, *ours;
    struct cel_server_stats stats;

    CEL__ASSERT(server != NULL && cel_stream_pair(&client, &ours) == 0);
    add_routes(server);
    CEL__ASSERT(cel__connection_spawn(server, ours) == 0);
    if (in->choice & 8)
        cel_server_stop(server);
    converse(in, client);
    cel_close(client);
    do {
        CEL__ASSERT(cel_sleep(MS / 10) == 0);
        cel_server_stats(server, &stats);
    } while (stats.open != 0);
    cel_server_free(server);
    check_answers(in);
    return NULL;
}

static void be_quiet(enum cel_log_level level, const char *line, void *arg)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {0};

    if (len < 2)
        return 0;
    in.choice = data[0];
    in.bytes = (const char *)data + 2;
    in.len = len - 2;
    in.cut = data[1] <= in.len ? data[1] : 0;
    cel_set_log(be_quiet, NULL);
    CEL__ASSERT(cel_run(work, &in, NULL) == 0);
    cel__buf_fini(&in.heard);
    return 0;
}
