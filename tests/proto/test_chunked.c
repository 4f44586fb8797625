/* SPDX-License-Identifier: MIT */
/* Each body is decoded in one piece, in every two pieces and byte by byte, by slices and in place;
 * all must agree. */
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/str.h"
#include "proto/chunked.h"
#include "support/check.h"

struct answer {
    int r;
    size_t used;
    struct cel__buf data;
    struct cel__chunked d;
};

static void decode(struct answer *a, struct cel_str text, size_t first, size_t step, bool in_place)
{
    size_t to = first;

    memset(a, 0, sizeof *a);
    cel__chunked_init(&a->d, NULL);
    for (;;) {
        char piece[4096];
        size_t len = to - a->used, used, made;
        struct cel_str data;

        assert_true(len <= sizeof piece);
        if (len != 0)
            memcpy(piece, text.ptr + a->used, len);
        if (in_place) {
            a->r = cel__chunked_decode(&a->d, piece, len, &used, &made);
            data = (struct cel_str){piece, made};
        } else {
            a->r = cel__chunked_next(&a->d, piece, len, &used, &data);
        }
        assert_true(used <= len);
        a->used += used;
        assert_int_equal(cel__buf_add_str(&a->data, data), 0);
        if (a->r != 0 || (a->used == text.len && to == text.len))
            return;
        if (a->used == to)
            to = cel__min(to + step, text.len);
    }
}

static void release(struct answer *a)
{
    cel__chunked_fini(&a->d);
    cel__buf_fini(&a->data);
}

static void same(struct answer *a, struct answer *b)
{
    assert_int_equal(a->r, b->r);
    assert_int_equal(a->data.len, b->data.len);
    if (a->data.len != 0)
        assert_memory_equal(a->data.ptr, b->data.ptr, a->data.len);
    if (a->r >= 0)
        assert_int_equal(a->used, b->used);
    else
        assert_string_equal(a->d.why, b->d.why);
    release(b);
}

static void decode_all_ways(struct answer *a, struct cel_str text)
{
    struct answer b;

    decode(a, text, text.len, 1, false);
    decode(&b, text, text.len, 1, true);
    same(a, &b);
    decode(&b, text, 0, 1, false);
    same(a, &b);
    decode(&b, text, 0, 1, true);
    same(a, &b);
    for (size_t cut = 1; cut < text.len; cut++) {
        decode(&b, text, cut, text.len, false);
        same(a, &b);
        decode(&b, text, cut, text.len, true);
        same(a, &b);
    }
}

static void chunked_decode_gives_data_and_end(void **state)
{
    static const struct {
        const char *text;
        const char *data;
        int r;
        size_t behind;
    } cases[] = {
        {"5\r\nhello\r\n0\r\n\r\n", "hello", 1, 0},
        {"5\r\nhello\r\n6;a=b;c=\"d;e\"\r\n world\r\n000\r\n\r\nGET /", "hello world", 1, 5},
        {"0\r\n\r\n", "", 1, 0},
        {"00000000000A\r\n0123456789\r\n0;x\r\n\r\n", "0123456789", 1, 0},
        {"a\r\n01234\r\n789\r\n0\r\n\r\n\r\n", "01234\r\n789", 1, 2},
        {"5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: x\r\n\r\nnext", "hello", 1, 4},
        {"5\r\nhello\r\n0\r\n", "hello", 0, 0},
        {"5\r\nhel", "hel", 0, 0},
        {"7fffffffffffffff\r\nx", "x", 0, 0},
        {"0;\r\n\r\n", "", 1, 0},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct answer a;

        decode_all_ways(&a, cel__str(cases[i].text));
        assert_int_equal(a.r, cases[i].r);
        CHECK_STR(cel__buf_str(&a.data), cases[i].data);
        assert_int_equal(strlen(cases[i].text) - a.used, cases[i].behind);
        release(&a);
    }
}

static void chunked_decode_refuses_what_is_odd(void **state)
{
    static const struct cel_str cases[] = {
        CEL_LIT("\r\n"),
        CEL_LIT("x\r\n"),
        CEL_LIT(" 5\r\nhello\r\n"),
        CEL_LIT("5 \r\nhello\r\n"),
        CEL_LIT("5\t\r\nhello\r\n"),
        CEL_LIT("+5\r\nhello\r\n"),
        CEL_LIT("-5\r\nhello\r\n"),
        CEL_LIT("0x5\r\nhello\r\n"),
        CEL_LIT("5h\r\nhello\r\n"),
        CEL_LIT("5\nhello\r\n"),
        CEL_LIT("5\rhello\r\n"),
        CEL_LIT("5\r\rhello\r\n"),
        CEL_LIT("5\r\nhello\n0\r\n\r\n"),
        CEL_LIT("5\r\nhello0\r\n\r\n"),
        CEL_LIT("5\r\nhelloX\n0\r\n\r\n"),
        CEL_LIT("5\r\nhello\rX0\r\n\r\n"),
        CEL_LIT("4\r\nhello\r\n0\r\n\r\n"),
        CEL_LIT("6\r\nhello\r\n0\r\n\r\n"),
        CEL_LIT("8000000000000000\r\n"),
        CEL_LIT("ffffffffffffffff\r\n"),
        CEL_LIT("10000000000000000\r\n"),
        CEL_LIT("00000000000000005\r\nhello\r\n"),
        CEL_LIT("5;a\x01\r\nhello\r\n"),
        CEL_LIT("5;a\nb\r\nhello\r\n"),
        CEL_LIT("5;\0\r\nhello\r\n"),
        CEL_LIT("5;a\rb\r\nhello\r\n"),
        CEL_LIT("0\r\n\n"),
        CEL_LIT("0\r\n\r\r\n"),
        CEL_LIT("0\r\n\rX"),
        CEL_LIT("0\r\nX\r\n\r\n"),
        CEL_LIT("0\r\nX : y\r\n\r\n"),
        CEL_LIT("0\r\nX: y\n\r\n"),
        CEL_LIT("0\r\nX: y\r\n z\r\n\r\n"),
        CEL_LIT("0\r\nContent-Length: 5\r\n\r\n"),
        CEL_LIT("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        CEL_LIT("0\r\nHost: x\r\n\r\n"),
        CEL_LIT("0\r\n: x\r\n\r\n"),
        CEL_LIT("0\r\nX: \0\r\n\r\n"),
        CEL_LIT("5;a=\x7f\r\nhello\r\n"),
        CEL_LIT("0\n\r\n"),
        CEL_LIT("5\r\n\r\nhello\r\n"),
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct answer a;

        decode_all_ways(&a, cases[i]);
        if (a.r >= 0)
            print_error("taken: %.*s\n", CEL_STR(cases[i]));
        assert_int_equal(a.r, -CEL_EPROTOCOL);
        assert_non_null(a.d.why);
        release(&a);
    }
}

static void chunked_extensions_are_bounded(void **state)
{
    struct cel__chunked d;
    struct cel_str data;
    char line[300];
    size_t used;
    int r = 0, chunks = 0;

    memset(line, 'e', sizeof line);
    memcpy(line, "1;", 2);
    cel__chunked_init(&d, NULL);
    assert_int_equal(cel__chunked_next(&d, line, sizeof line, &used, &data), -CEL_ETOOLARGE);
    cel__chunked_init(&d, NULL);
    memcpy(line + 202, "\r\nx\r\n", 5);
    while (r == 0 && chunks < 1000) {
        for (size_t at = 0; at < 207 && r == 0; at += used)
            r = cel__chunked_next(&d, line + at, 207 - at, &used, &data);
        chunks++;
    }
    assert_int_equal(r, -CEL_ETOOLARGE);
    assert_int_equal(chunks, (16 << 10) / 200 + 1);
}

static void chunked_trailers_are_bounded_and_readable(void **state)
{
    const struct cel__h1_limits small = {.line_bytes = 64, .head_bytes = 128, .fields = 3};
    struct cel_str text = CEL_LIT("0\r\nX-A: 1\r\nETag: \"x\"\r\n\r\n");
    struct cel__chunked d;
    struct cel_str data;
    size_t used;

    cel__chunked_init(&d, &small);
    assert_int_equal(cel__chunked_next(&d, text.ptr, text.len, &used, &data), 1);
    assert_int_equal(d.trailer.field_count, 2);
    CHECK_STR(cel__h1_get(&d.trailer, d.trailer_bytes.ptr, CEL__FIELD_ETAG), "\"x\"");
    cel__chunked_fini(&d);

    cel__chunked_init(&d, &small);
    text = CEL_LIT("0\r\na: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\n\r\n");
    assert_int_equal(cel__chunked_next(&d, text.ptr, text.len, &used, &data), -CEL_ETOOLARGE);
    cel__chunked_fini(&d);

    cel__chunked_init(&d, &small);
    assert_int_equal(cel__chunked_next(&d, "0\r\n", 3, &used, &data), 0);
    for (int i = 0, r = 0; r == 0; i++) {
        assert_true(i < 200);
        r = cel__chunked_next(&d, "a", 1, &used, &data);
        assert_true(r == 0 || r == -CEL_ETOOLARGE);
    }
    assert_true(d.trailer_bytes.len <= 129);
    cel__chunked_fini(&d);
}

static void chunked_line_is_read_back(void **state)
{
    static const uint64_t sizes[] = {1, 9, 15, 16, 255, 256, 0xabcdef, 1u << 31, INT64_MAX};

    for (size_t i = 0; i < cel__countof(sizes); i++) {
        char line[CEL__CHUNKED_LINE_MAX];
        size_t len = cel__chunked_line(line, sizes[i]), used;
        struct cel__chunked d;
        struct cel_str data;

        cel__chunked_init(&d, NULL);
        assert_int_equal(cel__chunked_next(&d, line, len, &used, &data), 0);
        assert_int_equal(used, len);
        assert_int_equal(d.left, sizes[i]);
        assert_memory_not_equal(line, "0", 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunked_decode_gives_data_and_end),
        cmocka_unit_test(chunked_decode_refuses_what_is_odd),
        cmocka_unit_test(chunked_extensions_are_bounded),
        cmocka_unit_test(chunked_trailers_are_bounded_and_readable),
        cmocka_unit_test(chunked_line_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
