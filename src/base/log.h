/* SPDX-License-Identifier: MIT */
#ifndef CEL__LOG_H
#define CEL__LOG_H

#include "celadon/base.h"

/* One line to the sink, if the level is let through. Control bytes of the text are escaped,
 * so that what a peer sent cannot forge a line. Any thread. */
void cel__log(enum cel_log_level level, const char *fmt, ...) CEL_PRINTF(2, 3);

#endif
