/* SPDX-License-Identifier: MIT */
/* Names to addresses, for tasks. Those who ask for the same name at the same time share one
 * lookup; a waiter who is cancelled leaves, the lookup goes on for the others and for whoever asks
 * next. A lookup without an answer after half a second is not joined any more: its question may be
 * lost, and it will not ask again for seconds. There is no cache: a name's life is its server's to
 * tell, and a pool of connections asks seldom. */
#include "io/resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/address.h"
#include "loop/core.h"
#include "task/error.h"
#include "task/wait.h"

#define NAME_MAX_LEN 253
#define SHARED_FOR   (CEL_SECOND / 2)

struct names {
    struct cel__attachment attachment;
    struct cel__dns *dns;     /* NULL: the backend answers */
    struct cel__list lookups; /* under way */
};

struct lookup {
    struct cel__list link;
    struct cel__waitq waiting;
    int64_t began; /* the loop's time */
    unsigned users;
    bool is_done;
    int code;
    const char *cause;
    struct sockaddr_storage *at;
    size_t count;
    char name[];
};

static void end_names(struct cel__attachment *attachment)
{
    struct names *names = cel__container_of(attachment, struct names, attachment);

    if (names->dns == NULL)
        cel__loop_here->backend->resolve(cel__loop_here, NULL, NULL, NULL);
    cel__dns_free(names->dns);
    cel__mem_free(names);
}

static int names_of(struct cel_loop *loop, struct names **out)
{
    struct cel__attachment *found = cel__loop_find(loop, end_names);
    struct names *names;
    int r;

    if (found != NULL) {
        *out = cel__container_of(found, struct names, attachment);
        return 0;
    }
    names = cel__mem_zalloc(sizeof *names);
    if (names == NULL)
        return -ENOMEM;
    r = loop->backend->resolve == NULL ? cel__dns_new(&names->dns, loop, NULL) : 0;
    if (r < 0) {
        cel__mem_free(names);
        return r;
    }
    names->attachment.end = end_names;
    cel__list_init(&names->lookups);
    cel__loop_attach(loop, &names->attachment);
    *out = names;
    return 0;
}

int cel__resolve_configure(const struct cel__dns_options *options)
{
    struct cel__dns *dns;
    struct names *names;
    int r = names_of(cel__loop_here, &names);

    if (r < 0)
        return r;
    r = cel__dns_new(&dns, cel__loop_here, options);
    if (r < 0)
        return r;
    cel__dns_free(names->dns);
    names->dns = dns;
    return 0;
}

static void lookup_free(struct lookup *l)
{
    cel__mem_free(l->at);
    cel__mem_free(l);
}

static void on_answer(void *arg, int code, const char *cause, const struct sockaddr_storage *at,
                      size_t count)
{
    struct lookup *l = arg;

    if (code == 0) {
        l->at = cel__mem_array(count, sizeof *at);
        if (l->at != NULL)
            memcpy(l->at, at, count * sizeof *at);
        else
            code = -ENOMEM;
    }
    l->code = code;
    l->cause = cause;
    l->count = count;
    l->is_done = true;
    CEL__TRACE(cel__loop_here, dns_answer, l, code);
    cel__list_unlink(&l->link);
    if (l->users == 0)
        lookup_free(l);
    else
        cel__waitq_wake_all(&l->waiting);
}

/* One that may be joined. */
static struct lookup *find_lookup(struct names *names, const char *name)
{
    int64_t oldest = cel_loop_time(cel__loop_here) - SHARED_FOR;

    CEL__LIST_EACH (node, &names->lookups) {
        struct lookup *l = cel__container_of(node, struct lookup, link);

        if (l->began >= oldest && strcmp(l->name, name) == 0)
            return l;
    }
    return NULL;
}

/* The caller is its user from now on. */
static struct lookup *begin_lookup(struct names *names, const char *name)
{
    struct lookup *l = find_lookup(names, name);
    size_t size = strlen(name) + 1;

    if (l != NULL) {
        l->users++;
        return l;
    }
    l = cel__mem_zalloc(sizeof *l + size);
    if (l == NULL)
        return NULL;
    memcpy(l->name, name, size);
    cel__waitq_init(&l->waiting);
    l->waiting.what = "the answer of a name server about";
    l->waiting.of = l->name;
    l->began = cel_loop_time(cel__loop_here);
    l->users = 1;
    cel__list_append(&names->lookups, &l->link);
    if (names->dns != NULL)
        cel__dns_ask(names->dns, name, on_answer, l);
    else
        cel__loop_here->backend->resolve(cel__loop_here, name, on_answer, l);
    return l;
}

static int take_answer(const struct lookup *l, uint16_t port, struct sockaddr_storage *out,
                       size_t *count)
{
    if (l->code == -CEL_EDNS)
        return cel__raise(l->code, "dns", "%s: %s", l->name, l->cause);
    if (l->code < 0)
        return l->code;
    *count = cel__min(*count, l->count);
    for (size_t i = 0; i < *count; i++) {
        out[i] = l->at[i];
        if (out[i].ss_family == AF_INET)
            ((struct sockaddr_in *)&out[i])->sin_port = htons(port);
        else
            ((struct sockaddr_in6 *)&out[i])->sin6_port = htons(port);
    }
    return 0;
}

/* (parks) */
static int look_up(const char *host, uint16_t port, struct sockaddr_storage *out, size_t *count)
{
    struct names *names;
    struct lookup *l;
    int r = names_of(cel__loop_here, &names);

    if (r < 0)
        return cel__raise(r, "dns", "cannot start the resolver: %s", cel_strerror(r));
    l = begin_lookup(names, host);
    if (l == NULL)
        return -ENOMEM;
    if (!l->is_done)
        r = cel__waitq_park(&l->waiting); /* parks */
    if (r == 0)
        r = take_answer(l, port, out, count);
    if (--l->users == 0 && l->is_done)
        lookup_free(l);
    return r;
}

int cel_resolve(const char *host, uint16_t port, struct sockaddr_storage *out, size_t *count)
{
    size_t len = strlen(host);
    int r;

    if (*count == 0)
        return -EINVAL;
    if (cel__address_of_host(cel__str(host), port, out) == 0) {
        *count = 1;
        return 0;
    }
    if (len == 0 || len > NAME_MAX_LEN + 1) /* a dot may end it */
        return cel__raise(-CEL_EDNS, "dns", "'%.64s': not a valid host name", host);
    r = cel__checkpoint(cel__task_parking());
    return r < 0 ? r : look_up(host, port, out, count); /* parks */
}
