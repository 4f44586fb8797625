/* SPDX-License-Identifier: MIT */
/* Guards below stacks, by the best means there is. */
#include "fiber/guard.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "base/sys.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static const uint64_t canary = UINT64_C(0x5afe57acce1ad0e5);

void cel__canary_set(char *base)
{
    memcpy(base, &canary, sizeof canary);
}

bool cel__canary_is_whole(const char *base)
{
    return memcmp(base, &canary, sizeof canary) == 0;
}

/* A kernel or emulator that does not know markers may take the call for a hint and say yes. Reading
 * through a marker must fail. */
static bool marker_works(char *guard, size_t len)
{
    return cel__sys.madvise(guard, len, MADV_POPULATE_READ) < 0 && errno == EFAULT;
}

/* -> 0, -EINVAL when there are no markers here, or -errno. */
static int install_marker(struct cel__guards *guards, char *guard, size_t len)
{
    if (cel__sys.madvise(guard, len, MADV_GUARD_INSTALL) < 0)
        return -errno;
    if (!guards->is_probed && !marker_works(guard, len))
        return -EINVAL;
    guards->is_probed = true;
    return 0;
}

int cel__guard_install(struct cel__guards *guards, char *guard, size_t len)
{
    if (guards->kind == CEL__GUARD_MARKER) {
        int r = install_marker(guards, guard, len);

        if (r == 0)
            return CEL__GUARD_MARKER;
        if (r != -EINVAL)
            return -ENOMEM;
        guards->kind = CEL__GUARD_PROTECT;
    }
    if (guards->kind == CEL__GUARD_PROTECT) {
        if (cel__sys.mprotect(guard, len, PROT_NONE) == 0)
            return CEL__GUARD_PROTECT;
        cel__log(
            CEL_LOG_WARN,
            "stacks go without guard pages from here on (%s): an overflow is noticed only when "
            "a fiber ends; raise vm.max_map_count, or use Linux 6.13 or newer",
            cel_errname(errno));
        guards->kind = CEL__GUARD_CANARY;
    }
    cel__canary_set(guard + len);
    return CEL__GUARD_CANARY;
}
