/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PLAYS_H
#define TESTS_PLAYS_H

/* Programs to be run on a simulated machine, each with what must hold whatever the machine does:
 * a fault may make a request fail, never make a wrong answer of it. A play fails by cel_fail. */

#include <stddef.h>

#include "celadon/sim.h"
#include "celadon/task.h"
#include "support/holds.h"

struct play {
    const char *name;
    cel_task_fn *run;
};

extern const struct play plays[];
extern const size_t play_count;

cel_task_fn play_tasks, play_times, play_sync, play_queues, play_pools, play_deadlines, play_lines,
    play_echo, play_datagrams, play_files, play_saves, play_crash, play_twins, play_tls, play_http,
    play_peers, play_web, play_scrape;

#endif
