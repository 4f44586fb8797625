/* SPDX-License-Identifier: MIT */
#ifndef CEL__POOL_H
#define CEL__POOL_H

/* Threads for work that blocks or computes: bounded in number and in queue. They are
 * started when first needed and joined when the loop closes; each job ends by a message to its
 * loop. */

#include <stdbool.h>

#include "base/list.h"
#include "loop/wake.h"

struct cel_loop;
struct cel__pool;

enum cel__job_state { CEL__JOB_QUEUED, CEL__JOB_RUNNING, CEL__JOB_DONE };

/* Storage is the submitter's until `done` was called. */
struct cel__job {
    struct cel__list link;
    struct cel__post post;
    struct cel_loop *loop;
    void (*work)(struct cel__job *job); /* on a pool thread */
    void (*done)(struct cel__job *job); /* on the loop's thread, exactly once */
    int state;                          /* under the pool's lock until DONE */
    bool was_cancelled;                 /* work never ran */
};

/* -EAGAIN the queue is full, -ENOMEM, -errno of thread creation when no thread runs. */
int cel__pool_submit(struct cel_loop *loop, struct cel__job *job);
/* A queued job is taken out, and `done` comes with was_cancelled set; a running one goes on. ->
 * whether taken out. */
bool cel__pool_cancel(struct cel_loop *loop, struct cel__job *job);
/* No job is left. NULL is fine. */
void cel__pool_free(struct cel__pool *pool);

#endif
