/* SPDX-License-Identifier: MIT */
#ifndef CEL__MESSAGE_H
#define CEL__MESSAGE_H

/* Bytes and datagrams in and out of simulated sockets, with what rides beside them: descriptors
 * (SCM_RIGHTS), where a datagram was sent to (IP_PKTINFO), into what it is to be cut (UDP_SEGMENT).
 * Results are >= 0 or -errno. */

#include <sys/socket.h>

#include "machine/socket.h"

CEL_NODISCARD ssize_t cel__message_read(struct cel__socket *s, const struct iovec *iov, int count,
                                        int flags);
CEL_NODISCARD ssize_t cel__message_write(struct cel__socket *s, const struct iovec *iov, int count);
CEL_NODISCARD ssize_t cel__message_receive(struct cel__socket *s, struct msghdr *msg, int flags);
CEL_NODISCARD ssize_t cel__message_send(struct cel__socket *s, const struct msghdr *msg);
/* -> how many went through; an error only when it was the first. */
CEL_NODISCARD int cel__message_receive_many(struct cel__socket *s, struct mmsghdr *msgs,
                                            unsigned count, int flags);
CEL_NODISCARD int cel__message_send_many(struct cel__socket *s, struct mmsghdr *msgs,
                                         unsigned count);

#endif
