/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STANDARD_DECODER_H
#define TESTS_STANDARD_DECODER_H

/* The decoders in the form in which the encoding standard writes them down: a handler
 * that is given one byte at a time, keeps a state, and may put bytes back. Slow, and
 * easy to hold against the standard's text; ours must say the same. It takes the code
 * points from the same tables. */

#include "base/buf.h"
#include "html/encoding.h"

void standard_decode(enum cel__encoding encoding, struct cel_str bytes, struct cel__buf *out);

#endif
