/* SPDX-License-Identifier: MIT */
#ifndef CEL__POOL_H
#define CEL__POOL_H

/* Threads for work that blocks or computes, in lanes that do not wait for each other. Each
 * lane is bounded in threads and each loop in jobs that wait there. Threads are started when first
 * needed; each job ends by a message to its loop. */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "celadon/loop.h"
#include "loop/lane.h"
#include "loop/wake.h"

enum cel__job_state { CEL__JOB_QUEUED, CEL__JOB_RUNNING, CEL__JOB_DONE };

/* Storage is the submitter's until `done` was called. */
struct cel__job {
    struct cel__list link;
    struct cel__post post;
    struct cel_loop *loop;
    void (*work)(struct cel__job *job); /* on a pool thread */
    void (*done)(struct cel__job *job); /* on the loop's thread, exactly once */
    enum cel_lane lane;                 /* set by who submits */
    int state;                          /* under the lane's lock until DONE */
    bool was_cancelled;                 /* work never ran */
};

/* -EAGAIN the loop has as many jobs waiting in the lane as it may, -ENOMEM, -errno of thread
 * creation when no thread runs. */
int cel__pool_submit(struct cel_loop *loop, struct cel__job *job);
/* A queued job is taken out, and `done` comes with was_cancelled set; a running one goes on. ->
 * whether taken out. */
bool cel__pool_cancel(struct cel_loop *loop, struct cel__job *job);
/* The loop's jobs have all ended, and it uses the lanes no more. */
void cel__pool_leave(struct cel_loop *loop);
/* In the child of a fork: its threads are the parent's, and so is the lane that loops share. */
void cel__pool_forked(void);
/* How many processors this process may use. */
unsigned cel__pool_cores(void);

struct cel__lane_state {
    unsigned threads, running, queued; /* of all loops that share the lane */
    uint64_t ended;                    /* jobs that ran, since the lane was made */
};
void cel__pool_look(const struct cel_loop *loop, enum cel_lane lane, struct cel__lane_state *out);

#endif
