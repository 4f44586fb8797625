/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/h1_parse.h"
#include "proto/h1_write.h"
#include "support/check.h"

static void write_request_gives_a_head_that_parses(void **state)
{
    const struct cel__h1_framing framing = {.body = CEL__H1_BODY_LENGTH, .body_bytes = 1234567890};
    struct cel__h1_field fields[8];
    struct cel__buf b = {0};
    struct cel__h1_write w;
    struct cel__h1_head h;

    cel__h1_write_request(&w, &b, CEL_LIT("POST"), CEL_LIT("/a?b"), CEL_LIT("example.org:81"));
    cel__h1_write_field(&w, CEL_LIT("Accept"), CEL_LIT("*/*"));
    cel__h1_write_field(&w, CEL_LIT("X-Empty"), CEL_LIT(""));
    cel__h1_write_framing(&w, &framing);
    assert_int_equal(cel__h1_write_end(&w), 0);
    CHECK_STR(cel__buf_str(&b), "POST /a?b HTTP/1.1\r\nHost: example.org:81\r\nAccept: */*\r\n"
                                "X-Empty: \r\nContent-Length: 1234567890\r\n\r\n");
    cel__h1_head_init(&h, CEL__H1_REQUEST, fields, 8, NULL);
    assert_int_equal(cel__h1_parse(&h, b.ptr, b.len), b.len);
    assert_int_equal(h.body_bytes, 1234567890);
    cel__buf_fini(&b);
}

static void write_status_knows_its_reasons(void **state)
{
    static const struct {
        unsigned status;
        const char *reason, *line;
    } cases[] = {
        {200, NULL, "HTTP/1.1 200 OK\r\n"},
        {404, NULL, "HTTP/1.1 404 Not Found\r\n"},
        {404, "Gone fishing", "HTTP/1.1 404 Gone fishing\r\n"},
        {799, NULL, "HTTP/1.1 799 \r\n"},
        {100, "", "HTTP/1.1 100 \r\n"},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__buf b = {0};
        struct cel__h1_write w;

        cel__h1_write_status(&w, &b, cases[i].status, cel__str(cases[i].reason));
        assert_int_equal(w.error, 0);
        CHECK_STR(cel__buf_str(&b), cases[i].line);
        cel__buf_fini(&b);
    }
    assert_string_equal(cel__h1_reason(503), "Service Unavailable");
    assert_string_equal(cel__h1_reason(599), "");
}

static void write_framing_sets_connection_and_coding(void **state)
{
    static const struct {
        struct cel__h1_framing framing;
        const char *text;
    } cases[] = {
        {{.body = CEL__H1_BODY_NONE}, ""},
        {{.body = CEL__H1_BODY_LENGTH}, "Content-Length: 0\r\n"},
        {{.body = CEL__H1_BODY_CHUNKED}, "Transfer-Encoding: chunked\r\n"},
        {{.body = CEL__H1_BODY_CLOSE, .closes = true}, "Connection: close\r\n"},
        {{.upgrades = true}, "Connection: upgrade\r\n"},
        {{.upgrades = true, .closes = true}, "Connection: close, upgrade\r\n"},
        {{.keeps = true}, "Connection: keep-alive\r\n"},
        {{.body = CEL__H1_BODY_LENGTH, .body_bytes = UINT64_MAX},
         "Content-Length: 18446744073709551615\r\n"},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__buf b = {0};
        struct cel__h1_write w;

        cel__h1_write_trailer(&w, &b);
        assert_int_equal(cel__h1_write_framing(&w, &cases[i].framing), 0);
        CHECK_STR(cel__buf_str(&b), cases[i].text);
        cel__buf_fini(&b);
    }
}

/* Puts the byte into each part in turn; -> how many parts took it. */
static int parts_that_take(char byte)
{
    const char odd[] = {'a', byte, 'b'};
    struct cel_str bad = {odd, 3}, good = CEL_LIT("a");
    int taken = 0;

    for (int part = 0; part < 6; part++) {
        struct cel__buf b = {0};
        struct cel__h1_write w;
        int r;

        cel__buf_add_text(&b, "before");
        if (part == 5)
            cel__h1_write_status(&w, &b, 200, bad);
        else
            cel__h1_write_request(&w, &b, part == 0 ? bad : good, part == 1 ? bad : good,
                                  part == 2 ? bad : good);
        cel__h1_write_field(&w, part == 3 ? bad : good, part == 4 ? bad : good);
        r = cel__h1_write_end(&w);
        if (r == 0) {
            taken++;
        } else {
            assert_int_equal(r, -EINVAL);
            assert_non_null(w.why);
            CHECK_STR(cel__buf_str(&b), "before");
        }
        cel__buf_fini(&b);
    }
    return taken;
}

static void write_refuses_control_bytes_in_every_part(void **state)
{
    for (int c = 0; c < 0x20; c++)
        assert_int_equal(parts_that_take((char)c), c == '\t' ? 2 : 0);
    assert_int_equal(parts_that_take(0x7f), 0);
    assert_int_equal(parts_that_take('x'), 6);
    assert_int_equal(parts_that_take(' '), 2);
    assert_int_equal(parts_that_take(':'), 3); /* target, value, reason */
}

static void write_refuses_fields_of_its_own(void **state)
{
    static const char *const names[] = {"Host", "content-length", "TRANSFER-ENCODING", "Connection",
                                        ""};

    for (size_t i = 0; i < cel__countof(names); i++) {
        struct cel__buf b = {0};
        struct cel__h1_write w;

        cel__h1_write_status(&w, &b, 200, (struct cel_str){NULL, 0});
        assert_int_equal(cel__h1_write_field(&w, cel__str(names[i]), CEL_LIT("5")), -EINVAL);
        assert_int_equal(cel__h1_write_end(&w), -EINVAL);
        assert_int_equal(b.len, 0);
        cel__buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_request_gives_a_head_that_parses),
        cmocka_unit_test(write_status_knows_its_reasons),
        cmocka_unit_test(write_framing_sets_connection_and_coding),
        cmocka_unit_test(write_refuses_control_bytes_in_every_part),
        cmocka_unit_test(write_refuses_fields_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
