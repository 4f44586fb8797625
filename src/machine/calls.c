/* SPDX-License-Identifier: MIT */
#include "machine/calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "machine/absent.h"
#include "machine/datagram.h"
#include "machine/file_calls.h"
#include "machine/message.h"
#include "machine/opened.h"
#include "machine/pair.h"
#include "machine/under.h"

#define COPY_MAX 16384

/* As libc tells it. */
static int told(int64_t r)
{
    if (r >= 0)
        return (int)r;
    errno = (int)-r;
    return -1;
}

static bool is_simulated_family(int domain, int type)
{
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (domain == AF_UNIX)
        return kind == SOCK_STREAM;
    return (domain == AF_INET || domain == AF_INET6) && (kind == SOCK_STREAM || kind == SOCK_DGRAM);
}

static int my_socket(int domain, int type, int protocol)
{
    struct cel__machine *m = cel__machine_here;
    int base = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), fd;
    struct cel__socket *s;

    if (m != NULL && domain == AF_UNIX && base != SOCK_STREAM)
        return told(-EAFNOSUPPORT); /* the real one's datagrams would come at their own time */
    if (m == NULL || !is_simulated_family(domain, type))
        return cel__under.socket(domain, type, protocol);
    s = cel__socket_new(cel__station_current(m),
                        domain == AF_UNIX     ? CEL__SOCKET_LOCAL
                        : base == SOCK_STREAM ? CEL__SOCKET_TCP
                                              : CEL__SOCKET_UDP,
                        domain);
    fd = cel__socket_number(s);
    if (fd < 0)
        cel__socket_free(s);
    return told(fd);
}

static int my_socketpair(int domain, int type, int protocol, int fds[2])
{
    struct cel__machine *m = cel__machine_here;

    if (m == NULL || !is_simulated_family(domain, type))
        return cel__under.socketpair(domain, type, protocol, fds);
    return told(cel__pair_open(m, CEL__SOCKET_LOCAL, fds));
}

static int my_pipe2(int fds[2], int flags)
{
    struct cel__machine *m = cel__machine_here;
    int r;

    if (m == NULL)
        return cel__under.pipe2(fds, flags);
    r = cel__pair_open(m, CEL__SOCKET_PIPE, fds);
    if (r == 0) {
        cel__socket_find(fds[1])->read_shut = true;
        r = cel__pair_shut(cel__socket_find(fds[0]), false, true);
    }
    return told(r);
}

static int my_close(int fd)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        cel__opened_close(o, fd);
    if (o != NULL || s == NULL)
        return o != NULL ? 0 : cel__under.close(fd);
    if (cel__socket_drop_number(s, fd))
        return 0;
    cel__pair_leave(s);
    cel__datagram_drop_all(s);
    cel__socket_free(s);
    return 0;
}

/* A copy in the room that there is for every kind. */
static struct sockaddr_storage widened(const struct sockaddr *addr, socklen_t len)
{
    struct sockaddr_storage at = {0};

    memcpy(&at, addr, cel__min((size_t)len, sizeof at));
    return at;
}

static int my_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct sockaddr_storage at;

    if (s == NULL)
        return cel__under.bind(fd, addr, len);
    at = widened(addr, len);
    return told(cel__socket_bind(s, &at, len));
}

static int my_listen(int fd, int backlog)
{
    struct cel__socket *s = cel__socket_find(fd);

    if (s == NULL)
        return cel__under.listen(fd, backlog);
    if (s->kind == CEL__SOCKET_UDP)
        return told(-EOPNOTSUPP);
    if (s->state != CEL__SOCKET_FRESH && s->state != CEL__SOCKET_LISTENING)
        return told(-EINVAL);
    if (!s->is_bound && s->kind == CEL__SOCKET_TCP &&
        cel__socket_bind_any(s, &(struct sockaddr_storage){.ss_family = (sa_family_t)s->family}) <
            0)
        return told(-EADDRINUSE);
    s->state = CEL__SOCKET_LISTENING;
    s->backlog = backlog;
    return 0;
}

static int my_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct sockaddr_storage at;

    if (s == NULL)
        return cel__under.connect(fd, addr, len);
    at = widened(addr, len);
    if (s->kind != CEL__SOCKET_UDP)
        return told(cel__pair_connect(s, &at, len));
    s->peer = at;
    s->peer_len = at.ss_family != AF_UNSPEC ? len : 0;
    if (s->peer_len == 0)
        return 0;
    return s->is_bound ? 0 : told(cel__socket_bind_any(s, &at));
}

static void give_address(const struct sockaddr_storage *at, socklen_t at_len, struct sockaddr *addr,
                         socklen_t *len)
{
    if (addr == NULL || len == NULL)
        return;
    at_len = cel__max(at_len, (socklen_t)sizeof(sa_family_t));
    memcpy(addr, at, cel__min(*len, at_len));
    *len = at_len;
}

static int my_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct cel__socket *s = cel__socket_find(fd), *child;
    int r;

    if (s == NULL)
        return cel__under.accept4(fd, addr, len, flags);
    r = cel__pair_accept(s, &child);
    if (r >= 0)
        give_address(&child->peer, child->peer_len, addr, len);
    return told(r);
}

static int my_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct cel__socket *s = cel__socket_find(fd);

    if (s == NULL)
        return cel__under.getsockname(fd, addr, len);
    if (s->local_len == 0 && s->family != AF_UNIX)
        s->local_len =
            s->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    give_address(&s->local, s->local_len, addr, len);
    return 0;
}

static int my_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct cel__socket *s = cel__socket_find(fd);

    if (s == NULL)
        return cel__under.getpeername(fd, addr, len);
    if (s->state != CEL__SOCKET_JOINED && s->kind != CEL__SOCKET_UDP)
        return told(-ENOTCONN);
    give_address(&s->peer, s->peer_len, addr, len);
    return 0;
}

static int my_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    struct cel__socket *s = cel__socket_find(fd);
    int answer = 0;

    if (s == NULL)
        return cel__under.getsockopt(fd, level, name, value, len);
    if (s->kind == CEL__SOCKET_PIPE)
        return told(-ENOTSOCK);
    if (level == SOL_SOCKET && name == SO_TYPE)
        answer = s->kind == CEL__SOCKET_UDP ? SOCK_DGRAM : SOCK_STREAM;
    if (level == SOL_SOCKET && name == SO_DOMAIN)
        answer = s->family;
    if (level == SOL_SOCKET && name == SO_ACCEPTCONN)
        answer = s->state == CEL__SOCKET_LISTENING;
    if (level == SOL_SOCKET && name == SO_ERROR) {
        answer = s->error;
        s->error = 0;
    }
    memset(value, 0, *len);
    if (level == SOL_SOCKET && name == SO_PEERCRED && s->kind == CEL__SOCKET_LOCAL) {
        struct ucred self = {getpid(), getuid(), getgid()};

        memcpy(value, &self, cel__min((size_t)*len, sizeof self));
        return 0;
    }
    memcpy(value, &answer, cel__min((size_t)*len, sizeof answer));
    return 0;
}

static int my_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct cel__socket *s = cel__socket_find(fd);
    bool is_on = value != NULL && len >= sizeof(int) && *(const int *)value != 0;

    if (s == NULL)
        return cel__under.setsockopt(fd, level, name, value, len);
    if (s->kind == CEL__SOCKET_PIPE)
        return told(-ENOTSOCK);
    if (level == SOL_UDP && name == UDP_GRO) /* nobody joins datagrams here */
        return told(-ENOPROTOOPT);
    if ((level == IPPROTO_IP && name == IP_PKTINFO) ||
        (level == IPPROTO_IPV6 && name == IPV6_RECVPKTINFO))
        s->wants_info = is_on;
    if (level == SOL_SOCKET && name == SO_REUSEADDR)
        s->reuse_address = is_on;
    if (level == SOL_SOCKET && name == SO_REUSEPORT)
        s->reuse_port = is_on;
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        s->v6_only = is_on;
    if (level == SOL_SOCKET && name == SO_LINGER && len >= sizeof(struct linger))
        s->resets_at_close = is_on && ((const struct linger *)value)->l_linger == 0;
    return 0;
}

static int my_shutdown(int fd, int how)
{
    struct cel__socket *s = cel__socket_find(fd);

    if (s == NULL)
        return cel__under.shutdown(fd, how);
    if (s->kind == CEL__SOCKET_PIPE)
        return told(-ENOTSOCK);
    return told(cel__pair_shut(s, how != SHUT_WR, how != SHUT_RD));
}

/* Reading and writing. */

static ssize_t my_recv(int fd, void *buf, size_t len, int flags)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct iovec piece = {buf, len};

    return s != NULL ? told(cel__message_read(s, &piece, 1, flags))
                     : cel__under.recv(fd, buf, len, flags);
}

static ssize_t my_readv(int fd, const struct iovec *iov, int n)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        return told(cel__opened_read(o, iov, n, -1));
    return s != NULL ? told(cel__message_read(s, iov, n, 0)) : cel__under.readv(fd, iov, n);
}

static ssize_t my_read(int fd, void *buf, size_t len)
{
    struct cel__machine *m = cel__machine_here;
    struct iovec piece = {buf, len};

    if (m == NULL)
        return cel__under.read(fd, buf, len);
    if (cel__socket_find(fd) == NULL && cel__opened_find(fd) == NULL && CEL__CHANCE(m, io_error))
        return told(-EIO);
    return my_readv(fd, &piece, 1);
}

static ssize_t my_send(int fd, const void *buf, size_t len, int flags)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct iovec piece = {(void *)buf, len};

    return s != NULL ? told(cel__message_write(s, &piece, 1))
                     : cel__under.send(fd, buf, len, flags);
}

static ssize_t my_writev(int fd, const struct iovec *iov, int n)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        return told(cel__opened_write(o, iov, n, -1));
    return s != NULL ? told(cel__message_write(s, iov, n)) : cel__under.writev(fd, iov, n);
}

static ssize_t my_write(int fd, const void *buf, size_t len)
{
    struct iovec piece = {(void *)buf, len};

    return my_writev(fd, &piece, 1);
}

static ssize_t my_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct cel__socket *s = cel__socket_find(fd);

    return s != NULL ? told(cel__message_receive(s, msg, flags))
                     : cel__under.recvmsg(fd, msg, flags);
}

static int my_recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags,
                       struct timespec *timeout)
{
    struct cel__socket *s = cel__socket_find(fd);

    return s != NULL ? told(cel__message_receive_many(s, msgs, n, flags))
                     : cel__under.recvmmsg(fd, msgs, n, flags, timeout);
}

static ssize_t my_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct cel__socket *s = cel__socket_find(fd);

    return s != NULL ? told(cel__message_send(s, msg)) : cel__under.sendmsg(fd, msg, flags);
}

static int my_sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
    struct cel__socket *s = cel__socket_find(fd);

    return s != NULL ? told(cel__message_send_many(s, msgs, n))
                     : cel__under.sendmmsg(fd, msgs, n, flags);
}

/* By way of a copy; what was read and not sent is read again the next time. */
static ssize_t my_sendfile(int out, int in, off_t *offset, size_t count)
{
    struct cel__socket *s = cel__socket_find(out);
    struct cel__opened *from = cel__opened_find(in);
    char copy[COPY_MAX];
    struct iovec piece = {copy, 0};
    ssize_t n;

    if (s == NULL)
        return cel__under.sendfile(out, in, offset, count);
    if (offset == NULL)
        return told(-EINVAL);
    piece.iov_len = cel__min(count, sizeof copy);
    if (from != NULL)
        n = told(cel__opened_read(from, &piece, 1, *offset));
    else
        n = cel__under.pread(in, copy, piece.iov_len, *offset);
    if (n <= 0)
        return n;
    piece.iov_len = (size_t)n;
    n = told(cel__message_write(s, &piece, 1));
    if (n > 0)
        *offset += n;
    return n;
}

static int my_unlink(const char *path)
{
    struct cel__machine *m = cel__machine_here;

    if (m != NULL && cel__socket_unlink(m, path))
        return 0;
    return cel__sys_floor.unlinkat(AT_FDCWD, path, 0);
}

static int my_clock_gettime(clockid_t id, struct timespec *ts)
{
    struct cel__machine *m = cel__machine_here;
    int64_t now;

    if (m == NULL)
        return cel__under.clock_gettime(id, ts);
    now = m->now;
    if (id == CLOCK_REALTIME)
        now += m->epoch + cel__station_current(m)->skew;
    *ts = (struct timespec){now / CEL_SECOND, now % CEL_SECOND};
    return 0;
}

static ssize_t my_getrandom(void *buf, size_t len, unsigned flags)
{
    struct cel__machine *m = cel__machine_here;
    unsigned char *at = buf;

    if (m == NULL)
        return cel__under.getrandom(buf, len, flags);
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)cel__machine_draw(m, CEL__DRAW_SECRET, 256);
    return (ssize_t)len;
}

short cel__calls_poll(int fd, short events)
{
    struct cel__socket *s = cel__socket_find(fd);
    int now;

    if (s == NULL)
        return POLLNVAL;
    if (s->kind == CEL__SOCKET_UDP)
        now = POLLOUT | (cel__list_is_empty(&s->datagrams) ? 0 : POLLIN) |
              (s->error != 0 ? POLLERR | POLLIN : 0);
    else
        now = cel__pair_events(s);
    return (short)(now & (events | POLLERR | POLLHUP));
}

static void install(void)
{
    struct cel__sys table;

    cel__sys_kernel(&cel__under);
    table = cel__under;
    cel__file_calls_fill(&table);
    cel__absent_fill(&table);
    table.accept4 = my_accept4;
    table.bind = my_bind;
    table.clock_gettime = my_clock_gettime;
    table.close = my_close;
    table.connect = my_connect;
    table.getpeername = my_getpeername;
    table.getrandom = my_getrandom;
    table.getsockname = my_getsockname;
    table.getsockopt = my_getsockopt;
    table.listen = my_listen;
    table.pipe2 = my_pipe2;
    table.read = my_read;
    table.readv = my_readv;
    table.recv = my_recv;
    table.recvmmsg = my_recvmmsg;
    table.recvmsg = my_recvmsg;
    table.send = my_send;
    table.sendfile = my_sendfile;
    table.sendmmsg = my_sendmmsg;
    table.sendmsg = my_sendmsg;
    table.setsockopt = my_setsockopt;
    table.shutdown = my_shutdown;
    table.socket = my_socket;
    table.socketpair = my_socketpair;
    table.unlink = my_unlink;
    table.write = my_write;
    table.writev = my_writev;
    cel__sys_underlay(&table);
}

void cel__calls_install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, install);
}
