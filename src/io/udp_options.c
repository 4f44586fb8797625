/* SPDX-License-Identifier: MIT */
/* What a socket for datagrams is told to do. A socket of both families is told for both. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>

#include "base/cc.h"
#include "base/sys.h"
#include "io/udp.h"

static int set(const struct cel_socket *s, int level, int name, int value)
{
    return cel__sys.setsockopt(s->fd->fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* An IPv6 socket serves IPv4 too, by options of that level. */
static int set_both(const struct cel_socket *s, int v6_name, int v4_name, int value)
{
    int r = s->family == AF_INET6 ? set(s, IPPROTO_IPV6, v6_name, value) : 0;

    return r < 0 ? r : set(s, IPPROTO_IP, v4_name, value);
}

int cel_udp_connect(struct cel_socket *s, const struct sockaddr_storage *to)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};

    if (to != NULL)
        at = cel__udp_mapped(s, to);
    if (cel__sys.connect(s->fd->fd, (struct sockaddr *)&at,
                         to != NULL ? cel__address_len(&at) : sizeof at) < 0)
        return -errno;
    return 0;
}

int cel_udp_set_gro(struct cel_socket *s, bool is_on)
{
    return set(s, SOL_UDP, UDP_GRO, is_on);
}

bool cel_udp_has_gso(const struct cel_socket *s)
{
    return s->has_gso;
}

int cel_udp_set_info(struct cel_socket *s, bool is_on)
{
    return s->family == AF_INET6 ? set(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, is_on)
                                 : set(s, IPPROTO_IP, IP_PKTINFO, is_on);
}

int cel_udp_set_errors(struct cel_socket *s, bool is_on)
{
    return set_both(s, IPV6_RECVERR, IP_RECVERR, is_on);
}

static int error_in(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct sock_extended_err error;

        if (c->cmsg_type != IP_RECVERR && c->cmsg_type != IPV6_RECVERR)
            continue;
        memcpy(&error, CMSG_DATA(c), sizeof error);
        if (error.ee_errno != 0)
            return -(int)error.ee_errno;
    }
    return 0;
}

int cel_udp_next_error(struct cel_socket *s, int *code, struct sockaddr_storage *peer)
{
    _Alignas(struct cmsghdr) char control[512];
    struct msghdr msg = {.msg_name = peer,
                         .msg_namelen = sizeof *peer,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    ssize_t n;

    memset(peer, 0, sizeof *peer);
    do
        n = cel__sys.recvmsg(s->fd->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    cel__udp_unmap(peer);
    *code = error_in(&msg);
    return 1;
}

int cel_udp_set_broadcast(struct cel_socket *s, bool is_on)
{
    return set(s, SOL_SOCKET, SO_BROADCAST, is_on);
}

static int change_group(struct cel_socket *s, int name, const struct sockaddr_storage *group,
                        unsigned interface)
{
    struct group_req request = {.gr_interface = interface};
    int level = group->ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;

    if (group->ss_family != AF_INET && group->ss_family != AF_INET6)
        return -EINVAL;
    memcpy(&request.gr_group, group, sizeof *group);
    return cel__sys.setsockopt(s->fd->fd, level, name, &request, sizeof request) < 0 ? -errno : 0;
}

int cel_udp_join(struct cel_socket *s, const struct sockaddr_storage *group, unsigned interface)
{
    return change_group(s, MCAST_JOIN_GROUP, group, interface);
}

int cel_udp_leave(struct cel_socket *s, const struct sockaddr_storage *group, unsigned interface)
{
    return change_group(s, MCAST_LEAVE_GROUP, group, interface);
}

int cel_udp_set_multicast(struct cel_socket *s, unsigned interface, int hops, bool loops_back)
{
    const struct ip_mreqn on = {.imr_ifindex = (int)interface};
    int r = 0;

    if (hops < 0 || hops > 255)
        return -EINVAL;
    if (cel__sys.setsockopt(s->fd->fd, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof on) < 0)
        r = -errno;
    if (r == 0 && s->family == AF_INET6)
        r = set(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface);
    if (r == 0)
        r = set_both(s, IPV6_MULTICAST_HOPS, IP_MULTICAST_TTL, hops);
    return r < 0 ? r : set_both(s, IPV6_MULTICAST_LOOP, IP_MULTICAST_LOOP, loops_back);
}

int cel_udp_set_hops(struct cel_socket *s, int hops)
{
    if (hops < 1 || hops > 255)
        return -EINVAL;
    return set_both(s, IPV6_UNICAST_HOPS, IP_TTL, hops);
}

int cel_udp_set_traffic_class(struct cel_socket *s, int class)
{
    if (class < 0 || class > 255)
        return -EINVAL;
    return set_both(s, IPV6_TCLASS, IP_TOS, class);
}
