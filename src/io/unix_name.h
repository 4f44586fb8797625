/* SPDX-License-Identifier: MIT */
#ifndef CEL__UNIX_NAME_H
#define CEL__UNIX_NAME_H

/* Names that Unix sockets are bound to. */

#include <sys/socket.h>

#include "celadon/base.h"

/* Binds a socket of that type; the file of a Unix address is replaced if nobody answers there any
 * more. Other families are simply bound. 0 or -errno. */
CEL_NODISCARD int cel__unix_bind(int fd, const struct sockaddr_storage *at, int type);
/* The file of an address, which goes with its socket; *out is NULL where there is none. -ENOMEM. */
CEL_NODISCARD int cel__unix_path(char **out, const struct sockaddr_storage *at);

#endif
