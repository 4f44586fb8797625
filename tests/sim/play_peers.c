/* SPDX-License-Identifier: MIT */
/* HTTP against a peer that speaks it by hand, and as is allowed: requests that come in any pieces,
 * some behind each other, each answered without waiting for the next; answers in many small chunks,
 * with trailers, with pauses, before the request is all there. Whole and right, or an error. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/http.h"
#include "celadon/net.h"
#include "celadon/server.h"
#include "celadon/sync.h"
#include "plays.h"

#define PAGES     8
#define BATCH_MAX 3
#define BODY_MAX_ 400
#define UPLOAD    17000
#define POSTS_MAX 16
#define GAP       (2 * CEL_SECOND) /* that a client bears between two pieces */

static const char *flaw;
static unsigned posts_sent, posts_come[POSTS_MAX];

static void blame(bool is_wrong, const char *what)
{
    if (is_wrong && flaw == NULL)
        flaw = what;
}

static size_t body_of(unsigned id, char *out)
{
    size_t len = 1 + id * 211 % BODY_MAX_; /* 1 of the first */

    for (size_t k = 0; k < len; k++)
        out[k] = (char)('a' + (id * 3 + k + k / 26) % 26);
    return len;
}

static bool is_body_of(unsigned id, const char *bytes, size_t len)
{
    char want[BODY_MAX_ + 1];

    return len == body_of(id, want) && memcmp(want, bytes, len) == 0;
}

/* ---- a client by hand, before the library's server ---- */

static int on_page(struct cel_request *req, struct cel_reply *reply)
{
    char bytes[BODY_MAX_ + 1];
    unsigned id = (unsigned)strtoul(cel_param(req, "id"), NULL, 10);
    size_t len = body_of(id, bytes);

    if (id % 4 == 3 && cel_yield() < 0)
        return -ECANCELED;
    return cel_reply_bytes(reply, 200, "text/plain", bytes, len);
}

static void *serve(void *arg)
{
    struct cel_server *server = cel_server_new(NULL);

    if (server == NULL)
        return NULL;
    if (cel_route(server, "GET /{id}", on_page, NULL) == 0)
        while (cel_serve(server, ":80") == -EMFILE && cel_sleep(CEL_MILLISECOND) == 0)
            continue;
    cel_server_free(server);
    return NULL;
}

/* An answer's head. -> the length that it tells. */
static ssize_t read_head(struct cel_stream *s)
{
    char line[200];
    ssize_t n = cel_read_line(s, line, sizeof line - 1), length = -EPROTO;

    if (n >= 0)
        blame(n < 12 || strncmp(line, "HTTP/1.1 200", 12) != 0, "an answer that is none");
    while (n > 0) {
        n = cel_read_line(s, line, sizeof line - 1);
        if (n < 0)
            break;
        line[n] = '\0';
        if (strncasecmp(line, "Content-Length: ", 16) == 0)
            length = strtol(line + 16, NULL, 10);
    }
    return n < 0 ? n : length;
}

static int hear_answer(struct cel_stream *s, unsigned id)
{
    char bytes[BODY_MAX_ + 1];
    ssize_t n = read_head(s);

    if (n < 0)
        return (int)n;
    blame(n > BODY_MAX_, "an answer of another length");
    if (flaw == NULL)
        n = cel_read_exactly(s, bytes, (size_t)n);
    if (n >= 0 && flaw == NULL)
        blame(!is_body_of(id, bytes, (size_t)n), "another answer");
    return n < 0 ? (int)n : 0;
}

struct batch {
    struct cel_stream *stream;
    char text[BATCH_MAX * 64];
    size_t ends[BATCH_MAX], len;
    unsigned first, count, answered;
    struct cel_event news; /* of an answer */
};

static void write_batch(struct batch *b, struct cel_stream *s)
{
    *b = (struct batch){.stream = s, .count = 1 + (unsigned)cel_sim_draw(BATCH_MAX)};
    b->first = (unsigned)cel_sim_draw(PAGES);
    for (unsigned i = 0; i < b->count; i++) {
        b->len += (size_t)snprintf(b->text + b->len, sizeof b->text - b->len,
                                   "GET /%u HTTP/1.1\r\nHost: site\r\n\r\n", b->first + i);
        b->ends[i] = b->len;
    }
}

/* In pieces; after each it waits until all is answered that can be. */
static void *send_batch(void *arg)
{
    struct batch *b = arg;
    size_t sent = 0;
    ssize_t r = 0;

    while (r >= 0 && sent < b->len) {
        size_t n = 1 + cel_sim_draw(b->len - sent);

        r = cel_write(b->stream, b->text + sent, n);
        sent += n;
        while (r >= 0 && b->answered < b->count && b->ends[b->answered] <= sent) {
            cel_event_clear(&b->news);
            r = cel_event_wait(&b->news);
        }
    }
    return NULL;
}

/* Beside the sending: else both sides might write and nobody read. */
static int ask_in_pieces(struct cel_stream *s)
{
    struct batch b;
    int r;

    write_batch(&b, s);
    CEL_SCOPE (both, .timeout = 0) {
        r = cel_go(send_batch, &b);
        while (r == 0 && b.answered < b.count && flaw == NULL) {
            r = hear_answer(s, b.first + b.answered);
            b.answered++;
            cel_event_set(&b.news);
        }
        if (r < 0)
            cel_scope_cancel(&both);
    }
    return r;
}

static int talk_to_server(void)
{
    struct cel_stream *s;
    int r = -ETIMEDOUT;

    CEL_SCOPE (patience, .timeout = 20 * CEL_SECOND) {
        r = cel_connect(&s, "site:80", NULL);
        if (r == 0) {
            for (uint64_t n = 1 + cel_sim_draw(2); n > 0 && r == 0; n--)
                r = ask_in_pieces(s);
            cel_close(s);
        }
    }
    return r;
}

/* ---- a server by hand, before the library's client ---- */

struct asked {
    char method[8];
    unsigned id;
    size_t body;
};

static int read_request(struct cel_stream *s, struct asked *asked)
{
    char line[300];
    ssize_t n = cel_read_line(s, line, sizeof line - 1);

    if (n <= 0)
        return n < 0 ? (int)n : -EPROTO;
    if (cel_stream_at_end(s)) /* a last line may have no end */
        return -CEL_EEOF;
    line[n] = '\0';
    *asked = (struct asked){.id = 0};
    if (sscanf(line, "%7s /%u HTTP/1.1", asked->method, &asked->id) != 2)
        return -EPROTO;
    while ((n = cel_read_line(s, line, sizeof line - 1)) > 0) {
        line[n] = '\0';
        if (strncasecmp(line, "Content-Length: ", 16) == 0)
            asked->body = (size_t)strtoul(line + 16, NULL, 10);
    }
    return (int)n;
}

/* In pieces, with pauses between them. */
static int say(struct cel_stream *s, const char *bytes, size_t len, bool is_slow)
{
    size_t piece_max = len / 4 + 2;
    ssize_t n = 0;

    for (size_t at = 0; at < len && n >= 0; at += (size_t)n) {
        size_t piece = 1 + cel_sim_draw(piece_max);

        n = cel_write(s, bytes + at, piece < len - at ? piece : len - at);
        if (n >= 0 && is_slow && cel_sleep((int64_t)cel_sim_draw(GAP * 2 / 3)) < 0)
            return -ECANCELED;
    }
    return n < 0 ? (int)n : 0;
}

struct text {
    size_t len;
    char bytes[8 * BODY_MAX_]; /* enough for a body in chunks of a byte, and its head */
};

static void add(struct text *t, const char *bytes, size_t len)
{
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static void CEL_PRINTF(2, 3) add_text(struct text *t, const char *fmt, ...)
{
    va_list va;

    va_start(va, fmt);
    t->len += (size_t)vsnprintf(t->bytes + t->len, sizeof t->bytes - t->len, fmt, va);
    va_end(va);
}

static void add_chunks(struct text *t, unsigned id, const char *body, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t n = 1 + cel_sim_draw(len / 8 + 20);

        n = n < len - at ? n : len - at;
        add_text(t, "%zx\r\n", n);
        add(t, body + at, n);
        add_text(t, "\r\n");
        at += n;
    }
    add_text(t, "0\r\n");
    if (id % 2 == 0)
        add_text(t, "X-Checked: %u\r\nX-By: a peer\r\n", id);
    add_text(t, "\r\n");
}

static int answer_page(struct cel_stream *s, const struct asked *asked)
{
    char body[BODY_MAX_ + 1];
    size_t len = body_of(asked->id, body);
    bool is_chunked = cel_sim_draw(2) == 0;
    struct text t = {.len = 0};

    if (cel_sim_draw(4) == 0)
        add_text(&t, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    add_text(&t, "HTTP/1.1 200 OK\r\n");
    if (is_chunked) {
        add_text(&t, "Transfer-Encoding: chunked\r\n\r\n");
        add_chunks(&t, asked->id, body, len);
    } else {
        add_text(&t, "Content-Length: %zu\r\n\r\n", len);
        add(&t, body, len);
    }
    return say(s, t.bytes, t.len, cel_sim_draw(2) == 0);
}

/* Refuses before it has seen the body, reads that all the same, and goes on. */
static int refuse(struct cel_stream *s, size_t left)
{
    static const char no[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    char bytes[1000];
    ssize_t n = cel_write(s, no, sizeof no - 1);

    while (n >= 0 && left > 0) {
        n = cel_read(s, bytes, left < sizeof bytes ? left : sizeof bytes);
        if (n <= 0)
            return n < 0 ? (int)n : -CEL_EEOF;
        left -= (size_t)n;
    }
    return n < 0 ? (int)n : 0;
}

/* A connection that has served may be closed at any time, also in the face of a request. */
static bool has_enough(unsigned served)
{
    return served > 0 && cel_sim_draw(5) == 0;
}

static void answer(struct cel_stream *s, void *arg)
{
    struct asked asked;
    int r = 0;

    for (unsigned served = 0; r == 0; served++) {
        r = read_request(s, &asked);
        blame(r == -EPROTO, "a request that is none");
        if (r < 0)
            return;
        if (asked.method[0] == 'P')
            blame(++posts_come[asked.id % POSTS_MAX] > 1, "a POST that was sent again");
        if (has_enough(served))
            return;
        r = asked.method[0] == 'P' ? refuse(s, asked.body) : answer_page(s, &asked);
    }
}

static void *serve_by_hand(void *arg)
{
    struct cel_listener *door;

    while (cel_listen(&door, ":80", NULL) < 0)
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    (void)!cel_listener_serve(door, answer, NULL, 0);
    cel_listener_close(door);
    return NULL;
}

static int get_one(struct cel_session *web, unsigned id)
{
    struct cel_response *page;
    char url[40];
    int r;

    snprintf(url, sizeof url, "http://hand/%u", id);
    r = cel_get(web, url, &page);
    if (r < 0)
        return r;
    blame(page->status != 200 || !is_body_of(id, cel_text(page).ptr, cel_text(page).len),
          "another answer");
    cel_response_free(page);
    return 0;
}

/* Where windows are tiny that takes too long, and is given up; what comes after it must go well. */
static int post_one(struct cel_session *web)
{
    static char bytes[UPLOAD];
    size_t len = cel_sim_draw(2) == 0 ? UPLOAD : 1 + cel_sim_draw(100);
    struct cel_response *page;
    char url[40];
    int r = 0;

    snprintf(url, sizeof url, "http://hand/%u", posts_sent++);

    CEL_SCOPE (patience, .timeout = 5 * CEL_SECOND)
        r = cel_post(web, url, NULL, (struct cel_str){bytes, len}, &page);
    if (r == -CEL_EEOF || r == -ECONNRESET || r == -EPIPE) /* the connection had been closed */
        return 0;
    if (r < 0)
        return r == -ETIMEDOUT && cel_checkpoint() == 0 ? 0 : r;
    blame(page->status != 403, "another answer");
    cel_response_free(page);
    return 0;
}

static bool is_explained(int r)
{
    return r == 0 || r == -ECANCELED || r == -ETIMEDOUT || r == -EMFILE || r == -ECONNRESET ||
           r == -EPIPE || r == -ECONNREFUSED || r == -EHOSTUNREACH || r == -CEL_EEOF ||
           r == -CEL_ETRUNCATED || r == -CEL_EDNS;
}

/* Behind an upload the next answer may take as long as what is still under way. */
static int talk_to_client(void)
{
    bool uploads = cel_sim_draw(2) == 0;
    struct cel_session *web = cel_session_new(&(struct cel_session_options){
        .per_host_max = 1, .timeouts = {.read = uploads ? CEL_FOREVER : GAP}});
    int r = 0;

    if (web == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < 4 && r == 0; i++) {
        r = uploads && cel_sim_draw(3) == 0 ? post_one(web)
                                            : get_one(web, (unsigned)cel_sim_draw(PAGES));
        blame(!is_explained(r), "an error that nothing explains");
    }
    cel_session_free(web);
    return r;
}

/* Windows of a byte and long ways make a minute of a page: then little has to do. */
static bool is_quick(void)
{
    struct cel_session *web = cel_session_new(NULL);
    int64_t began = cel_now();
    int r = web != NULL ? get_one(web, 0) : -ENOMEM;

    cel_session_free(web);
    blame(r != 0, "a page that does not come though all is calm");
    return cel_now() - began < CEL_SECOND / 2;
}

static void talk_in_storm(int (*talk)(void))
{
    CEL_SCOPE (patience, .timeout = 8 * CEL_SECOND)
        (void)talk();
}

void *play_peers(void *arg)
{
    struct cel_sim_host *host;

    flaw = NULL;
    posts_sent = 0;
    memset(posts_come, 0, sizeof posts_come);
    HOLDS(cel_sim_host_new(&host, "site", serve, NULL) == 0);
    HOLDS(cel_sim_host_new(&host, "hand", serve_by_hand, NULL) == 0);
    talk_in_storm(talk_to_server);
    talk_in_storm(talk_to_client);
    cel_sim_calm(); /* the storm is over: now it must work */
    HOLDS(cel_sleep(5 * CEL_SECOND) == 0);
    if (is_quick()) {
        HOLDS(talk_to_server() == 0 || flaw != NULL);
        HOLDS(talk_to_client() == 0 || flaw != NULL);
    }
    if (flaw != NULL)
        return cel_fail(-EPROTO, "%s", flaw);
    return NULL;
}
