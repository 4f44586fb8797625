/* SPDX-License-Identifier: MIT */
#ifndef CEL__CONNECTION_H
#define CEL__CONNECTION_H

#include "http/serving.h"

/* Spawns the task that serves the stream to its end and closes it. -ENOMEM: the stream is still the
 * caller's. */
CEL_NODISCARD int cel__connection_spawn(struct cel_server *server, struct cel_stream *stream);

#endif
