/* SPDX-License-Identifier: MIT */
#ifndef CEL__TABLES_H
#define CEL__TABLES_H

/* Encodings by number: their labels, names, schemes, and the code points of
 * their characters. The numbers are private to the wrapper but for three. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/base.h"

enum { CEL__UTF_8 = 0, CEL__UTF_16LE = 1, CEL__UTF_16BE = 2 };

/* How bytes make up characters. */
enum cel__scheme {
    CEL__SCHEME_UTF_8,
    CEL__SCHEME_UTF_16,
    CEL__SCHEME_SINGLE,
    CEL__SCHEME_PAIRS, /* ASCII, or a lead from 0x81 and a trail */
    CEL__SCHEME_GB18030,
    CEL__SCHEME_SHIFT_JIS,
    CEL__SCHEME_EUC_JP,
    CEL__SCHEME_ISO_2022_JP
};

/* A label as pages and headers spell it ("utf8", "latin1"): its encoding, or -1. */
int cel__tables_find(struct cel_str label);
/* The standard's name ("windows-1252"); static. */
const char *cel__tables_name(int encoding);
enum cel__scheme cel__tables_scheme(int encoding);
int cel__tables_windows_1252(void);
/* The Cyrillic encoding that bytes look most like, or -1. */
int cel__tables_cyrillic(struct cel_str bytes);

/* Each: the code point, 0 for none. `*second` gets one that follows it, or 0. */
uint32_t cel__tables_single(int encoding, uint8_t byte);
uint32_t cel__tables_pair(int encoding, uint8_t lead, uint8_t trail, uint32_t *second);
/* Both bytes 0xa1 … 0xfe. */
uint32_t cel__tables_jis(bool is_0212, uint8_t lead, uint8_t trail);
uint32_t cel__tables_gb18030_range(uint32_t pointer);

#endif
