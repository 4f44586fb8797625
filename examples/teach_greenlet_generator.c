/* SPDX-License-Identifier: MIT */
/* A generator is a greenlet: it switches out with each value, and goes on where it was when it is
 * asked for the next one. Its caller stops early, so the generator is told to clean up. */
#include <stdio.h>

#include <celadon/fiber.h>

static void *fibonacci(void *arg)
{
    long a = 0, b = 1;

    while (cel_fiber_thrown() == 0) { /* until somebody frees it */
        long next = a + b;

        cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), &a); /* yield a */
        a = b;
        b = next;
    }
    puts("the generator cleans up");
    return arg;
}

int main(void)
{
    struct cel_fiber *numbers = cel_fiber_new(fibonacci, NULL);

    if (numbers == NULL)
        return 1;
    for (int i = 0; i < 10; i++) {
        long *value = cel_fiber_switch(numbers, NULL); /* next(numbers) */

        printf("%ld%c", *value, i < 9 ? ' ' : '\n');
    }
    return cel_fiber_free(numbers) < 0;
}
