/* SPDX-License-Identifier: MIT */
#ifndef CEL__ENCODING_H
#define CEL__ENCODING_H

/* The encodings of the encoding standard as numbers: their names, their labels,
 * and how their bytes make up characters. */

#include <stdint.h>

#include "celadon/base.h"

/* Those of one byte a character stand together, in the order of index_single.inc. */
enum cel__encoding {
    CEL__UTF_8,
    CEL__UTF_16LE,
    CEL__UTF_16BE,
    CEL__IBM866,
    CEL__ISO_8859_2,
    CEL__ISO_8859_3,
    CEL__ISO_8859_4,
    CEL__ISO_8859_5,
    CEL__ISO_8859_6,
    CEL__ISO_8859_7,
    CEL__ISO_8859_8,
    CEL__ISO_8859_10,
    CEL__ISO_8859_13,
    CEL__ISO_8859_14,
    CEL__ISO_8859_15,
    CEL__ISO_8859_16,
    CEL__KOI8_R,
    CEL__KOI8_U,
    CEL__MACINTOSH,
    CEL__WINDOWS_874,
    CEL__WINDOWS_1250,
    CEL__WINDOWS_1251,
    CEL__WINDOWS_1252,
    CEL__WINDOWS_1253,
    CEL__WINDOWS_1254,
    CEL__WINDOWS_1255,
    CEL__WINDOWS_1256,
    CEL__WINDOWS_1257,
    CEL__WINDOWS_1258,
    CEL__X_MAC_CYRILLIC,
    CEL__ISO_8859_8_I, /* ISO-8859-8 with another direction of writing */
    CEL__GBK,
    CEL__GB18030,
    CEL__BIG5,
    CEL__EUC_JP,
    CEL__ISO_2022_JP,
    CEL__SHIFT_JIS,
    CEL__EUC_KR,
    CEL__REPLACEMENT, /* what must not be decoded: a single U+FFFD */
    CEL__X_USER_DEFINED,
    CEL__ENCODINGS /* their number */
};

/* A label as pages and headers spell it ("utf8", "latin1"), blanks around it allowed: its
 * encoding, or -1. */
int cel__encoding_find(struct cel_str label);
/* The standard's name ("windows-1252"); static. */
const char *cel__encoding_name(enum cel__encoding encoding);
/* The i-th label of an encoding, from 0; empty behind the last. */
struct cel_str cel__encoding_label(enum cel__encoding encoding, size_t i);

#endif
