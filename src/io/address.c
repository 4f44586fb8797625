/* SPDX-License-Identifier: MIT */
#include "io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/cc.h"
#include "base/str.h"
#include "base/sys.h"

int cel__address_split(struct cel_str text, struct cel_str *host, uint16_t *port)
{
    const char *colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
    struct cel_str name, digits;
    uint64_t number;

    if (colon == NULL)
        return -EINVAL;
    name = (struct cel_str){text.ptr, (size_t)(colon - text.ptr)};
    digits = (struct cel_str){colon + 1, text.len - name.len - 1};
    if (digits.len > 5 || cel__str_to_u64(digits, &number) < 0 || number > 65535)
        return -EINVAL;
    if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        name = (struct cel_str){name.ptr + 1, name.len - 2};
    else if (name.len > 0 && memchr(name.ptr, ':', name.len) != NULL)
        return -EINVAL; /* which colon ends the host? */
    *host = name;
    *port = (uint16_t)number;
    return 0;
}

static int v6_of_host(char *text, uint16_t port, struct sockaddr_in6 *out)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char *zone = strchr(text, '%');

    if (zone != NULL) {
        uint64_t number;

        *zone++ = '\0';
        v6.sin6_scope_id = cel__sys.if_nametoindex(zone);
        if (v6.sin6_scope_id == 0 && cel__str_to_u64(cel__str(zone), &number) == 0)
            v6.sin6_scope_id = (uint32_t)number;
        if (v6.sin6_scope_id == 0)
            return -EINVAL;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
        return -EINVAL;
    *out = v6;
    return 0;
}

int cel__address_of_host(struct cel_str host, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6;
    char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];

    if (host.len == 0 || host.len >= sizeof text || memchr(host.ptr, '\0', host.len) != NULL)
        return -EINVAL;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memset(out, 0, sizeof *out);
        memcpy(out, &v4, sizeof v4);
        return 0;
    }
    if (v6_of_host(text, port, &v6) < 0)
        return -EINVAL;
    memset(out, 0, sizeof *out);
    memcpy(out, &v6, sizeof v6);
    return 0;
}

static int parse_unix(struct cel_str path, struct sockaddr_storage *out)
{
    struct sockaddr_un *un = (struct sockaddr_un *)out;

    if (path.len == 0 || path.len >= sizeof un->sun_path)
        return -EINVAL;
    memset(out, 0, sizeof *out);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path.ptr, path.len);
    if (path.ptr[0] == '@')
        un->sun_path[0] = '\0';
    return 0;
}

int cel_address_parse(const char *text, struct sockaddr_storage *out)
{
    struct cel_str all = cel__str(text), host;
    uint16_t port;

    if (cel__str_starts(all, CEL_LIT("unix:")))
        return parse_unix((struct cel_str){text + 5, all.len - 5}, out);
    if (cel__address_split(all, &host, &port) < 0)
        return -EINVAL;
    return cel__address_of_host(host.len > 0 ? host : CEL_LIT("::"), port, out);
}

/* Why there is nothing behind the last colon, or no one colon. */
static const char *split_fault(struct cel_str all)
{
    const char *colon = all.len > 0 ? memrchr(all.ptr, ':', all.len) : NULL;

    if (colon == NULL || all.ptr[all.len - 1] == ']')
        return "it has no port: say host:port or unix:/path";
    if (memchr(all.ptr, ':', (size_t)(colon - all.ptr)) != NULL && all.ptr[0] != '[')
        return "which colon begins the port? say [v6]:port";
    return "its port must be a number up to 65535";
}

const char *cel__address_fault(const char *text)
{
    struct cel_str all = cel__str(text), host;
    uint16_t port;

    if (cel__str_starts(all, CEL_LIT("unix:")))
        return all.len == 5 ? "it has no path" : "a path may have 107 bytes";
    if (cel__address_split(all, &host, &port) < 0)
        return split_fault(all);
    return "its host is neither a name nor a number";
}

socklen_t cel__address_len(const struct sockaddr_storage *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)address;
    size_t room = sizeof un->sun_path;

    switch (address->ss_family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    case AF_UNIX:
        if (un->sun_path[0] == '\0')
            return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                               strnlen(un->sun_path + 1, room - 1));
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                           cel__min(strnlen(un->sun_path, room) + 1, room));
    default:
        return sizeof *address;
    }
}

void cel__address_trim(struct sockaddr_storage *address, socklen_t len)
{
    if (len < sizeof *address)
        memset((char *)address + len, 0, sizeof *address - len);
}

/* An IPv4 peer of a socket that serves both families is shown as what it is. */
static void format_v6(const struct sockaddr_in6 *v6, char *out, size_t cap)
{
    char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];

    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof host);
        snprintf(out, cap, "%s:%u", host, ntohs(v6->sin6_port));
        return;
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    if (v6->sin6_scope_id == 0)
        snprintf(out, cap, "[%s]:%u", host, ntohs(v6->sin6_port));
    else if (cel__sys.if_indextoname(v6->sin6_scope_id, zone) != NULL)
        snprintf(out, cap, "[%s%%%s]:%u", host, zone, ntohs(v6->sin6_port));
    else
        snprintf(out, cap, "[%s%%%u]:%u", host, v6->sin6_scope_id, ntohs(v6->sin6_port));
}

static void format_unix(const struct sockaddr_un *un, char *out, size_t cap)
{
    int room = sizeof un->sun_path;

    if (un->sun_path[0] != '\0')
        snprintf(out, cap, "unix:%.*s", room, un->sun_path);
    else if (un->sun_path[1] != '\0')
        snprintf(out, cap, "unix:@%.*s", room - 1, un->sun_path + 1);
    else
        snprintf(out, cap, "unix:");
}

char *cel_address_format(const struct sockaddr_storage *address, char *out, size_t cap)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    char host[INET_ADDRSTRLEN];

    switch (address->ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, cap, "%s:%u", host, ntohs(v4->sin_port));
        break;
    case AF_INET6:
        format_v6((const struct sockaddr_in6 *)address, out, cap);
        break;
    case AF_UNIX:
        format_unix((const struct sockaddr_un *)address, out, cap);
        break;
    default:
        snprintf(out, cap, "?");
    }
    return out;
}
