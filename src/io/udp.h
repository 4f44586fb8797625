/* SPDX-License-Identifier: MIT */
#ifndef CEL__UDP_H
#define CEL__UDP_H

/* A socket for datagrams, and addresses as it wants and gives them. */

#include "celadon/udp.h"
#include "io/address.h"
#include "loop/core.h"

struct cel_socket {
    struct cel__fd *fd; /* not to be used once is_closed */
    int family;
    unsigned inside; /* tasks in a call */
    unsigned streak; /* batches in a row that did not park */
    bool is_closed;  /* freed when nobody is inside any more */
    bool has_gso;
    char *unix_path; /* of the file that goes with it; NULL: none */
    char address[CEL__ADDRESS_MAX];
};

/* A mapped IPv4 address becomes what it was. */
void cel__udp_unmap(struct sockaddr_storage *at);
/* The address as a socket of this family takes it. */
struct sockaddr_storage cel__udp_mapped(const struct cel_socket *s,
                                        const struct sockaddr_storage *at);
static inline void cel__udp_enter(struct cel_socket *s)
{
    s->inside++;
}
/* A socket over the descriptor, with the memory of the path; on error both are gone, and the file.
 * -ENOMEM, -errno. */
CEL_NODISCARD int cel__udp_take(struct cel_socket **out, int fd, int family, char *unix_path);
/* The socket may be gone afterwards. */
void cel__udp_leave(struct cel_socket *s);

#endif
