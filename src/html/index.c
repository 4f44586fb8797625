/* SPDX-License-Identifier: MIT */
/* The tables lie flat, two bytes a place: 180 KB that only pages in such an encoding ever
 * touch. Packed tables were rejected: half the size, and a search for each character. */
#include "html/index.h"

#include <stddef.h>

#include "base/cc.h"

static const uint16_t single[] =
#include "html/index_single.inc"
    ;

static const uint16_t big5[] =
#include "html/index_big5.inc"
    ;

static const uint64_t big5_plane2[] = {
#include "html/index_big5_plane2.inc"
};

static const uint16_t euc_kr[] =
#include "html/index_euc_kr.inc"
    ;

static const uint16_t gb18030[] =
#include "html/index_gb18030.inc"
    ;

static const uint16_t jis0208[] =
#include "html/index_jis0208.inc"
    ;

static const uint16_t jis0212[] =
#include "html/index_jis0212.inc"
    ;

static const uint16_t gb18030_ranges[][2] = {
#include "html/index_gb18030_ranges.inc"
};

/* The literals end in a NUL, which is one "none" more. */
#define LOOK_UP(table, pointer) ((pointer) < cel__countof(table) ? (table)[pointer] : 0u)

uint32_t cel__index_single(enum cel__encoding encoding, uint8_t byte)
{
    if (encoding == CEL__ISO_8859_8_I)
        encoding = CEL__ISO_8859_8;
    return LOOK_UP(single, (size_t)(encoding - CEL__IBM866) * 128 + byte - 0x80);
}

uint32_t cel__index_big5(uint32_t pointer)
{
    uint32_t code = LOOK_UP(big5, pointer);

    return code != 0 && big5_plane2[pointer / 64] >> pointer % 64 & 1 ? 0x20000 + code : code;
}

uint32_t cel__index_euc_kr(uint32_t pointer)
{
    return LOOK_UP(euc_kr, pointer);
}

uint32_t cel__index_gb18030(uint32_t pointer)
{
    return LOOK_UP(gb18030, pointer);
}

uint32_t cel__index_jis0208(uint32_t pointer)
{
    return LOOK_UP(jis0208, pointer);
}

uint32_t cel__index_jis0212(uint32_t pointer)
{
    return LOOK_UP(jis0212, pointer);
}

uint32_t cel__index_gb18030_ranges(uint32_t pointer)
{
    size_t low = 0, high = cel__countof(gb18030_ranges);

    if (pointer >= 189000)
        return pointer <= 1237575 ? 0x10000 + pointer - 189000 : 0;
    if (pointer > 39419)
        return 0;
    if (pointer == 7457)
        return 0xe7c7;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (gb18030_ranges[middle][0] <= pointer)
            low = middle;
        else
            high = middle;
    }
    return gb18030_ranges[low][1] + pointer - gb18030_ranges[low][0];
}
