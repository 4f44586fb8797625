/* SPDX-License-Identifier: MIT */
#include "machine/message.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/cc.h"
#include "machine/cargo.h"
#include "machine/datagram.h"
#include "machine/pair.h"
#include "machine/under.h"

/* ---- streams ---- */

/* *landed: what came beside the bytes. */
static ssize_t read_stream(struct cel__socket *s, const struct iovec *iov, int count, bool is_peek,
                           struct cel__cargo **landed)
{
    struct cel__pair *p = s->pair;
    ssize_t n = cel__pair_read(s, iov, count, is_peek);

    *landed = NULL;
    if (n > 0 && p != NULL && !is_peek)
        *landed = cel__cargo_land(&p->wires[!s->side].cargos, p->wires[!s->side].read);
    return n;
}

/* What there is no room for is closed, and that is told. */
static void give_cargo(struct cel__cargo *cargo, struct msghdr *msg)
{
    struct cmsghdr *head = msg->msg_control;
    size_t room = msg->msg_controllen, len = cargo->count * sizeof(int);

    msg->msg_controllen = 0;
    if (room < CMSG_SPACE(len)) {
        msg->msg_flags |= MSG_CTRUNC;
        cel__cargo_drop(cargo);
        return;
    }
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(head), cargo->fds, len);
    msg->msg_controllen = CMSG_SPACE(len);
    cargo->count = 0;
    cel__cargo_drop(cargo);
}

static ssize_t receive_stream(struct cel__socket *s, struct msghdr *msg, bool is_peek)
{
    struct cel__cargo *cargo;
    ssize_t n = read_stream(s, msg->msg_iov, (int)msg->msg_iovlen, is_peek, &cargo);

    if (n < 0)
        return n;
    msg->msg_namelen = 0;
    msg->msg_flags = 0;
    if (cargo != NULL)
        give_cargo(cargo, msg);
    else
        msg->msg_controllen = 0;
    return n;
}

static int pack(struct cel__cargo **out, struct cel__socket *s, const struct msghdr *msg)
{
    const struct cmsghdr *head = CMSG_FIRSTHDR(msg);
    unsigned count;

    if (head == NULL || s->kind != CEL__SOCKET_LOCAL)
        return 0; /* a TCP socket drops them without a word */
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return -EINVAL;
    count = (unsigned)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    return cel__cargo_pack(out, s->m, (const int *)CMSG_DATA(head), count);
}

static ssize_t send_stream(struct cel__socket *s, const struct msghdr *msg)
{
    struct cel__pair *p = s->pair;
    struct cel__cargo *cargo = NULL;
    int r = pack(&cargo, s, msg);
    ssize_t n;

    if (r < 0)
        return r;
    if (cargo != NULL && p != NULL) { /* before the bytes: who reads them must find it */
        cargo->at = p->wires[s->side].written;
        cel__list_append(&p->wires[s->side].cargos, &cargo->link);
    }
    n = cel__pair_write(s, msg->msg_iov, (int)msg->msg_iovlen);
    if (n <= 0)
        cel__cargo_drop(cargo);
    return n;
}

/* ---- datagrams ---- */

static void give_address(const struct sockaddr_storage *at, struct msghdr *msg)
{
    socklen_t len =
        at->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    if (msg->msg_name == NULL)
        return;
    memcpy(msg->msg_name, at, cel__min(msg->msg_namelen, len));
    msg->msg_namelen = len;
}

/* Everything is on one interface. */
static void give_info(const struct cel__socket *s, const struct sockaddr_storage *to,
                      struct msghdr *msg)
{
    struct sockaddr_storage plain = cel__address_as(to, AF_INET);
    struct sockaddr_storage at = cel__address_as(&plain, s->family);
    struct in6_pktinfo v6 = {.ipi6_ifindex = cel__under.if_nametoindex("lo")};
    struct in_pktinfo v4 = {.ipi_ifindex = (int)v6.ipi6_ifindex};
    bool is_v6 = s->family == AF_INET6;
    size_t len = is_v6 ? sizeof v6 : sizeof v4;
    struct cmsghdr *head = msg->msg_control;

    if (msg->msg_controllen < CMSG_SPACE(len)) {
        msg->msg_controllen = 0;
        return;
    }
    v6.ipi6_addr = ((struct sockaddr_in6 *)&at)->sin6_addr;
    v4.ipi_addr = v4.ipi_spec_dst = ((struct sockaddr_in *)&at)->sin_addr;
    head->cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    head->cmsg_type = is_v6 ? IPV6_PKTINFO : IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(head), is_v6 ? (void *)&v6 : (void *)&v4, len);
    msg->msg_controllen = CMSG_SPACE(len);
}

static ssize_t receive_datagram(struct cel__socket *s, struct msghdr *msg, bool is_peek)
{
    struct cel__ways ways;
    bool is_cut = false;
    ssize_t n =
        cel__datagram_receive(s, msg->msg_iov, (int)msg->msg_iovlen, &ways, &is_cut, is_peek);

    if (n < 0)
        return n;
    msg->msg_flags = is_cut ? MSG_TRUNC : 0;
    give_address(&ways.from, msg);
    if (s->wants_info)
        give_info(s, &ways.to, msg);
    else
        msg->msg_controllen = 0;
    return n;
}

/* 0: in one piece. */
static size_t segment_of(const struct msghdr *msg)
{
    for (const struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
         c = CMSG_NXTHDR((struct msghdr *)msg, (struct cmsghdr *)c)) {
        uint16_t segment;

        if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_SEGMENT)
            continue;
        memcpy(&segment, CMSG_DATA(c), sizeof segment);
        return segment;
    }
    return 0;
}

/* Only one piece of memory is cut: the library has no other. */
static ssize_t send_cut(struct cel__socket *s, const struct sockaddr_storage *to, socklen_t len,
                        const struct iovec *whole, size_t segment)
{
    size_t done = 0;

    while (done < whole->iov_len) {
        struct iovec piece = {(char *)whole->iov_base + done,
                              cel__min(whole->iov_len - done, segment)};
        ssize_t n = cel__datagram_send(s, to, len, &piece, 1);

        if (n < 0)
            return n;
        done += piece.iov_len;
    }
    return (ssize_t)done;
}

static ssize_t send_datagram(struct cel__socket *s, const struct msghdr *msg)
{
    struct sockaddr_storage to = s->peer;
    socklen_t len = s->peer_len;
    size_t segment = segment_of(msg);

    if (msg->msg_name != NULL) {
        to = (struct sockaddr_storage){0};
        len = cel__min(msg->msg_namelen, (socklen_t)sizeof to);
        memcpy(&to, msg->msg_name, len);
    }
    if (segment != 0 && msg->msg_iovlen == 1)
        return send_cut(s, &to, len, msg->msg_iov, segment);
    return cel__datagram_send(s, &to, len, msg->msg_iov, (int)msg->msg_iovlen);
}

/* ---- all of them ---- */

ssize_t cel__message_read(struct cel__socket *s, const struct iovec *iov, int count, int flags)
{
    bool is_peek = (flags & MSG_PEEK) != 0, is_cut;
    struct cel__cargo *cargo;
    ssize_t n;

    if (s->kind == CEL__SOCKET_UDP)
        return cel__datagram_receive(s, iov, count, NULL, &is_cut, is_peek);
    n = read_stream(s, iov, count, is_peek, &cargo);
    cel__cargo_drop(cargo); /* who does not ask for descriptors does not get them */
    return n;
}

ssize_t cel__message_write(struct cel__socket *s, const struct iovec *iov, int count)
{
    if (s->kind == CEL__SOCKET_UDP)
        return cel__datagram_send(s, &s->peer, s->peer_len, iov, count);
    return cel__pair_write(s, iov, count);
}

ssize_t cel__message_receive(struct cel__socket *s, struct msghdr *msg, int flags)
{
    bool is_peek = (flags & MSG_PEEK) != 0;

    if (flags & MSG_ERRQUEUE)
        return -EAGAIN;
    return s->kind == CEL__SOCKET_UDP ? receive_datagram(s, msg, is_peek)
                                      : receive_stream(s, msg, is_peek);
}

ssize_t cel__message_send(struct cel__socket *s, const struct msghdr *msg)
{
    return s->kind == CEL__SOCKET_UDP ? send_datagram(s, msg) : send_stream(s, msg);
}

int cel__message_receive_many(struct cel__socket *s, struct mmsghdr *msgs, unsigned count,
                              int flags)
{
    unsigned done = 0;
    ssize_t n = 0;

    while (done < count && (n = cel__message_receive(s, &msgs[done].msg_hdr, flags)) >= 0)
        msgs[done++].msg_len = (unsigned)n;
    return done > 0 ? (int)done : (int)n;
}

int cel__message_send_many(struct cel__socket *s, struct mmsghdr *msgs, unsigned count)
{
    unsigned done = 0;
    ssize_t n = 0;

    while (done < count && (n = cel__message_send(s, &msgs[done].msg_hdr)) >= 0)
        msgs[done++].msg_len = (unsigned)n;
    return done > 0 ? (int)done : (int)n;
}
