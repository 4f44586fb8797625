/* SPDX-License-Identifier: MIT */
#include "machine/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "base/cc.h"
#include "machine/number.h"
#include "machine/under.h"

#define PORT_FIRST 32768
#define PORT_LAST  60999

struct cel__socket *cel__socket_new(struct cel__station *host, enum cel__socket_kind kind,
                                    int family)
{
    struct cel__socket *s = cel__machine_alloc(sizeof *s);

    s->m = host->m;
    s->host = host;
    s->id = host->m->made++;
    s->fd = -1;
    s->kind = kind;
    s->family = family;
    s->local.ss_family = s->peer.ss_family = (sa_family_t)family;
    cel__list_init(&s->news);
    cel__list_init(&s->queue);
    cel__list_init(&s->datagrams);
    cel__list_init(&s->watchers);
    cel__list_append(&host->m->sockets, &s->link);
    return s;
}

int cel__socket_number(struct cel__socket *s)
{
    struct cel__machine *m = s->m;
    int fd = cel__number_take(m);

    if (fd < 0)
        return fd;
    if ((size_t)fd >= m->by_fd_cap) {
        size_t cap = cel__max((size_t)fd + 1, 2 * m->by_fd_cap);

        m->by_fd = cel__machine_resize(m->by_fd, cap * sizeof(struct cel__socket *));
        memset(m->by_fd + m->by_fd_cap, 0, (cap - m->by_fd_cap) * sizeof(struct cel__socket *));
        m->by_fd_cap = cap;
    }
    m->by_fd[fd] = s;
    s->fd = fd;
    s->numbers++;
    return fd;
}

static void free_number(struct cel__socket *s, int fd)
{
    s->m->by_fd[fd] = NULL;
    cel__under.close(fd);
    s->numbers--;
}

static int any_number(const struct cel__socket *s)
{
    for (size_t fd = 0; fd < s->m->by_fd_cap; fd++)
        if (s->m->by_fd[fd] == s)
            return (int)fd;
    return -1;
}

bool cel__socket_drop_number(struct cel__socket *s, int fd)
{
    if (s->numbers == 1)
        return false;
    free_number(s, fd);
    if (s->fd == fd)
        s->fd = any_number(s);
    return true;
}

void cel__socket_free(struct cel__socket *s)
{
    while (s->numbers > 1)
        (void)cel__socket_drop_number(s, s->fd);
    if (s->fd >= 0)
        free_number(s, s->fd);
    cel__machine_unschedule(s->m, &s->again);
    cel__list_unlink(&s->link);
    cel__list_unlink(&s->news);
    cel__list_unlink(&s->queue);
    cel__machine_release(s);
}

void cel__socket_tell(struct cel__socket *s)
{
    if (s->fd >= 0 && cel__list_is_empty(&s->news))
        cel__list_append(&s->m->news, &s->news);
}

/* Addresses. */

static uint16_t port_of(const struct sockaddr_storage *at)
{
    return at->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)at)->sin6_port
                                     : ((const struct sockaddr_in *)at)->sin_port;
}

static void set_port(struct sockaddr_storage *at, uint16_t port)
{
    if (at->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)at)->sin6_port = port;
    else
        ((struct sockaddr_in *)at)->sin_port = port;
}

static struct sockaddr_storage unmapped(const struct sockaddr_storage *at)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)at;
    struct sockaddr_storage out = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out;

    if (at->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return *at;
    v4->sin_family = AF_INET;
    v4->sin_port = v6->sin6_port;
    memcpy(&v4->sin_addr, &v6->sin6_addr.s6_addr[12], 4);
    return out;
}

struct sockaddr_storage cel__address_as(const struct sockaddr_storage *at, int family)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)at;
    struct sockaddr_storage out = {0};
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out;

    if (family != AF_INET6 || at->ss_family != AF_INET)
        return unmapped(at);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = v4->sin_port;
    v6->sin6_addr.s6_addr[10] = v6->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&v6->sin6_addr.s6_addr[12], &v4->sin_addr, 4);
    return out;
}

/* Of the same form, without ports. */
static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    struct sockaddr_storage x = unmapped(a), y = unmapped(b);

    if (x.ss_family != y.ss_family)
        return false;
    if (x.ss_family == AF_INET)
        return ((struct sockaddr_in *)&x)->sin_addr.s_addr ==
               ((struct sockaddr_in *)&y)->sin_addr.s_addr;
    return memcmp(&((struct sockaddr_in6 *)&x)->sin6_addr, &((struct sockaddr_in6 *)&y)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

/* Does what is sent to `at` come to s, by its address? */
static bool takes(const struct cel__socket *s, const struct sockaddr_storage *at)
{
    if (!cel__address_is_any(&s->local))
        return is_same(&s->local, at);
    if (s->family == AF_INET6)
        return !s->v6_only || unmapped(at).ss_family == AF_INET6;
    return unmapped(at).ss_family == AF_INET;
}

static bool is_same_name(const struct cel__socket *s, const struct sockaddr_storage *at,
                         socklen_t len)
{
    const struct sockaddr_un *have = (const struct sockaddr_un *)&s->local;
    const struct sockaddr_un *want = (const struct sockaddr_un *)at;
    size_t path = offsetof(struct sockaddr_un, sun_path);

    if (want->sun_path[0] != '\0')
        return strncmp(have->sun_path, want->sun_path, sizeof want->sun_path) == 0;
    return s->local_len == len && memcmp(have->sun_path, want->sun_path, len - path) == 0;
}

static bool is_at(const struct cel__socket *s, const struct sockaddr_storage *at, socklen_t len)
{
    if (!s->is_bound || s->is_gone)
        return false;
    if (s->kind == CEL__SOCKET_LOCAL)
        return is_same_name(s, at, len);
    return port_of(&s->local) == port_of(at) && takes(s, at);
}

struct cel__socket *cel__socket_at(struct cel__station *host, enum cel__socket_kind kind,
                                   const struct sockaddr_storage *at, socklen_t len)
{
    struct cel__socket *found = NULL;
    unsigned count = 0;

    CEL__LIST_EACH (node, &host->m->sockets) {
        struct cel__socket *s = cel__container_of(node, struct cel__socket, link);

        if (s->kind != kind || s->host != host || !is_at(s, at, len))
            continue;
        if (kind != CEL__SOCKET_UDP && s->state != CEL__SOCKET_LISTENING)
            continue;
        count++; /* several share the port: any of them */
        if (count == 1 || cel__machine_draw(host->m, CEL__DRAW_NET, count) == 0)
            found = s;
    }
    return found;
}

bool cel__socket_hears(const struct cel__socket *s, const struct sockaddr_storage *from)
{
    if (s->peer_len == 0)
        return true;
    if (port_of(&s->peer) != port_of(from))
        return false;
    return cel__address_is_any(&s->peer) || is_same(&s->peer, from);
}

/* Binding. */

static bool is_in_the_way(const struct cel__socket *s, const struct cel__socket *other)
{
    if (other == s || other->kind != s->kind || other->host != s->host || !other->is_bound ||
        other->is_child || other->is_gone)
        return false;
    if (s->kind == CEL__SOCKET_LOCAL)
        return is_same_name(other, &s->local, s->local_len);
    if (port_of(&other->local) != port_of(&s->local))
        return false;
    if (!takes(other, &s->local) && !takes(s, &other->local))
        return false;
    if (s->reuse_port && other->reuse_port)
        return false;
    return s->kind != CEL__SOCKET_TCP || !s->reuse_address || !other->reuse_address ||
           other->state == CEL__SOCKET_LISTENING;
}

static bool is_taken(const struct cel__socket *s)
{
    CEL__LIST_EACH (node, &s->m->sockets)
        if (is_in_the_way(s, cel__container_of(node, struct cel__socket, link)))
            return true;
    return false;
}

static int find_port(struct cel__socket *s)
{
    for (int i = PORT_FIRST; i <= PORT_LAST; i++) {
        set_port(&s->local, htons(s->host->port));
        if (++s->host->port > PORT_LAST)
            s->host->port = PORT_FIRST;
        if (!is_taken(s))
            return 0;
    }
    return -EADDRINUSE;
}

bool cel__socket_has_path(const struct sockaddr_storage *at)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)at;
    struct stat st;

    if (un->sun_path[0] == '\0')
        return true;
    return cel__under.fstatat(AT_FDCWD, un->sun_path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int cel__socket_bind(struct cel__socket *s, const struct sockaddr_storage *at, socklen_t len)
{
    int r = 0;

    if (s->is_bound || at->ss_family != s->family)
        return -EINVAL;
    if (s->family != AF_UNIX && !cel__station_has(s->host, at))
        return -EADDRNOTAVAIL;
    s->local = *at;
    s->local_len = len;
    if (s->family == AF_UNIX && ((const struct sockaddr_un *)at)->sun_path[0] != '\0' &&
        cel__socket_has_path(at))
        r = -EADDRINUSE;
    else if (s->family != AF_UNIX && port_of(at) == 0)
        r = find_port(s);
    else if (is_taken(s))
        r = -EADDRINUSE;
    if (r == 0)
        s->is_bound = true;
    else
        s->local = (struct sockaddr_storage){.ss_family = (sa_family_t)s->family};
    return r;
}

int cel__socket_bind_any(struct cel__socket *s, const struct sockaddr_storage *to)
{
    struct sockaddr_storage own = {.ss_family = AF_INET};
    int r;

    if (cel__address_is_loop(to) || cel__address_is_any(to))
        own = *to;
    else
        ((struct sockaddr_in *)&own)->sin_addr.s_addr = htonl(s->host->v4);
    if (cel__address_is_any(to) && own.ss_family == AF_INET)
        ((struct sockaddr_in *)&own)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (cel__address_is_any(to))
        ((struct sockaddr_in6 *)&own)->sin6_addr = in6addr_loopback;
    set_port(&own, 0);
    s->local = cel__address_as(&own, s->family);
    s->local_len = s->family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    r = find_port(s);
    s->is_bound = r == 0;
    return r;
}

bool cel__socket_unlink(struct cel__machine *m, const char *path)
{
    CEL__LIST_EACH (node, &m->sockets) {
        struct cel__socket *s = cel__container_of(node, struct cel__socket, link);
        struct sockaddr_un *un = (struct sockaddr_un *)&s->local;

        if (s->kind == CEL__SOCKET_LOCAL && s->is_bound && !s->is_child && !s->is_gone &&
            strcmp(un->sun_path, path) == 0) {
            s->is_bound = false;
            return true;
        }
    }
    return false;
}
