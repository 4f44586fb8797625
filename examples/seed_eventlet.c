/* SPDX-License-Identifier: MIT */
/* The article's eventlet: two green threads that print. Its loops are endless, so -n bounds them;
 * nothing in them yields, so hello runs to its end first; with -y each yields after its line, and
 * they alternate. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <celadon/task.h>

static long lines = 3;
static bool yields;

static void *say(void *word)
{
    for (long i = 0; i < lines; i++) {
        int r;

        puts(word);
        r = yields ? cel_yield() : 0;
        if (r < 0)
            return cel_fail(r, "yielding");
    }
    return NULL;
}

static void *both(void *arg)
{
    struct cel_task *g[] = {cel_spawn(say, "hello"), cel_spawn(say, "world")};

    if (cel_await(g[0], NULL) < 0 || cel_await(g[1], NULL) < 0)
        return cel_fail_from(g, 2, "waiting");
    return NULL;
}

int main(int argc, char **argv)
{
    char *end;
    int option;

    while ((option = getopt(argc, argv, "n:y")) != -1) {
        if (option == 'y') {
            yields = true;
        } else if (option != 'n' || (lines = strtol(optarg, &end, 10)) < 0 || *end != '\0') {
            fprintf(stderr, "usage: %s [-n COUNT] [-y]\n", argv[0]);
            return 2;
        }
    }
    return cel_run(both, NULL, NULL) < 0;
}
