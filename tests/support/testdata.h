/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TESTDATA_H
#define TESTS_TESTDATA_H

/* Public test suites' data, which lie beside the source tree or where CELADON_TESTDATA says. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* -> false, having said so, when the file is not there. */
static inline bool testdata_find(char *path, size_t size, const char *name)
{
    const char *root = getenv("CELADON_TESTDATA"), *source = getenv("CELADON_SOURCE");

    if (root != NULL)
        snprintf(path, size, "%s/%s", root, name);
    else
        snprintf(path, size, "%s/../shared/testdata/%s", source != NULL ? source : ".", name);
    if (access(path, R_OK) == 0)
        return true;
    printf("skipped: no %s (set CELADON_TESTDATA)\n", path);
    return false;
}

#endif
