/* SPDX-License-Identifier: MIT */
/* The first byte chooses an encoding, the second how the rest is cut: the pieces must give the
 * UTF-8 that the whole gives. Whatever comes in, some encoding is found for it. */
#include <stdlib.h>
#include <string.h>

#include "html/charset.h"
#include "html/decode.h"
#include "html/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Pieces of 1 to `longest` bytes, each in a block of its own. */
static void decode_pieces(enum cel__encoding encoding, struct cel_str bytes, size_t longest,
                          struct cel__buf *out)
{
    struct cel__decoder d;

    cel__decoder_init(&d, encoding);
    for (size_t at = 0, len; at < bytes.len; at += len) {
        char *piece;

        len = 1 + at * 7 % longest;
        len = len < bytes.len - at ? len : bytes.len - at;
        piece = malloc(len);
        memcpy(piece, bytes.ptr + at, len);
        check(cel__decoder_feed(&d, (struct cel_str){piece, len}, at + len == bytes.len, out) == 0);
        free(piece);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cel__buf whole = {0}, pieces = {0};
    struct cel__charset charset;
    enum cel__encoding encoding;
    struct cel_str rest;

    if (len < 2)
        return 0;
    encoding = (enum cel__encoding)(data[0] % CEL__ENCODINGS);
    rest = (struct cel_str){(const char *)data + 2, len - 2};
    check(cel__decode(encoding, rest, &whole) == 0);
    decode_pieces(encoding, rest, 1 + data[1], &pieces);
    check(whole.len == pieces.len);
    check(whole.len == 0 || memcmp(whole.ptr, pieces.ptr, whole.len) == 0);
    check(whole.len <= 3 * rest.len);
    check(cel__utf8_valid(cel__buf_str(&whole)) == whole.len);
    charset = cel__charset_sniff(rest, (struct cel_str){"", 0});
    check(charset.encoding < CEL__ENCODINGS && charset.skip <= rest.len);
    cel__buf_fini(&whole);
    cel__buf_fini(&pieces);
    return 0;
}
