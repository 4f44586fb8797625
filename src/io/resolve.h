/* SPDX-License-Identifier: MIT */
#ifndef CEL__RESOLVE_H
#define CEL__RESOLVE_H

#include "io/dns.h"

/* The current loop asks these servers from now on; nothing may be being asked. -ENOMEM, -CEL_EDNS.
 */
CEL_NODISCARD int cel__resolve_configure(const struct cel__dns_options *options);

#endif
