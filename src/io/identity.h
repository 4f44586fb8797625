/* SPDX-License-Identifier: MIT */
#ifndef CEL__IDENTITY_H
#define CEL__IDENTITY_H

/* Doing something as another user. */

#include "celadon/process.h"

/* Blocks. Runs fn(arg) in a thread that has the identity (NULL: this process's) and, with
 * has_umask, that umask. 0: it ran; -errno: it did not. */
CEL_NODISCARD int cel__identity_run(const struct cel_process_options *options,
                                    void (*fn)(void *arg), void *arg);

#endif
