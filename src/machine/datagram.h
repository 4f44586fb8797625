/* SPDX-License-Identifier: MIT */
#ifndef CEL__DATAGRAM_H
#define CEL__DATAGRAM_H

/* Datagrams on a simulated network: each travels alone, so they overtake, come twice, or never. */

#include "machine/socket.h"

/* -> its length, also when nobody gets it. -EDESTADDRREQ, -EMSGSIZE, -EADDRINUSE. */
CEL_NODISCARD ssize_t cel__datagram_send(struct cel__socket *s, const struct sockaddr_storage *to,
                                         socklen_t len, const struct iovec *iov, int count);
/* Where a datagram came from, and where it was sent to. */
struct cel__ways {
    struct sockaddr_storage from, to;
};

/* -> bytes; what does not fit is lost, *is_cut tells. ways may be NULL. -EAGAIN. */
CEL_NODISCARD ssize_t cel__datagram_receive(struct cel__socket *s, const struct iovec *iov,
                                            int count, struct cel__ways *ways, bool *is_cut,
                                            bool is_peek);
/* What has come and was not read. */
void cel__datagram_drop_all(struct cel__socket *s);
/* What is under way. */
void cel__datagram_end_all(struct cel__machine *m);

#endif
