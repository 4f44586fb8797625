/* SPDX-License-Identifier: MIT */
#ifndef CEL__BLOCKING_H
#define CEL__BLOCKING_H

/* What only a thread can wait for: system calls without a form that does not block. */

#include "celadon/base.h"

/* (parks) Runs fn(arg) on the pool; a full queue is waited for. 0: it ran to its end, whatever the
 * scopes around say; -ECANCELED, -ETIMEDOUT, -ENOMEM, -EAGAIN there is no thread and none can be
 * made, -errno: it did not run. */
CEL_NODISCARD int cel__blocking_do(void *(*fn)(void *arg), void *arg);

#endif
