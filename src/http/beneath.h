/* SPDX-License-Identifier: MIT */
#ifndef CEL__BENEATH_H
#define CEL__BENEATH_H

/* Opening what a stranger names below a folder, and nothing else. */

#include <stdbool.h>

#include "celadon/base.h"

/* No hidden names, no empty or dotted steps but an empty last one, no backslash: nothing that the
 * file system, or another reader of the path, would take for something else. */
bool cel__path_is_tame(const char *path);
/* Whether an escaped slash or backslash stands in a path as it was sent: it is no step to whoever
 * else reads the URL. */
bool cel__path_hides_a_step(struct cel_str path);
/* Read-only, without waiting for whoever writes a pipe. Neither dots nor links lead out of dir, and
 * none at all are followed where the kernel cannot see to that. -> descriptor, -errno. */
CEL_NODISCARD int cel__open_beneath(int dir, const char *path);

#endif
