/* SPDX-License-Identifier: MIT */
/* The first answer of three mirrors: those that fail do not count, and the losers are cancelled and
 * have ended when the race is over. */
#include <stdio.h>

#include <celadon/compose.h>

struct mirror {
    const char *name;
    int64_t takes;
    bool is_broken;
};

static void *ask(void *arg)
{
    struct mirror *m = arg;
    int r = cel_sleep(m->takes);

    if (r < 0)
        return cel_fail(r, "%s", m->name);
    if (m->is_broken)
        return cel_fail(-ECONNRESET, "%s", m->name);
    return m;
}

static void *main_task(void *arg)
{
    struct mirror mirrors[] = {
        {"far", CEL_MINUTE, false}, {"broken", 0, true}, {"near", 5 * CEL_MILLISECOND, false}};
    struct cel_task *tasks[3];
    void *winner;
    int i;

    for (i = 0; i < 3; i++)
        tasks[i] = cel_spawn(ask, &mirrors[i]);
    i = cel_race_success(tasks, 3, &winner);
    if (i < 0)
        return cel_fail_from(tasks, 3, "no mirror answers");
    printf("mirror %d answers first: %s\n", i, ((struct mirror *)winner)->name);
    for (i = 0; i < 3; i++)
        printf("%s: %s\n", mirrors[i].name,
               cel_outcome(tasks[i]) == 0 ? "answered" : cel_errname(cel_outcome(tasks[i])));
    return arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
