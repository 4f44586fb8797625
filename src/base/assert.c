/* SPDX-License-Identifier: MIT */
#include "base/cc.h"

#include <stdio.h>
#include <stdlib.h>

void (*cel__assert_hook)(void);

void cel__assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "celadon: %s:%d: assertion failed: %s\n", file, line, cond);
    if (cel__assert_hook != NULL)
        cel__assert_hook();
    abort();
}
