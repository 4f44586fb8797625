/* SPDX-License-Identifier: MIT */
/* The article's Future: a coroutine sleeps for a second, its result is printed. */
#include <stdio.h>

#include <celadon/task.h>

static void *my_coroutine(void *arg)
{
    int r = cel_sleep(CEL_SECOND);

    if (r < 0)
        return cel_fail(r, "sleeping");
    return "Hello World!";
}

int main(void)
{
    void *result;

    if (cel_run(my_coroutine, NULL, &result) < 0)
        return 1;
    puts(result);
    return 0;
}
