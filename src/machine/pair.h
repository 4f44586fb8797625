/* SPDX-License-Identifier: MIT */
#ifndef CEL__PAIR_H
#define CEL__PAIR_H

/* Two sockets joined by a stream of bytes in each direction.
 *
 * Locally (Unix sockets, pipes) bytes are there as soon as they are written. Over the network they
 * travel as packets: a lane carries those of one direction in order, what cannot get in is sent
 * again later and holds up those behind it, and a writer learns by acknowledgements that come
 * the other way what was taken and what may follow. A pair outlives its sockets until what they
 * have sent is through. */

#include <stdbool.h>
#include <sys/uio.h>

#include "machine/socket.h"

/* The bytes of one direction; each position counts from the first byte. */
struct cel__wire {
    char *bytes; /* from `read` to `written` */
    size_t start, cap;
    uint64_t read, arrived, sent, written;
    uint64_t known_read, known_arrived; /* to the writer */
    bool fin_written, fin_sent, fin_arrived;
    struct cel__list cargos; /* cargo.h, of those not yet read */
};

struct cel__lane {
    struct cel__happening event; /* the first packet arrives */
    struct cel__list packets;
    int64_t last_at;
    int64_t stuck_since; /* 0: not */
    unsigned tries;
    bool has_ack; /* one is under way */
};

struct cel__pair {
    struct cel__list link; /* of the machine's pairs */
    struct cel__machine *m;
    struct cel__socket *ends[2]; /* NULL: closed */
    struct cel__station *hosts[2];
    struct cel__wire wires[2]; /* by who writes */
    struct cel__lane lanes[2]; /* by who sends */
    struct sockaddr_storage to;
    socklen_t to_len;
    bool is_local, is_joined, is_dead;
    int64_t reset_at; /* when side 0 has sent that many bytes; -1: never */
    bool is_busy;     /* in use further down the stack: must not go */
};

/* Two sockets that are joined at once; two numbers are in fds. -EMFILE, -errno. */
CEL_NODISCARD int cel__pair_open(struct cel__machine *m, enum cel__socket_kind kind, int fds[2]);
/* -EINPROGRESS; -ECONNREFUSED, -EAGAIN a Unix listener's queue is full; 0 with Unix. */
CEL_NODISCARD int cel__pair_connect(struct cel__socket *s, const struct sockaddr_storage *to,
                                    socklen_t len);
/* -> a joined socket with a number; -EAGAIN, -EMFILE, -EINVAL. */
CEL_NODISCARD int cel__pair_accept(struct cel__socket *listener, struct cel__socket **out);

/* -EAGAIN, -ENOTCONN, -ECONNRESET, ...; 0: the end. Peeking leaves the bytes. */
CEL_NODISCARD ssize_t cel__pair_read(struct cel__socket *s, const struct iovec *iov, int count,
                                     bool is_peek);
/* -EAGAIN, -EPIPE, -ECONNRESET, ... */
CEL_NODISCARD ssize_t cel__pair_write(struct cel__socket *s, const struct iovec *iov, int count);
CEL_NODISCARD int cel__pair_shut(struct cel__socket *s, bool reading, bool writing);
/* poll(2)'s events that are true now, of all. */
short cel__pair_events(struct cel__socket *s);
/* Leaves the pair, or the line of a listener, as close(2) does. */
void cel__pair_leave(struct cel__socket *s);
/* Leaves it without a word. */
void cel__pair_vanish(struct cel__socket *s);
void cel__pair_end_all(struct cel__machine *m);

#endif
