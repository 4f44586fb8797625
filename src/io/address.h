/* SPDX-License-Identifier: MIT */
#ifndef CEL__ADDRESS_H
#define CEL__ADDRESS_H

/* Addresses as text and as the kernel has them. An abstract Unix name is taken as text: it ends
 * at its first NUL behind the leading one. */

#include <sys/socket.h>

#include "celadon/net.h"

#define CEL__ADDRESS_MAX 136 /* the longest text form, with its NUL */

/* "host:port", "[v6]:port", ":port" into its parts; host may be empty. Does not look at the host.
 * -EINVAL. */
CEL_NODISCARD int cel__address_split(struct cel_str text, struct cel_str *host, uint16_t *port);
/* A numeric host ("127.0.0.1", "::1", "fe80::1%eth0") and a port. -EINVAL: a name. */
CEL_NODISCARD int cel__address_of_host(struct cel_str host, uint16_t port,
                                       struct sockaddr_storage *out);
/* What keeps a text from being an address, and the remedy, for people; static. */
const char *cel__address_fault(const char *text);
socklen_t cel__address_len(const struct sockaddr_storage *address);
/* What the kernel filled in up to `len` gets the form that the functions here expect. */
void cel__address_trim(struct sockaddr_storage *address, socklen_t len);

#endif
