/* SPDX-License-Identifier: MIT */
/* The article's Task: counts a second apart, then says Done, or that it was cancelled. */
#include <stdio.h>

#include <celadon/task.h>

static void *my_coroutine(void *arg)
{
    for (int i = 0; i < 3; i++) {
        int r;

        printf("%d\n", i);
        r = cel_sleep(CEL_SECOND);
        if (r < 0)
            return cel_fail(r, "counting");
    }
    return "Done";
}

int main(void)
{
    void *result;
    int r = cel_run(my_coroutine, NULL, &result);

    if (r == -ECANCELED)
        puts("Coroutine cancelled.");
    if (r < 0)
        return 1;
    puts(result);
    return 0;
}
