/* SPDX-License-Identifier: MIT */
#include "machine/number.h"

#include <errno.h>

#include "machine/under.h"

int cel__number_take(struct cel__machine *m)
{
    int fd = CEL__CHANCE(m, shortage) ? -1 : cel__under.eventfd(0, O_CLOEXEC);

    return fd < 0 ? -EMFILE : fd;
}
