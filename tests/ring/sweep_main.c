/* SPDX-License-Identifier: MIT */
/* Runs each program with many seeds: `sweep [PROGRAM] [SEEDS] [FIRST]`. Prints what the rings did,
 * and stops a program at the first seed that fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/programs.h"

static void say_counts(const char *name, uint64_t seeds, const struct fake_counts *c)
{
    printf("%-10s %llu seeds, %llu enters, %llu requests, %llu completions (%llu overflowed), "
           "cancels too late %llu, lost %llu;",
           name, (unsigned long long)seeds, (unsigned long long)c->enters,
           (unsigned long long)c->requests, (unsigned long long)c->completions,
           (unsigned long long)c->overflows, (unsigned long long)c->already,
           (unsigned long long)c->not_found);
    for (int i = 0; i < FAKE_QUIRK_COUNT; i++)
        printf(" %s %llu", fake_quirk_name(i), (unsigned long long)c->quirks[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 && strcmp(argv[1], "all") != 0 ? argv[1] : NULL;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 300;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    int failed = 0;

    program_count_memory();
    for (size_t i = 0; i < program_count; i++) {
        struct fake_counts sum = {0};
        uint64_t seed = first;
        int r = 0;

        if (only != NULL && strcmp(only, programs[i].name) != 0)
            continue;
        for (; r == 0 && seed < first + count; seed++)
            r = program_run(&programs[i], seed, &sum);
        say_counts(programs[i].name, seed - first, &sum);
        if (r < 0)
            printf("%s: seed %llu: %s\n", programs[i].name, (unsigned long long)seed - 1,
                   cel_strerror(r));
        failed |= r < 0;
    }
    return failed;
}
