/* SPDX-License-Identifier: MIT */
/* gethostbyname and its kin, and getnameinfo: libc's own functions on a thread of the pool, as
 * getaddrinfo (lookup.c). Those that return a pointer into memory of libc's return one into memory
 * of the task's: another task's question does not change the answer. */
#include <errno.h>
#include <netdb.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/base.h>
#include <celadon/pool.h>

#include "errand.h"
#include "real.h"
#include "pause.h"

#define ROOM     8192
#define ROOM_MAX (256 * 1024)

/* A question for a host, by name or by address, and the answer, which lies in `buf`. */
struct inquiry {
    char *name;
    struct in6_addr addr;
    socklen_t addr_len; /* 0: by name */
    int family;
    struct hostent entry, *found;
    int code, error; /* the result, and h_errno */
    size_t room;
    char *buf;
};

static void end_inquiry(void *arg)
{
    struct inquiry *q = arg;

    free(q->name);
    free(q->buf);
    free(q);
}

static void drop_inquiry(void *arg, void *result)
{
    end_inquiry(arg);
}

static struct inquiry *begin_inquiry(const char *name, const void *addr, socklen_t len, int family,
                                     size_t room)
{
    struct inquiry *q = calloc(1, sizeof *q);

    if (q == NULL)
        return NULL;
    *q = (struct inquiry){.addr_len = len, .family = family, .room = room};
    q->name = name != NULL ? strdup(name) : NULL;
    q->buf = malloc(room > 0 ? room : 1);
    if (addr != NULL)
        memcpy(&q->addr, addr, len);
    if (q->buf != NULL && (name == NULL || q->name != NULL))
        return q;
    end_inquiry(q);
    return NULL;
}

static void *inquire(void *arg)
{
    struct inquiry *q = arg;

    if (q->addr_len > 0)
        q->code = cel__green_real()->gethostbyaddr_r(&q->addr, q->addr_len, q->family, &q->entry,
                                                     q->buf, q->room, &q->found, &q->error);
    else
        q->code = cel__green_real()->gethostbyname2_r(q->name, q->family, &q->entry, q->buf,
                                                      q->room, &q->found, &q->error);
    return q;
}

/* (parks) NULL: *code says why, as the functions ending in _r do. */
static struct inquiry *answer(const char *name, const void *addr, socklen_t len, int family,
                              size_t room, int *code)
{
    struct inquiry *q = begin_inquiry(name, addr, len, family, room);
    int r = q != NULL ? cel__green_ask(inquire, q, drop_inquiry) : -ENOMEM; /* parks */

    if (r == 0)
        return q;
    if (q != NULL && r != -ECANCELED && r != -ETIMEDOUT)
        end_inquiry(q);
    *code = -r;
    return NULL;
}

/* ---- into the caller's memory ---- */

/* What pointed into the first memory points to the same place of the second. */
static char *moved(char *at, const struct inquiry *q, char *buf)
{
    if (at < q->buf || at > q->buf + q->room)
        return at;
    return buf + (at - q->buf);
}

static char **moved_list(char **list, const struct inquiry *q, char *buf)
{
    char **to = (char **)(void *)moved((char *)list, q, buf);

    for (; list != NULL && *list != NULL; list++, to++)
        *to = moved(*list, q, buf);
    return (char **)(void *)moved((char *)list, q, buf);
}

static void hand_over(const struct inquiry *q, struct hostent *entry, char *buf)
{
    memcpy(buf, q->buf, q->room);
    *entry = q->entry;
    entry->h_name = moved(q->entry.h_name, q, buf);
    entry->h_aliases = (char **)(void *)moved((char *)q->entry.h_aliases, q, buf);
    entry->h_addr_list = (char **)(void *)moved((char *)q->entry.h_addr_list, q, buf);
    (void)moved_list(q->entry.h_aliases, q, buf);
    (void)moved_list(q->entry.h_addr_list, q, buf);
}

/* (parks) The caller's memory is used from its first aligned byte on. */
static int answer_in(const char *name, const void *addr, socklen_t addr_len, int family,
                     struct hostent *entry, char *buf, size_t len, struct hostent **out, int *error)
{
    size_t odd = (uintptr_t)buf % alignof(max_align_t), skip;
    struct inquiry *q;
    int code = 0;

    skip = odd == 0 ? 0 : alignof(max_align_t) - odd;
    *out = NULL;
    *error = NETDB_INTERNAL;
    if (len <= skip)
        return ERANGE;
    q = answer(name, addr, addr_len, family, len - skip, &code); /* parks */
    if (q == NULL)
        return code;
    code = q->code;
    *error = q->error;
    if (code == 0 && q->found != NULL) {
        hand_over(q, entry, buf + skip);
        *out = entry;
    }
    end_inquiry(q);
    return code;
}

int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict entry,
                     char *restrict buf, size_t len, struct hostent **restrict out,
                     int *restrict error)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->gethostbyname2_r(name, family, entry, buf, len, out, error);
    return answer_in(name, NULL, 0, family, entry, buf, len, out, error); /* parks */
}

int gethostbyname_r(const char *restrict name, struct hostent *restrict entry, char *restrict buf,
                    size_t len, struct hostent **restrict out, int *restrict error)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->gethostbyname2_r(name, AF_INET, entry, buf, len, out, error);
    return answer_in(name, NULL, 0, AF_INET, entry, buf, len, out, error); /* parks */
}

static bool is_address(socklen_t len, int family)
{
    return (family == AF_INET && len == 4) || (family == AF_INET6 && len == 16);
}

int gethostbyaddr_r(const void *restrict addr, socklen_t addr_len, int family,
                    struct hostent *restrict entry, char *restrict buf, size_t len,
                    struct hostent **restrict out, int *restrict error)
{
    if (!GREEN_MAY_PARK() || !is_address(addr_len, family))
        return cel__green_real()->gethostbyaddr_r(addr, addr_len, family, entry, buf, len, out,
                                                  error);
    return answer_in(NULL, addr, addr_len, family, entry, buf, len, out, error); /* parks */
}

/* ---- into the task's memory ---- */

static struct cel_local last_answer = {.destroy = end_inquiry};

static bool may_keep(const void *caller)
{
    return cel__green_may_park(caller) && cel__green_is_home();
}
#define MAY_KEEP() may_keep(__builtin_return_address(0))

/* (parks) Asked with more room until it suffices. NULL: *code says why. */
static struct inquiry *answer_whole(const char *name, const void *addr, socklen_t len, int family,
                                    int *code)
{
    for (size_t room = ROOM;; room *= 2) {
        struct inquiry *q = answer(name, addr, len, family, room, code); /* parks */

        if (q == NULL)
            return NULL;
        h_errno = q->error;
        *code = q->code;
        if (q->code == 0 && q->found != NULL)
            return q;
        end_inquiry(q);
        if (*code != ERANGE || room >= ROOM_MAX)
            return NULL;
    }
}

/* (parks) */
static struct hostent *answer_kept(const char *name, const void *addr, socklen_t len, int family)
{
    struct inquiry *q;
    int code = 0;

    h_errno = NETDB_INTERNAL;
    q = answer_whole(name, addr, len, family, &code); /* parks */
    if (q != NULL && cel_local_set(&last_answer, q) == 0)
        return &q->entry;
    if (q != NULL) {
        end_inquiry(q);
        h_errno = NETDB_INTERNAL;
        code = ENOMEM;
    }
    if (code != 0)
        errno = code;
    return NULL;
}

struct hostent *gethostbyname2(const char *name, int family)
{
    if (!MAY_KEEP())
        return cel__green_real()->gethostbyname2(name, family);
    return answer_kept(name, NULL, 0, family); /* parks */
}

struct hostent *gethostbyname(const char *name) /* lint: banned: it is what is interposed */
{
    if (!MAY_KEEP())
        return cel__green_real()->gethostbyname(name);
    return answer_kept(name, NULL, 0, AF_INET); /* parks */
}

/* lint: banned: it is what is interposed */
struct hostent *gethostbyaddr(const void *addr, socklen_t len, int family)
{
    if (!MAY_KEEP() || !is_address(len, family))
        return cel__green_real()->gethostbyaddr(addr, len, family);
    return answer_kept(NULL, addr, len, family); /* parks */
}

/* ---- getnameinfo ---- */

struct who {
    struct sockaddr_storage addr;
    socklen_t len, host_len, service_len;
    int flags, code, error;
    char host[NI_MAXHOST], service[NI_MAXSERV];
};

static void *name_it(void *arg)
{
    struct who *w = arg;

    w->code = cel__green_real()->getnameinfo((struct sockaddr *)&w->addr, w->len, w->host,
                                             w->host_len, w->service, w->service_len, w->flags);
    w->error = errno;
    return w;
}

static void drop_who(void *arg, void *result)
{
    free(arg);
}

/* (parks) What was asked for is copied as far as libc wrote it: to its end. */
static int name_elsewhere(struct who *w, char *host, char *service)
{
    int code, r = cel__green_ask(name_it, w, drop_who); /* parks */

    if (r == -ECANCELED || r == -ETIMEDOUT) {
        errno = -r;
        return EAI_SYSTEM;
    }
    code = r < 0 ? EAI_MEMORY : w->code;
    if (code == EAI_SYSTEM)
        errno = w->error;
    if (code == 0 && host != NULL && w->host_len > 0)
        memcpy(host, w->host, strlen(w->host) + 1);
    if (code == 0 && service != NULL && w->service_len > 0)
        memcpy(service, w->service, strlen(w->service) + 1);
    free(w);
    return code;
}

static socklen_t at_most(socklen_t len, socklen_t max)
{
    return len < max ? len : max;
}

int getnameinfo(const struct sockaddr *restrict addr, socklen_t len, char *restrict host,
                socklen_t host_len, char *restrict service, socklen_t service_len, int flags)
{
    struct who *w = NULL;

    if (GREEN_MAY_PARK() && !(flags & NI_NUMERICHOST) && addr != NULL && len <= sizeof w->addr)
        w = calloc(1, sizeof *w);
    if (w == NULL)
        return cel__green_real()->getnameinfo(addr, len, host, host_len, service, service_len,
                                              flags);
    memcpy(&w->addr, addr, len);
    w->len = len;
    w->host_len = host != NULL ? at_most(host_len, sizeof w->host) : 0;
    w->service_len = service != NULL ? at_most(service_len, sizeof w->service) : 0;
    w->flags = flags;
    return name_elsewhere(w, host, service); /* parks */
}
