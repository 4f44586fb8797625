/* SPDX-License-Identifier: MIT */
#ifndef CEL__FILE_H
#define CEL__FILE_H

#include "celadon/file.h"
#include "loop/core.h"

struct cel_file {
    struct cel__fd *fd;
    int sync_error; /* sticky: what was lost stays lost */
};

/* Takes the descriptor, closing it on error. -ENOMEM, -errno. */
CEL_NODISCARD int cel__file_new(struct cel_file **out, int fd);

#endif
