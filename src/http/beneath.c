/* SPDX-License-Identifier: MIT */
/* openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS); kernels and sandboxes without it get the same
 * by opening step by step and refusing links altogether. */
#include "http/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"

bool cel__path_is_tame(const char *path)
{
    struct cel_str rest = cel__str(path), step;

    if (strchr(path, '\\') != NULL)
        return false;
    while (cel__str_split(&rest, '/', &step))
        if (step.len != 0 ? step.ptr[0] == '.' : rest.ptr != NULL)
            return false;
    return true;
}

bool cel__path_hides_a_step(struct cel_str path)
{
    for (size_t i = 0; i + 2 < path.len; i++)
        if (path.ptr[i] == '%' &&
            ((path.ptr[i + 1] == '2' && cel__char_lower(path.ptr[i + 2]) == 'f') ||
             (path.ptr[i + 1] == '5' && cel__char_lower(path.ptr[i + 2]) == 'c')))
            return true;
    return false;
}

static int open_stepwise(int dir, const char *path)
{
    struct cel_str rest = cel__str(path), step;
    char name[256];
    int fd = dir;

    while (cel__str_split(&rest, '/', &step)) {
        bool is_last = rest.ptr == NULL;
        int next;

        if (step.len == 0 || step.len >= sizeof name)
            return -ENOENT;
        memcpy(name, step.ptr, step.len);
        name[step.len] = '\0';
        next = cel__sys.openat(
            fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_last ? 0 : O_DIRECTORY),
            0);
        if (fd != dir)
            cel__sys.close(fd);
        if (next < 0)
            return -errno;
        fd = next;
    }
    return fd;
}

int cel__open_beneath(int dir, const char *path)
{
    int fd = cel__sys.openat2(dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0,
                              RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

    if (fd >= 0)
        return fd;
    return errno == ENOSYS || errno == EPERM ? open_stepwise(dir, path) : -errno;
}
