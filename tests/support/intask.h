/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INTASK_H
#define TESTS_INTASK_H

/* A test body that is a task: IN_TASK(name) { … } defines it, and the cmocka test `name` runs it on
 * the backend of the environment and demands that nothing is left open. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/task.h"
#include "support/check.h"

static inline void run_in_task_with(cel_task_fn *fn, void *arg)
{
    struct cel_loop *loop;
    struct cel_task *task;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    task = cel_spawn(fn, arg);
    assert_non_null(task);
    assert_int_equal(cel_loop_until(loop, task, NULL), 0);
    cel_task_free(task);
    assert_int_equal(cel_loop_close(loop), 0);
}

static inline void run_in_task(cel_task_fn *fn)
{
    run_in_task_with(fn, NULL);
}

static inline bool is_simulated(void)
{
    const char *backend = getenv("CELADON_BACKEND");

    return backend != NULL && strcmp(backend, "sim") == 0;
}

/* The same for what only a real kernel shows: calls that go past the library, other processes. */
#define IN_KERNEL(name)                 \
    static void name##_body(void);      \
    static void *name##_task(void *arg) \
    {                                   \
        name##_body();                  \
        return arg;                     \
    }                                   \
    static void name(void **state)      \
    {                                   \
        if (is_simulated())             \
            skip();                     \
        run_in_task(name##_task);       \
    }                                   \
    static void name##_body(void)

#define IN_TASK(name)                   \
    static void name##_body(void);      \
    static void *name##_task(void *arg) \
    {                                   \
        name##_body();                  \
        return arg;                     \
    }                                   \
    static void name(void **state)      \
    {                                   \
        run_in_task(name##_task);       \
    }                                   \
    static void name##_body(void)

#endif
