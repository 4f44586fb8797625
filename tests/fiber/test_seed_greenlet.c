/* SPDX-License-Identifier: MIT */
/* The article's first program prints what the article says. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_output(const char *option, const char *expected)
{
    const char *build = getenv("CELADON_BUILD");
    char command[1024];
    char output[512];
    size_t len;
    FILE *program;

    if (build == NULL) {
        print_message("needs CELADON_BUILD\n");
        skip();
    }
    snprintf(command, sizeof command, "%s/examples/seed_greenlet %s", build, option);
    program = popen(command, "r");
    assert_non_null(program);
    len = fread(output, 1, sizeof output - 1, program);
    output[len] = '\0';
    assert_int_equal(pclose(program), 0);
    assert_string_equal(output, expected);
}

static void seed_greenlet_prints_what_the_listing_prints(void **state)
{
    (void)state;
    check_output("", "start running in main thread\n"
                     "in function A\n"
                     "main thread resumes here\n");
}

static void seed_greenlet_in_prose_runs_both(void **state)
{
    (void)state;
    check_output("-p", "start running in main thread\n"
                       "in function A\n"
                       "in function B\n"
                       "back to function B again\n"
                       "main thread resumes here\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_greenlet_prints_what_the_listing_prints),
        cmocka_unit_test(seed_greenlet_in_prose_runs_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
