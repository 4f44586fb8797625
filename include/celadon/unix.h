/* SPDX-License-Identifier: MIT */
#ifndef CELADON_UNIX_H
#define CELADON_UNIX_H

/* Datagrams over Unix sockets; and what streams over them can do beside moving bytes: hand over
 * descriptors, and tell who the peer is. These come from cel_listen and cel_connect with
 * "unix:/path" or "unix:@abstract", and from cel_stream_pair. All functions belong to the loop's
 * thread. */

#include <stddef.h>
#include <sys/types.h>

#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel's limit for one call. */
#define CEL_FDS_MAX 253

/* (parks) All of the bytes, at least one, and with the first of them copies of the descriptors,
 * which stay the caller's: len or an error. As cel_write; when a cancel or error came after the
 * first bytes (cel_stream_written), the descriptors have gone. -EINVAL no byte, too many
 * descriptors, or not a plain stream; -EOPNOTSUPP not a Unix socket; -EBADF; -ETOOMANYREFS too many
 * are under way and not received yet. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_send_fds(struct cel_stream *stream, const void *buf,
                                              size_t len, const int *fds, size_t count);
/* (parks) At least one byte, at most len, as cel_read (0: the end), and the descriptors that came
 * with one of them, close-on-exec and the caller's from now on. *count: room in fds, then how many
 * came; when that is more than the room, the rest were closed. A stream that carries descriptors is
 * to be read by this call alone: to any other read the bytes come without them. -EMFILE not all
 * could be taken in; those that came were closed, and the bytes are lost. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_recv_fds(struct cel_stream *stream, void *buf, size_t len,
                                              int *fds, size_t *count);

/* Who connected or listened, at that time. */
struct cel_peer_id {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* Does not park. The kernel's word for who the peer is. -EOPNOTSUPP not a Unix socket, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_peer_id(const struct cel_stream *stream,
                                                struct cel_peer_id *out);

/* Does not park. A socket for datagrams, none of which is lost, cut or out of order: "unix:/path",
 * "unix:@abstract"; NULL: a name of the kernel's choice, by which it can be answered. It is one of
 * celadon/net.h's: cel_recv_from (a sender without a name has ss_family 0), cel_send_to, which
 * waits while the receiver's queue is full, cel_socket_close; and cel_udp_connect of celadon/udp.h.
 * The file is replaced if nobody answers there any more, and removed at close. Owner: the caller.
 * -EADDRINUSE, -EINVAL not such an address, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_unix_open(struct cel_socket **out, const char *address);

#ifdef __cplusplus
}
#endif

#endif
