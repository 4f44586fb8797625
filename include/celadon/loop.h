/* SPDX-License-Identifier: MIT */
#ifndef CELADON_LOOP_H
#define CELADON_LOOP_H

/* The event loop: one per thread, nothing hidden, no signal or thread taken unasked.
 *
 * A loop runs tasks (celadon/task.h), timers, completions and messages from other
 * threads. Its backend is chosen when it is made: `epoll`, `uring`, `sim`, by the option, else by
 * CELADON_BACKEND, else io_uring where the kernel lets us and epoll elsewhere; the reason of a
 * fallback is logged at level info. All functions belong to the loop's thread, except where
 * "any thread" is said. None of them parks; callbacks run on the loop's own stack from within a
 * turn, never from within the call that registered them, and must not park. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_loop;

/* Where offloaded work runs (celadon/offload.h). A full lane does not hold up the other. */
enum cel_lane {
    CEL_LANE_BLOCKING, /* what waits: the loop's own threads */
    CEL_LANE_CPU,      /* what computes: threads that all loops of the process share */
};

struct cel_loop_options {
    const char *backend;      /* "epoll", "uring", "sim", or NULL: see above */
    unsigned threads_max;     /* of the blocking lane, started when first needed; 0: 4 */
    unsigned queue_max;       /* this loop's jobs waiting in the blocking lane; 0: 1024 */
    unsigned cpu_threads_max; /* of the CPU lane: what the first loop that uses it says; 0: one for
                                 each core that the process may use */
    unsigned cpu_queue_max;   /* this loop's jobs waiting in the CPU lane; 0: 1024 */
    /* Of cel_run_with: the first SIGINT cancels the main task, the second one ends the process as
     * if nobody had taken it. While it watches, waiting for ever is no deadlock. */
    bool cancel_on_sigint;
    /* At most so many ns the loop looks for messages of other threads before it sleeps; 0: not at
     * all. It learns when that is in vain and hardly looks then. Worth it where loops answer each
     * other: a wake-up costs microseconds, tens of them on an idle core, and the loop must look
     * for as long as such a one takes, twice, to learn that it pays: 100 us are a good choice. */
    int64_t spin;
    /* Around the wait in the kernel, and after each switch between tasks; NULL: none. */
    void (*before_block)(void *arg);
    void (*after_block)(void *arg);
    void (*on_switch)(void *arg);
    void *hook_arg;
};

/* The new loop becomes the thread's current one. options may be NULL. Owner: the caller. In the
 * child of a fork the loop stays the parent's: each call that parks or starts something returns
 * -CEL_EFORK there (cel_spawn: NULL), and the child may make a loop of its own, in its place.
 * -EBUSY the thread has one, -ENOMEM, -EINVAL unknown backend, -errno of the backend asked for by
 * name. */
CEL_PUBLIC CEL_NODISCARD int cel_loop_new(struct cel_loop **out,
                                          const struct cel_loop_options *options);

/* Ends what still runs: tasks are cancelled and run to their end, jobs are awaited, handles closed.
 * -> number of things that had been left open by the program (0: clean), each named in the log.
 * NULL is fine. */
CEL_PUBLIC int cel_loop_close(struct cel_loop *loop);

/* The calling thread's loop or NULL. */
CEL_PUBLIC struct cel_loop *cel_loop_current(void);

/* "epoll", "uring" or "sim". */
CEL_PUBLIC const char *cel_loop_backend(const struct cel_loop *loop);

/* One turn: runs what is ready, submits, waits at most `wait_max` ns for the first event (0:
 * polls), runs what has become ready. For hosts that own the outer loop. 1: more is ready now; 0:
 * not; -EDEADLK: nothing is ready and nothing can ever become so; -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_loop_turn(struct cel_loop *loop, int64_t wait_max);

/* Turns until cel_loop_stop, or until nothing is left that could ever happen. 0 or -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_loop_run(struct cel_loop *loop);

/* The turn under way is the last of cel_loop_run. */
CEL_PUBLIC void cel_loop_stop(struct cel_loop *loop);

/* Time at the start of this turn's callbacks: free to read. */
CEL_PUBLIC int64_t cel_loop_time(const struct cel_loop *loop);

/* While held, a loop with nothing to do waits for messages instead of reporting a deadlock. */
CEL_PUBLIC void cel_loop_hold(struct cel_loop *loop);
CEL_PUBLIC void cel_loop_release(struct cel_loop *loop);

/* (any thread) Calls fn(arg) in a turn of the loop, in the order of the calls of one thread. The
 * loop must not be closed before fn was called, and may be from then on. -ENOMEM: it will not be
 * called. */
CEL_PUBLIC CEL_NODISCARD int cel_loop_call(struct cel_loop *loop, void (*fn)(void *arg), void *arg);

/* Timers by callback; the storage is the caller's and must stay while armed. */
struct cel_timer {
    void *reserved_[4];
    void (*fn)(struct cel_timer *timer, void *arg);
    void *arg;
};

/* Before the first start. */
CEL_PUBLIC void cel_timer_init(struct cel_timer *timer,
                               void (*fn)(struct cel_timer *timer, void *arg), void *arg);
/* Fires once at the instant `deadline` (cel_now() time) or as soon after as the loop can, never
 * before. An armed timer is moved. */
CEL_PUBLIC void cel_timer_start_at(struct cel_loop *loop, struct cel_timer *timer,
                                   int64_t deadline);
/* The same, `after` ns from now. */
CEL_PUBLIC void cel_timer_start(struct cel_loop *loop, struct cel_timer *timer, int64_t after);
/* Fine on a timer that is not armed. */
CEL_PUBLIC void cel_timer_stop(struct cel_loop *loop, struct cel_timer *timer);

/* IO by completion callback, without tasks. A handle takes a descriptor under the loop's care. */
struct cel_handle;
struct cel_op;
typedef void cel_op_fn(void *arg, int64_t result);

/* fd becomes non-blocking and, if `owns`, is closed with the handle. -ENOMEM, -errno (fd stays the
 * caller's). */
CEL_PUBLIC CEL_NODISCARD int cel_handle_open(struct cel_loop *loop, struct cel_handle **out, int fd,
                                             bool owns);
/* Operations in flight end with -CEL_ECLOSED. NULL is fine. */
CEL_PUBLIC void cel_handle_close(struct cel_handle *handle);

/* Each starts one operation; fn(arg, result) is called exactly once from a later point of a turn,
 * with result >= 0 or -errno. `buf` must stay valid until then. *op (may be NULL) names it for
 * cel_op_cancel. -ENOMEM, -CEL_ECLOSED: nothing was started. */
CEL_PUBLIC CEL_NODISCARD int cel_op_read(struct cel_handle *handle, void *buf, size_t len,
                                         cel_op_fn *fn, void *arg, struct cel_op **op);
/* Writes all of it. */
CEL_PUBLIC CEL_NODISCARD int cel_op_write(struct cel_handle *handle, const void *buf, size_t len,
                                          cel_op_fn *fn, void *arg, struct cel_op **op);
/* The result is a new connected descriptor. */
CEL_PUBLIC CEL_NODISCARD int cel_op_accept(struct cel_handle *handle, cel_op_fn *fn, void *arg,
                                           struct cel_op **op);
/* The result is a set of poll(2) events out of `events`, POLLERR and POLLHUP. */
CEL_PUBLIC CEL_NODISCARD int cel_op_poll(struct cel_handle *handle, short events, cel_op_fn *fn,
                                         void *arg, struct cel_op **op);
/* Before its callback has run. The callback comes still: with -ECANCELED if nothing happened, else
 * with the result. */
CEL_PUBLIC void cel_op_cancel(struct cel_op *op);

/* Signals by callback. The signal is blocked for the calling thread and read through a signalfd;
 * block it in the other threads too. */
struct cel_signal;
/* -ENOMEM, -EINVAL not a signal that can be caught, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_signal_start(struct cel_loop *loop, struct cel_signal **out,
                                              int signo, void (*fn)(void *arg, int signo),
                                              void *arg);
/* The thread's mask is put back when the last watcher of the signal is gone. NULL is fine. */
CEL_PUBLIC void cel_signal_stop(struct cel_signal *signal);

#ifdef __cplusplus
}
#endif

#endif
