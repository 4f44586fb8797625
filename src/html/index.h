/* SPDX-License-Identifier: MIT */
#ifndef CEL__INDEX_H
#define CEL__INDEX_H

/* The standard's indexes: from a pointer to a code point. Each answers 0 where there
 * is none, and takes any pointer. */

#include <stdint.h>

#include "html/encoding.h"

/* Of an encoding of one byte a character; byte >= 0x80. */
uint32_t cel__index_single(enum cel__encoding encoding, uint8_t byte);
uint32_t cel__index_big5(uint32_t pointer);
uint32_t cel__index_euc_kr(uint32_t pointer);
uint32_t cel__index_gb18030(uint32_t pointer);
uint32_t cel__index_jis0208(uint32_t pointer);
uint32_t cel__index_jis0212(uint32_t pointer);
/* Of a sequence of four bytes. */
uint32_t cel__index_gb18030_ranges(uint32_t pointer);

#endif
