/* SPDX-License-Identifier: MIT */
/* Coded bodies: every coding, broken ones, and bombs, with the memory they cost. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "celadon/http.h"
#include "http/door.h"
#include "proto/coding.h"
#include "support/intask.h"

static const enum cel__coding codings[] = {CEL__CODING_GZIP, CEL__CODING_BR, CEL__CODING_ZSTD};

/* Appends `total` bytes made by repeating `block`, encoded. */
static void encode(struct cel__buf *out, enum cel__coding coding, struct cel_str block,
                   size_t total)
{
    struct cel__encode *e;
    size_t fed = 0;
    int r = 0;

    assert_int_equal(cel__encode_new(&e, coding), 0);
    while (r == 0) {
        size_t at = fed % block.len, n = block.len - at, used, made;
        enum cel__codec_op op = CEL__CODEC_RUN;

        if (n > total - fed)
            n = total - fed;
        if (n == 0)
            op = CEL__CODEC_FINISH;
        assert_int_equal(cel__buf_reserve(out, 4096), 0);
        r = cel__encode_step(e, op, block.ptr + at, n, &used, out->ptr + out->len, 4096, &made);
        assert_true(r >= 0);
        fed += used;
        out->len += made;
        if (op == CEL__CODEC_RUN)
            r = 0;
    }
    cel__encode_free(e);
}

static struct answer answer_with(struct cel__buf *text, const char *coding, struct cel_str body,
                                 bool is_chunked)
{
    cel__buf_printf(text, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n", coding);
    if (is_chunked)
        cel__buf_printf(text, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body.len);
    else
        cel__buf_printf(text, "Content-Length: %zu\r\n\r\n", body.len);
    cel__buf_add_str(text, body);
    if (is_chunked)
        cel__buf_add_text(text, "\r\n0\r\n\r\n");
    assert_false(text->failed);
    return (struct answer){text->ptr, KEEP, text->len};
}

static int get_one(const struct answer *answer, const struct cel_session_options *options,
                   struct cel_response **page)
{
    struct door *door = door_open(answer, 1);
    struct cel_session *web = cel_session_new(options);
    struct cel_session_stats stats;
    int r = cel_get(web, door_url(door, "/0"), page);

    cel_session_stats(web, &stats);
    assert_int_equal(stats.open, r == 0 ? 1 : 0);
    assert_int_equal(stats.idle, stats.open);
    cel_session_free(web);
    door_close(door);
    return r;
}

IN_TASK(each_coding_is_decoded)
{
    struct cel_str block = CEL_LIT("The quick brown fox jumps over the lazy dog. ");

    for (int i = 0; i < 6; i++) {
        struct cel__buf body = {0}, text = {0};
        const char *name = cel__coding_name(codings[i / 2]).ptr;
        struct cel_response *page;
        struct answer answer;

        encode(&body, codings[i / 2], block, 100000);
        answer = answer_with(&text, name, cel__buf_str(&body), i % 2);
        assert_int_equal(get_one(&answer, NULL, &page), 0);
        assert_int_equal(cel_text(page).len, 100000);
        for (size_t k = 0; k < 100000; k++)
            assert_int_equal(cel_text(page).ptr[k], block.ptr[k % block.len]);
        cel_response_free(page);
        assert_int_equal(
            get_one(&answer, &(struct cel_session_options){.no_decoding = true}, &page), 0);
        assert_int_equal(cel_text(page).len, body.len);
        cel_response_free(page);
        cel__buf_fini(&body);
        cel__buf_fini(&text);
    }
}

IN_TASK(coded_body_is_decoded_byte_by_byte_and_in_layers)
{
    struct cel__buf once = {0}, twice = {0}, text = {0};
    struct cel_response *page;
    struct answer answer;

    encode(&once, CEL__CODING_GZIP, CEL_LIT("abc"), 3);
    encode(&twice, CEL__CODING_BR, cel__buf_str(&once), once.len);
    answer = answer_with(&text, "gzip\r\nContent-Encoding: br", cel__buf_str(&twice), true);
    answer.is_bytewise = true;
    assert_int_equal(get_one(&answer, NULL, &page), 0);
    CHECK_STR(cel_text(page), "abc");
    cel_response_free(page);
    cel__buf_fini(&once);
    cel__buf_fini(&twice);
    cel__buf_fini(&text);
}

IN_TASK(bodies_without_content_need_no_decoding)
{
    const struct answer answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Encoding: unheard-of\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 0\r\n\r\n"},
    };
    struct cel_response *page;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        assert_int_equal(get_one(&answers[i], NULL, &page), 0);
        assert_int_equal(cel_text(page).len, 0);
        cel_response_free(page);
    }
}

IN_TASK(broken_codings_are_named)
{
    struct cel__buf body = {0}, text = {0}, cut = {0};
    struct answer answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: lzma\r\nContent-Length: 5\r\n\r\nhello"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: br, br, br, br, br, br\r\nContent-Length: "
         "1\r\n\r\nx"},
        {0},
    };
    struct cel_response *page;

    encode(&body, CEL__CODING_GZIP, CEL_LIT("hello"), 5000);
    answers[3] = answer_with(&cut, "gzip", (struct cel_str){body.ptr, body.len - 9}, false);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        assert_int_equal(get_one(&answers[i], NULL, &page), -CEL_EDECODE);
        assert_string_equal(cel_last_error()->phase, "decode");
        assert_int_equal(cel_last_error()->code, -CEL_EDECODE);
    }
    cel__buf_fini(&body);
    cel__buf_fini(&text);
    cel__buf_fini(&cut);
}

/* ---- bombs ---- */

static size_t live_bytes, peak_bytes;

static void *counted_realloc(void *ptr, size_t size, void *arg)
{
    size_t before = ptr != NULL ? malloc_usable_size(ptr) : 0;
    void *grown = realloc(ptr, size);

    if (grown != NULL)
        live_bytes += malloc_usable_size(grown) - before;
    if (live_bytes > peak_bytes)
        peak_bytes = live_bytes;
    return grown;
}

static void *counted_alloc(size_t size, void *arg)
{
    return counted_realloc(NULL, size, arg);
}

static void counted_free(void *ptr, void *arg)
{
    if (ptr != NULL)
        live_bytes -= malloc_usable_size(ptr);
    free(ptr);
}

static struct answer bomb;
static struct cel_session_options bomb_options;
static int bomb_code;

IN_TASK(explode)
{
    struct cel_response *page;

    assert_int_equal(get_one(&bomb, &bomb_options, &page), bomb_code);
}

static void set_off(struct cel_session_options options, int code, size_t peak_max)
{
    struct cel_allocator counted = {counted_alloc, counted_realloc, counted_free, NULL};

    live_bytes = peak_bytes = 0;
    bomb_options = options;
    bomb_code = code;
    cel_set_allocator(&counted);
    explode(NULL);
    cel_set_allocator(NULL);
    if (peak_bytes > peak_max)
        fail_msg("a bomb took %zu bytes, %zu are allowed", peak_bytes, peak_max);
}

static void bombs_cost_no_more_than_their_limit(void **state)
{
    char zeros[65536] = {0};

    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        struct cel__buf body = {0}, text = {0};

        encode(&body, codings[i], (struct cel_str){zeros, sizeof zeros}, 100 << 20);
        bomb = answer_with(&text, cel__coding_name(codings[i]).ptr, cel__buf_str(&body), false);
        set_off((struct cel_session_options){.ratio_max = 1000000, .body_max = 4 << 20},
                -CEL_ETOOLARGE, (4 << 20) + (12 << 20));
        set_off((struct cel_session_options){0}, -CEL_ETOOLARGE, 16 << 20);
        cel__buf_fini(&body);
        cel__buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_coding_is_decoded),
        cmocka_unit_test(coded_body_is_decoded_byte_by_byte_and_in_layers),
        cmocka_unit_test(bodies_without_content_need_no_decoding),
        cmocka_unit_test(broken_codings_are_named),
        cmocka_unit_test(bombs_cost_no_more_than_their_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
