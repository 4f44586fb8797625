/* SPDX-License-Identifier: MIT */
/* A random tree of tasks that sleep, spawn, await, compute, cancel and run out of time. Children end
 * before their scope does, nobody wakes early, results are those that were computed. */
#include <errno.h>
#include <stdint.h>

#include "celadon/offload.h"
#include "plays.h"

#define DEPTH_MAX 4
#define WIDTH_MAX 4

struct garden {
    unsigned alive, grown;
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

static void *grow(void *arg);

static void fork_off(struct garden *g, unsigned depth)
{
    struct branch twigs[WIDTH_MAX];
    struct cel_task *tasks[WIDTH_MAX];
    unsigned width = 1 + (unsigned)cel_sim_draw(WIDTH_MAX), begun = 0;
    int64_t timeout = (int64_t)cel_sim_draw(200 * CEL_MILLISECOND);
    bool cancels = cel_sim_draw(3) == 0, gathers = cel_sim_draw(2) == 0;

    CEL_SCOPE (fork, .timeout = timeout) {
        for (; begun < width; begun++) {
            twigs[begun] = (struct branch){.garden = g, .depth = depth + 1};
            tasks[begun] = cel_spawn(grow, &twigs[begun]);
            if (tasks[begun] == NULL)
                break;
        }
        if (cancels)
            cel_task_cancel(tasks[cel_sim_draw(begun)]);
        if (gathers && begun > 0)
            (void)!cel_gather(tasks, begun, NULL);
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
    unsigned acts = 1 + (unsigned)cel_sim_draw(4);

    g->alive++;
    g->grown++;
    while (acts-- > 0) {
        switch (cel_sim_draw(b->depth < DEPTH_MAX ? 5 : 3)) {
        case 0:
            nap(g);
            break;
        case 1:
            compute(g);
            break;
        case 2:
            (void)!cel_yield();
            break;
        default:
            fork_off(g, b->depth);
            break;
        }
    }
    g->alive--;
    b->has_ended = true;
    return NULL;
}

void *play_tasks(void *arg)
{
    struct garden g = {0};
    struct branch root = {.garden = &g};

    (void)grow(&root);
    if (g.flaw != NULL)
        return cel_fail(-EPROTO, "%s", g.flaw);
    HOLDS(g.alive == 0);
    return NULL;
}
