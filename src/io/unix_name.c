/* SPDX-License-Identifier: MIT */
/* A Unix socket's file stays when its process is killed, and is in the way of the next one. Whether
 * somebody answers there is asked by connecting. */
#include "io/unix_name.h"

#include <errno.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/sys.h"
#include "io/address.h"

static int remove_stale(const struct sockaddr_storage *at, int type)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)at;
    struct stat st;
    int fd, r;

    if (un->sun_path[0] == '\0' ||
        cel__sys.fstatat(AT_FDCWD, un->sun_path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISSOCK(st.st_mode))
        return -EADDRINUSE;
    fd = cel__sys.socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = cel__sys.connect(fd, (const struct sockaddr *)at, cel__address_len(at));
    r = r < 0 && errno == ECONNREFUSED && cel__sys.unlink(un->sun_path) == 0 ? 0 : -EADDRINUSE;
    cel__sys.close(fd);
    return r;
}

int cel__unix_bind(int fd, const struct sockaddr_storage *at, int type)
{
    const struct sockaddr *address = (const struct sockaddr *)at;
    int r;

    if (cel__sys.bind(fd, address, cel__address_len(at)) == 0)
        return 0;
    if (errno != EADDRINUSE || at->ss_family != AF_UNIX)
        return -errno;
    r = remove_stale(at, type);
    if (r == 0 && cel__sys.bind(fd, address, cel__address_len(at)) < 0)
        r = -errno;
    return r;
}

int cel__unix_path(char **out, const struct sockaddr_storage *at)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)at;

    *out = NULL;
    if (at->ss_family != AF_UNIX || un->sun_path[0] == '\0')
        return 0;
    *out = cel__mem_strdup(un->sun_path);
    return *out != NULL ? 0 : -ENOMEM;
}
