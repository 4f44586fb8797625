/* SPDX-License-Identifier: MIT */
/* placeholder replaced by the io_uring backend's branch before anything lands */
#include <errno.h>
#include "loop/backend.h"
static int uring_open(struct cel_loop *loop)
{
    return -ENOSYS;
}
const struct cel__backend cel__uring_backend = {.name = "uring", .open = uring_open};
