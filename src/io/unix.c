/* SPDX-License-Identifier: MIT */
/* Descriptors travel beside the first byte of a sendmsg. The kernel gives them out with whatever
 * read takes that byte: only recvmsg with room for all of them keeps each one. */
#include "celadon/unix.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/sys.h"
#include "io/stream.h"
#include "loop/core.h"
#include "task/wait.h"

union control {
    char bytes[CMSG_SPACE(CEL_FDS_MAX * sizeof(int))];
    struct cmsghdr align;
};

static void enclose(struct msghdr *msg, union control *control, const int *fds, size_t count)
{
    struct cmsghdr *head;

    memset(control, 0, sizeof *control);
    msg->msg_control = control->bytes;
    msg->msg_controllen = CMSG_SPACE(count * sizeof(int));
    head = CMSG_FIRSTHDR(msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, count * sizeof(int));
}

/* 0; -EOPNOTSUPP: TCP, for one, would drop descriptors without a word. */
static int check_family(const struct cel_stream *s)
{
    int domain = 0;
    socklen_t len = sizeof domain;

    if (cel__sys.getsockopt(s->fd->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
        return errno == ENOTSOCK ? -EOPNOTSUPP : -errno;
    return domain == AF_UNIX ? 0 : -EOPNOTSUPP;
}

/* (parks) */
static ssize_t send_first(struct cel_stream *s, const void *buf, size_t len, const int *fds,
                          size_t count)
{
    struct iovec piece = {(void *)buf, len};
    struct msghdr msg = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cel__op op = {.kind = CEL__OP_SENDMSG, .fd = s->fd, .msg = &msg};
    union control control;

    if (count > 0)
        enclose(&msg, &control, fds, count);
    return cel__wait_op(&op); /* parks */
}

static ssize_t send_all(struct cel_stream *s, const char *buf, size_t len, const int *fds,
                        size_t count)
{
    ssize_t n = send_first(s, buf, len, fds, count), rest; /* parks */

    if (n < 0)
        return n;
    s->written = (size_t)n;
    if ((size_t)n == len)
        return n;
    rest = s->via->write(s, buf + n, len - (size_t)n); /* parks */
    return rest < 0 ? rest : (ssize_t)len;
}

ssize_t cel_send_fds(struct cel_stream *s, const void *buf, size_t len, const int *fds,
                     size_t count)
{
    int code;

    if (len == 0 || count > CEL_FDS_MAX || s->via != &cel__plain)
        return -EINVAL;
    code = count > 0 ? check_family(s) : 0;
    if (code == 0)
        code = cel__stream_begin_write(s);
    if (code < 0)
        return code;
    return cel__stream_end_write(s, send_all(s, buf, len, fds, count)); /* parks */
}

/* Takes up to `room` of those in one header. -> how many there are. */
static size_t unpack(const struct cmsghdr *head, int *fds, size_t room)
{
    size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (size_t i = 0; i < count; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
        if (i < room)
            fds[i] = fd;
        else
            cel__sys.close(fd);
    }
    return count;
}

static size_t unpack_all(struct msghdr *msg, int *fds, size_t room)
{
    size_t came = 0;

    for (struct cmsghdr *head = CMSG_FIRSTHDR(msg); head != NULL; head = CMSG_NXTHDR(msg, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            came += unpack(head, fds + cel__min(came, room), room - cel__min(came, room));
    return came;
}

/* (parks) */
static ssize_t receive(struct cel_stream *s, void *buf, size_t len, int *fds, size_t *count)
{
    union control control = {.align = {0}};
    struct iovec piece = {buf, len};
    struct msghdr msg = {.msg_iov = &piece,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    struct cel__op op = {.kind = CEL__OP_RECVMSG, .fd = s->fd, .msg = &msg};
    ssize_t n = cel__wait_op(&op); /* parks */

    if (n < 0)
        return n;
    if (msg.msg_flags & MSG_CTRUNC) {
        (void)unpack_all(&msg, NULL, 0);
        return -EMFILE;
    }
    *count = unpack_all(&msg, fds, *count);
    return n;
}

ssize_t cel_recv_fds(struct cel_stream *s, void *buf, size_t len, int *fds, size_t *count)
{
    int code;

    if (s->via != &cel__plain)
        return -EINVAL;
    code = cel__stream_begin_read(s);
    if (code < 0)
        return code;
    if (s->unread.len > 0) {
        *count = 0;
        return cel__stream_end_read(s, (ssize_t)cel__unread_copy(&s->unread, buf, len));
    }
    return cel__stream_end_read(s, receive(s, buf, len, fds, count)); /* parks */
}

int cel_stream_peer_id(const struct cel_stream *s, struct cel_peer_id *out)
{
    struct ucred who;
    socklen_t len = sizeof who;
    int r = check_family(s);

    if (r < 0)
        return r;
    if (cel__sys.getsockopt(s->fd->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return -errno;
    *out = (struct cel_peer_id){.pid = who.pid, .uid = who.uid, .gid = who.gid};
    return 0;
}
