/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/percent.h"
#include "proto/url.h"
#include "support/check.h"
#include "support/testdata.h"

/* Names that UTS 46 lets pass and libidn2, holding to IDNA 2008, does not: symbols, labels that
 * begin or end in a hyphen, labels longer than DNS takes, and tables of an older Unicode. */
enum { KNOWN_DIFFERENCES = 2, KNOWN_HOST_DIFFERENCES = 17 };

static json_t *load(const char *name)
{
    char path[1024];
    json_error_t error;
    json_t *all;

    if (!testdata_find(path, sizeof path, name))
        skip();
    all = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (all == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return all;
}

static struct cel_str text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value))
        return (struct cel_str){NULL, 0};
    return (struct cel_str){json_string_value(value), json_string_length(value)};
}

/* Whether the part, with what stands before (or behind) it in the DOM's view, is as expected. */
static bool is_part(const json_t *want, const char *key, const char *before, struct cel_str part,
                    const char *behind)
{
    struct cel_str text = text_of(want, key);
    size_t b = strlen(before), e = strlen(behind);

    if (text.ptr == NULL)
        return true;
    if (text.len == b + part.len + e && memcmp(text.ptr, before, b) == 0 &&
        (part.len == 0 || memcmp(text.ptr + b, part.ptr, part.len) == 0))
        return true;
    print_error("  %s is %s%.*s%s, not %.*s\n", key, before, CEL_STR(part), behind, CEL_STR(text));
    return false;
}

static bool has_parts(const json_t *want, const struct cel__url *u)
{
    struct cel__buf origin = {0};
    bool is_good;

    assert_int_equal(cel__url_add_origin(&origin, u), 0);
    is_good =
        is_part(want, "href", "", u->href, "") && is_part(want, "protocol", "", u->scheme, ":") &&
        is_part(want, "username", "", u->username, "") &&
        is_part(want, "password", "", u->password, "") &&
        is_part(want, "host", "", u->authority, "") && is_part(want, "hostname", "", u->host, "") &&
        is_part(want, "port", "", u->port, "") && is_part(want, "pathname", "", u->path, "") &&
        is_part(want, "search", u->query.len != 0 ? "?" : "", u->query, "") &&
        is_part(want, "hash", u->fragment.len != 0 ? "#" : "", u->fragment, "");
    /* the origin of blob: URLs is that of the URL within, which nothing here needs */
    if (!cel__str_eq(u->scheme, CEL_LIT("blob")))
        is_good = is_part(want, "origin", "", cel__buf_str(&origin), "") && is_good;
    cel__buf_fini(&origin);
    return is_good;
}

static bool is_read_back(const struct cel__url *u)
{
    struct cel__url again, copy;
    bool is_same;

    if (cel__url_parse(&again, u->href, NULL, 0, NULL) < 0)
        return false;
    is_same = cel__str_eq(again.href, u->href);
    cel__url_fini(&again);
    assert_int_equal(cel__url_copy(&copy, u), 0);
    is_same = is_same && cel__str_eq(copy.href, u->href) && cel__str_eq(copy.path, u->path);
    cel__url_fini(&copy);
    return is_same;
}

static bool agrees(const json_t *want)
{
    struct cel_str input = text_of(want, "input"), base_text = text_of(want, "base");
    bool must_fail = json_is_true(json_object_get(want, "failure")), is_good;
    struct cel__url base = {0}, u = {0};
    const char *why = "";
    int r = 0;

    if (base_text.ptr != NULL)
        r = cel__url_parse(&base, base_text, NULL, 0, &why);
    if (r == 0)
        r = cel__url_parse(&u, input, base_text.ptr != NULL ? &base : NULL, 0, &why);
    if (r < 0) {
        is_good = must_fail && r == -CEL_EURL && why != NULL && why[0] != '\0';
        if (!is_good)
            print_error("  refused: %s\n", why);
    } else if (must_fail) {
        print_error("  taken as %.*s\n", CEL_STR(u.href));
        is_good = false;
    } else {
        is_good = has_parts(want, &u) && is_read_back(&u);
    }
    cel__url_fini(&u);
    cel__url_fini(&base);
    return is_good;
}

static void url_parse_agrees_with_web_platform_tests(void **state)
{
    json_t *all = load("url/urltestdata.json"), *want;
    size_t i, good = 0, count = 0;

    json_array_foreach(all, i, want)
    {
        if (!json_is_object(want))
            continue;
        count++;
        if (agrees(want))
            good++;
        else
            print_error("%zu: <%.*s> against <%.*s>\n", i, CEL_STR(text_of(want, "input")),
                        CEL_STR(text_of(want, "base")));
    }
    print_message("%zu of %zu cases agree\n", good, count);
    json_decref(all);
    assert_true(count - good <= KNOWN_DIFFERENCES);
}

static void host_agrees_with_toascii_tests(void **state)
{
    json_t *all = load("url/toascii.json"), *want;
    size_t i, good = 0, count = 0;

    json_array_foreach(all, i, want)
    {
        struct cel_str input = text_of(want, "input"), output = text_of(want, "output");
        struct cel__buf b = {0};
        const char *why = "";
        int r;

        if (!json_is_object(want))
            continue;
        count++;
        r = cel__host_parse(&b, input, true, false, &why);
        if (output.ptr == NULL ? r <= 0 || r == CEL__HOST_EMPTY
                               : r >= 0 && cel__str_eq(cel__buf_str(&b), output))
            good++;
        else
            print_error("host <%.*s>: %.*s (%s), not %.*s\n", CEL_STR(input),
                        CEL_STR(cel__buf_str(&b)), why, CEL_STR(output));
        cel__buf_fini(&b);
    }
    print_message("%zu of %zu hosts agree\n", good, count);
    json_decref(all);
    assert_true(count - good <= KNOWN_HOST_DIFFERENCES);
}

static void url_strict_refuses_what_is_repaired_else(void **state)
{
    static const char *const cases[] = {
        " http://a/",    "http://a/ ",         "http://a/b c",       "http://a/\tb",
        "ht\ntp://a/",   "http://a\r/",        "http://a/\x01",      "http://a/\x7f",
        "http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/",
        "http://1.2.3/", "http://127.0.0.1./", "http://127.0.0.01/",
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel__url u;
        const char *why = NULL;

        assert_int_equal(cel__url_parse(&u, cel__str(cases[i]), NULL, CEL__URL_STRICT, &why),
                         -CEL_EURL);
        assert_non_null(why);
        assert_int_equal(cel__url_parse(&u, cel__str(cases[i]), NULL, 0, NULL), 0);
        cel__url_fini(&u);
    }
}

static void url_parts_are_slices_ready_for_a_request(void **state)
{
    struct cel__url base, u;

    assert_int_equal(cel__url_parse(&base, CEL_LIT("HTTPS://u:p@Example.ORG:8443/a/b?c#d"), NULL,
                                    CEL__URL_STRICT, NULL),
                     0);
    CHECK_STR(base.href, "https://u:p@example.org:8443/a/b?c#d");
    CHECK_STR(base.authority, "example.org:8443");
    CHECK_STR(base.target, "/a/b?c");
    assert_int_equal(base.port_number, 8443);
    assert_int_equal(base.kind, CEL__URL_HTTPS);
    assert_int_equal(cel__url_parse(&u, CEL_LIT("../x%2fy?"), &base, CEL__URL_STRICT, NULL), 0);
    CHECK_STR(u.target, "/x%2fy?");
    assert_true(u.has_query);
    assert_true(cel__url_same_origin(&u, &base));
    cel__url_fini(&u);
    assert_int_equal(cel__url_parse(&u, CEL_LIT("http://example.org:443/"), NULL, 0, NULL), 0);
    assert_false(cel__url_same_origin(&u, &base));
    CHECK_STR(u.authority, "example.org:443");
    cel__url_fini(&u);
    assert_int_equal(cel__url_parse(&u, CEL_LIT("http://[::1]:80"), NULL, 0, NULL), 0);
    CHECK_STR(u.authority, "[::1]");
    CHECK_STR(u.target, "/");
    assert_int_equal(u.port_number, 80);
    assert_int_equal(u.host_kind, CEL__HOST_IPV6);
    cel__url_fini(&u);
    cel__url_fini(&base);
    cel__url_fini(NULL);
}

static void percent_decode_undoes_encode(void **state)
{
    struct cel__buf encoded = {0}, decoded = {0};
    char all[256];

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    assert_int_equal(cel__percent_encode(&encoded, (struct cel_str){all, 256}, CEL__PERCENT_FORM),
                     0);
    assert_int_equal(cel__percent_decode(&decoded, cel__buf_str(&encoded)), 0);
    assert_int_equal(decoded.len, 256);
    assert_memory_equal(decoded.ptr, all, 256);
    cel__buf_clear(&decoded);
    assert_int_equal(cel__percent_decode(&decoded, CEL_LIT("%4a%4G%%41%4")), 0);
    CHECK_STR(cel__buf_str(&decoded), "J%4G%A%4");
    cel__buf_fini(&encoded);
    cel__buf_fini(&decoded);
}

static int failing_at, allocations;

static void *counted_alloc(size_t size, void *arg)
{
    return ++allocations == failing_at ? NULL : malloc(size);
}

static void *counted_realloc(void *ptr, size_t size, void *arg)
{
    return ++allocations == failing_at ? NULL : realloc(ptr, size);
}

static void counted_free(void *ptr, void *arg)
{
    free(ptr);
}

static void url_parse_without_memory_fails_clean(void **state)
{
    const struct cel_allocator counted = {counted_alloc, counted_realloc, counted_free, NULL};
    struct cel__url u;
    int r = -ENOMEM;

    cel_set_allocator(&counted);
    for (failing_at = 1; r == -ENOMEM && failing_at < 100; failing_at++) {
        allocations = 0;
        r = cel__url_parse(&u, CEL_LIT("http://u:p@\xc3\xa9.x%41:81/a/./b c?d#e"), NULL, 0, NULL);
    }
    assert_int_equal(r, 0);
    assert_true(failing_at > 8);
    CHECK_STR(u.href, "http://u:p@xn--9ca.xa:81/a/b%20c?d#e");
    cel__url_fini(&u);
    cel_set_allocator(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_parse_agrees_with_web_platform_tests),
        cmocka_unit_test(host_agrees_with_toascii_tests),
        cmocka_unit_test(url_strict_refuses_what_is_repaired_else),
        cmocka_unit_test(url_parts_are_slices_ready_for_a_request),
        cmocka_unit_test(percent_decode_undoes_encode),
        cmocka_unit_test(url_parse_without_memory_fails_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
