/* SPDX-License-Identifier: MIT */
/* Whatever we accept, llhttp built strictly accepts too, and reads the same into it: method or
 * status, number of fields, length, coding, and whether the connection goes on. The heads are
 * those of the smuggling table, good ones, and many thousand mutations of both.
 *
 * The one difference that is meant: any token is a method to us, llhttp has a list of them. */
#include <llhttp.h>
#include <string.h>

#include "base/cc.h"
#include "base/rand.h"
#include "proto/h1_parse.h"
#include "proto/smuggle.h"
#include "support/check.h"

enum { MUTATIONS = 300000, FIELDS = 100, LONGEST = 2048 };

static const char *const good[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /a?b=c%20&d=[e]|^ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: example.org:8080\r\nContent-Length: 42\r\nExpect: 100-continue\r\n"
    "User-Agent: a/1 (b; c)\r\nAccept: text/html;q=0.9, */*\r\nX-Empty:\r\nX-Blank: \t \r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nTE: "
    "trailers\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
    "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n",
    "GET http://a.b:80/c?d HTTP/1.1\r\nHost: a.b\r\nCookie: a=b; c=\xc3\xa9\r\n\r\n",
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: x,close , y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/html\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 304\r\nETag: \"x\"\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "HTTP/1.1 999 \r\nServer: \xff\r\n\r\n",
};

struct theirs {
    int fields;
    bool is_complete, is_chunked, keeps;
    uint64_t length;
    int major, minor, status;
};

static int on_value_complete(llhttp_t *p)
{
    ((struct theirs *)p->data)->fields++;
    return 0;
}

static int on_headers_complete(llhttp_t *p)
{
    struct theirs *t = p->data;

    t->is_complete = true;
    t->is_chunked = (p->flags & F_CHUNKED) != 0;
    t->length = (p->flags & F_CONTENT_LENGTH) != 0 ? p->content_length : 0;
    t->keeps = llhttp_should_keep_alive(p);
    t->minor = p->http_minor;
    t->status = p->status_code;
    return 0;
}

/* -> llhttp's errno; UPGRADE and a head without an end count as taken when it was complete. */
static llhttp_errno_t ask(struct theirs *t, enum cel__h1_kind kind, const char *text, size_t len)
{
    llhttp_settings_t settings;
    llhttp_errno_t e;
    llhttp_t parser;

    memset(t, 0, sizeof *t);
    llhttp_settings_init(&settings);
    settings.on_header_value_complete = on_value_complete;
    settings.on_headers_complete = on_headers_complete;
    llhttp_init(&parser, kind == CEL__H1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    parser.data = t;
    e = llhttp_execute(&parser, text, len);
    return t->is_complete ? HPE_OK : e;
}

static bool is_meant(const struct cel__h1_head *h, llhttp_errno_t e)
{
    return h->kind == CEL__H1_REQUEST && (e == HPE_INVALID_METHOD || e == HPE_INVALID_CONSTANT) &&
           (h->method == CEL__H1_OTHER_METHOD || h->method == CEL__H1_QUERY);
}

static void show(const char *what, const char *text, size_t len)
{
    print_error("%s:\n", what);
    for (size_t i = 0; i < len; i++)
        if (text[i] >= ' ' && text[i] < 0x7f)
            print_error("%c", text[i]);
        else
            print_error("\\x%02x%s", (unsigned char)text[i], text[i] == '\n' ? "\n" : "");
}

/* -> whether we accept it. */
static bool compare(enum cel__h1_kind kind, const char *text, size_t len)
{
    struct cel__h1_field fields[FIELDS];
    struct cel__h1_head h;
    struct theirs t;
    llhttp_errno_t e;
    ssize_t r;

    cel__h1_head_init(&h, kind, fields, FIELDS, NULL);
    r = cel__h1_parse(&h, text, len);
    if (r <= 0)
        return false;
    e = ask(&t, kind, text, (size_t)r);
    if (is_meant(&h, e))
        return true;
    if (e != HPE_OK)
        show(llhttp_errno_name(e), text, (size_t)r);
    assert_int_equal(e, HPE_OK);
    if (t.fields != (int)h.field_count || t.minor != h.version_minor)
        show("fields differ", text, (size_t)r);
    assert_int_equal(t.fields, h.field_count);
    assert_int_equal(t.minor, h.version_minor);
    if (kind == CEL__H1_RESPONSE)
        assert_int_equal(t.status, h.status);
    if (h.body != CEL__H1_BODY_NONE) {
        if (t.is_chunked != (h.body == CEL__H1_BODY_CHUNKED) || t.length != h.body_bytes)
            show("bodies differ", text, (size_t)r);
        assert_int_equal(t.is_chunked, h.body == CEL__H1_BODY_CHUNKED);
        assert_int_equal(t.length, h.body_bytes);
    }
    if (kind == CEL__H1_REQUEST && h.keep_alive && !t.keeps)
        show("llhttp closes", text, (size_t)r);
    if (kind == CEL__H1_REQUEST && h.keep_alive)
        assert_true(t.keeps);
    return true;
}

static enum cel__h1_kind kind_of(const char *text)
{
    return strncmp(text, "HTTP/", 5) == 0 ? CEL__H1_RESPONSE : CEL__H1_REQUEST;
}

static void good_heads_are_read_alike(void **state)
{
    for (size_t i = 0; i < cel__countof(good); i++)
        assert_true(compare(kind_of(good[i]), good[i], strlen(good[i])));
}

/* Bytes and words that parsers fall out over. */
static size_t mutate(struct cel__rand *rand, char *text, size_t len)
{
    static const char *const words[] = {
        "\r",
        "\n",
        "\r\n",
        " ",
        "\t",
        ":",
        "\r\n ",
        ",",
        ";",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "chunked",
        "HTTP/1.0",
        "0",
        "9",
        "Host: a\r\n",
        "\x80",
        "\x0b",
        "Upgrade: x\r\n",
        "keep-alive",
        "x",
    };
    size_t at = cel__rand_below(rand, len + 1), size = cel__rand_below(rand, 40);
    const char *word;

    switch (cel__rand_below(rand, 4)) {
    case 0:
        if (at < len)
            text[at] = (char)cel__rand_next(rand);
        return len;
    case 1: /* drop a run */
        size = cel__min(size / 5, len - at);
        memmove(text + at, text + at + size, len - at - size);
        return len - size;
    case 2: /* double a run */
        size = cel__min(size, len - at);
        if (len + size > LONGEST)
            return len;
        memmove(text + at + size, text + at, len - at);
        return len + size;
    default:
        word = words[cel__rand_below(rand, cel__countof(words))];
        size = strlen(word);
        if (len + size > LONGEST)
            return len;
        memmove(text + at + size, text + at, len - at);
        memcpy(text + at, word, size);
        return len + size;
    }
}

static size_t pick(struct cel__rand *rand, char *text, enum cel__h1_kind *kind)
{
    size_t n = cel__rand_below(rand, 20 * cel__countof(good) + cel__countof(smuggled_requests) +
                                         cel__countof(smuggled_responses));
    struct cel_str s;

    *kind = CEL__H1_REQUEST;
    if (n < 20 * cel__countof(good)) {
        s = (struct cel_str){good[n / 20], strlen(good[n / 20])};
        *kind = kind_of(good[n / 20]);
    } else if ((n -= 20 * cel__countof(good)) < cel__countof(smuggled_requests)) {
        s = smuggled_requests[n].text;
    } else {
        s = smuggled_responses[n - cel__countof(smuggled_requests)].text;
        *kind = CEL__H1_RESPONSE;
    }
    memcpy(text, s.ptr, s.len);
    return s.len;
}

static void mutated_heads_are_read_alike(void **state)
{
    struct cel__rand rand;
    char text[LONGEST];
    int taken = 0;

    cel__rand_seed(&rand, 9112);
    for (int i = 0; i < MUTATIONS; i++) {
        enum cel__h1_kind kind;
        size_t len = pick(&rand, text, &kind);

        for (uint64_t n = cel__rand_below(&rand, 4); n-- != 0;)
            len = mutate(&rand, text, len);
        taken += compare(kind, text, len);
    }
    print_message("%d heads compared, %d of them accepted by both\n", MUTATIONS, taken);
    assert_true(taken > MUTATIONS / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_heads_are_read_alike),
        cmocka_unit_test(mutated_heads_are_read_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
