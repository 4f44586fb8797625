/* SPDX-License-Identifier: MIT */
/* Listening and accepting.
 *
 * 1. What an accepted socket shall have is set on the listening one: Linux hands it down, so a
 *    connection costs no system call but its accept.
 * 2. The stream's memory is there before the connection is taken, and a connection whose descriptor
 *    cannot be registered is held for the next call: none is lost for want of memory.
 * 3. Out of descriptors the queue stays readable: trying at once again would spin. The listener
 *    pauses, longer each time, and says so once a second; a descriptor that the loop closes ends
 *    the pause. */
#include "io/listener.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "io/openssl.h"
#include "io/stream.h"
#include "io/tls.h"
#include "io/unix_name.h"
#include "loop/core.h"
#include "task/error.h"
#include "task/wait.h"

#define BACKLOG   1024
#define PAUSE_MIN (100 * CEL_MILLISECOND)
#define PAUSE_MAX CEL_SECOND

static int set_flag(int fd, int level, int name)
{
    int on = 1;

    return cel__sys.setsockopt(fd, level, name, &on, sizeof on) < 0 ? -errno : 0;
}

/* What the connections shall have. */
static int prepare_accepted(int fd)
{
    int r = set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);

    return r == 0 ? set_flag(fd, IPPROTO_TCP, TCP_NODELAY) : r;
}

static int prepare_inet(int fd, int family, const struct cel_listen_options *options)
{
    int off = 0;
    int r = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);

    if (r == 0 && options->reuse_port)
        r = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    if (r == 0)
        r = prepare_accepted(fd);
    if (r == 0 && family == AF_INET6 &&
        cel__sys.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
        r = -errno;
    return r;
}

/* -> a listening descriptor. */
static int open_socket(const struct sockaddr_storage *at, const struct cel_listen_options *options)
{
    int backlog = options->backlog > 0 ? options->backlog : BACKLOG;
    int fd = cel__sys.socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (at->ss_family != AF_UNIX)
        r = prepare_inet(fd, at->ss_family, options);
    if (r == 0)
        r = cel__unix_bind(fd, at, SOCK_STREAM);
    if (r == 0 && cel__sys.listen(fd, backlog) < 0)
        r = -errno;
    if (r < 0) {
        cel__sys.close(fd);
        return r;
    }
    return fd;
}

static int listener_new(struct cel_listener **out, int fd, const struct sockaddr_storage *at)
{
    struct cel_listener *l = cel__mem_zalloc(sizeof *l);
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    int r = -ENOMEM;

    if (l == NULL)
        goto fail;
    r = cel__unix_path(&l->unix_path, at);
    if (r < 0)
        goto fail;
    if (cel__sys.getsockname(fd, (struct sockaddr *)&bound, &len) < 0) {
        r = -errno;
        goto fail;
    }
    cel__address_trim(&bound, len);
    cel_address_format(&bound, l->address, sizeof l->address);
    r = cel__fd_open(cel__loop_here, &l->fd, fd, true);
    if (r < 0)
        goto fail;
    l->fd->is_listener = 1;
    l->fd->may_be_copy = 1;
    l->fd->what = "listener";
    l->held = -1;
    l->pause = PAUSE_MIN;
    cel__waitq_init(&l->paused);
    l->paused.what = "descriptors, which are used up";
    *out = l;
    return 0;

fail:
    if (l != NULL)
        cel__mem_free(l->unix_path);
    cel__mem_free(l);
    cel__sys.close(fd);
    return r;
}

/* "fd:3". -> a copy of a listening descriptor; *at says of what family. */
static int copy_socket(const char *number, struct sockaddr_storage *at)
{
    socklen_t len = sizeof(int);
    uint64_t given;
    int fd, is_listening = 0, r = 0;

    if (cel__str_to_u64(cel__str(number), &given) < 0 || given > INT_MAX)
        return -EINVAL;
    if (cel__sys.getsockopt((int)given, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) < 0)
        return -errno;
    if (!is_listening)
        return -EINVAL;
    len = sizeof *at;
    fd = cel__sys.fcntl((int)given, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    if (cel__sys.getsockname(fd, (struct sockaddr *)at, &len) < 0)
        r = -errno;
    if (r == 0 && cel__sys.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
        r = -errno;
    if (r == 0 && at->ss_family != AF_UNIX)
        r = prepare_accepted(fd);
    if (r < 0) {
        cel__sys.close(fd);
        return r;
    }
    return fd;
}

static int listen_on_copy(struct cel_listener **out, const char *address)
{
    struct sockaddr_storage at = {0};
    int fd = copy_socket(address + 3, &at);

    if (fd < 0)
        return cel__raise(fd, "listen", "%s: %s", address,
                          fd == -EINVAL ? "not a listening socket" : cel_strerror(fd));
    at.ss_family = AF_UNSPEC; /* the file of a Unix address is not ours to remove */
    return listener_new(out, fd, &at);
}

static int find_address(const char *text, struct sockaddr_storage *out)
{
    char name[256];
    struct cel_str host;
    uint16_t port;
    size_t count = 1;

    if (cel_address_parse(text, out) == 0)
        return 0;
    if (cel__address_split(cel__str(text), &host, &port) < 0 || host.len >= sizeof name)
        return -EINVAL;
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    return cel_resolve(name, port, out, &count); /* parks */
}

static int listen_anew(struct cel_listener **out, const char *address,
                       const struct cel_listen_options *options)
{
    struct sockaddr_storage at;
    int fd, r;

    r = find_address(address, &at); /* parks */
    if (r == -EINVAL)
        return cel__raise(r, "listen", "'%s' is not an address: %s", address,
                          cel__address_fault(address));
    if (r < 0)
        return r;
    fd = open_socket(&at, options);
    if (fd == -EAFNOSUPPORT && address[0] == ':') { /* a machine without IPv6 */
        struct sockaddr_in v4 = {.sin_family = AF_INET,
                                 .sin_port = ((struct sockaddr_in6 *)&at)->sin6_port};

        memcpy(&at, &v4, sizeof v4);
        fd = open_socket(&at, options);
    }
    if (fd < 0)
        return cel__raise(fd, "listen", "%s: %s", address, cel_strerror(fd));
    return listener_new(out, fd, &at);
}

int cel_listen(struct cel_listener **out, const char *address,
               const struct cel_listen_options *options)
{
    static const struct cel_listen_options none;
    int r;

    if (options == NULL)
        options = &none;
    r = strncmp(address, "fd:", 3) == 0 ? listen_on_copy(out, address)
                                        : listen_anew(out, address, options); /* parks */
    if (r == 0)
        (*out)->tls = cel__tls_ref(options->tls);
    return r;
}

static void free_listener(struct cel_listener *l)
{
    cel_tls_free(l->tls);
    cel__mem_free(l->spare);
    cel__mem_free(l->unix_path);
    cel__mem_free(l);
}

/* What happened to one connection, before it was taken, says nothing of the next: Linux hands
 * such errors of the network on to whoever accepts. */
static bool is_passing(int64_t r)
{
    switch (r) {
    case -ECONNABORTED:
    case -EINTR:
    case -EHOSTDOWN:
    case -EHOSTUNREACH:
    case -ENETDOWN:
    case -ENETUNREACH:
    case -ENONET:
    case -ENOPROTOOPT:
    case -EPROTO:
        return true;
    default:
        return false;
    }
}

static bool is_shortage(int64_t r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOBUFS || r == -ENOMEM;
}

struct hunger {
    struct cel__soon soon;
    struct cel_listener *listener;
};

static void try_again(struct cel__soon *soon)
{
    cel__waitq_wake_all(&cel__container_of(soon, struct hunger, soon)->listener->paused);
}

/* (parks) Until this loop has closed a descriptor, or for a while: others close some too. -> 0: try
 * again. */
static int wait_for_descriptors(struct cel_listener *l, int64_t why)
{
    struct hunger hunger = {.soon.run = try_again, .listener = l};
    int64_t now = cel_now();
    int r = 0;

    if (now >= l->log_at) {
        l->log_at = now + CEL_SECOND;
        cel__log(CEL_LOG_WARN, "%s cannot accept (%s): pausing", l->address, cel_errname((int)why));
    }
    cel__list_append(&cel__loop_here->starved, &hunger.soon.link);
    CEL_SCOPE (pause, .timeout = l->pause)
        r = cel__waitq_park(&l->paused); /* parks */
    cel__list_unlink(&hunger.soon.link);
    l->pause = cel__min(2 * l->pause, PAUSE_MAX);
    if (l->is_stopped)
        return -CEL_ECLOSED;
    return r < 0 ? cel_checkpoint() : 0; /* the pause is over, or those around say so */
}

/* (parks) The one that is held, or the next. */
static int64_t accept_next(struct cel_listener *l)
{
    struct cel__op op = {.kind = CEL__OP_ACCEPT, .fd = l->fd};
    int fd = l->held;
    int r;

    if (l->is_stopped)
        return -CEL_ECLOSED;
    if (fd < 0)
        return cel__wait_op(&op); /* parks */
    r = cel_checkpoint();
    if (r < 0)
        return r;
    l->held = -1;
    return fd;
}

/* (parks) -> a connected descriptor. */
static int64_t accept_one(struct cel_listener *l)
{
    for (;;) {
        int64_t fd = accept_next(l); /* parks */
        int r;

        if (fd >= 0) {
            l->pause = PAUSE_MIN;
            return fd;
        }
        if (is_passing(fd))
            continue;
        if (!is_shortage(fd))
            return fd;
        r = wait_for_descriptors(l, fd); /* parks */
        if (r < 0)
            return r;
    }
}

static int take_connection(struct cel_listener *l, struct cel_stream *s)
{
    int64_t fd = accept_one(l); /* parks */
    int r;

    if (fd < 0)
        return (int)fd;
    r = cel__fd_open(cel__loop_here, &s->fd, (int)fd, true);
    if (r < 0) {
        if (l->held < 0 && !l->is_stopped)
            l->held = (int)fd;
        else
            cel__sys.close((int)fd);
        return r == -ENOSPC ? -ENOMEM : r; /* epoll's watches are used up: memory all the same */
    }
    s->fd->is_stream = 1;
    return 0;
}

static int hand_over(struct cel_listener *l, struct cel_stream *s, struct cel_stream **out)
{
    int r = l->tls != NULL ? cel__tls_attach(s, l->tls, NULL, true) : 0;

    if (r < 0)
        cel_close(s);
    else
        *out = s;
    return r;
}

int cel_accept(struct cel_listener *l, struct cel_stream **out)
{
    struct cel_stream *s = l->spare;
    int r = 0;

    l->spare = NULL;
    if (s == NULL)
        r = cel__stream_new(&s, NULL);
    if (r < 0)
        return r;
    l->inside++;
    r = take_connection(l, s); /* parks */
    l->inside--;
    if (r < 0 && l->spare == NULL)
        l->spare = s;
    else if (r < 0)
        cel__mem_free(s);
    else
        r = hand_over(l, s, out);
    if (l->is_closed && l->inside == 0)
        free_listener(l);
    return r;
}

int cel_accept_fd(struct cel_listener *l, int *fd)
{
    int64_t r;

    l->inside++;
    r = accept_one(l); /* parks */
    l->inside--;
    if (l->is_closed && l->inside == 0)
        free_listener(l);
    if (r < 0)
        return (int)r;
    *fd = (int)r;
    return 0;
}

const char *cel_listener_address(const struct cel_listener *l)
{
    return l->address;
}

void cel__listener_stop(struct cel_listener *l)
{
    if (l->is_stopped)
        return;
    l->is_stopped = true;
    if (l->unix_path != NULL)
        cel__sys.unlink(l->unix_path);
    cel__fd_close(cel__loop_here, l->fd);
    if (l->held >= 0)
        cel__sys.close(l->held);
    l->held = -1;
    cel__waitq_wake_all(&l->paused);
}

void cel_listener_close(struct cel_listener *l)
{
    if (l == NULL)
        return;
    CEL__ASSERT(!l->is_closed && "a listener is closed once");
    CEL__ASSERT(l->serving == NULL && "a listener that serves is stopped, not closed");
    cel__listener_stop(l);
    l->is_closed = true;
    if (l->inside == 0)
        free_listener(l);
}
