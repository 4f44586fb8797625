/* SPDX-License-Identifier: MIT */
#ifndef CEL__DNS_H
#define CEL__DNS_H

/* Asking for a name's addresses: hosts file, search list, name servers. Knows no tasks. */

#include <stddef.h>
#include <sys/socket.h>

#include "celadon/base.h"

struct cel_loop;
struct cel__dns;

/* Called exactly once, maybe from within the call that asked. code: 0, -CEL_EDNS with the cause in
 * words (static), -ENOMEM. The addresses are gone afterwards; their port is 0. */
typedef void cel__dns_fn(void *arg, int code, const char *cause, const struct sockaddr_storage *at,
                         size_t count);

struct cel__dns_options {
    const char *servers; /* "127.0.0.1:5300,…" instead of the system's; NULL: the system's */
    int timeout_ms;      /* of the first try; 0: as the system is set up */
    int tries;           /* 0: likewise */
};

/* options may be NULL; the text in them is copied. -ENOMEM, -CEL_EDNS. */
CEL_NODISCARD int cel__dns_new(struct cel__dns **out, struct cel_loop *loop,
                               const struct cel__dns_options *options);
/* Ends what is asked, with -CEL_EDNS. NULL is fine. */
void cel__dns_free(struct cel__dns *dns);
void cel__dns_ask(struct cel__dns *dns, const char *name, cel__dns_fn *fn, void *arg);

#endif
