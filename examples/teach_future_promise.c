/* SPDX-License-Identifier: MIT */
/* A future is a result that will come: made by one, set once, awaited by any number, and called
 * back where somebody asked for that. Here a task bakes a cake, and others wait for it. */
#include <stdio.h>

#include <celadon/task.h>

static struct cel_future *cake;

static void *guest(void *name)
{
    void *value;

    printf("%s waits\n", (char *)name);
    if (cel_await(cake, &value) < 0)
        return cel_fail(cel_outcome(cake), "%s", (char *)name);
    printf("%s eats %s\n", (char *)name, (char *)value);
    return name;
}

static void ring(void *arg)
{
    puts(arg);
}

static void *main_task(void *arg)
{
    cake = cel_future_new();
    struct cel_task *guests[] = {cel_spawn(guest, "Alice"), cel_spawn(guest, "Bob")};

    if (cel_on_done(cake, ring, "the bell rings") < 0)
        cel_future_cancel(cake); /* the guests get -ECANCELED */
    cel_yield();                 /* they come and wait */
    printf("%s\n", cel_is_done(cake) ? "done already" : "still baking");
    cel_future_set(cake, "cherry cake");
    if (cel_future_set(cake, "another one") == -EALREADY)
        puts("a future is set once");
    if (cel_gather(guests, 2, NULL) < 0)
        arg = cel_fail_from(guests, 2, "the party");
    cel_future_free(cake);
    return arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
