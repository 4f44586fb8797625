/* SPDX-License-Identifier: MIT */
#ifndef CEL__DECODER_H
#define CEL__DECODER_H

/* What a decoder keeps from one piece of input to the next. */

#include <stdbool.h>
#include <stdint.h>

#include "html/encoding.h"

struct cel__decoder {
    uint8_t encoding; /* enum cel__encoding */
    uint8_t set;      /* ISO-2022-JP: the last letter of the escape that chose it, 'B' at first,
                       * '2' for two bytes a character. Replacement: not 0 once it has said it. */
    bool has_escaped; /* ISO-2022-JP: nothing came since the last escape */
    uint8_t held_len;
    uint8_t held[3]; /* the beginning of a character */
};

#endif
