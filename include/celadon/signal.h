/* SPDX-License-Identifier: MIT */
#ifndef CELADON_SIGNAL_H
#define CELADON_SIGNAL_H

/* Signals awaited by tasks. While they are watched they are blocked in the loop's thread and do
 * nothing else (block them in the other threads too); afterwards they are what they were. Callbacks
 * for the same are in celadon/loop.h, and both may watch one signal. What came and was not told
 * before the last watcher went acts then as it would have. All functions belong to the loop's
 * thread. */

#include <stddef.h>

#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_signals;

/* Does not park. Watches the signals from now on, so that none is missed between two waits. Owner:
 * the caller. -EINVAL none, or one that cannot be caught; -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_signals_open(struct cel_signals **out, const int *signos,
                                              size_t count);
/* (parks) The next signal's number, in the order of their coming. One that comes again before it
 * was told is told once, as the kernel has it. Of several tasks that wait each gets another. */
CEL_PUBLIC CEL_NODISCARD int cel_signals_next(struct cel_signals *signals);
/* Does not park. Nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_signals_close(struct cel_signals *signals);

/* (parks) One of the signals, watched during this call alone: its number. As cel_signals_open. */
CEL_PUBLIC CEL_NODISCARD int cel_signal_wait(const int *signos, size_t count);

#ifdef __cplusplus
}
#endif

#endif
