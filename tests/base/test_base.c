/* SPDX-License-Identifier: MIT */
/* The lowest floor: bytes, slices, maps, codes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "support/check.h"

static void buf_append_grows_and_keeps_bytes(void **state)
{
    struct cel__buf b = {0};

    for (int i = 0; i < 1000; i++)
        assert_int_equal(cel__buf_printf(&b, "%d,", i), 0);
    assert_int_equal(b.len, 3890);
    assert_memory_equal(b.ptr, "0,1,2,3,", 8);
    cel__buf_drop(&b, 2);
    assert_memory_equal(b.ptr, "1,2,3,", 6);
    cel__buf_fini(&b);
    assert_null(b.ptr);
}

static void *fail_alloc(size_t size, void *arg)
{
    return NULL;
}

static void *fail_realloc(void *ptr, size_t size, void *arg)
{
    return NULL;
}

static void no_free(void *ptr, void *arg)
{
}

static void buf_decimal_writes_each_digit(void **state)
{
    struct cel__buf b = {0};

    assert_int_equal(cel__buf_add_decimal(&b, 0), 0);
    assert_int_equal(cel__buf_add_decimal(&b, 10), 0);
    assert_int_equal(cel__buf_add_decimal(&b, UINT64_MAX), 0);
    CHECK_STR(cel__buf_str(&b), "01018446744073709551615");
    cel__buf_fini(&b);
}

static void buf_append_without_memory_leaves_buf_whole(void **state)
{
    const struct cel_allocator none = {fail_alloc, fail_realloc, no_free, NULL};
    struct cel__buf b = {0};
    char big[100] = {0};

    cel_set_allocator(&none);
    assert_int_equal(cel__buf_add(&b, big, sizeof big), -ENOMEM);
    assert_int_equal(cel__buf_add_decimal(&b, 1), -ENOMEM);
    cel_set_allocator(NULL);
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    cel__buf_fini(&b);
}

static void str_number_rejects_what_is_not_one(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } cases[] = {{"0", 0, 0},        {"18446744073709551615", 0, UINT64_MAX},
                 {"", -EINVAL, 0},   {"18446744073709551616", -ERANGE, 0},
                 {"-1", -EINVAL, 0}, {"+1", -EINVAL, 0},
                 {"1 ", -EINVAL, 0}, {"0x10", -EINVAL, 0}};

    for (size_t i = 0; i < cel__countof(cases); i++) {
        uint64_t value = 0;

        assert_int_equal(cel__str_to_u64(cel__str(cases[i].text), &value), cases[i].result);
        assert_int_equal(value, cases[i].value);
    }
}

static void str_duration_takes_units_and_fractions(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } cases[] = {{"1", 0, CEL_SECOND},    {"250ms", 0, 250 * CEL_MILLISECOND},
                 {"1.5s", 0, 1500000000}, {"2m", 0, 2 * CEL_MINUTE},
                 {"3us", 0, 3000},        {"7ns", 0, 7},
                 {"1x", -EINVAL, 0},      {"", -EINVAL, 0},
                 {"ms", -EINVAL, 0},      {"99999999999999999h", -ERANGE, 0}};

    for (size_t i = 0; i < cel__countof(cases); i++) {
        int64_t value = 0;

        assert_int_equal(cel__str_to_duration(cel__str(cases[i].text), &value), cases[i].result);
        assert_int_equal(value, cases[i].value);
    }
}

static void str_split_yields_every_part(void **state)
{
    struct cel_str rest = cel__str("a,,b"), part;

    assert_true(cel__str_split(&rest, ',', &part));
    CHECK_STR(part, "a");
    assert_true(cel__str_split(&rest, ',', &part));
    CHECK_STR(part, "");
    assert_true(cel__str_split(&rest, ',', &part));
    CHECK_STR(part, "b");
    assert_false(cel__str_split(&rest, ',', &part));
}

static void map_keeps_values_through_growth_and_removal(void **state)
{
    struct cel__map m = {0};
    char key[32];
    size_t at = 0, seen = 0;

    for (uintptr_t i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key-%zu", (size_t)i);
        assert_int_equal(cel__map_put(&m, cel__str(key), (void *)(i + 1), NULL), 0);
    }
    for (uintptr_t i = 0; i < 5000; i += 2) {
        snprintf(key, sizeof key, "key-%zu", (size_t)i);
        assert_ptr_equal(cel__map_remove(&m, cel__str(key)), (void *)(i + 1));
    }
    for (uintptr_t i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key-%zu", (size_t)i);
        assert_ptr_equal(cel__map_get(&m, cel__str(key)), i % 2 ? (void *)(i + 1) : NULL);
    }
    for (struct cel__map_entry *e; (e = cel__map_next(&m, &at)) != NULL; seen++)
        assert_int_equal((uintptr_t)e->value, 2 * seen + 2);
    assert_int_equal(seen, 2500);
    cel__map_fini(&m);
}

static void list_splice_empties_the_source(void **state)
{
    struct cel__list a, b, n[4];
    int count = 0;

    cel__list_init(&a);
    cel__list_init(&b);
    for (int i = 0; i < 4; i++)
        cel__list_append(i < 2 ? &a : &b, &n[i]);
    cel__list_splice(&a, &b);
    assert_true(cel__list_is_empty(&b));
    CEL__LIST_EACH (node, &a)
        assert_ptr_equal(node, &n[count++]);
    assert_int_equal(count, 4);
    cel__list_unlink(&n[1]);
    cel__list_unlink(&n[1]);
    assert_ptr_equal(n[0].next, &n[2]);
}

static void clock_add_saturates(void **state)
{
    assert_int_equal(cel__clock_add(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(cel__clock_add(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(cel__clock_add(5, CEL_FOREVER), INT64_MAX);
    assert_int_equal(cel__clock_add(5, -7), -2);
}

static void err_names_cover_libc_and_ours(void **state)
{
    assert_string_equal(cel_errname(-ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(cel_errname(-CEL_EDNS), "CEL_EDNS");
    assert_string_equal(cel_errname(123456), "EUNKNOWN");
    assert_string_equal(cel_strerror(-ENOENT), "No such file or directory");
}

static void rand_same_seed_same_numbers(void **state)
{
    struct cel__rand a, b;

    cel__rand_seed(&a, 7);
    cel__rand_seed(&b, 7);
    for (int i = 0; i < 100; i++)
        assert_int_equal(cel__rand_next(&a), cel__rand_next(&b));
    for (int i = 0; i < 1000; i++)
        assert_true(cel__rand_below(&a, 10) < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_append_grows_and_keeps_bytes),
        cmocka_unit_test(buf_decimal_writes_each_digit),
        cmocka_unit_test(buf_append_without_memory_leaves_buf_whole),
        cmocka_unit_test(str_number_rejects_what_is_not_one),
        cmocka_unit_test(str_duration_takes_units_and_fractions),
        cmocka_unit_test(str_split_yields_every_part),
        cmocka_unit_test(map_keeps_values_through_growth_and_removal),
        cmocka_unit_test(list_splice_empties_the_source),
        cmocka_unit_test(clock_add_saturates),
        cmocka_unit_test(err_names_cover_libc_and_ours),
        cmocka_unit_test(rand_same_seed_same_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
