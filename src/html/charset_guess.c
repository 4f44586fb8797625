/* SPDX-License-Identifier: MIT */
/* UTF-8 when the bytes are that, else one of the Cyrillic encodings or windows-1252.
 * Letters of other scripts stand side by side, accented Latin ones mostly alone. Which
 * Cyrillic encoding it is shows in how often letters are used, and in capitals behind
 * small letters, which words do not have. */
#include "html/charset_guess.h"

#include "base/cc.h"
#include "html/index.h"
#include "html/utf8.h"

#define GUESS_BYTES 16384

/* Per mille of Russian text, а to я. */
static const uint8_t letter_use[32] = {80, 16, 45, 17,  30, 84, 9,  16, 73, 12, 35,
                                       43, 32, 67, 109, 28, 47, 55, 63, 26, 3,  10,
                                       5,  14, 7,  4,   1,  19, 17, 3,  6,  20};

#define OTHER_LETTER 2 /* of another language in that script */
#define BAD_CAPITAL  60
#define NO_LETTER    20

static bool is_punctuation(uint32_t code)
{
    return code == 0xa0 || code == 0xab || code == 0xbb || code == 0xa9 || code == 0x2116 ||
           (code >= 0x2013 && code <= 0x2026);
}

/* What a character speaks for a Cyrillic text; *was_small is of the one before. */
static int weigh(uint32_t code, bool *was_small)
{
    bool after_small = *was_small;

    *was_small = (code >= 0x430 && code <= 0x44f) || (code >= 0x450 && code <= 0x45f);
    if (code >= 0x430 && code <= 0x44f)
        return letter_use[code - 0x430];
    if (code >= 0x410 && code <= 0x42f)
        return after_small ? -BAD_CAPITAL : letter_use[code - 0x410] / 4;
    if (code >= 0x400 && code <= 0x4ff)
        return OTHER_LETTER;
    return is_punctuation(code) ? 0 : -NO_LETTER;
}

static int64_t score(enum cel__encoding encoding, struct cel_str bytes)
{
    bool was_small = false;
    int64_t sum = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = (uint8_t)bytes.ptr[i];

        if (byte >= 0x80)
            sum += weigh(cel__index_single(encoding, byte), &was_small);
        else
            was_small = false;
    }
    return sum;
}

static enum cel__encoding guess_cyrillic(struct cel_str bytes)
{
    static const enum cel__encoding candidates[] = {CEL__WINDOWS_1251, CEL__KOI8_R, CEL__ISO_8859_5,
                                                    CEL__IBM866, CEL__X_MAC_CYRILLIC};
    enum cel__encoding found = CEL__WINDOWS_1252;
    int64_t best = 0;

    for (size_t i = 0; i < cel__countof(candidates); i++) {
        int64_t s = score(candidates[i], bytes);

        if (s > best) {
            best = s;
            found = candidates[i];
        }
    }
    return found;
}

enum cel__encoding cel__charset_guess(struct cel_str bytes)
{
    size_t high = 0, paired = 0;

    if (cel__utf8_valid(bytes) == bytes.len)
        return CEL__UTF_8;
    bytes.len = cel__min(bytes.len, (size_t)GUESS_BYTES);
    for (size_t i = 1; i < bytes.len; i++) {
        high += (uint8_t)bytes.ptr[i] >= 0x80;
        paired += (uint8_t)bytes.ptr[i] >= 0x80 && (uint8_t)bytes.ptr[i - 1] >= 0x80;
    }
    return paired * 2 > high ? guess_cyrillic(bytes) : CEL__WINDOWS_1252;
}
