/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

/* cmocka with its includes in the order that it demands. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK_STR(slice, text)                                  \
    do {                                                        \
        assert_int_equal((slice).len, strlen(text));            \
        assert_memory_equal((slice).ptr, (text), strlen(text)); \
    } while (0)

#endif
