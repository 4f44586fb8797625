/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PLAIN_CMOCKA_H
#define TESTS_PLAIN_CMOCKA_H

/* The part of cmocka that the tests of fibers and of HTML use, for machines that have no cmocka:
 * tests that are cross-built and run in an emulator. The first failed assertion ends the program.
 */

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(f)     \
    {                           \
#f, f, NULL, NULL, NULL \
    }
#define cmocka_unit_test_setup(f, setup) \
    {                                    \
#f, f, setup, NULL, NULL         \
    }
#define cmocka_unit_test_setup_teardown(f, setup, td) \
    {                                                 \
#f, f, setup, td, NULL                        \
    }
#define cmocka_run_group_tests(tests, setup, td) \
    plain_run((tests), sizeof(tests) / sizeof((tests)[0]))
#define _cmocka_run_group_tests(name, tests, count, setup, td) plain_run((tests), (count))

static jmp_buf plain_skip;

#define skip()             longjmp(plain_skip, 1)
#define print_message(...) printf(__VA_ARGS__)

#define PLAIN_CHECK(cond, text)                                                \
    do {                                                                       \
        if (!(cond)) {                                                         \
            printf("%s:%d: assertion failed: %s\n", __FILE__, __LINE__, text); \
            fflush(stdout);                                                    \
            _Exit(1);                                                          \
        }                                                                      \
    } while (0)

#define fail_msg(...)                                  \
    do {                                               \
        printf("%s:%d: failed: ", __FILE__, __LINE__); \
        printf(__VA_ARGS__);                           \
        printf("\n");                                  \
        fflush(stdout);                                \
        _Exit(1);                                      \
    } while (0)

#define assert_true(x)     PLAIN_CHECK((x), #x)
#define assert_false(x)    PLAIN_CHECK(!(x), "not " #x)
#define assert_null(x)     PLAIN_CHECK((x) == NULL, #x " == NULL")
#define assert_non_null(x) PLAIN_CHECK((x) != NULL, #x " != NULL")
#define assert_int_equal(a, b) \
    PLAIN_CHECK((unsigned long long)(a) == (unsigned long long)(b), #a " == " #b)
#define assert_in_range(x, low, high) \
    PLAIN_CHECK((x) >= (low) && (x) <= (high), #x " in " #low ".." #high)
#define assert_ptr_equal(a, b)         PLAIN_CHECK((const void *)(a) == (const void *)(b), #a " == " #b)
#define assert_string_equal(a, b)      PLAIN_CHECK(strcmp((a), (b)) == 0, #a " equals " #b)
#define assert_memory_equal(a, b, len) PLAIN_CHECK(memcmp((a), (b), (len)) == 0, #a " equals " #b)

static inline int plain_run(const struct CMUnitTest *tests, size_t count)
{
    volatile int skipped = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (volatile size_t i = 0; i < count; i++) {
        void *state = tests[i].initial_state;

        printf("%s\n", tests[i].name);
        if (tests[i].setup_func != NULL && tests[i].setup_func(&state) != 0)
            return 1;
        if (setjmp(plain_skip) == 0)
            tests[i].test_func(&state);
        else
            skipped++;
        if (tests[i].teardown_func != NULL && tests[i].teardown_func(&state) != 0)
            return 1;
    }
    printf("%zu passed, 0 failed, %d skipped\n", count - (size_t)skipped, skipped);
    return 0;
}

#endif
