/* SPDX-License-Identifier: MIT */
#ifndef CEL__SOCKET_H
#define CEL__SOCKET_H

/* A simulated descriptor. Its number is a real descriptor that is kept for it, so that it cannot
 * be another's at the same time, counts against the process's limit, and is found by who looks for
 * leaks. Results here are >= 0 or -errno. */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "machine/station.h"

struct cel__pair;

enum cel__socket_kind { CEL__SOCKET_TCP, CEL__SOCKET_LOCAL, CEL__SOCKET_UDP, CEL__SOCKET_PIPE };

enum cel__socket_state {
    CEL__SOCKET_FRESH,
    CEL__SOCKET_LISTENING,
    CEL__SOCKET_CONNECTING,
    CEL__SOCKET_JOINED, /* has, or had, a pair */
};

struct cel__socket {
    struct cel__list link;  /* of the machine's sockets */
    struct cel__list news;  /* in the machine's news */
    struct cel__list queue; /* of a listener: those to be accepted; of one of those: its place */
    struct cel__machine *m;
    struct cel__station *host;
    uint64_t id;
    int fd;           /* one of its numbers; -1: not accepted yet */
    unsigned numbers; /* how many it has: copies are made by cargo.h */
    int family;
    enum cel__socket_kind kind;
    enum cel__socket_state state;
    struct sockaddr_storage local, peer; /* family 0: none */
    socklen_t local_len, peer_len;
    int error; /* to be told once */
    bool is_bound, is_child, is_gone;
    bool reuse_address, reuse_port, v6_only, resets_at_close;
    bool read_shut, write_shut;
    bool wants_info; /* where datagrams were sent to */
    /* listening */
    int backlog;
    unsigned waiting;
    /* joined, or connecting */
    struct cel__pair *pair;
    int side;                    /* of the pair: 0 has connected, 1 was connected to */
    struct cel__happening again; /* the next attempt to connect */
    unsigned tries;
    /* datagrams */
    struct cel__list datagrams;
    size_t queued_bytes;
    struct cel__list watchers; /* the driver's */
};

/* NULL: the number is not a simulated descriptor of this thread's machine. */
static inline struct cel__socket *cel__socket_find(int fd)
{
    struct cel__machine *m = cel__machine_here;

    return m != NULL && fd >= 0 && (size_t)fd < m->by_fd_cap ? m->by_fd[fd] : NULL;
}

/* A fresh one with no number. */
struct cel__socket *cel__socket_new(struct cel__station *host, enum cel__socket_kind kind,
                                    int family);
/* Gives it one, or one more. -EMFILE, -errno. */
CEL_NODISCARD int cel__socket_number(struct cel__socket *s);
/* One of several numbers is free again. -> false: it is the last one, which stays. */
bool cel__socket_drop_number(struct cel__socket *s, int fd);
/* Its numbers are free again, and the record is gone; of a pair it has left before. */
void cel__socket_free(struct cel__socket *s);
/* What there is to be told, negative; it is told once. */
static inline int cel__socket_take_error(struct cel__socket *s)
{
    int error = s->error;

    s->error = 0;
    return -error;
}

/* Its readiness may have changed. */
void cel__socket_tell(struct cel__socket *s);

CEL_NODISCARD int cel__socket_bind(struct cel__socket *s, const struct sockaddr_storage *at,
                                   socklen_t len);
/* A free port of the host and an address that `to` can answer. */
CEL_NODISCARD int cel__socket_bind_any(struct cel__socket *s, const struct sockaddr_storage *to);
/* Who takes what comes to this address; NULL: nobody. */
struct cel__socket *cel__socket_at(struct cel__station *host, enum cel__socket_kind kind,
                                   const struct sockaddr_storage *at, socklen_t len);
/* A socket that has said whom it talks to takes nothing of others. */
bool cel__socket_hears(const struct cel__socket *s, const struct sockaddr_storage *from);
/* Is there a file of that name, or no file needed? */
bool cel__socket_has_path(const struct sockaddr_storage *at);
/* The bound name is free; the socket is as it was. -> whether it was bound. */
bool cel__socket_unlink(struct cel__machine *m, const char *path);
/* The address as a socket of that family sees it. */
struct sockaddr_storage cel__address_as(const struct sockaddr_storage *at, int family);

#endif
