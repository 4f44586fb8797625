/* SPDX-License-Identifier: MIT */
/* Cancelling: the task's parked call returns -ECANCELED, which means that it did not happen. The
 * task ends by itself, so what it holds is given back in the ordinary way. */
#include <stdio.h>

#include <celadon/task.h>

static void unlock(void *door)
{
    printf("the %s is unlocked\n", (char *)door);
}

static void *watch(void *door)
{
    CEL_DEFER(unlock, door); /* whatever way the function is left */
    int r = 0, rounds = 0;

    printf("the %s is locked\n", (char *)door);
    while (r != -ECANCELED) {
        printf("round %d\n", ++rounds);
        r = cel_sleep(CEL_MINUTE);
    }
    return cel_fail(r, "watching after %d round", rounds);
}

static void *main_task(void *arg)
{
    struct cel_task *watchman = cel_spawn(watch, "gate");

    cel_yield(); /* it begins, and sleeps */
    cel_task_cancel(watchman);
    puts("the watchman is told");
    if (cel_await(watchman, NULL) == -CEL_EFAILED)
        printf("%s: %s\n", cel_errname(cel_outcome(watchman)), cel_last_error()->text);
    return arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
