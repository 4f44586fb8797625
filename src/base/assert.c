/* SPDX-License-Identifier: MIT */
#include "base/cc.h"

#include <stdio.h>
#include <stdlib.h>

void (*cel__assert_hook)(void); /* atomic */

void cel__assert_failed(const char *cond, const char *file, int line)
{
    void (*hook)(void) = __atomic_load_n(&cel__assert_hook, __ATOMIC_RELAXED);

    fprintf(stderr, "celadon: %s:%d: assertion failed: %s\n", file, line, cond);
    if (hook != NULL)
        hook();
    abort();
}
