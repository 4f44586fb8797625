/* SPDX-License-Identifier: MIT */
#ifndef TESTS_GREEN_LATER_H
#define TESTS_GREEN_LATER_H

/* What another task does while a "blocking" call is under way: LATER(fn, fd) { the call } runs
 * fn(fd) on the same thread, after the call has begun. If the call blocked the thread, fn would
 * never come, and the test would hang; parks_seen counts that it came. */

#include <celadon/task.h>

#include "support/check.h"
#include "support/intask.h"

struct later {
    void (*fn)(int fd);
    int fd;
    struct cel_scope scope;
};

static int parks_seen;

static inline void *later_run(void *arg)
{
    struct later *later = arg;

    for (int i = 0; i < 3; i++)
        (void)cel_sleep(CEL_MICROSECOND);
    parks_seen++;
    later->fn(later->fd);
    return NULL;
}

static inline struct later *later_begin(struct later *later)
{
    static const struct cel_scope_options none;

    cel_scope_enter(&later->scope, &none);
    assert_int_equal(cel_go(later_run, later), 0);
    return later;
}

static inline void later_end(struct later *later)
{
    assert_int_equal(cel_scope_leave(&later->scope), 0);
}

#define LATER(function, descriptor)                                                    \
    for (struct later later_                                                           \
         __attribute__((cleanup(later_end))) = {.fn = (function), .fd = (descriptor)}, \
         *once_ = later_begin(&later_);                                                \
         once_ != NULL; once_ = NULL)

#endif
