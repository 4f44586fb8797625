/* SPDX-License-Identifier: MIT */
/* Decoders against the standard's own form of them, whole and in pieces. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"
#include "html/decode.h"
#include "html/utf8.h"
#include "standard_decoder.h"
#include "support/fault.h"

/* `pieces` decides where the input is cut; NULL: nowhere. */
static void decode(enum cel__encoding encoding, struct cel_str bytes, struct cel__rand *pieces,
                   size_t longest, struct cel__buf *out)
{
    struct cel__decoder d;

    cel__decoder_init(&d, encoding);
    while (bytes.len != 0 && pieces != NULL) {
        size_t len = cel__rand_below(pieces, longest) + 1;
        char *piece;

        len = len < bytes.len ? len : bytes.len;
        piece = malloc(len);
        memcpy(piece, bytes.ptr, len);
        assert_int_equal(cel__decoder_feed(&d, (struct cel_str){piece, len}, false, out), 0);
        free(piece);
        bytes.ptr += len;
        bytes.len -= len;
    }
    assert_int_equal(cel__decoder_feed(&d, bytes, true, out), 0);
}

static void show(const char *title, struct cel_str s)
{
    printf("%s", title);
    for (size_t i = 0; i < s.len; i++)
        printf(" %02x", (uint8_t)s.ptr[i]);
    printf("\n");
}

static void check_same(enum cel__encoding encoding, struct cel_str input, struct cel_str wanted,
                       struct cel_str got)
{
    if (cel__str_eq(wanted, got))
        return;
    show("input", input);
    show("wanted", wanted);
    show("got", got);
    fail_msg("%s differs", cel__encoding_name(encoding));
}

static void check_decoder(enum cel__encoding encoding, struct cel_str input, struct cel__rand *rand)
{
    struct cel__buf wanted = {0};

    standard_decode(encoding, input, &wanted);
    for (size_t longest = 0; longest <= 5; longest++) {
        struct cel__buf got = {0};

        decode(encoding, input, longest != 0 ? rand : NULL, longest, &got);
        check_same(encoding, input, cel__buf_str(&wanted), cel__buf_str(&got));
        assert_int_equal(cel__utf8_valid(cel__buf_str(&got)), got.len);
        cel__buf_fini(&got);
    }
    cel__buf_fini(&wanted);
}

/* Bytes of which many mean something: leads, trails, digits, escapes, markup. */
static size_t fill(struct cel__rand *rand, char *bytes, size_t room)
{
    static const char *const pieces[] = {
        "\033(B",  "\033(J",   "\033(I",       "\033$@",           "\033$B",   "\033$",
        "\033(",   "\033",     "\201\060\201", "\204\061\244\060", "\217",     "\216",
        "<a b=c>", "\360\237", "\355\240\200", "\330\000",         "\075\330", "\210b"};
    size_t len = 0, wanted = cel__rand_below(rand, room - 8);

    while (len < wanted) {
        uint64_t draw = cel__rand_below(rand, 8);
        const char *piece = pieces[cel__rand_below(rand, sizeof pieces / sizeof *pieces)];

        if (draw == 0) {
            memcpy(bytes + len, piece, strlen(piece));
            len += strlen(piece);
        } else {
            uint64_t low = draw < 5 ? 0x80 : draw < 7 ? 0x20 : 0;

            bytes[len++] = (char)(low + cel__rand_below(rand, low == 0x20 ? 0x60 : 0x80));
        }
    }
    return len;
}

static void decoder_of_any_bytes_says_what_the_standard_says(void **state)
{
    struct cel__rand rand;
    char bytes[64];

    cel__rand_seed(&rand, 4711);
    for (int i = 0; i < CEL__ENCODINGS; i++)
        for (int round = 0; round < 3000; round++) {
            size_t len = fill(&rand, bytes, sizeof bytes);

            check_decoder((enum cel__encoding)i, (struct cel_str){bytes, len}, &rand);
        }
}

/* Every two bytes in front of markup. */
static void decoder_of_each_pair_says_what_the_standard_says(void **state)
{
    for (int i = 0; i < CEL__ENCODINGS; i++)
        for (unsigned pair = 0; pair < 65536; pair++) {
            char bytes[4] = {(char)(pair >> 8), (char)pair, '<', 'p'};
            struct cel_str input = {bytes, sizeof bytes};
            struct cel__buf wanted = {0}, got = {0};

            standard_decode((enum cel__encoding)i, input, &wanted);
            assert_int_equal(cel__decode((enum cel__encoding)i, input, &got), 0);
            check_same((enum cel__encoding)i, input, cel__buf_str(&wanted), cel__buf_str(&got));
            cel__buf_fini(&wanted);
            cel__buf_fini(&got);
        }
}

static void decoder_of_long_input_crosses_its_blocks(void **state)
{
    static char bytes[3 * 4096 + 1];
    struct cel__rand rand;

    cel__rand_seed(&rand, 12);
    for (int i = 0; i < CEL__ENCODINGS; i++)
        for (int shift = 0; shift < 4; shift++) {
            struct cel__buf wanted = {0}, got = {0};
            struct cel_str input = {bytes, sizeof bytes - (size_t)shift};

            for (size_t k = 0; k < sizeof bytes; k += 1)
                bytes[k] = (char)(cel__rand_below(&rand, 128) + (k % 11 != 0 ? 128 : 0));
            standard_decode((enum cel__encoding)i, input, &wanted);
            decode((enum cel__encoding)i, input, &rand, 5000, &got);
            check_same((enum cel__encoding)i, input, cel__buf_str(&wanted), cel__buf_str(&got));
            cel__buf_fini(&wanted);
            cel__buf_fini(&got);
        }
}

/* What other decoders are known to get wrong, as hexadecimal digits of the input. */
static void decoder_of_known_traps_does_not_fall_in(void **state)
{
    static const struct {
        enum cel__encoding encoding;
        const char *in;
        const char *out;
    } traps[] = {
        {CEL__GB18030, "\x81\x35\xf4\x37", "\xee\x9f\x87"},
        {CEL__GB18030, "\xa8\xbc", "\xe1\xb8\xbf"},
        {CEL__GB18030, "\x84\x31\xa4\x39", "\xef\xbf\xbf"},
        {CEL__GB18030, "\x90\x30\x81\x30", "\xf0\x90\x80\x80"},
        {CEL__GB18030, "\xe3\x32\x9a\x35", "\xf4\x8f\xbf\xbf"},
        {CEL__GB18030, "\xe3\x32\x9a\x36", "\xef\xbf\xbd"},
        {CEL__GBK, "\x81<b>", "\xef\xbf\xbd<b>"},
        {CEL__GBK, "\x81\x30\x81<", "\xef\xbf\xbd\x30\xef\xbf\xbd<"},
        {CEL__BIG5, "\x88\x62\x87\x40", "\xc3\x8a\xcc\x84\xe4\x8f\xb0"},
        {CEL__BIG5, "\x87\x45", "\xf0\xa7\x89\xa7"},
        {CEL__SHIFT_JIS, "\x80\xa0\xfd\xf0\x40\xb1",
         "\xc2\x80\xef\xbf\xbd\xef\xbf\xbd\xee\x80\x80\xef\xbd\xb1"},
        {CEL__SHIFT_JIS, "\x81\x40", "\xe3\x80\x80"},
        {CEL__EUC_JP, "\x8f\xa2\xb7", "\xef\xbd\x9e"},
        {CEL__EUC_KR, "\x81\x41", "\xea\xb0\x82"},
        {CEL__ISO_2022_JP, "\x1b(J\\~", "\xc2\xa5\xe2\x80\xbe"},
        {CEL__ISO_2022_JP, "\x1b$B\x1b(Ba",
         "\xef\xbf\xbd"
         "a"},
        {CEL__ISO_8859_8_I, "\xe0", "\xd7\x90"},
        {CEL__KOI8_U, "\xae", "\xd1\x9e"},
        {CEL__WINDOWS_1252, "\x81\x80", "\xc2\x81\xe2\x82\xac"},
        {CEL__WINDOWS_1253, "\xaa", "\xef\xbf\xbd"},
        {CEL__REPLACEMENT, "<script>", "\xef\xbf\xbd"},
        {CEL__REPLACEMENT, "", ""},
        {CEL__X_USER_DEFINED, "a\x80\xff", "a\xef\x9e\x80\xef\x9f\xbf"},
    };

    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        struct cel_str input = cel__str(traps[i].in);
        struct cel__buf out = {0};

        assert_int_equal(cel__decode(traps[i].encoding, input, &out), 0);
        check_same(traps[i].encoding, input, cel__str(traps[i].out), cel__buf_str(&out));
        cel__buf_fini(&out);
    }
}

static void decoder_at_its_end_is_as_new(void **state)
{
    struct cel__decoder d;
    struct cel__buf out = {0};

    cel__decoder_init(&d, CEL__ISO_2022_JP);
    assert_int_equal(cel__decoder_feed(&d, CEL_LIT("\033$B$\""), true, &out), 0);
    assert_int_equal(cel__decoder_feed(&d, CEL_LIT("$\""), true, &out), 0);
    CHECK_STR(cel__buf_str(&out), "\343\201\202$\"");
    cel__buf_fini(&out);
}

static int decode_once(void *arg)
{
    static char bytes[10000];
    struct cel__buf out = {0};
    int r;

    memset(bytes, 0xe9, sizeof bytes);
    r = cel__decode(CEL__WINDOWS_1252, (struct cel_str){bytes, sizeof bytes}, &out);
    if (r == 0)
        assert_int_equal(out.len, 2 * sizeof bytes);
    cel__buf_fini(&out);
    return r;
}

static void decoder_without_memory_says_so(void **state)
{
    assert_true(fault_every_alloc(decode_once, NULL) > 1);
}

static void encoding_each_label_is_found(void **state)
{
    size_t count = 0;

    for (int i = 0; i < CEL__ENCODINGS; i++) {
        struct cel_str label;
        bool has_own = false;

        for (size_t k = 0; (label = cel__encoding_label((enum cel__encoding)i, k)).len != 0; k++) {
            char spelt[64];

            assert_int_equal(cel__encoding_find(label), i);
            snprintf(spelt, sizeof spelt, "\t %.*s\n", CEL_STR(label));
            spelt[2] = (char)(spelt[2] >= 'a' ? spelt[2] - 0x20 : spelt[2]);
            assert_int_equal(cel__encoding_find(cel__str(spelt)), i);
            has_own =
                has_own || cel__str_ieq(label, cel__str(cel__encoding_name((enum cel__encoding)i)));
            count++;
        }
        assert_true(has_own);
    }
    assert_int_equal(count, 228);
    assert_int_equal(cel__encoding_find(CEL_LIT("")), -1);
    assert_int_equal(cel__encoding_find(CEL_LIT("utf-8 utf8")), -1);
    assert_int_equal(cel__encoding_find(CEL_LIT("\vutf-8")), -1);
    assert_int_equal(cel__encoding_find(CEL_LIT("utf")), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoder_of_any_bytes_says_what_the_standard_says),
        cmocka_unit_test(decoder_of_each_pair_says_what_the_standard_says),
        cmocka_unit_test(decoder_of_long_input_crosses_its_blocks),
        cmocka_unit_test(decoder_of_known_traps_does_not_fall_in),
        cmocka_unit_test(decoder_at_its_end_is_as_new),
        cmocka_unit_test(decoder_without_memory_says_so),
        cmocka_unit_test(encoding_each_label_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
