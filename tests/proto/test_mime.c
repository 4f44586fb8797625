/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/mime.h"
#include "support/check.h"

static void mime_parse_gives_type_and_charset(void **state)
{
    static const struct {
        const char *text, *essence, *type, *subtype, *charset;
    } cases[] = {
        {"text/html", "text/html", "text", "html", ""},
        {" Text/HTML ; Charset=UTF-8 ", "Text/HTML", "Text", "HTML", "UTF-8"},
        {"text/html;charset=\"utf-8\"", "text/html", "text", "html", "utf-8"},
        {"text/html; x=\"a;charset=b\"; charset=c", "text/html", "text", "html", "c"},
        {"text/html; charset=a; charset=b", "text/html", "text", "html", "a"},
        {"text/html; charset", "text/html", "text", "html", ""},
        {"text/html;;; ;charset=x", "text/html", "text", "html", "x"},
        {"text/html; charset=\"open", "text/html", "text", "html", "open"},
        {"application/vnd.a+json;v=1", "application/vnd.a+json", "application", "vnd.a+json", ""},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__mime m;

        assert_int_equal(cel__mime_parse(&m, cel__str(cases[i].text)), 0);
        CHECK_STR(m.essence, cases[i].essence);
        CHECK_STR(m.type, cases[i].type);
        CHECK_STR(m.subtype, cases[i].subtype);
        CHECK_STR(m.charset, cases[i].charset);
    }
}

static void mime_parse_refuses_what_is_none(void **state)
{
    static const char *const cases[] = {"",           "text",        "/html",
                                        "text/",      "te xt/html",  "text/ht ml",
                                        ";charset=x", "text/html/x", "t\x01/x"};

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__mime m;

        assert_int_equal(cel__mime_parse(&m, cel__str(cases[i])), -EINVAL);
    }
}

static void mime_params_come_one_by_one(void **state)
{
    struct cel_str params = CEL_LIT(" a=b; C=\"d\\\"e\" ;f; g=;h = i"), name, value;
    static const char *const want[][2] = {
        {"a", "b"}, {"C", "d\\\"e"}, {"f", ""}, {"g", ""}, {"h", "i"}};

    for (size_t i = 0; i < cel__countof(want); i++) {
        assert_true(cel__mime_param_next(&params, &name, &value));
        CHECK_STR(name, want[i][0]);
        CHECK_STR(value, want[i][1]);
    }
    assert_false(cel__mime_param_next(&params, &name, &value));
}

static void mime_kind_is_told(void **state)
{
    struct cel__mime m;

    assert_int_equal(cel__mime_parse(&m, CEL_LIT("application/LD+json")), 0);
    assert_true(cel__mime_is_text(&m));
    assert_true(cel__mime_is(&m, "application/ld+json"));
    assert_int_equal(cel__mime_parse(&m, CEL_LIT("image/png")), 0);
    assert_false(cel__mime_is_text(&m));
}

static void mime_of_path_goes_by_extension(void **state)
{
    static const struct {
        const char *path, *type;
    } cases[] = {
        {"index.html", "text/html; charset=utf-8"},
        {"/a.b/INDEX.HTML", "text/html; charset=utf-8"},
        {"a.tar.gz", "application/gzip"},
        {"x.7z", "application/x-7z-compressed"},
        {"x.zst", "application/zstd"},
        {"x.woff2", "font/woff2"},
        {"x.woff", "font/woff"},
        {"README", "application/octet-stream"},
        {"/a.html/x", "application/octet-stream"},
        {"x.", "application/octet-stream"},
        {"x.htmlx", "application/octet-stream"},
        {"", "application/octet-stream"},
        {".png", "image/png"},
        {"x.js", "text/javascript; charset=utf-8"},
        {"x.svg", "image/svg+xml"},
    };

    for (size_t i = 0; i < cel__countof(cases); i++)
        assert_string_equal(cel__mime_of_path(cel__str(cases[i].path)), cases[i].type);
    assert_string_equal(cel__mime_of_path(CEL_LIT("x.css\0z")), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mime_parse_gives_type_and_charset),
        cmocka_unit_test(mime_parse_refuses_what_is_none),
        cmocka_unit_test(mime_params_come_one_by_one),
        cmocka_unit_test(mime_kind_is_told),
        cmocka_unit_test(mime_of_path_goes_by_extension),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
