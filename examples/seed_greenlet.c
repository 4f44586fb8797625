/* SPDX-License-Identifier: MIT */
/* The article's first program: two greenlets.
 *
 * Its listing never leaves function A for function B, so B does not run. With -p the program does
 * what the article's text says of it: A switches to B, and B, whose parent is A, finishes back into
 * it. */
#include <stdio.h>
#include <string.h>

#include <celadon/fiber.h>

static struct cel_fiber *gr1, *gr2;
static int as_in_prose;

static void *func_a(void *arg)
{
    puts("in function A");
    if (as_in_prose)
        cel_fiber_switch(gr2, NULL);
    return arg;
}

static void *func_b(void *arg)
{
    puts("in function B");
    cel_fiber_switch(gr2, NULL); /* to itself: goes on at once */
    puts("back to function B again");
    return arg; /* into its parent */
}

int main(int argc, char **argv)
{
    as_in_prose = argc > 1 && strcmp(argv[1], "-p") == 0;

    gr1 = cel_fiber_new(func_a, NULL);
    gr2 = cel_fiber_new(func_b, NULL);
    if (gr1 == NULL || gr2 == NULL)
        return 1;
    if (as_in_prose && cel_fiber_set_parent(gr2, gr1) < 0)
        return 1;

    puts("start running in main thread");
    cel_fiber_switch(gr1, NULL);
    puts("main thread resumes here");

    cel_fiber_free(gr2);
    cel_fiber_free(gr1);
    return 0;
}
