/* SPDX-License-Identifier: MIT */
#include "machine/zone.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/cc.h"

static struct cel__name *find(struct cel__machine *m, const char *name)
{
    size_t len = strlen(name);

    if (len != 0 && name[len - 1] == '.')
        len--;
    CEL__LIST_EACH (node, &m->zone) {
        struct cel__name *n = cel__container_of(node, struct cel__name, link);

        if (strlen(n->name) == len && strncasecmp(n->name, name, len) == 0)
            return n;
    }
    return NULL;
}

static struct cel__name *add(struct cel__machine *m, const char *name)
{
    struct cel__name *n = find(m, name);

    if (n != NULL)
        return n;
    n = cel__machine_alloc(sizeof *n + strlen(name) + 1);
    memcpy(n->name, name, strlen(name));
    cel__list_append(&m->zone, &n->link);
    return n;
}

int cel__zone_add(struct cel__machine *m, const char *name, const char *address)
{
    struct sockaddr_storage at = {0};
    struct cel__name *n;

    if (address == NULL) {
        add(m, name)->count = 0;
        return 0;
    }
    if (inet_pton(AF_INET, address, &((struct sockaddr_in *)&at)->sin_addr) == 1)
        at.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, address, &((struct sockaddr_in6 *)&at)->sin6_addr) == 1)
        at.ss_family = AF_INET6;
    else
        return -EINVAL;
    n = add(m, name);
    if (n->count == CEL__ZONE_ADDRESSES)
        return -ENOSPC;
    n->at[n->count++] = at;
    return 0;
}

const struct cel__name *cel__zone_find(struct cel__machine *m, const char *name)
{
    struct cel__name *n = find(m, name);

    if (n == NULL && strcasecmp(name, "localhost") == 0) {
        (void)!cel__zone_add(m, name, "::1");
        (void)!cel__zone_add(m, name, "127.0.0.1");
        n = find(m, name);
    }
    return n != NULL && n->count != 0 ? n : NULL;
}

void cel__zone_end(struct cel__machine *m)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&m->zone)) != NULL)
        cel__machine_release(cel__container_of(node, struct cel__name, link));
}
