/* SPDX-License-Identifier: MIT */
/* The cookie jar, by the rules of RFC 6265bis, without a network. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/jar.h"
#include "support/check.h"

#define NOW 1700000000

static int set(struct cel__jar *jar, const char *url, const char *line)
{
    struct cel__target from;
    int r;

    assert_int_equal(cel__target_parse(&from, cel__str(url), NULL), 0);
    r = cel__jar_set(jar, &from, cel__str(line), NOW);
    cel__target_fini(&from);
    return r;
}

static void says_at(struct cel__jar *jar, const char *url, int64_t now, const char *expected)
{
    struct cel__buf out = {0};
    struct cel__target to;

    assert_int_equal(cel__target_parse(&to, cel__str(url), NULL), 0);
    assert_true(cel__jar_write(jar, &to, now, &out) >= 0);
    assert_string_equal(cel__buf_cstr(&out), expected);
    cel__buf_fini(&out);
    cel__target_fini(&to);
}

static void says(struct cel__jar *jar, const char *url, const char *expected)
{
    says_at(jar, url, NOW, expected);
}

static void cookie_without_domain_is_for_its_host_alone(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://www.example.org/a/b", "k=v"), 0);
    says(&jar, "http://www.example.org/a/", "k=v");
    says(&jar, "http://www.example.org:8080/a/c?q", "k=v");
    says(&jar, "http://www.example.org/", "");
    says(&jar, "http://www.example.org/ab", "");
    says(&jar, "http://example.org/a/", "");
    says(&jar, "http://x.www.example.org/a/", "");
    cel__jar_clear(&jar);
}

static void domain_opens_a_cookie_to_the_names_below(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://www.example.org/", "k=v; Domain=.Example.ORG"), 0);
    says(&jar, "http://example.org/", "k=v");
    says(&jar, "http://a.b.example.org/", "k=v");
    says(&jar, "http://badexample.org/", "");
    assert_int_equal(set(&jar, "http://www.example.org/", "k=v; Domain=other.org"), -EINVAL);
    assert_int_equal(set(&jar, "http://example.org/", "k=v; Domain=www.example.org"), -EINVAL);
    assert_int_equal(set(&jar, "http://www.example.org/", "k=v; Domain=example.org."), -EINVAL);
    cel__jar_clear(&jar);
}

static void public_suffixes_take_no_cookies(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://a.co.uk/", "k=v; Domain=co.uk"), -EINVAL);
    assert_int_equal(set(&jar, "http://a.com/", "k=v; Domain=com"), -EINVAL);
    assert_int_equal(set(&jar, "http://a.com/", "k=v; Domain=COM"), -EINVAL);
    assert_int_equal(set(&jar, "http://me.github.io/", "k=v; Domain=github.io"), -EINVAL);
    assert_int_equal(set(&jar, "http://github.io/", "k=v; Domain=github.io"), 0);
    says(&jar, "http://github.io/", "k=v");
    says(&jar, "http://me.github.io/", "");
    cel__jar_clear(&jar);
}

static void addresses_match_only_themselves(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://127.0.0.1/", "a=1"), 0);
    assert_int_equal(set(&jar, "http://127.0.0.1/", "b=2; Domain=127.0.0.1"), 0);
    assert_int_equal(set(&jar, "http://127.0.0.1/", "c=3; Domain=0.0.1"), -EINVAL);
    assert_int_equal(set(&jar, "http://[::1]/", "d=4"), 0);
    says(&jar, "http://127.0.0.1:81/", "a=1; b=2");
    says(&jar, "http://1.127.0.0.1.example.org/", "");
    says(&jar, "http://[::1]/", "d=4");
    cel__jar_clear(&jar);
}

static void secure_cookies_keep_to_tls(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://a.org/", "k=v; Secure"), -EINVAL);
    assert_int_equal(set(&jar, "https://a.org/", "k=safe; Secure; Domain=a.org"), 0);
    says(&jar, "http://a.org/", "");
    says(&jar, "https://a.org/", "k=safe");
    assert_int_equal(set(&jar, "http://a.org/", "k=evil"), -EINVAL);
    assert_int_equal(set(&jar, "http://www.a.org/", "k=evil; Domain=a.org"), -EINVAL);
    assert_int_equal(set(&jar, "http://a.org/", "other=fine"), 0);
    assert_int_equal(set(&jar, "https://a.org/", "__Host-x=1; Secure; Path=/; Domain=a.org"),
                     -EINVAL);
    assert_int_equal(set(&jar, "https://a.org/", "__Host-x=1; Secure; Path=/"), 0);
    says(&jar, "https://a.org/", "k=safe; other=fine; __Host-x=1");
    cel__jar_clear(&jar);
}

static void same_name_replaces_and_keeps_its_place(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://a.org/", "a=1"), 0);
    assert_int_equal(set(&jar, "http://a.org/", "b=2"), 0);
    assert_int_equal(set(&jar, "http://a.org/x/y", "deep=4"), 0);
    assert_int_equal(set(&jar, "http://a.org/", "a=3"), 0);
    says(&jar, "http://a.org/x/y", "deep=4; a=3; b=2");
    assert_int_equal(jar.count, 3);
    cel__jar_clear(&jar);
}

static void age_ends_cookies(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://a.org/", "a=1; Max-Age=10"), 0);
    assert_int_equal(
        set(&jar, "http://a.org/", "b=2; Expires=Wed, 09 Jun 2010 10:18:14 GMT; Max-Age=20"), 0);
    assert_int_equal(set(&jar, "http://a.org/", "c=3"), 0);
    says_at(&jar, "http://a.org/", NOW + 9, "a=1; b=2; c=3");
    says_at(&jar, "http://a.org/", NOW + 10, "b=2; c=3");
    assert_int_equal(jar.count, 2);
    assert_int_equal(set(&jar, "http://a.org/", "b=; Max-Age=0"), 0);
    assert_int_equal(set(&jar, "http://a.org/", "c=; Expires=Wed, 09 Jun 2010 10:18:14 GMT"), 0);
    assert_int_equal(jar.count, 0);
    assert_int_equal(jar.domains.live, 0);
    cel__jar_clear(&jar);
}

static void limits_push_out_the_least_used(void **state)
{
    struct cel__jar jar = {0};
    char text[64];

    assert_int_equal(set(&jar, "http://a.org/", "first=1"), 0);
    assert_int_equal(set(&jar, "http://a.org/sub/", "second=1"), 0);
    says(&jar, "http://a.org/", "first=1"); /* used: second is older now */
    for (int i = 2; i < CEL__JAR_PER_DOMAIN_MAX; i++) {
        snprintf(text, sizeof text, "n%d=1; Path=/else", i);
        assert_int_equal(set(&jar, "http://a.org/", text), 0);
    }
    assert_int_equal(jar.count, CEL__JAR_PER_DOMAIN_MAX);
    assert_int_equal(set(&jar, "http://a.org/", "one=more; Path=/else"), 0);
    assert_int_equal(jar.count, CEL__JAR_PER_DOMAIN_MAX);
    says(&jar, "http://a.org/sub/", "first=1");
    for (int i = 0; i < CEL__JAR_MAX + 50; i++) {
        snprintf(text, sizeof text, "http://h%d.org/", i);
        assert_int_equal(set(&jar, text, "k=v"), 0);
    }
    assert_int_equal(jar.count, CEL__JAR_MAX);
    says(&jar, "http://a.org/else", "");
    says(&jar, text, "k=v");
    cel__jar_clear(&jar);
    assert_int_equal(jar.count, 0);
}

static void lines_without_sense_are_refused(void **state)
{
    struct cel__jar jar = {0};

    assert_int_equal(set(&jar, "http://a.org/", ""), -EINVAL);
    assert_int_equal(set(&jar, "http://a.org/", "a=\x01"), -EINVAL);
    assert_int_equal(jar.count, 0);
    cel__jar_clear(&jar);
}

/* ---- memory running out ---- */

static long allocations_left;

static void *limited_alloc(size_t size, void *arg)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *limited_realloc(void *ptr, size_t size, void *arg)
{
    return allocations_left-- > 0 ? realloc(ptr, size) : NULL;
}

static void limited_free(void *ptr, void *arg)
{
    free(ptr);
}

static int fill(struct cel__jar *jar)
{
    struct cel__target from;
    int r = cel__target_parse(&from, CEL_LIT("http://u:p@www.a.org/x/"), NULL);

    if (r < 0)
        return r;
    r = cel__jar_set(jar, &from, CEL_LIT("a=1; Domain=a.org"), NOW);
    if (r == 0)
        r = cel__jar_set(jar, &from, CEL_LIT("b=1"), NOW);
    cel__target_fini(&from);
    return r;
}

static void memory_running_out_leaves_a_sound_jar(void **state)
{
    struct cel_allocator limited = {limited_alloc, limited_realloc, limited_free, NULL};
    int r = -ENOMEM;

    cel_set_allocator(&limited);
    for (long n = 0; r != 0; n++) {
        struct cel__jar jar = {0};

        allocations_left = n;
        r = fill(&jar);
        assert_true(r == 0 || r == -ENOMEM);
        allocations_left = 1000;
        if (r == 0)
            says(&jar, "http://www.a.org/x/", "a=1; b=1");
        assert_true(n < 100);
        cel__jar_clear(&jar);
    }
    cel_set_allocator(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookie_without_domain_is_for_its_host_alone),
        cmocka_unit_test(domain_opens_a_cookie_to_the_names_below),
        cmocka_unit_test(public_suffixes_take_no_cookies),
        cmocka_unit_test(addresses_match_only_themselves),
        cmocka_unit_test(secure_cookies_keep_to_tls),
        cmocka_unit_test(same_name_replaces_and_keeps_its_place),
        cmocka_unit_test(age_ends_cookies),
        cmocka_unit_test(limits_push_out_the_least_used),
        cmocka_unit_test(lines_without_sense_are_refused),
        cmocka_unit_test(memory_running_out_leaves_a_sound_jar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
