/* SPDX-License-Identifier: MIT */
/* CELADON_SHUFFLE: ready tasks in another order, which its number decides. */
#include <stdlib.h>
#include <string.h>

#include <celadon/loop.h>
#include <celadon/task.h>
#include "support/check.h"

#define TASKS 26

static char order[TASKS * 2 + 1];

static void *say_twice(void *arg)
{
    for (int i = 0; i < 2; i++) {
        strncat(order, arg, 1);
        cel_yield();
    }
    return NULL;
}

static void *spawn_all(void *arg)
{
    static const char names[] = "abcdefghijklmnopqrstuvwxyz";
    bool *is_simulated = arg;

    *is_simulated = strcmp(cel_loop_backend(cel_loop_current()), "sim") == 0;
    CEL_SCOPE (all) {
        for (int i = 0; i < TASKS; i++)
            if (cel_go(say_twice, (void *)&names[i]) < 0)
                return cel_fail(-ENOMEM, "no task");
    }
    return NULL;
}

/* -> whether the simulation has decided, which has orders of its own. */
static bool run(const char *number, char out[sizeof order])
{
    bool is_simulated;

    if (number != NULL)
        setenv("CELADON_SHUFFLE", number, 1);
    order[0] = '\0';
    assert_int_equal(cel_run(spawn_all, &is_simulated, NULL), 0);
    unsetenv("CELADON_SHUFFLE");
    memcpy(out, order, sizeof order);
    return is_simulated;
}

static void order_is_that_of_the_number(void **state)
{
    char fifo[sizeof order], first[sizeof order], again[sizeof order], second[sizeof order];
    bool is_simulated = run(NULL, fifo);

    run("1", first);
    run("1", again);
    run("2", second);
    assert_int_equal(strlen(first), TASKS * 2); /* nobody is left out */
    assert_string_equal(first, again);
    assert_int_equal(strcmp(first, fifo) == 0, is_simulated);
    assert_int_equal(strcmp(first, second) == 0, is_simulated);
}

static void what_is_no_number_changes_nothing(void **state)
{
    char fifo[sizeof order], wrong[sizeof order];

    run(NULL, fifo);
    run("one", wrong);
    assert_string_equal(fifo, wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_the_number),
        cmocka_unit_test(what_is_no_number_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
