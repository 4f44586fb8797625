/* SPDX-License-Identifier: MIT */
#ifndef CELADON_UDP_H
#define CELADON_UDP_H

/* Datagrams by the dozen, and what else UDP can do; one at a time they are in celadon/net.h, whose
 * sockets these are. Calls marked (parks) are for several tasks at once. All functions belong to
 * the loop's thread; those that set something do not park and return 0, -EINVAL or -errno. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_udp_options {
    bool reuse_address; /* several sockets may have the address: each gets what is for a group */
    bool reuse_port;    /* several share the address, and what comes is dealt out to them */
    bool v6_only;       /* an IPv6 socket serves IPv6 alone */
};

/* Does not park. As cel_udp_open; options may be NULL. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_open_with(struct cel_socket **out, const char *address,
                                               const struct cel_udp_options *options);

struct cel_datagram {
    void *buf;
    size_t len;     /* receiving: room, then how many came; sending: how many */
    size_t segment; /* of several in one: the length of each but the last; 0: it is one */
    struct sockaddr_storage peer;  /* from whom, to whom; ss_family 0: to whom it is connected */
    struct sockaddr_storage local; /* with cel_udp_set_info, and when sending: its address here;
                                      ss_family 0: the kernel's choice */
    unsigned interface;            /* likewise: by number; 0: the kernel's choice */
    bool is_truncated;             /* it was longer than the room; the rest is lost */
};

/* (parks) At least one datagram, at most count, in as few system calls as can be. -> how many.
 * -CEL_ECLOSED, -ECANCELED, -ETIMEDOUT, and what came back for an earlier one of a connected socket
 * (or one that wants errors): -ECONNREFUSED, -EHOSTUNREACH, …; the socket goes on. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_recv_batch(struct cel_socket *socket,
                                                struct cel_datagram *datagrams, size_t count);
/* (parks) All of them, in order; one with a `segment` goes out as datagrams of that length, cut by
 * the kernel or the card where they can. -> how many before an error or cancel, if any, which is
 * returned only when there were none. -EMSGSIZE, and as cel_udp_recv_batch. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_send_batch(struct cel_socket *socket,
                                                const struct cel_datagram *datagrams, size_t count);

/* Does not park. Sends to this address from now on, and takes datagrams from it alone: NULL undoes
 * it. cel_send_to takes NULL for the address then, and what is not received over there is told as
 * an error of a later call. -EINVAL, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_connect(struct cel_socket *socket,
                                             const struct sockaddr_storage *to);

/* Does not park. Received ones of one sender may come joined, with their `segment` set: for
 * cel_udp_recv_batch with room of 64 KiB each. 0; -ENOPROTOOPT the kernel cannot. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_gro(struct cel_socket *socket, bool is_on);
/* Can the kernel cut? If not, the library does, with a message for each. */
CEL_PUBLIC bool cel_udp_has_gso(const struct cel_socket *socket);
/* Does not park. Tells where a datagram was sent to, and on which interface it came (IP_PKTINFO,
 * RFC 3542). 0; -errno: nothing has changed. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_info(struct cel_socket *socket, bool is_on);
/* Does not park. Errors of the network (ICMP) end a call of a socket that is not connected, too;
 * for which address is told by cel_udp_next_error. 0; -errno: nothing has changed. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_errors(struct cel_socket *socket, bool is_on);
/* Does not park. The oldest error that has come: *code negative, *peer whom it was for. 1; 0: there
 * is none; -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_next_error(struct cel_socket *socket, int *code,
                                                struct sockaddr_storage *peer);
/* Does not park. Over how many routers at most what is sent goes: 1 to 255.
 * 0; -EINVAL, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_hops(struct cel_socket *socket, int hops);
/* Does not park. The byte by which routers treat what is sent (DSCP in the upper six bits): 0 to
 * 255. 0; -EINVAL, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_traffic_class(struct cel_socket *socket,
                                                       int traffic_class);
/* Does not park. Lets it send to broadcast addresses, which is -EACCES otherwise. 0; -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_broadcast(struct cel_socket *socket, bool is_on);
/* Does not park. Joins a multicast group, on the interface by its index (0: the kernel's choice),
 * or leaves it. 0; -EINVAL no multicast address, -EADDRINUSE joined already, -EADDRNOTAVAIL not
 * joined, -ENODEV no such interface, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_join(struct cel_socket *socket,
                                          const struct sockaddr_storage *group, unsigned interface);
CEL_PUBLIC CEL_NODISCARD int
cel_udp_leave(struct cel_socket *socket, const struct sockaddr_storage *group, unsigned interface);
/* Does not park. How multicast goes out: on this interface (0: the kernel's choice), over so many
 * routers (1: not beyond the network), and whether sockets of this machine get it too. 0; -errno:
 * some of the three may have changed. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_set_multicast(struct cel_socket *socket, unsigned interface,
                                                   int hops, bool loops_back);
/* The descriptor, for options that are not here. It stays the socket's. */
CEL_PUBLIC int cel_socket_fd(const struct cel_socket *socket);

#ifdef __cplusplus
}
#endif

#endif
