/* SPDX-License-Identifier: MIT */
#ifndef CELADON_DEBUG_H
#define CELADON_DEBUG_H

/* What a program that hangs, stalls or leaks is asked.
 *
 * Nothing here runs unasked: no signal is taken, no thread started, nothing recorded, until the
 * function that says so is called. docs/debugging.md walks through a hang, a stall and a leak, and
 * says what CELADON_DEBUG=1 adds to the log. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes to `fd` (a file, a pipe, a socket of the program's) what each task of the calling thread's
 * loop does: what it waits for and for how long, where it was spawned, the scopes around it with
 * their deadlines, how much of its stack is in use, and its backtrace; and the circles of tasks
 * that wait for each other, if there are any. Of more than three tasks that were spawned at the
 * same line and wait at the same place one is told, the one that has waited longest, and the others
 * are counted. Does not park, allocates nothing, takes no lock: safe in a signal handler. Needs 8
 * KiB of stack. What `fd` does not take is lost. 0; -ENODEV: this thread has no loop; -EBADF: fd is
 * negative. */
CEL_PUBLIC int cel_dump(int fd);

struct cel_dump_options {
    int64_t parked_for; /* ns: only tasks that have been parked for at least so long; 0: all */
    bool every_task;    /* each by itself, however many wait in the same way */
    bool as_tree;       /* a line for each task and scope, beneath the one that it belongs to, in
                           place of scopes and backtraces; not in a signal handler then */
};

/* The same, in another form. options may be NULL. */
CEL_PUBLIC int cel_dump_with(int fd, const struct cel_dump_options *options);

/* From now on the signal makes every loop whose thread has called this write its dump to standard
 * error. Takes the process's handler of `signo` (SIGQUIT, SIGUSR2) and unblocks it for the thread.
 * A signal that means that the program dies (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is told with
 * the running task and its backtrace first, and goes to the handler that was there before, or kills
 * the process, when the dump is written.
 * Once per thread with a loop; ends when the loop is closed. -ENODEV no loop here, -EINVAL, -ENOSPC
 * more than 64 loops, -ENOMEM, -errno of sigaction. */
CEL_PUBLIC CEL_NODISCARD int cel_dump_on_signal(int signo);

struct cel_stall_options {
    int64_t warn_after; /* ns that a turn may take; 0: 25 ms */
    int signo;          /* sent to the loop's thread to make it tell where it is; 0: SIGURG */
};

/* A thread watches the calling thread's loop. When one turn of it takes longer than `warn_after`,
 * that is, when some task or callback computes or blocks without parking, a report with the
 * culprit's backtrace goes to standard error, five a minute at most; cel_stall_count counts all.
 * Takes the handler of `signo` and unblocks it for the thread. Ends with the loop, or by
 * cel_stall_unwatch. options may be NULL. -ENODEV no loop here, -EALREADY, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stall_watch(const struct cel_stall_options *options);
/* Fine when nothing watches. */
CEL_PUBLIC void cel_stall_unwatch(void);
/* Stalls of the calling thread's loop so far. */
CEL_PUBLIC uint64_t cel_stall_count(void);

/* From now on the last `events` (0: 2,048, rounded up to a power of two) that happen in the calling
 * thread's loop are kept, and all are counted: turns, tasks spawned, ended, parked and resumed,
 * operations, cancels, timers, jobs, names, handshakes. About 2 ns an event; 32 bytes each.
 * cel_dump tells the last of them too. -ENODEV no loop here, -EALREADY, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_trace_start(size_t events);
/* Fine when none runs. */
CEL_PUBLIC void cel_trace_stop(void);
/* Writes the kept events to `fd`, oldest first, one a line. Safe in a signal handler. -ENODEV: no
 * loop here, or no trace runs. */
CEL_PUBLIC int cel_trace_dump(int fd);

/* The state of the calling thread's loop in Prometheus' text format: gauges of what is alive, and
 * while a trace runs counters of events and the histogram of how long turns keep the loop busy
 * (loop lag). Writes at most `size` bytes, the last a NUL. -> the length of the whole text, as
 * snprintf; -ENODEV no loop here. */
CEL_PUBLIC int cel_metrics(char *buf, size_t size);

/* (parks) The same of all loops of cel_run_workers, each number with the label worker="N"; in other
 * programs of this loop alone, without the label. Asks each worker and waits for its answer,
 * whatever becomes of the scopes around: a worker that stalls is waited for. -> the length;
 * -ECANCELED, -ETIMEDOUT: nobody was asked; -ENOMEM; -CEL_ECLOSED a worker ends. */
CEL_PUBLIC int cel_metrics_workers(char *buf, size_t size);

/* For debuggers: the library's own layout, which tools/celadon-gdb.py reads. Not for programs. */
struct cel__layout;
extern CEL_PUBLIC const struct cel__layout cel__debug_layout;

#ifdef __cplusplus
}
#endif

#endif
