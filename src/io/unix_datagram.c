/* SPDX-License-Identifier: MIT */
/* Sockets for datagrams over Unix names. What they do beside being opened is in udp.c. */
#include <errno.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/sys.h"
#include "celadon/unix.h"
#include "io/udp.h"
#include "io/unix_name.h"
#include "task/error.h"

/* With a name in any case, or nobody could answer. */
static int bound_socket(const struct sockaddr_storage *at)
{
    int fd = cel__sys.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

    if (fd < 0)
        return -errno;
    if (at != NULL)
        r = cel__unix_bind(fd, at, SOCK_DGRAM);
    else
        r = cel__sys.bind(fd, (const struct sockaddr *)&(struct sockaddr_un){.sun_family = AF_UNIX},
                          sizeof(sa_family_t)) < 0
                ? -errno
                : 0;
    if (r == 0)
        return fd;
    cel__sys.close(fd);
    return r;
}

int cel_unix_open(struct cel_socket **out, const char *address)
{
    struct sockaddr_storage at = {0};
    char *path = NULL;
    int r = address != NULL ? cel_address_parse(address, &at) : 0;

    if (r < 0 || (address != NULL && at.ss_family != AF_UNIX))
        return cel__raise(-EINVAL, "listen",
                          "'%s' is not a Unix address: say unix:/path or unix:@name", address);
    r = bound_socket(address != NULL ? &at : NULL);
    if (r < 0)
        return cel__raise(r, "listen", "%s: %s", address != NULL ? address : "a Unix socket",
                          cel_strerror(r));
    if (address != NULL && cel__unix_path(&path, &at) < 0) {
        cel__sys.unlink(((struct sockaddr_un *)&at)->sun_path);
        cel__sys.close(r);
        return -ENOMEM;
    }
    return cel__udp_take(out, r, AF_UNIX, path);
}
