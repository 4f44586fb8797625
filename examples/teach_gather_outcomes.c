/* SPDX-License-Identifier: MIT */
/* Several tasks to their ends, the failures too, within a deadline for all: who is not ready by
 * then is cancelled, and what the others found is kept. */
#include <stdio.h>

#include <celadon/task.h>

static void *find(void *what)
{
    const char *word = what;
    int r;

    if (word[0] == '!')
        return cel_fail(-ENOENT, "looking for %s", word + 1);
    r = cel_sleep(word[0] == '~' ? CEL_MINUTE : CEL_MILLISECOND);
    return r < 0 ? cel_fail(r, "looking for %s", word + 1) : what;
}

static void *main_task(void *arg)
{
    const char *words[] = {"keys", "!glasses", "~youth", "umbrella"};
    struct cel_task *tasks[4];
    int r = 0, outcomes[4];
    void *found[4];

    for (int i = 0; i < 4; i++)
        tasks[i] = cel_spawn(find, (void *)words[i]);
    CEL_SCOPE (evening, .timeout = CEL_SECOND / 2)
        r = cel_gather_outcomes(tasks, 4, found, outcomes);

    printf("%s\n", r == -ETIMEDOUT && cel_scope_expired(&evening) ? "the evening is over"
                                                                  : "all have been looked for");
    for (int i = 0; i < 4; i++)
        printf("%-9s %s\n", words[i],
               cel_outcome(tasks[i]) == 0 ? "found" : cel_errname(cel_outcome(tasks[i])));
    return arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
