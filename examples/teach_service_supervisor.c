/* SPDX-License-Identifier: MIT */
/* A supervisor starts its children again when they fail, each time after a longer pause, and gives
 * up on those that cannot be helped. A failure is a value here, with words: who awaits the child
 * decides what to make of it. */
#include <stdio.h>

#include <celadon/task.h>

#define STARTS_MAX 3

struct child {
    const char *name;
    cel_task_fn *fn;
    int starts;
};

static void *needs_a_while(void *arg)
{
    struct child *self = arg;

    if (cel_sleep(CEL_MILLISECOND) < 0)
        return cel_fail(-ECANCELED, "starting");
    if (self->starts < 3)
        return cel_fail(-ECONNREFUSED, "the database");
    return "serves";
}

static void *lacks_a_file(void *arg)
{
    return cel_fail(-ENOENT, "/etc/none.conf");
}

/* A child that fails once more after its last start fails the supervisor's task in turn. */
static void *supervise(void *arg)
{
    struct child *child = arg;
    int64_t pause = CEL_MILLISECOND;
    int r;

    for (child->starts = 1;; child->starts++, pause *= 2) {
        struct cel_task *task = cel_spawn_with(child->fn, child, .name = child->name);

        r = cel_join(task, NULL);
        if (r == 0)
            break;
        if (r != -CEL_EFAILED) /* it is we who are told to end, and the child with us */
            return cel_fail(r, "supervising %s", child->name);
        if (child->starts == STARTS_MAX) /* the child's own words follow these */
            return cel_fail(cel_last_error()->code, "%s, started %d times", child->name,
                            child->starts);
        if ((r = cel_sleep(pause)) < 0)
            return cel_fail(r, "supervising %s", child->name);
    }
    printf("%s: well at start %d\n", child->name, child->starts);
    return child;
}

static void *main_task(void *arg)
{
    struct child children[] = {{"slow", needs_a_while, 0}, {"poor", lacks_a_file, 0}};
    struct cel_task *t[2] = {cel_spawn(supervise, &children[0]),
                             cel_spawn(supervise, &children[1])};

    for (int i = 0; i < 2; i++)
        if (cel_join(t[i], NULL) == -CEL_EFAILED)
            printf("%s\n", cel_last_error()->text);
    return arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
