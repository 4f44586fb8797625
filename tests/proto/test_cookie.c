/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/cookie.h"
#include "support/check.h"

static const int64_t now = 1795382100; /* 2026-11-22 */

static void cookie_parse_gives_name_and_value(void **state)
{
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        {"a=b", "a", "b"},
        {"  a \t=  b c\t ; Path=/", "a", "b c"},
        {"a=b=c", "a", "b=c"},
        {"a=\"b\"", "a", "\"b\""},
        {"a=", "a", ""},
        {"=b", "", "b"},
        {"b", "", "b"},
        {"a=b;", "a", "b"},
        {"a=b;;;x", "a", "b"},
        {"a=\xc3\xa9,x", "a", "\xc3\xa9,x"},
        {"a\tb=c\td", "a\tb", "c\td"},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__cookie c;

        assert_int_equal(cel__cookie_parse(&c, cel__str(cases[i].line), now), 0);
        CHECK_STR(c.name, cases[i].name);
        CHECK_STR(c.value, cases[i].value);
        assert_false(c.is_persistent);
    }
}

static void cookie_parse_ignores_what_it_must(void **state)
{
    static const struct cel_str cases[] = {
        CEL_LIT(""),
        CEL_LIT("="),
        CEL_LIT("  =  "),
        CEL_LIT(";"),
        CEL_LIT("; Path=/"),
        CEL_LIT("a=b\0c"),
        CEL_LIT("a=b\rc"),
        CEL_LIT("a=b; x\x01"),
        CEL_LIT("a\x7f=b"),
        CEL_LIT("__Secure-a=b"),
        CEL_LIT("__secure-a=b"),
        CEL_LIT("__Host-a=b; Secure"),
        CEL_LIT("__Host-a=b; Secure; Path=/x"),
        CEL_LIT("__Host-a=b; Path=/"),
        CEL_LIT("__hOst-a=b; Secure; Path=/; Domain=x.org"),
        CEL_LIT("=__Host-a=b; Secure; Path=/"),
        CEL_LIT("__Secure-a"),
        CEL_LIT("=sid=evil"),
        CEL_LIT("=="),
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__cookie c;

        assert_int_equal(cel__cookie_parse(&c, cases[i], now), -EINVAL);
    }
}

static void cookie_attributes_are_read(void **state)
{
    struct cel__cookie c;

    assert_int_equal(cel__cookie_parse(&c,
                                       CEL_LIT("a=b; DOMAIN=.Example.org; path=/x; Secure=no; "
                                               "httponly; SameSite=lax; Partitioned"),
                                       now),
                     0);
    CHECK_STR(c.domain, "Example.org");
    CHECK_STR(c.path, "/x");
    assert_true(c.is_secure);
    assert_true(c.is_http_only);
    assert_int_equal(c.site, CEL__COOKIE_LAX);
    assert_int_equal(cel__cookie_parse(&c, CEL_LIT("a=b; path=/x; path=y; samesite=strict"), now),
                     0);
    assert_int_equal(c.path.len, 0);
    assert_int_equal(c.site, CEL__COOKIE_STRICT);
    assert_int_equal(
        cel__cookie_parse(&c, CEL_LIT("__Host-a=b; Secure; Path=/; SameSite=None"), now), 0);
    assert_int_equal(c.site, CEL__COOKIE_NONE);
}

static void cookie_expiry_is_capped_and_age_wins(void **state)
{
    const int64_t cap = now + 400 * INT64_C(86400);
    const struct {
        const char *line;
        bool is_persistent;
        int64_t expires;
    } cases[] = {
        {"a=b; max-age=10", true, now + 10},
        {"a=b; max-age=0", true, INT64_MIN},
        {"a=b; max-age=-5", true, INT64_MIN},
        {"a=b; max-age=99999999999999999999999", true, cap},
        {"a=b; max-age=1x", false, 0},
        {"a=b; max-age=", false, 0},
        {"a=b; max-age=5; expires=Sun, 06 Nov 1994 08:49:37 GMT", true, now + 5},
        {"a=b; expires=Sun, 06 Nov 1994 08:49:37 GMT", true, INT64_MIN},
        {"a=b; expires=Sun, 06 Nov 2094 08:49:37 GMT", true, cap},
        {"a=b; expires=Mon, 23 Nov 2026 08:49:37 GMT; max-age=7", true, now + 7},
        {"a=b; expires=never", false, 0},
        {"a=b; max-age=5; max-age=6", true, now + 6},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__cookie c;

        assert_int_equal(cel__cookie_parse(&c, cel__str(cases[i].line), now), 0);
        assert_int_equal(c.is_persistent, cases[i].is_persistent);
        assert_int_equal(c.expires, cases[i].expires);
    }
}

static void cookie_limits_hold_to_the_byte(void **state)
{
    static char line[8192];
    struct cel__cookie c;

    memset(line, 'v', sizeof line);
    memcpy(line, "a=", 2);
    assert_int_equal(cel__cookie_parse(&c, (struct cel_str){line, 4097}, now), 0);
    assert_int_equal(cel__cookie_parse(&c, (struct cel_str){line, 4098}, now), -EINVAL);
    memcpy(line, "a=b; path=/", 11);
    assert_int_equal(cel__cookie_parse(&c, (struct cel_str){line, 10 + 1024}, now), 0);
    assert_int_equal(c.path.len, 1024);
    assert_int_equal(cel__cookie_parse(&c, (struct cel_str){line, 11 + 1024}, now), 0);
    assert_int_equal(c.path.len, 0);
}

static void cookie_date_takes_any_order(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"1994 6 November 8:49:37", 784111777},
        {"08:49:37 6 nov 94", 784111777},
        {"6 Nov 69 0:0:0", INT64_C(3150921600)},
        {"6 Nov 70 0:0:0", 26697600},
        {"1 Jan 1601 00:00:00", INT64_C(-11644473600)},
    };
    static const char *const bad[] = {
        "",
        "6 Nov 1994",
        "6 1994 08:49:37",
        "Nov 1994 08:49:37",
        "32 Nov 1994 08:49:37",
        "6 Nov 1600 08:49:37",
        "6 Nov 1994 24:49:37",
        "6 Nov 1994 08:60:37",
        "6 Nov 1994 08:49:60",
        "29 Feb 2026 00:00:00",
        "6 Nov 19944 08:49:37",
    };
    int64_t seconds;

    for (size_t i = 0; i < cel__countof(cases); i++) {
        assert_int_equal(cel__cookie_date(cel__str(cases[i].text), &seconds), 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
    for (size_t i = 0; i < cel__countof(bad); i++)
        assert_int_equal(cel__cookie_date(cel__str(bad[i]), &seconds), -EINVAL);
}

static void cookie_line_is_written_and_read_back(void **state)
{
    struct cel_str line, name, value;
    struct cel__buf b = {0};

    assert_int_equal(cel__cookie_add(&b, CEL_LIT("a"), CEL_LIT("b c")), 0);
    assert_int_equal(cel__cookie_add(&b, CEL_LIT(""), CEL_LIT("x")), 0);
    assert_int_equal(cel__cookie_add(&b, CEL_LIT("d"), CEL_LIT("")), 0);
    CHECK_STR(cel__buf_str(&b), "a=b c; x; d=");
    line = cel__buf_str(&b);
    assert_true(cel__cookie_next(&line, &name, &value));
    CHECK_STR(name, "a");
    CHECK_STR(value, "b c");
    assert_true(cel__cookie_next(&line, &name, &value));
    CHECK_STR(value, "x");
    assert_true(cel__cookie_next(&line, &name, &value));
    CHECK_STR(name, "d");
    assert_false(cel__cookie_next(&line, &name, &value));
    cel__buf_fini(&b);
}

static void cookie_matching_follows_the_rfc(void **state)
{
    assert_true(
        cel__cookie_domain_matches(CEL_LIT("a.EXAMPLE.org"), CEL_LIT("example.org"), false));
    assert_true(cel__cookie_domain_matches(CEL_LIT("example.org"), CEL_LIT("Example.org"), false));
    assert_false(
        cel__cookie_domain_matches(CEL_LIT("badexample.org"), CEL_LIT("example.org"), false));
    assert_false(cel__cookie_domain_matches(CEL_LIT("org"), CEL_LIT("example.org"), false));
    assert_false(cel__cookie_domain_matches(CEL_LIT("1.2.3.4"), CEL_LIT("3.4"), true));
    assert_true(cel__cookie_domain_matches(CEL_LIT("1.2.3.4"), CEL_LIT("1.2.3.4"), true));
    assert_false(cel__cookie_domain_matches(CEL_LIT("a.org"), CEL_LIT(""), false));
    assert_true(cel__cookie_path_matches(CEL_LIT("/a/b"), CEL_LIT("/a")));
    assert_true(cel__cookie_path_matches(CEL_LIT("/a"), CEL_LIT("/a")));
    assert_true(cel__cookie_path_matches(CEL_LIT("/a/b"), CEL_LIT("/a/")));
    assert_false(cel__cookie_path_matches(CEL_LIT("/ab"), CEL_LIT("/a")));
    assert_false(cel__cookie_path_matches(CEL_LIT("/"), CEL_LIT("/a")));
    CHECK_STR(cel__cookie_default_path(CEL_LIT("/a/b/c")), "/a/b");
    CHECK_STR(cel__cookie_default_path(CEL_LIT("/a/b/")), "/a/b");
    CHECK_STR(cel__cookie_default_path(CEL_LIT("/a")), "/");
    CHECK_STR(cel__cookie_default_path(CEL_LIT("")), "/");
    CHECK_STR(cel__cookie_default_path(CEL_LIT("x")), "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookie_parse_gives_name_and_value),
        cmocka_unit_test(cookie_parse_ignores_what_it_must),
        cmocka_unit_test(cookie_attributes_are_read),
        cmocka_unit_test(cookie_expiry_is_capped_and_age_wins),
        cmocka_unit_test(cookie_limits_hold_to_the_byte),
        cmocka_unit_test(cookie_date_takes_any_order),
        cmocka_unit_test(cookie_line_is_written_and_read_back),
        cmocka_unit_test(cookie_matching_follows_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
