/* SPDX-License-Identifier: MIT */
/* Datagrams. A socket that was given no address serves both families: it is an IPv6 one, and
 * IPv4 addresses are mapped on the way out and back. */
#include "io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "task/error.h"
#include "task/wait.h"

#define RETRY_MIN CEL_MILLISECOND
#define RETRY_MAX (32 * CEL_MILLISECOND)

static int set_flag(int fd, int level, int name, int value)
{
    return cel__sys.setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int prepare(int fd, int family, const struct cel_udp_options *options)
{
    int r = 0;

    if (family == AF_INET6)
        (void)set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6_only);
    if (options->reuse_address)
        r = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (r == 0 && options->reuse_port)
        r = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    return r;
}

static int bound_socket(const struct sockaddr_storage *at, bool is_bound,
                        const struct cel_udp_options *options)
{
    int fd = cel__sys.socket(at->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    r = prepare(fd, at->ss_family, options);
    if (r == 0 && is_bound &&
        cel__sys.bind(fd, (const struct sockaddr *)at, cel__address_len(at)) < 0)
        r = -errno;
    if (r == 0)
        return fd;
    cel__sys.close(fd);
    return r;
}

static void remember_address(struct cel_socket *s)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;

    if (cel__sys.getsockname(s->fd->fd, (struct sockaddr *)&at, &len) < 0)
        return;
    cel__address_trim(&at, len);
    cel_address_format(&at, s->address, sizeof s->address);
}

static bool can_cut(int fd)
{
    int segment;
    socklen_t len = sizeof segment;

    return cel__sys.getsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, &len) == 0;
}

static void free_socket(struct cel_socket *s)
{
    cel__mem_free(s->unix_path);
    cel__mem_free(s);
}

int cel__udp_take(struct cel_socket **out, int fd, int family, char *unix_path)
{
    struct cel_socket *s = cel__mem_zalloc(sizeof *s);
    int r = s != NULL ? cel__fd_open(cel__loop_here, &s->fd, fd, true) : -ENOMEM;

    if (r < 0) {
        if (unix_path != NULL)
            cel__sys.unlink(unix_path);
        cel__sys.close(fd);
        cel__mem_free(unix_path);
        cel__mem_free(s);
        return r;
    }
    s->fd->what = family == AF_UNIX ? "Unix datagram socket" : "UDP socket";
    s->family = family;
    s->unix_path = unix_path;
    s->has_gso = family != AF_UNIX && can_cut(fd);
    remember_address(s);
    *out = s;
    return 0;
}

int cel_udp_open(struct cel_socket **out, const char *address)
{
    return cel_udp_open_with(out, address, NULL);
}

int cel_udp_open_with(struct cel_socket **out, const char *address,
                      const struct cel_udp_options *options)
{
    static const struct cel_udp_options none;
    struct sockaddr_storage at = {.ss_family = AF_INET6};
    int fd, r = 0;

    if (options == NULL)
        options = &none;

    if (address != NULL)
        r = cel_address_parse(address, &at);
    if (r < 0 || at.ss_family == AF_UNIX)
        return cel__raise(-EINVAL, "listen",
                          "'%s' is not an address for datagrams: say NUMBER:PORT", address);
    fd = bound_socket(&at, address != NULL, options);
    if (fd == -EAFNOSUPPORT && !options->v6_only && (address == NULL || address[0] == ':')) {
        ((struct sockaddr_in *)&at)->sin_family = AF_INET; /* the port stands where it stood */
        ((struct sockaddr_in *)&at)->sin_addr.s_addr = INADDR_ANY;
        fd = bound_socket(&at, address != NULL, options);
    }
    if (fd < 0)
        return address == NULL ? fd : cel__raise(fd, "listen", "%s: %s", address, cel_strerror(fd));
    return cel__udp_take(out, fd, at.ss_family, NULL);
}

void cel__udp_unmap(struct sockaddr_storage *at)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)at;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = v6->sin6_port};

    if (at->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return;
    memcpy(&v4.sin_addr, &v6->sin6_addr.s6_addr[12], 4);
    memset(at, 0, sizeof *at);
    memcpy(at, &v4, sizeof v4);
}

struct sockaddr_storage cel__udp_mapped(const struct cel_socket *s,
                                        const struct sockaddr_storage *at)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)at;
    struct sockaddr_storage out = *at;
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = v4->sin_port};

    if (s->family != AF_INET6 || at->ss_family != AF_INET)
        return out;
    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&v6.sin6_addr.s6_addr[12], &v4->sin_addr, 4);
    memcpy(&out, &v6, sizeof v6);
    return out;
}

void cel__udp_leave(struct cel_socket *s)
{
    if (--s->inside == 0 && s->is_closed)
        free_socket(s);
}

/* (parks) Unix datagrams are never lost, so a sender waits when the receiver's queue is full. Of
 * that queue the kernel tells only a sender that is connected, so all of them try again after a
 * while. */
static ssize_t send_patiently(struct cel_socket *s, const struct msghdr *msg)
{
    int64_t pause = RETRY_MIN;
    ssize_t n = cel_checkpoint();

    if (n < 0)
        return n;
    for (;;) {
        do
            n = cel__sys.sendmsg(s->fd->fd, msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n >= 0 || (errno != EAGAIN && errno != ENOBUFS))
            return n < 0 ? -errno : n;
        n = cel_sleep(pause); /* parks */
        if (n < 0 || s->is_closed)
            return n < 0 ? n : -CEL_ECLOSED;
        pause = cel__min(2 * pause, RETRY_MAX);
    }
}

/* (parks) */
static ssize_t transfer(struct cel_socket *s, enum cel__op_kind kind, struct msghdr *msg)
{
    struct cel__op op = {.kind = kind, .fd = s->fd, .msg = msg};
    ssize_t n;

    cel__udp_enter(s);
    if (s->family == AF_UNIX && kind == CEL__OP_SENDMSG)
        n = send_patiently(s, msg); /* parks */
    else
        n = cel__wait_op(&op); /* parks */
    cel__udp_leave(s);
    return n;
}

ssize_t cel_recv_from(struct cel_socket *s, void *buf, size_t cap, struct sockaddr_storage *from)
{
    struct sockaddr_storage sender = {0};
    struct iovec piece = {buf, cap};
    struct msghdr msg = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &piece, .msg_iovlen = 1};
    ssize_t n = transfer(s, CEL__OP_RECVMSG, &msg); /* parks */

    if (n < 0)
        return n;
    cel__udp_unmap(&sender);
    cel__address_trim(&sender, msg.msg_namelen);
    if (from != NULL)
        *from = sender;
    return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

ssize_t cel_send_to(struct cel_socket *s, const void *buf, size_t len,
                    const struct sockaddr_storage *to)
{
    struct iovec piece = {(void *)buf, len};
    struct msghdr msg = {.msg_iov = &piece, .msg_iovlen = 1};
    struct sockaddr_storage at;

    if (to != NULL) {
        at = cel__udp_mapped(s, to);
        msg.msg_name = &at;
        msg.msg_namelen = cel__address_len(&at);
    }
    return transfer(s, CEL__OP_SENDMSG, &msg); /* parks */
}

int cel_socket_fd(const struct cel_socket *s)
{
    return s->fd->fd;
}

const char *cel_socket_address(const struct cel_socket *s)
{
    return s->address;
}

void cel_socket_close(struct cel_socket *s)
{
    if (s == NULL)
        return;
    CEL__ASSERT(!s->is_closed && "a socket is closed once");
    s->is_closed = true;
    if (s->unix_path != NULL)
        cel__sys.unlink(s->unix_path);
    cel__fd_close(cel__loop_here, s->fd);
    if (s->inside == 0)
        free_socket(s);
}
