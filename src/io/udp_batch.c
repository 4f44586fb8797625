/* SPDX-License-Identifier: MIT */
/* Several datagrams by one system call. The call is made at once and, when it would block, after a
 * poll; what of it went through is never reported as an error. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/cc.h"
#include "base/sys.h"
#include "io/udp.h"
#include "task/wait.h"

#define BATCH        16
#define STREAK       16 /* batches in a row, before the others have their turn */
#define SEGMENTS_MAX 64 /* the kernel's limit for one message */
#define CUT_MAX      65000

union control {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

struct batch {
    struct mmsghdr msgs[BATCH];
    struct iovec pieces[BATCH];
    union control controls[BATCH];
    struct sockaddr_storage addresses[BATCH];
};

/* (parks) 0, or why not. */
static int wait_ready(struct cel_socket *s, short events)
{
    struct cel__op op = {.kind = CEL__OP_POLL, .fd = s->fd, .events = events};
    int64_t r = s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */

    s->streak = 0;
    return r < 0 ? (int)r : 0;
}

/* (parks) Who never has to wait lets the others run now and then. */
static int take_turn(struct cel_socket *s)
{
    int r = cel__checkpoint(cel__task_parking());

    if (r == 0 && ++s->streak % STREAK == 0)
        r = cel_yield(); /* parks */
    return r == 0 && s->is_closed ? -CEL_ECLOSED : r;
}

/* ---- receiving ---- */

static void take_v4_info(struct cel_datagram *d, const void *data)
{
    struct in_pktinfo info;
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    memcpy(&info, data, sizeof info);
    v4.sin_addr = info.ipi_addr;
    memcpy(&d->local, &v4, sizeof v4);
    d->interface = (unsigned)info.ipi_ifindex;
}

static void take_v6_info(struct cel_datagram *d, const void *data)
{
    struct in6_pktinfo info;
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memcpy(&info, data, sizeof info);
    v6.sin6_addr = info.ipi6_addr;
    memcpy(&d->local, &v6, sizeof v6);
    cel__udp_unmap(&d->local);
    d->interface = info.ipi6_ifindex;
}

static void take_control(struct cel_datagram *d, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        int segment;

        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            d->segment = (size_t)segment < d->len ? (size_t)segment : 0;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            take_v4_info(d, CMSG_DATA(c));
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            take_v6_info(d, CMSG_DATA(c));
        }
    }
}

static void take_datagram(struct cel_datagram *d, struct mmsghdr *m)
{
    d->len = m->msg_len;
    d->segment = 0;
    d->interface = 0;
    memset(&d->local, 0, sizeof d->local);
    d->is_truncated = (m->msg_hdr.msg_flags & MSG_TRUNC) != 0;
    cel__udp_unmap(&d->peer);
    take_control(d, &m->msg_hdr);
}

static int receive_some(struct cel_socket *s, struct cel_datagram *d, size_t count)
{
    struct batch b;
    int n;

    for (size_t i = 0; i < count; i++) {
        b.pieces[i] = (struct iovec){d[i].buf, d[i].len};
        memset(&d[i].peer, 0, sizeof d[i].peer);
        b.msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &d[i].peer,
                                                 .msg_namelen = sizeof d[i].peer,
                                                 .msg_iov = &b.pieces[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = b.controls[i].bytes,
                                                 .msg_controllen = sizeof b.controls[i].bytes}};
    }
    do
        n = cel__sys.recvmmsg(s->fd->fd, b.msgs, (unsigned)count, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    for (int i = 0; i < n; i++)
        take_datagram(&d[i], &b.msgs[i]);
    return n < 0 ? -errno : n;
}

/* (parks) */
static int receive(struct cel_socket *s, struct cel_datagram *d, size_t count)
{
    size_t got = 0;
    int n = take_turn(s); /* parks */

    while (n >= 0 && got < count) {
        int asked = (int)cel__min(count - got, (size_t)BATCH);

        n = receive_some(s, d + got, (size_t)asked);
        if (n > 0)
            got += (size_t)n;
        if (got > 0 && n < asked)
            break; /* an error stays for the next call */
        if (n == -EAGAIN)
            n = wait_ready(s, POLLIN); /* parks */
    }
    return got > 0 ? (int)got : n;
}

int cel_udp_recv_batch(struct cel_socket *s, struct cel_datagram *d, size_t count)
{
    int n;

    cel__udp_enter(s);
    n = receive(s, d, count); /* parks */
    cel__udp_leave(s);
    return n;
}

/* ---- sending ---- */

/* Where a call stands: in which datagram, and how far. */
struct place {
    size_t at, offset;
};

static void add_control(struct msghdr *msg, union control *control, int level, int type,
                        const void *data, size_t len)
{
    struct cmsghdr *c = (struct cmsghdr *)(control->bytes + msg->msg_controllen);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    msg->msg_control = control->bytes;
    msg->msg_controllen += CMSG_SPACE(len);
}

/* What goes out as IPv4 is told of in IPv4's words, also by a socket of both families. */
static bool is_v4(const struct cel_datagram *d, int family)
{
    return d->peer.ss_family == AF_INET || d->local.ss_family == AF_INET || family == AF_INET;
}

static void add_info(struct msghdr *msg, union control *control, const struct cel_datagram *d,
                     int family)
{
    if (is_v4(d, family)) {
        struct in_pktinfo info = {.ipi_ifindex = (int)d->interface};

        if (d->local.ss_family == AF_INET)
            info.ipi_spec_dst = ((const struct sockaddr_in *)&d->local)->sin_addr;
        add_control(msg, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = d->interface};

        if (d->local.ss_family == AF_INET6)
            info.ipi6_addr = ((const struct sockaddr_in6 *)&d->local)->sin6_addr;
        add_control(msg, control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

/* How much of the datagram one message takes. */
static size_t piece_len(const struct cel_socket *s, const struct cel_datagram *d, size_t offset)
{
    size_t left = d->len - offset, most;

    if (d->segment == 0 || left <= d->segment)
        return left;
    if (!s->has_gso)
        return d->segment;
    most = cel__min((size_t)SEGMENTS_MAX, cel__max((size_t)CUT_MAX / d->segment, (size_t)1));
    return cel__min(left, most * d->segment);
}

static void make_message(const struct cel_socket *s, struct batch *b, size_t i,
                         const struct cel_datagram *d, size_t offset)
{
    struct msghdr *msg = &b->msgs[i].msg_hdr;
    size_t len = piece_len(s, d, offset);
    uint16_t segment = (uint16_t)d->segment;

    b->pieces[i] = (struct iovec){(char *)d->buf + offset, len};
    b->msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &b->pieces[i], .msg_iovlen = 1}};
    if (d->peer.ss_family != 0) {
        b->addresses[i] = cel__udp_mapped(s, &d->peer);
        msg->msg_name = &b->addresses[i];
        msg->msg_namelen = cel__address_len(&b->addresses[i]);
    }
    if (d->segment != 0 && len > d->segment)
        add_control(msg, &b->controls[i], SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
    if (d->local.ss_family != 0 || d->interface != 0)
        add_info(msg, &b->controls[i], d, s->family);
}

static void step(const struct cel_socket *s, const struct cel_datagram *d, struct place *p)
{
    p->offset += piece_len(s, &d[p->at], p->offset);
    if (p->offset < d[p->at].len)
        return;
    p->at++;
    p->offset = 0;
}

static int send_some(struct cel_socket *s, const struct cel_datagram *d, size_t count,
                     struct place *place)
{
    struct place next = *place;
    unsigned made = 0;
    struct batch b;
    int n;

    memset(b.controls, 0, sizeof b.controls);
    while (made < BATCH && next.at < count) {
        make_message(s, &b, made++, &d[next.at], next.offset);
        step(s, d, &next);
    }
    do
        n = cel__sys.sendmmsg(s->fd->fd, b.msgs, made, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    for (int i = 0; i < n; i++)
        step(s, d, place);
    return n < 0 ? -errno : n;
}

/* A device that cannot cut says EIO: it is done by hand from then on. */
static bool must_cut_by_hand(struct cel_socket *s, const struct cel_datagram *d, int code)
{
    if (code != -EIO || !s->has_gso || d->segment == 0)
        return false;
    s->has_gso = false;
    return true;
}

/* (parks) */
static int send_all(struct cel_socket *s, const struct cel_datagram *d, size_t count)
{
    struct place place = {0};
    int n = 0;

    while (n >= 0 && place.at < count) {
        n = take_turn(s); /* parks */
        if (n == 0)
            n = send_some(s, d, count, &place);
        if (n == -EAGAIN)
            n = wait_ready(s, POLLOUT); /* parks */
        else if (n < 0 && must_cut_by_hand(s, &d[place.at], n))
            n = 0;
    }
    return n < 0 && place.at == 0 ? n : (int)place.at;
}

int cel_udp_send_batch(struct cel_socket *s, const struct cel_datagram *d, size_t count)
{
    int n;

    for (size_t i = 0; i < count; i++)
        if (d[i].segment > UINT16_MAX)
            return -EINVAL;
    cel__udp_enter(s);
    n = send_all(s, d, count); /* parks */
    cel__udp_leave(s);
    return n;
}
