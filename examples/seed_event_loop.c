/* SPDX-License-Identifier: MIT */
/* The article's event loop: two coroutines take turns on one loop, until both are done. */
#include <stdio.h>

#include <celadon/task.h>

static void *my_coroutine(void *arg)
{
    const char *name = arg;

    for (int count = 0; count < 3; count++) {
        int r;

        printf("%s says %d\n", name, count);
        r = cel_sleep(CEL_SECOND);
        if (r < 0)
            return cel_fail(r, "%s sleeps", name);
    }
    return NULL;
}

static void *wait_for_both(void *arg)
{
    struct cel_task *tasks[] = {cel_spawn(my_coroutine, "Alice"), cel_spawn(my_coroutine, "Bob")};
    int r = cel_wait(tasks, 2, CEL_WAIT_ALL);

    if (r < 0)
        return cel_fail(r, "waiting");
    for (int i = 0; i < 2; i++)
        if (cel_outcome(tasks[i]) < 0)
            return cel_fail_from(tasks, 2, "waiting");
    return NULL;
}

int main(void)
{
    return cel_run(wait_for_both, NULL, NULL) < 0;
}
