/* SPDX-License-Identifier: MIT */
#ifndef CELADON_WORKERS_H
#define CELADON_WORKERS_H

/* Many cores: a loop for each thread, tasks that stay on theirs, and messages between them.
 *
 * Nothing but what is said here is shared by loops. A task asks another loop to run something
 * (cel_spawn_on) and awaits the answer as a future of its own loop, sends messages through a port,
 * or waits with others for what is in celadon/shared.h. Waking a loop that is awake costs no system
 * call; of many messages to one that sleeps only the first does. */

#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"
#include "celadon/loop.h"
#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- loops on threads ---- */

struct cel_workers_options {
    unsigned count; /* threads; 0: one for each core that this process may use */
    bool is_pinned; /* each thread stays on one core */
    const struct cel_loop_options *loop; /* of each; NULL: the usual */
};

/* Starts threads, each with a loop and a main task that runs fn(arg), and waits for all of them;
 * the calling thread is the first. When one main task fails the others are cancelled. A loop goes
 * on answering the others until all main tasks have ended. options may be NULL. Not from a task. 0;
 * the code that the first failing main task failed with; -EBUSY this thread has a loop; what
 * cel_loop_new returns, -errno of thread creation, -ENOMEM: nothing ran. */
CEL_PUBLIC CEL_NODISCARD int cel_run_workers(const struct cel_workers_options *options,
                                             cel_task_fn *fn, void *arg);
/* Which of them this thread is, from 0; 0 elsewhere. */
CEL_PUBLIC unsigned cel_worker_index(void);
/* How many there are; 1 elsewhere. */
CEL_PUBLIC unsigned cel_worker_count(void);
/* The loop of a worker, from any worker; NULL: no such, or this thread is no worker. Valid while
 * the calling task runs. */
CEL_PUBLIC struct cel_loop *cel_worker_loop(unsigned index);

/* ---- a task elsewhere ---- */

/* Runs fn(arg) as a background task of another loop (or of this one). The future belongs to the
 * calling thread's loop and is done with what the task returned, or fails as it failed.
 * cel_future_cancel asks for the task's cancellation there; the future ends when the task has
 * ended. Freed earlier, it is freed then, and the task is cancelled. Owner: the caller. `loop` must
 * not be closed meanwhile; one that is closing answers -CEL_ECLOSED. NULL when memory is out. */
#define cel_spawn_on(loop, fn, arg) cel_spawn_on_at((loop), (fn), (arg), __FILE__, __LINE__)
CEL_PUBLIC CEL_NODISCARD struct cel_future *cel_spawn_on_at(struct cel_loop *loop, cel_task_fn *fn,
                                                            void *arg, const char *file, int line);

/* ---- promises ---- */

/* The other end of a future: any thread, with a loop or without, keeps the promise, and the future
 * is done on its own loop. Exactly one of cel_promise_set, _fail and _drop must be called, once, by
 * any thread; the promise is theirs to free, and is gone when they return. It may be kept whatever
 * became of the future and of its loop. */
struct cel_promise;

/* Makes both. The future belongs to the calling thread's loop; its owner is the caller, who may
 * cancel it or free it at any time. While it is wanted and not done the loop waits for it; a loop
 * that closes ends it with -CEL_ECLOSED. NULL when memory is out. */
CEL_PUBLIC CEL_NODISCARD struct cel_promise *cel_promise_new(struct cel_future **future);
/* (any thread) Does not park. The future is done with `value`, unless it was done before. 0, also
 * when nobody wants it any more; -CEL_ECLOSED the loop has closed: the value is the caller's. */
CEL_PUBLIC int cel_promise_set(struct cel_promise *promise, void *value);
/* (any thread) The same, with a failure (code negative) and its words. */
CEL_PUBLIC int cel_promise_fail(struct cel_promise *promise, int code, const char *fmt, ...)
    CEL_PRINTF(3, 4);
/* (any thread) It will not be kept: the future fails with -EOWNERDEAD. NULL is fine. */
CEL_PUBLIC void cel_promise_drop(struct cel_promise *promise);
/* (any thread) false: the future was cancelled or given up, or its loop has closed, so that the
 * work may be left off. */
CEL_PUBLIC bool cel_promise_is_wanted(const struct cel_promise *promise);

/* ---- ports ---- */

/* Messages of one size, from any thread to the tasks of one loop. Those of one sender arrive in
 * their order. */
struct cel_port;

/* A port of the calling thread's loop, which alone receives; the others get the pointer with what
 * they are asked to do (cel_spawn_on), or wait for its being there (cel_shared_event). Room for
 * `capacity` messages, rounded up to a power of two from 2 on. Owner: the caller. -EINVAL a size or
 * capacity of 0, or more than 2^30 bytes in all; -ENOMEM.
 */
CEL_PUBLIC CEL_NODISCARD int cel_port_new(struct cel_port **out, size_t message_size,
                                          size_t capacity);
/* By the owner's thread, when no other thread uses the port any more and nobody is parked on it.
 * Messages in it are dropped. NULL is fine. */
CEL_PUBLIC void cel_port_free(struct cel_port *port);
/* (any thread) Does not park. 0; -EAGAIN no room; -EPIPE closed. */
CEL_PUBLIC CEL_NODISCARD int cel_port_try_send(struct cel_port *port, const void *message);
/* (parks; from a task of any loop) Waits for room. 0; -EPIPE closed, -ECANCELED, -ETIMEDOUT:
 * nothing was sent. */
CEL_PUBLIC CEL_NODISCARD int cel_port_send(struct cel_port *port, const void *message);
/* (parks; from a task of the port's loop) The oldest message. 0; -EPIPE closed and empty,
 * -ECANCELED, -ETIMEDOUT: nothing was taken. */
CEL_PUBLIC CEL_NODISCARD int cel_port_receive(struct cel_port *port, void *message);
/* Does not park; by the port's loop. 0; -EAGAIN empty; -EPIPE closed and empty. */
CEL_PUBLIC CEL_NODISCARD int cel_port_try_receive(struct cel_port *port, void *message);
/* (any thread) No more sends; what is in it can still be received. Wakes everybody. Twice is fine.
 */
CEL_PUBLIC void cel_port_close(struct cel_port *port);

#ifdef __cplusplus
}
#endif

#endif
