/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NOTES_H
#define TESTS_NOTES_H

/* What happened in which order, as a word: note('a') appends a letter. */

#include <string.h>

static char noted[256];
static size_t noted_len;

static inline void note(char c)
{
    if (noted_len + 1 < sizeof noted) {
        noted[noted_len++] = c;
        noted[noted_len] = '\0';
    }
}

static inline void note_nothing(void)
{
    noted_len = 0;
    noted[0] = '\0';
}

#endif
