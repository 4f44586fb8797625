/* SPDX-License-Identifier: MIT */
/* A program without sanitizers, whose switches are jumps, on a library that may be sanitized. This
 * file is always compiled without. */
#include <celadon/fiber.h>

#include "support/check.h"

#if defined(__x86_64__) && !defined(CEL__FIBER_HOPS)
#error "this must be compiled as plain code"
#endif

#define ROUNDS 1000

static void *counter(void *arg)
{
    struct cel_fiber *parent = arg;
    intptr_t sum = 0;
    double kept = 0.5;

    for (;;) {
        intptr_t n = (intptr_t)cel_fiber_switch(parent, (void *)sum);

        if (n < 0)
            break;
        sum += n;
        kept += 1.0;
    }
    return (void *)(intptr_t)(kept == 0.5 + ROUNDS ? sum : -1);
}

static void hop_of_plain_code_reaches_any_library(void **state)
{
    struct cel_fiber *f = cel_fiber_new(counter, cel_fiber_current());
    intptr_t expected = 0;

    assert_non_null(f);
    assert_ptr_equal(cel_fiber_switch(f, NULL), NULL);
    for (intptr_t i = 1; i <= ROUNDS; i++) {
        expected += i;
        assert_ptr_equal(cel_fiber_switch(f, (void *)i), (void *)expected);
    }
    assert_ptr_equal(cel_fiber_switch(f, (void *)-1), (void *)expected);
    assert_true(cel_fiber_is_dead(f));
    assert_int_equal(cel_fiber_free(f), 0);
}

static void *thrower(void *arg)
{
    void *got = cel_fiber_switch((struct cel_fiber *)arg, NULL);

    return (void *)(intptr_t)(got == NULL ? cel_fiber_thrown() : 1);
}

static void throw_into_a_plain_hop_arrives(void **state)
{
    struct cel_fiber *f = cel_fiber_new(thrower, cel_fiber_current());

    assert_non_null(f);
    assert_ptr_equal(cel_fiber_switch(f, NULL), NULL);
    assert_ptr_equal(cel_fiber_throw(f, -7), (void *)-7);
    assert_int_equal(cel_fiber_free(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hop_of_plain_code_reaches_any_library),
        cmocka_unit_test(throw_into_a_plain_hop_arrives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
