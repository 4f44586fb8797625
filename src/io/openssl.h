/* SPDX-License-Identifier: MIT */
#ifndef CEL__OPENSSL_H
#define CEL__OPENSSL_H

/* TLS without IO: ciphertext that came goes into `in`, ciphertext to be sent is found in `out`.
 * Nothing here parks. Failures leave their cause in the task's last error. */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "celadon/net.h"
#include "io/unread.h"

/* A result: nothing can go on before more ciphertext is in `in`, or saw_end is set. */
#define CEL__SSL_MORE INT_MIN

struct ssl_st;

struct cel__ssl {
    struct ssl_st *session;
    struct cel_tls *tls;
    struct cel__unread in;
    struct cel__buf out;
    bool saw_end; /* nothing will ever come after `in` */
    bool was_cut; /* and a read has been told so, without the peer's last word */
};

/* The zeroed ssl becomes a client's, with the name or address to verify (NULL: none is known), or a
 * server's. It must not move. -EINVAL no name to verify, -ENOMEM, -CEL_ETLS: ssl is zeroed. */
CEL_NODISCARD int cel__ssl_init(struct cel__ssl *ssl, struct cel_tls *tls, const char *name,
                                bool is_server);
void cel__ssl_fini(struct cel__ssl *ssl);

/* 0: done; CEL__SSL_MORE; -CEL_ETLS, and `out` may hold an alert. */
CEL_NODISCARD int cel__ssl_shake(struct cel__ssl *ssl);
/* At least one byte; 0: the peer has said goodbye; CEL__SSL_MORE; -CEL_ETLS; -CEL_ETRUNCATED it
 * has not. */
CEL_NODISCARD ssize_t cel__ssl_read(struct cel__ssl *ssl, void *buf, size_t len);
/* The same, into an empty u. -ENOMEM too. */
CEL_NODISCARD ssize_t cel__ssl_take(struct cel__ssl *ssl, struct cel__unread *u);
/* All of it into `out`: cannot be taken back. 0, -ENOMEM, -CEL_ETLS. */
CEL_NODISCARD int cel__ssl_write(struct cel__ssl *ssl, const char *bytes, size_t len);
/* The goodbye into `out`. 0, -CEL_ETLS. */
int cel__ssl_end(struct cel__ssl *ssl);
/* Nothing has come that was not read. */
bool cel__ssl_is_empty(const struct cel__ssl *ssl);
/* Empty: none was agreed on. Not NUL-terminated. */
struct cel_str cel__ssl_alpn(const struct cel__ssl *ssl);

/* One more who uses it. NULL is fine. cel_tls_free is one less. */
struct cel_tls *cel__tls_ref(struct cel_tls *tls);

#endif
