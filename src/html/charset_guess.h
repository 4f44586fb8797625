/* SPDX-License-Identifier: MIT */
#ifndef CEL__CHARSET_GUESS_H
#define CEL__CHARSET_GUESS_H

#include "html/encoding.h"

/* What bytes that name no encoding look most like. */
enum cel__encoding cel__charset_guess(struct cel_str bytes);

#endif
