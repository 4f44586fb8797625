/* SPDX-License-Identifier: MIT */
/* Connecting: one address directly, several in a race (RFC 8305, version 2).
 *
 * 1. Attempts begin STEP apart, or as soon as the last one has failed; families alternate.
 * 2. The first that connects wins, the others are cancelled and their descriptors closed before
 *    the call returns. A connection that is there beats a cancel that comes at the same time.
 * 3. When all fail, what the first one failed with is told: it was the preferred address. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "base/sys.h"
#include "io/address.h"
#include "io/stream.h"
#include "loop/core.h"
#include "task/error.h"
#include "task/wait.h"

#define STEP           (250 * CEL_MILLISECOND)
#define ADDRESSES_MAX  16
#define HOST_MAX       256
#define UNIX_RETRY_MIN CEL_MILLISECOND
#define UNIX_RETRY_MAX (64 * CEL_MILLISECOND)

/* What each attempt is made with. */
struct manner {
    bool keep_nagle;
    const struct sockaddr_storage *local; /* NULL: the kernel's choice */
};

/* Without a port of its own the socket gets one when it connects: one that is free for that peer,
 * of which there are many more than of those that are free for all. */
static int come_from(int fd, const struct sockaddr_storage *local)
{
    int on = 1;

    if (local->ss_family != AF_UNIX)
        cel__sys.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return cel__sys.bind(fd, (const struct sockaddr *)local, cel__address_len(local)) < 0 ? -errno
                                                                                          : 0;
}

static int open_socket(struct cel__fd **out, int family, const struct manner *manner)
{
    int fd = cel__sys.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, r = 0;

    if (fd < 0)
        return -errno;
    if (family != AF_UNIX && !manner->keep_nagle)
        cel__sys.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (manner->local != NULL)
        r = come_from(fd, manner->local);
    if (r == 0)
        r = cel__fd_open(cel__loop_here, out, fd, true);
    if (r != 0) {
        cel__sys.close(fd);
        return r;
    }
    (*out)->is_stream = 1;
    return 0;
}

static uint16_t port_of(const struct sockaddr_storage *at)
{
    return ntohs(at->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)at)->sin6_port
                                           : ((const struct sockaddr_in *)at)->sin_port);
}

/* A port of the kernel's own range on this machine where nobody listens can meet itself. */
static bool met_itself(int fd, const struct sockaddr_storage *at)
{
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof local;

    if (at->ss_family == AF_UNIX || port_of(at) < 10000)
        return false;
    if (cel__sys.getsockname(fd, (struct sockaddr *)&local, &len) < 0 ||
        port_of(&local) != port_of(at))
        return false;
    len = sizeof local;
    if (at->ss_family == AF_INET)
        return ((struct sockaddr_in *)&local)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)at)->sin_addr.s_addr;
    return memcmp(&((struct sockaddr_in6 *)&local)->sin6_addr,
                  &((const struct sockaddr_in6 *)at)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

/* (parks) A Unix listener whose queue is full gives no event when there is room: ask again. */
static int connect_fd(struct cel__fd *f, const struct sockaddr_storage *at)
{
    socklen_t len = cel__address_len(at);
    int64_t pause = UNIX_RETRY_MIN;

    for (;;) {
        struct cel__op op = {.kind = CEL__OP_CONNECT, .fd = f};
        int r;

        op.addr = (struct sockaddr *)at;
        op.addr_len = &len;
        r = (int)cel__wait_op(&op); /* parks */
        if (r != -EAGAIN || at->ss_family != AF_UNIX)
            return r;
        r = cel_sleep(pause); /* parks */
        if (r < 0)
            return r;
        pause = cel__min(2 * pause, UNIX_RETRY_MAX);
    }
}

/* (parks) */
static int connect_one(struct cel__fd **out, const struct sockaddr_storage *at,
                       const struct manner *manner)
{
    struct cel__fd *f = NULL;
    int r = open_socket(&f, at->ss_family, manner);

    if (f == NULL)
        return r;
    r = connect_fd(f, at); /* parks */
    if (r == 0 && met_itself(f->fd, at))
        r = -ECONNREFUSED;
    if (r < 0) {
        cel__fd_close(cel__loop_here, f);
        return r;
    }
    *out = f;
    return 0;
}

struct race {
    const struct sockaddr_storage *at;
    size_t count, begun, failed;
    const struct manner *manner;
    struct cel__fd *winner;
    int error; /* of the first address; of another until that is known; never 0 */
    struct cel__waitq news;
};

struct runner {
    struct race *race;
    size_t lane;
};

static void *run(void *arg)
{
    struct runner *runner = arg;
    struct race *race = runner->race;
    struct cel__fd *f = NULL;
    int r = connect_one(&f, &race->at[runner->lane], race->manner); /* parks */

    if (r == 0 && race->winner == NULL) {
        race->winner = f;
    } else if (r == 0) {
        cel__fd_close(cel__loop_here, f);
    } else {
        race->failed++;
        if (runner->lane == 0 || race->failed == 1)
            race->error = r;
    }
    cel__waitq_wake_all(&race->news);
    return NULL;
}

/* (parks) Until something happened or a step is over. */
static int await_news(struct race *race)
{
    int r;

    if (race->begun == race->count)
        return cel__waitq_park(&race->news); /* parks */
    CEL_SCOPE (step, .timeout = STEP)
        r = cel__waitq_park(&race->news); /* parks */
    return r < 0 ? cel_checkpoint() : 0;  /* the step is over, or those around say so */
}

static int run_race(struct race *race, struct runner *runners)
{
    int r = 0;

    while (r == 0 && race->winner == NULL && race->failed < race->count) {
        if (race->begun < race->count) {
            struct runner *next = &runners[race->begun];

            *next = (struct runner){race, race->begun};
            r = cel_go(run, next);
            if (r < 0)
                break;
            race->begun++;
        }
        r = await_news(race); /* parks */
    }
    return r;
}

/* (parks) */
static int connect_first(struct cel__fd **out, const struct sockaddr_storage *at, size_t count,
                         const struct manner *manner)
{
    struct race race = {.at = at, .count = count, .manner = manner, .error = -ECANCELED};
    struct runner runners[ADDRESSES_MAX];
    int r = 0;

    if (count == 1)
        return connect_one(out, at, manner); /* parks */
    cel__waitq_init(&race.news);
    race.news.what = "news of its attempts to connect";
    CEL_SCOPE (all, .timeout = 0) {
        r = run_race(&race, runners); /* parks */
        cel_scope_cancel(&all);
    }
    if (race.winner != NULL) {
        *out = race.winner;
        return 0;
    }
    if (r == -ECANCELED) /* inside the scope; what is it here? */
        r = cel_checkpoint();
    return r < 0 ? r : race.error;
}

/* Families take turns, the first one's begins. */
static void interleave(struct sockaddr_storage *at, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t other = i;
        struct sockaddr_storage moved;

        while (other < count && at[other].ss_family == at[i - 1].ss_family)
            other++;
        if (other == count)
            return;
        moved = at[other];
        memmove(&at[i + 1], &at[i], (other - i) * sizeof *at);
        at[i] = moved;
    }
}

/* (parks) The addresses behind the text, and its host part. */
static int find_addresses(const char *text, struct sockaddr_storage *at, size_t *count, char *name)
{
    struct cel_str host = {0};
    uint16_t port;
    int r;

    name[0] = '\0';
    if (cel__str_starts(cel__str(text), CEL_LIT("unix:"))) {
        *count = 1;
        return cel_address_parse(text, at);
    }
    if (cel__address_split(cel__str(text), &host, &port) < 0 || host.len >= HOST_MAX)
        return -EINVAL;
    if (host.len == 0)
        host = CEL_LIT("localhost");
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    r = cel_resolve(name, port, at, count); /* parks */
    if (r == 0)
        interleave(at, *count);
    return r;
}

/* Those that can be reached from there. -> -EADDRNOTAVAIL none can. */
static int keep_family(struct sockaddr_storage *at, size_t *count, int family)
{
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        if (at[i].ss_family == family)
            at[kept++] = at[i];
    *count = kept;
    return kept > 0 ? 0 : -EADDRNOTAVAIL;
}

/* (parks) */
static int connect_to(struct cel__fd **out, struct sockaddr_storage *at, size_t count,
                      const struct cel_connect_options *options)
{
    struct manner manner = {.keep_nagle = options->keep_nagle};
    struct sockaddr_storage local;
    int r = 0;

    if (options->local != NULL) {
        manner.local = &local;
        r = cel_address_parse(options->local, &local);
        if (r == 0)
            r = keep_family(at, &count, local.ss_family);
    }
    return r == 0 ? connect_first(out, at, count, &manner) : r; /* parks */
}

int cel_connect(struct cel_stream **out, const char *address,
                const struct cel_connect_options *options)
{
    static const struct cel_connect_options none;
    struct sockaddr_storage at[ADDRESSES_MAX];
    size_t count = ADDRESSES_MAX;
    char host[HOST_MAX];
    struct cel_stream *s;
    struct cel__fd *f = NULL;
    int r;

    if (options == NULL)
        options = &none;
    r = find_addresses(address, at, &count, host); /* parks */
    if (r == -EINVAL)
        return cel__raise(r, "connect", "'%s' is not an address: %s", address,
                          cel__address_fault(address));
    if (r < 0)
        return r;
    r = connect_to(&f, at, count, options); /* parks */
    if (r < 0)
        return cel__raise(r, "connect", "%s%s%s: %s", address,
                          options->local != NULL ? " from " : "",
                          options->local != NULL ? options->local : "", cel_strerror(r));
    r = cel__stream_new(&s, f);
    if (r < 0) {
        cel__fd_close(cel__loop_here, f);
        return r;
    }
    if (options->tls != NULL)
        r = cel_stream_start_tls(s, options->tls,
                                 options->server_name != NULL ? options->server_name : host,
                                 false); /* parks */
    if (r < 0)
        cel_close(s);
    else
        *out = s;
    return r;
}
