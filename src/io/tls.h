/* SPDX-License-Identifier: MIT */
#ifndef CEL__TLS_H
#define CEL__TLS_H

#include "io/stream.h"

/* The plain stream speaks TLS from now on; the handshake is done at the first read or write. What
 * is unread belongs to it. A client's `name` (host name or IP address, copied) is verified. -EINVAL
 * no name to verify, -ENOMEM, -CEL_ETLS; after an error the stream can only be closed. */
CEL_NODISCARD int cel__tls_attach(struct cel_stream *s, struct cel_tls *tls, const char *name,
                                  bool is_server);

#endif
