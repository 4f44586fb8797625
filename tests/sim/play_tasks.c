/* SPDX-License-Identifier: MIT */
/* A random tree of tasks that sleep, spawn, await, compute, cancel and run out of time. Children
 * end before their scope does, nobody wakes early, results are those that were computed. */
#include <errno.h>
#include <stdint.h>

#include "celadon/offload.h"
#include "plays.h"

#define DEPTH_MAX 4
#define WIDTH_MAX 4
#define ALIVE_MAX 512
#define ROOT_ACTS 20

struct garden {
    unsigned alive;
    struct cel_task *tasks[ALIVE_MAX]; /* those alive, but the first */
    unsigned count;
    const char *flaw;
};

struct branch {
    struct garden *garden;
    unsigned depth;
    bool has_ended;
};

static void *square(void *arg)
{
    return (void *)((intptr_t)arg * (intptr_t)arg);
}

static void blame(struct garden *g, bool is_wrong, const char *what)
{
    if (is_wrong && g->flaw == NULL)
        g->flaw = what;
}

static void nap(struct garden *g)
{
    int64_t until = cel_now() + (int64_t)cel_sim_draw(50 * CEL_MILLISECOND);
    int r = cel_sleep_until(until);

    blame(g, r == 0 && cel_now() < until, "woke early");
    blame(g, r != 0 && r != -ECANCELED && r != -ETIMEDOUT, "a nap that fails");
}

static void compute(struct garden *g)
{
    intptr_t n = (intptr_t)cel_sim_draw(1000);
    void *result = NULL;
    int r = cel_offload_await(square, (void *)n, &result);

    blame(g, r == 0 && (intptr_t)result != n * n, "a wrong result");
    blame(g, r != 0 && r != -ECANCELED && r != -ETIMEDOUT && r != -EAGAIN, "a job that fails");
}

static void enter(struct garden *g, unsigned depth)
{
    g->alive++;
    if (depth > 0 && g->count < ALIVE_MAX)
        g->tasks[g->count++] = cel_task_current();
}

static void leave(struct garden *g, unsigned depth)
{
    g->alive--;
    for (unsigned i = 0; i < g->count; i++)
        if (g->tasks[i] == cel_task_current())
            g->tasks[i--] = g->tasks[--g->count];
}

static void *grow(void *arg);

/* However it ends, it ends when they have. */
static void gather_them(struct garden *g, struct cel_task **tasks, const struct branch *twigs,
                        unsigned count)
{
    int r = cel_gather(tasks, count, NULL);

    for (unsigned i = 0; i < count; i++)
        blame(g, !cel_is_done(tasks[i]) || (r == 0 && !twigs[i].has_ended), "gathered too early");
}

static void fork_off(struct garden *g, unsigned depth)
{
    struct branch twigs[WIDTH_MAX];
    struct cel_task *tasks[WIDTH_MAX];
    unsigned width = 1 + (unsigned)cel_sim_draw(WIDTH_MAX), begun = 0;
    int64_t timeout = (int64_t)cel_sim_draw(200 * CEL_MILLISECOND);
    bool cancels = cel_sim_draw(3) == 0;
    unsigned way = (unsigned)cel_sim_draw(3);

    CEL_SCOPE (fork, .timeout = timeout) {
        for (; begun < width; begun++) {
            twigs[begun] = (struct branch){.garden = g, .depth = depth + 1};
            tasks[begun] = cel_spawn(grow, &twigs[begun]);
            if (tasks[begun] == NULL)
                break;
        }
        if (cancels)
            cel_task_cancel(tasks[cel_sim_draw(begun)]);
        if (begun > 0 && way == 0)
            gather_them(g, tasks, twigs, begun);
        else if (begun > 0 && way == 1)
            (void)!cel_await(tasks[0], NULL);
        else if (begun > 0)
            (void)!cel_wait(tasks, begun, CEL_WAIT_FIRST);
    }
    blame(g, cel_scope_expired(&fork) && cel_checkpoint() == 0 && timeout == 0, "no deadline");
    for (unsigned i = 0; i < begun; i++)
        blame(g, !twigs[i].has_ended, "a child outlived its scope");
}

static void *grow(void *arg)
{
    struct branch *b = arg;
    struct garden *g = b->garden;
    unsigned acts = b->depth == 0 ? ROOT_ACTS : 1 + (unsigned)cel_sim_draw(4);

    enter(g, b->depth);
    while (acts-- > 0) {
        switch (cel_sim_draw(b->depth < DEPTH_MAX ? 6 : 4)) {
        case 0:
            nap(g);
            break;
        case 1:
            compute(g);
            break;
        case 2:
            (void)!cel_yield();
            break;
        case 3:
            if (g->count > 0)
                cel_task_cancel(g->tasks[cel_sim_draw(g->count)]);
            break;
        default:
            fork_off(g, b->depth);
            break;
        }
    }
    leave(g, b->depth);
    b->has_ended = true;
    if (b->depth > 0 && cel_sim_draw(8) == 0)
        return cel_fail(-EDOM, "withered");
    return NULL;
}

void *play_tasks(void *arg)
{
    static struct garden g;
    struct branch root = {.garden = &g};

    g = (struct garden){0};
    (void)grow(&root);
    if (g.flaw != NULL)
        return cel_fail(-EPROTO, "%s", g.flaw);
    HOLDS(g.alive == 0 && g.count == 0);
    return NULL;
}
