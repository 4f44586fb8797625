/* SPDX-License-Identifier: MIT */
/* The head of an answer. Most answers of a server differ from an earlier one by their length alone,
 * so the last heads are kept as forms: what was judged and put together once is copied, and the
 * length's digits are set behind it.
 *
 * 1. A form holds for a status, a type and a second; heads with fields of the handler's, without a
 *    length, or that say something about the connection are written anew.
 * 2. The unsent bytes of one connection at a time lie in the server's spare buffer, which stays
 * warm in the cache; a second one that is busy meanwhile gets its own. */
#include <errno.h>
#include <string.h>

#include "base/buggify.h"
#include "base/cc.h"
#include "base/clock.h"
#include "base/str.h"
#include "celadon/task.h"
#include "http/serving.h"

#define IDLE_MAX   2048        /* a buffer of its own up to that is kept while idle */
#define SPARE_MAX  (80 * 1024) /* a larger one goes back to the heap */
#define DIGITS_MAX 20
#define BODY_HINT  4096 /* room is made for a body up to that at once */

static struct cel_str date_line(struct cel__connection *c)
{
    struct cel_server *server = c->server;
    int64_t now = cel_loop_time(c->loop);

    if (now >= server->date_until || server->date_until == 0) {
        int64_t wall = cel__clock_wall();

        server->date_until = now + CEL_SECOND - wall % CEL_SECOND;
        return cel__date_line(&server->date, wall / CEL_SECOND);
    }
    return (struct cel_str){server->date.text, sizeof server->date.text};
}

static bool has_no_body(const struct cel__connection *c, int status)
{
    return c->req.head.method == CEL__H1_HEAD || status < 200 || status == 204 || status == 304;
}

static void decide_framing(struct cel__connection *c, int status, int64_t length,
                           struct cel__h1_framing *framing)
{
    struct cel_reply *reply = &c->reply;
    bool is_old = c->req.head.version_minor == 0;

    *framing = (struct cel__h1_framing){.body = CEL__H1_BODY_NONE};
    reply->has_no_body = has_no_body(c, status);
    reply->has_length = length >= 0;
    reply->left = length >= 0 ? (uint64_t)length : 0;
    if (length >= 0 && status >= 200 && status != 204)
        *framing =
            (struct cel__h1_framing){.body = CEL__H1_BODY_LENGTH, .body_bytes = (uint64_t)length};
    else if (length < 0 && !is_old && status >= 200 && status != 204 && status != 304)
        framing->body = CEL__H1_BODY_CHUNKED;
    reply->is_chunked = framing->body == CEL__H1_BODY_CHUNKED && !reply->has_no_body;
    if (length < 0 && is_old && !reply->has_no_body)
        reply->must_close = true;
    if (!c->req.head.keep_alive || c->is_leaving || c->server->is_shut || CEL__BUGGIFY())
        reply->must_close = true;
    framing->closes = reply->must_close;
    framing->keeps = is_old && !reply->must_close;
}

static struct cel__head_form *form_for(struct cel__connection *c, int status, size_t type_len)
{
    return &c->server->forms[((size_t)status ^ type_len) % CEL__HEAD_FORMS];
}

static bool form_holds(const struct cel__head_form *form, const struct cel_server *server,
                       int status, const char *type, size_t type_len)
{
    return form->status == status && form->until == server->date_until &&
           form->type_len == type_len && memcmp(form->type, type, type_len) == 0;
}

/* What was just written, but for the length and the empty line. */
static void keep_form(struct cel__connection *c, int status, const char *type, size_t type_len,
                      int64_t length)
{
    struct cel__head_form *form = form_for(c, status, type_len);
    size_t len = c->out.len - c->reply.head_at, behind = sizeof "\r\n\r\n" - 1;

    do
        behind++;
    while ((length /= 10) != 0);
    if (type_len > sizeof form->type || len - behind > sizeof form->text)
        return;
    form->status = status;
    form->until = c->server->date_until;
    form->type_len = type_len;
    form->len = len - behind;
    memcpy(form->type, type, type_len);
    memcpy(form->text, c->out.ptr + c->reply.head_at, form->len);
}

static int copy_form(struct cel__connection *c, const struct cel__head_form *form, int64_t length)
{
    size_t body = (size_t)cel__min(length, (int64_t)BODY_HINT);
    char digits[DIGITS_MAX], *first = digits + sizeof digits, *to;
    uint64_t left = (uint64_t)length;
    size_t count;
    int r = cel__buf_reserve(&c->out, form->len + DIGITS_MAX + 4 + body);

    if (r < 0)
        return r;
    do {
        *--first = (char)('0' + left % 10);
        left /= 10;
    } while (left != 0);
    count = (size_t)(digits + sizeof digits - first);
    to = (char *)memcpy(c->out.ptr + c->out.len, form->text, form->len) + form->len;
    to = (char *)memcpy(to, first, count) + count;
    memcpy(to, "\r\n\r\n", 4);
    c->out.len += form->len + count + 4;
    return 0;
}

static int write_anew(struct cel_reply *reply, int status, const char *type,
                      const struct cel__h1_framing *framing)
{
    struct cel__connection *c = reply->conn;
    struct cel__h1_write w;

    cel__h1_write_status(&w, &c->out, (unsigned)status, (struct cel_str){NULL, 0});
    if (status >= 200)
        cel__h1_write_line(&w, date_line(c));
    if (c->server->name != NULL)
        cel__h1_write_line(&w, cel__str(c->server->name));
    if (type != NULL)
        cel__h1_write_field(&w, CEL_LIT("Content-Type"), cel__str(type));
    if (reply->fields.len != 0)
        cel__h1_write_line(&w, cel__buf_str(&reply->fields));
    cel__h1_write_framing(&w, framing);
    return cel__h1_write_end(&w);
}

/* A head that a form may stand for. */
static int write_plain(struct cel_reply *reply, int status, const char *type,
                       const struct cel__h1_framing *framing)
{
    struct cel__connection *c = reply->conn;
    int64_t length = (int64_t)framing->body_bytes;
    size_t type_len = strlen(type);
    int r;

    (void)date_line(c);
    if (form_holds(form_for(c, status, type_len), c->server, status, type, type_len))
        return copy_form(c, form_for(c, status, type_len), length);
    r = write_anew(reply, status, type, framing);
    if (r == 0)
        keep_form(c, status, type, type_len, length);
    return r;
}

static void take_spare(struct cel__connection *c)
{
    struct cel__buf *spare = &c->server->spare;

    if (c->out.ptr == NULL && spare->ptr != NULL) {
        c->out = *spare;
        *spare = (struct cel__buf){0};
    }
}

void cel__connection_rest(struct cel__connection *c)
{
    struct cel__buf *spare = &c->server->spare;

    if (c->out.ptr != NULL && spare->ptr == NULL && c->out.cap <= SPARE_MAX) {
        *spare = c->out;
        c->out = (struct cel__buf){0};
    } else if (c->out.cap > IDLE_MAX) {
        cel__buf_fini(&c->out);
    }
}

int cel__reply_write_head(struct cel_reply *reply, int status, const char *type, int64_t length)
{
    struct cel__connection *c = reply->conn;
    struct cel__h1_framing framing;
    bool is_plain;
    int r;

    take_spare(c);
    decide_framing(c, status, length, &framing);
    reply->head_at = c->out.len;
    is_plain = type != NULL && reply->fields.len == 0 && framing.body == CEL__H1_BODY_LENGTH &&
               !framing.closes && !framing.keeps;
    r = is_plain ? write_plain(reply, status, type, &framing)
                 : write_anew(reply, status, type, &framing);
    if (r < 0)
        return r;
    reply->status = status;
    return 0;
}
