/* SPDX-License-Identifier: MIT */
#ifndef CEL__IDNA_H
#define CEL__IDNA_H

/* Domain names in other scripts, by libidn2: UTS 46, non-transitional. */

#include "base/buf.h"

/* Appends the ASCII form of a name in UTF-8. -CEL_EURL it has none, -ENOMEM. */
CEL_NODISCARD int cel__idna_to_ascii(struct cel__buf *b, struct cel_str name);

#endif
