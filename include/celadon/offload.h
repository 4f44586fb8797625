/* SPDX-License-Identifier: MIT */
#ifndef CELADON_OFFLOAD_H
#define CELADON_OFFLOAD_H

/* Work that blocks or computes goes to a thread of a bounded pool and comes back as a future.
 *
 * There are two lanes, each with its own bound and queue, so that neither starves the other: what
 * waits (files, processes, names, libraries that block) belongs to CEL_LANE_BLOCKING, the threads
 * of the calling loop; what computes to CEL_LANE_CPU, whose threads, one a core, all loops of the
 * process share, first come first served. */

#include "celadon/loop.h"
#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs fn(arg) on a thread of the blocking lane; fn must not touch the loop, its tasks or futures.
 * The future is done with what fn returned. Cancelling it (cel_future_cancel) takes a job that
 * still waits out of the queue; a running one goes on and its result is dropped. Free the future
 * when it is done; freed earlier, it is freed when the job ends.
 * -> NULL: memory is out, or queue_max jobs wait (errno-free: try again when one is done), or there
 * is no thread and none can be made. */
CEL_PUBLIC CEL_NODISCARD struct cel_future *cel_offload(void *(*fn)(void *arg), void *arg);

/* The same in the lane named; its own bound counts. */
CEL_PUBLIC CEL_NODISCARD struct cel_future *cel_offload_to(enum cel_lane lane,
                                                           void *(*fn)(void *arg), void *arg);

/* (parks) As cel_offload, awaited. 0 and *result; -ECANCELED, -ETIMEDOUT before it began: it did
 * not run. A job that runs is awaited to its end whatever the scopes around say. -EAGAIN the queue
 * is full, or there is no thread and none can be made (logged, once a second at most), -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_offload_await(void *(*fn)(void *arg), void *arg, void **result);

/* (parks) The same in the lane named. */
CEL_PUBLIC CEL_NODISCARD int cel_offload_to_await(enum cel_lane lane, void *(*fn)(void *arg),
                                                  void *arg, void **result);

/* (parks) As cel_offload_await, but a job is abandoned when the scopes around want the wait to end,
 * also a running one. Then it returns -ECANCELED or -ETIMEDOUT at once, and arg, which must not lie
 * on the caller's stack, is drop's: drop(arg, result) is called exactly once, on the loop's thread,
 * when fn has ended, with NULL when it never ran; at the latest when the loop closes. drop must not
 * park. After 0, -EAGAIN and -ENOMEM arg is the caller's and drop is not called. */
CEL_PUBLIC CEL_NODISCARD int cel_offload_or_abandon(void *(*fn)(void *arg), void *arg,
                                                    void (*drop)(void *arg, void *result),
                                                    void **result);

#ifdef __cplusplus
}
#endif

#endif
