/* SPDX-License-Identifier: MIT */
/* The article's nested coroutines: two inner tasks run at the same time, their results come in
 * order. */
#include <stdio.h>

#include <celadon/task.h>

static void *nested(void *arg)
{
    int r;

    puts("Running in nested coroutine");
    r = cel_sleep(CEL_SECOND);
    return r < 0 ? cel_fail(r, "sleeping") : (void *)42;
}

static void *main_task(void *arg)
{
    void *results[2];

    puts("Creating inner task");
    struct cel_task *inner[] = {cel_spawn(nested, NULL), cel_spawn(nested, NULL)};

    puts("Waiting for coroutines to finish...");
    if (cel_gather(inner, 2, results) < 0)
        return cel_fail_from(inner, 2, "gathering");
    printf("[%ld, %ld]\n", (long)results[0], (long)results[1]);
    return NULL;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
