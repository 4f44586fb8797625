/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HOLDS_H
#define TESTS_HOLDS_H

/* For programs that many seeds are tried on, and that must fail by themselves. */

#include <errno.h>

#include "celadon/task.h"

/* Fails the task when it does not hold. */
#define HOLDS(cond)                                                           \
    do {                                                                      \
        if (!(cond))                                                          \
            return cel_fail(-EPROTO, "%s:%d: %s", __FILE__, __LINE__, #cond); \
    } while (0)

#endif
