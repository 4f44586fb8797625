/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "proto/accept.h"
#include "proto/coding.h"
#include "support/check.h"

static const enum cel__coding encoders[] = {CEL__CODING_GZIP, CEL__CODING_BR, CEL__CODING_ZSTD};

static void encode(struct cel__buf *b, enum cel__coding coding, struct cel_str text)
{
    struct cel__encode *e;
    size_t used, made;
    int r;

    assert_int_equal(cel__encode_new(&e, coding), 0);
    do {
        assert_int_equal(cel__buf_reserve(b, 4096), 0);
        r = cel__encode_step(e, CEL__CODEC_FINISH, text.ptr, text.len, &used, b->ptr + b->len, 4096,
                             &made);
        assert_true(r >= 0);
        text.ptr += used;
        text.len -= used;
        b->len += made;
    } while (r == 0);
    cel__encode_free(e);
}

/* Everything that comes out, fed `in_step` bytes at a time into room for `out_step`. -> what the
 * decoder said last, after its end was asked for. */
static int decode(struct cel__buf *b, const char *header, const struct cel__decode_limits *limits,
                  struct cel_str text, size_t in_step, size_t out_step)
{
    struct cel__decode *d;
    size_t used, made, piece;
    int r = cel__decode_new(&d, cel__str(header), limits, NULL);

    if (r < 0)
        return r;
    do {
        piece = cel__min(in_step, text.len);
        assert_int_equal(cel__buf_reserve(b, out_step), 0);
        r = cel__decode_step(d, text.ptr, piece, &used, b->ptr + b->len, out_step, &made);
        assert_true(used <= piece && made <= out_step);
        text.ptr += used;
        text.len -= used;
        b->len += made;
    } while (r >= 0 && (text.len != 0 || made == out_step));
    if (r >= 0)
        r = cel__decode_end(d);
    assert_true(r == 0 || strlen(cel__decode_why(d)) > 8);
    cel__decode_free(d);
    return r;
}

static void fill(struct cel__buf *b, size_t len)
{
    struct cel__rand rand;

    cel__rand_seed(&rand, len);
    while (b->len < len)
        cel__buf_printf(b, "<p class=\"%x\">celadon</p>\n", (unsigned)cel__rand_below(&rand, 1000));
}

static void coding_round_trip_in_any_pieces(void **state)
{
    static const size_t steps[][2] = {{1, 1}, {1, 4096}, {4096, 1}, {7, 13}, {100000, 100000}};
    struct cel__buf plain = {0};

    fill(&plain, 50000);
    for (size_t c = 0; c < cel__countof(encoders); c++) {
        struct cel__buf coded = {0};

        encode(&coded, encoders[c], cel__buf_str(&plain));
        assert_true(coded.len < plain.len / 3);
        for (size_t s = 0; s < cel__countof(steps); s++) {
            struct cel__buf out = {0};

            assert_int_equal(decode(&out, cel__coding_name(encoders[c]).ptr, NULL,
                                    cel__buf_str(&coded), steps[s][0], steps[s][1]),
                             0);
            assert_int_equal(out.len, plain.len);
            assert_memory_equal(out.ptr, plain.ptr, plain.len);
            cel__buf_fini(&out);
        }
        cel__buf_fini(&coded);
    }
    cel__buf_fini(&plain);
}

static void coding_cut_short_is_an_error_at_every_byte(void **state)
{
    for (size_t c = 0; c < cel__countof(encoders); c++) {
        struct cel__buf coded = {0};

        encode(&coded, encoders[c], CEL_LIT("hello hello hello hello"));
        for (size_t len = 0; len <= coded.len; len++) {
            struct cel__buf out = {0};
            int r = decode(&out, cel__coding_name(encoders[c]).ptr, NULL,
                           (struct cel_str){coded.ptr, len}, 1000, 1000);

            assert_int_equal(r, len == 0 || len == coded.len ? 0 : -CEL_EDECODE);
            cel__buf_fini(&out);
        }
        cel__buf_fini(&coded);
    }
}

static void coding_broken_data_is_refused(void **state)
{
    for (size_t c = 0; c < cel__countof(encoders); c++) {
        struct cel__buf out = {0};

        assert_int_equal(decode(&out, cel__coding_name(encoders[c]).ptr, NULL,
                                CEL_LIT("\xff\xfe this is not coded at all, never was"), 100, 100),
                         -CEL_EDECODE);
        cel__buf_fini(&out);
    }
}

static void gzip_members_follow_one_another_and_padding_is_passed_over(void **state)
{
    struct cel__decode_limits two = cel__decode_limits_default;
    struct cel__buf coded = {0}, out = {0};

    two.members = 2;
    encode(&coded, CEL__CODING_GZIP, CEL_LIT("one "));
    encode(&coded, CEL__CODING_GZIP, CEL_LIT("two"));
    for (size_t step = 1; step < 64; step++) {
        cel__buf_clear(&out);
        assert_int_equal(decode(&out, "x-gzip", &two, cel__buf_str(&coded), step, 10), 0);
        CHECK_STR(cel__buf_str(&out), "one two");
    }
    cel__buf_add(&coded, "\0\0\0\0 and more", 13);
    for (size_t step = 1; step < 64; step++) {
        cel__buf_clear(&out);
        assert_int_equal(decode(&out, "gzip", &two, cel__buf_str(&coded), step, 10), 0);
        CHECK_STR(cel__buf_str(&out), "one two");
    }
    coded.len -= 13;
    encode(&coded, CEL__CODING_GZIP, CEL_LIT("three"));
    assert_int_equal(decode(&out, "gzip", &two, cel__buf_str(&coded), 10, 10), -CEL_EDECODE);
    cel__buf_fini(&out);
    cel__buf_fini(&coded);
}

static void zstd_frames_follow_one_another(void **state)
{
    struct cel__buf coded = {0}, out = {0};

    encode(&coded, CEL__CODING_ZSTD, CEL_LIT("one "));
    encode(&coded, CEL__CODING_ZSTD, CEL_LIT("two"));
    assert_int_equal(decode(&out, "zstd", NULL, cel__buf_str(&coded), 3, 2), 0);
    CHECK_STR(cel__buf_str(&out), "one two");
    cel__buf_fini(&out);
    cel__buf_fini(&coded);
}

static void zstd_window_above_the_limit_is_refused(void **state)
{
    /* a frame header with a window of 16 MiB, and an empty last block */
    struct cel_str frame = CEL_LIT("\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00");
    struct cel__buf out = {0};

    assert_int_equal(decode(&out, "zstd", NULL, frame, 100, 100), -CEL_EDECODE);
    cel__buf_fini(&out);
}

static void zstd_formats_before_the_rfc_are_refused(void **state)
{
    for (char version = 0x22; version <= 0x28; version++) {
        struct cel__buf out = {0};
        char frame[] = "\x00\xb5\x2f\xfd\x00\x00\x01\x00\x00";

        frame[0] = version;
        assert_int_equal(decode(&out, "zstd", NULL, (struct cel_str){frame, 9}, 3, 100),
                         version == 0x28 ? 0 : -CEL_EDECODE);
        cel__buf_fini(&out);
    }
}

static void deflate_is_taken_with_and_without_its_header(void **state)
{
    /* "hello" stored: zlib's format and raw */
    static const struct cel_str cases[] = {
        CEL_LIT("\x78\x9c\x01\x05\x00\xfa\xff"
                "hello\x06\x2c\x02\x15"),
        CEL_LIT("\x01\x05\x00\xfa\xff"
                "hello"),
        CEL_LIT("\x01\x05\x00\xfa\xff"
                "hello behind"),
    };

    for (size_t i = 0; i < cel__countof(cases); i++)
        for (size_t step = 1; step < 20; step++) {
            struct cel__buf out = {0};

            assert_int_equal(decode(&out, "deflate", NULL, cases[i], step, 3), 0);
            CHECK_STR(cel__buf_str(&out), "hello");
            cel__buf_fini(&out);
        }
}

static void layers_come_off_in_reverse_order(void **state)
{
    struct cel__buf plain = {0}, one = {0}, two = {0}, three = {0}, out = {0};

    fill(&plain, 200000);
    encode(&one, CEL__CODING_GZIP, cel__buf_str(&plain));
    encode(&two, CEL__CODING_BR, cel__buf_str(&one));
    encode(&three, CEL__CODING_ZSTD, cel__buf_str(&two));
    assert_int_equal(
        decode(&out, "gzip, identity, BR ,, zstd", NULL, cel__buf_str(&three), 10, 10000), 0);
    assert_int_equal(out.len, plain.len);
    assert_memory_equal(out.ptr, plain.ptr, plain.len);
    cel__buf_clear(&out);
    assert_int_equal(decode(&out, "zstd, br, gzip", NULL, cel__buf_str(&three), 10, 10000),
                     -CEL_EDECODE);
    cel__buf_fini(&plain);
    cel__buf_fini(&one);
    cel__buf_fini(&two);
    cel__buf_fini(&three);
    cel__buf_fini(&out);
}

static void header_with_unknown_or_many_codings_is_refused(void **state)
{
    struct cel__decode *d;
    const char *why = NULL;

    assert_int_equal(cel__decode_new(&d, CEL_LIT("gzip, compress"), NULL, &why), -CEL_EDECODE);
    assert_string_equal(why, "unknown content coding");
    assert_int_equal(cel__decode_new(&d, CEL_LIT("gzip,gzip,gzip,gzip,gzip,gzip"), NULL, &why),
                     -CEL_EDECODE);
    assert_int_equal(cel__decode_new(&d, CEL_LIT("gzip;q=1"), NULL, &why), -CEL_EDECODE);
    assert_int_equal(cel__decode_new(&d, (struct cel_str){NULL, 0}, NULL, &why), 0);
    assert_true(cel__decode_is_identity(d));
    cel__decode_free(d);
    cel__decode_free(NULL);
}

/* `size` zero bytes in the coding, and again in the same for each further layer. */
static void bomb(struct cel__buf *coded, enum cel__coding coding, size_t size)
{
    char *zeros = cel__mem_zalloc(size);

    assert_non_null(zeros);
    encode(coded, coding, (struct cel_str){zeros, size});
    cel__mem_free(zeros);
}

static void bombs_end_at_the_ratio_or_the_cap(void **state)
{
    static const struct cel__decode_limits caps[] = {
        {.output_bytes = 0, .ratio = 100, .ratio_from_bytes = 1 << 20, .layers = 5, .members = 9},
        {.output_bytes = 100000, .ratio = 0, .layers = 5, .members = 9},
    };

    for (size_t c = 0; c < cel__countof(encoders); c++)
        for (size_t k = 0; k < cel__countof(caps); k++) {
            struct cel__buf coded = {0}, twice = {0}, out = {0};
            char header[32];

            bomb(&coded, encoders[c], 16 << 20);
            assert_int_equal(decode(&out, cel__coding_name(encoders[c]).ptr, &caps[k],
                                    cel__buf_str(&coded), 1000, 10000),
                             -CEL_ETOOLARGE);
            assert_true(out.len <= (k == 0 ? (1 << 20) + 10000 + 100 * 4096 : 100000));
            encode(&twice, CEL__CODING_GZIP, cel__buf_str(&coded));
            snprintf(header, sizeof header, "%s, gzip", cel__coding_name(encoders[c]).ptr);
            cel__buf_clear(&out);
            assert_int_equal(decode(&out, header, &caps[k], cel__buf_str(&twice), 1000, 10000),
                             -CEL_ETOOLARGE);
            cel__buf_fini(&coded);
            cel__buf_fini(&twice);
            cel__buf_fini(&out);
        }
}

static void output_of_exactly_the_cap_is_fine(void **state)
{
    struct cel__decode_limits limits = cel__decode_limits_default;

    for (size_t c = 0; c <= cel__countof(encoders); c++) {
        struct cel__buf plain = {0}, coded = {0}, out = {0};
        enum cel__coding coding = c < cel__countof(encoders) ? encoders[c] : CEL__CODING_IDENTITY;

        fill(&plain, 5000);
        if (coding == CEL__CODING_IDENTITY)
            cel__buf_add_str(&coded, cel__buf_str(&plain));
        else
            encode(&coded, coding, cel__buf_str(&plain));
        limits.output_bytes = plain.len;
        assert_int_equal(
            decode(&out, cel__coding_name(coding).ptr, &limits, cel__buf_str(&coded), 100, 900), 0);
        assert_int_equal(out.len, plain.len);
        limits.output_bytes = plain.len - 1;
        cel__buf_clear(&out);
        assert_int_equal(
            decode(&out, cel__coding_name(coding).ptr, &limits, cel__buf_str(&coded), 100, 900),
            -CEL_ETOOLARGE);
        assert_int_equal(out.len, plain.len - 1);
        assert_memory_equal(out.ptr, plain.ptr, out.len);
        cel__buf_fini(&plain);
        cel__buf_fini(&coded);
        cel__buf_fini(&out);
    }
}

static void flush_makes_all_that_went_in_decodable(void **state)
{
    for (size_t c = 0; c < cel__countof(encoders); c++) {
        struct cel__encode *e;
        struct cel__decode *d;
        char coded[200], plain[200];
        size_t used, made, decoded;

        assert_int_equal(cel__encode_new(&e, encoders[c]), 0);
        assert_int_equal(cel__encode_step(e, CEL__CODEC_FLUSH, "event 1\n", 8, &used, coded,
                                          sizeof coded, &made),
                         1);
        assert_int_equal(used, 8);
        assert_int_equal(cel__decode_new(&d, cel__coding_name(encoders[c]), NULL, NULL), 0);
        assert_int_equal(cel__decode_step(d, coded, made, &used, plain, sizeof plain, &decoded), 0);
        assert_int_equal(decoded, 8);
        assert_memory_equal(plain, "event 1\n", 8);
        cel__decode_free(d);
        cel__encode_free(e);
    }
}

static void accept_chooses_by_weight(void **state)
{
    static const enum cel__coding offered[] = {CEL__CODING_ZSTD, CEL__CODING_BR, CEL__CODING_GZIP,
                                               CEL__CODING_IDENTITY};
    static const struct {
        const char *header;
        int coding;
    } cases[] = {
        {NULL, CEL__CODING_IDENTITY},
        {"", CEL__CODING_IDENTITY},
        {"gzip, deflate, br", CEL__CODING_BR},
        {"gzip;q=1.0, br;q=0.5", CEL__CODING_GZIP},
        {"gzip;q=0", CEL__CODING_IDENTITY},
        {"*", CEL__CODING_ZSTD},
        {"*;q=0", -1},
        {"identity;q=0", -1},
        {"identity;q=0, gzip", CEL__CODING_GZIP},
        {"*;q=0, identity", CEL__CODING_IDENTITY},
        {"gzip;q=0.5, identity", CEL__CODING_IDENTITY},
        {"zstd;q=0, *;q=0.1", CEL__CODING_BR},
        {"GZIP ; q=0.2", CEL__CODING_GZIP},
        {"gzip;q=2, br;q=x, zstd;q=0.1234", CEL__CODING_IDENTITY},
        {"notgzip", CEL__CODING_IDENTITY},
        {"gzip;level=9;q=0.1", CEL__CODING_GZIP},
    };

    for (size_t i = 0; i < cel__countof(cases); i++)
        assert_int_equal(cel__accept_coding(cel__str(cases[i].header), offered), cases[i].coding);
}

static int failing_at, allocations;

static void *counted_alloc(size_t size, void *arg)
{
    return ++allocations == failing_at ? NULL : malloc(size);
}

static void *counted_realloc(void *ptr, size_t size, void *arg)
{
    return ++allocations == failing_at ? NULL : realloc(ptr, size);
}

static void counted_free(void *ptr, void *arg)
{
    free(ptr);
}

static void decode_without_memory_fails_clean(void **state)
{
    const struct cel_allocator counted = {counted_alloc, counted_realloc, counted_free, NULL};
    struct cel__buf one = {0}, two = {0};
    char out[100];
    int r = -ENOMEM;

    encode(&one, CEL__CODING_GZIP, CEL_LIT("hello"));
    encode(&two, CEL__CODING_BR, cel__buf_str(&one));
    cel_set_allocator(&counted);
    for (failing_at = 1; r < 0 && failing_at < 100; failing_at++) {
        struct cel__decode *d;
        size_t used, made;

        allocations = 0;
        r = cel__decode_new(&d, CEL_LIT("gzip, br"), NULL, NULL);
        if (r < 0)
            continue;
        r = cel__decode_step(d, two.ptr, two.len, &used, out, sizeof out, &made);
        cel__decode_free(d);
    }
    cel_set_allocator(NULL);
    assert_int_equal(r, 1);
    assert_true(failing_at > 5);
    cel__buf_fini(&one);
    cel__buf_fini(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coding_round_trip_in_any_pieces),
        cmocka_unit_test(coding_cut_short_is_an_error_at_every_byte),
        cmocka_unit_test(coding_broken_data_is_refused),
        cmocka_unit_test(gzip_members_follow_one_another_and_padding_is_passed_over),
        cmocka_unit_test(zstd_frames_follow_one_another),
        cmocka_unit_test(zstd_window_above_the_limit_is_refused),
        cmocka_unit_test(zstd_formats_before_the_rfc_are_refused),
        cmocka_unit_test(deflate_is_taken_with_and_without_its_header),
        cmocka_unit_test(layers_come_off_in_reverse_order),
        cmocka_unit_test(header_with_unknown_or_many_codings_is_refused),
        cmocka_unit_test(bombs_end_at_the_ratio_or_the_cap),
        cmocka_unit_test(output_of_exactly_the_cap_is_fine),
        cmocka_unit_test(flush_makes_all_that_went_in_decodable),
        cmocka_unit_test(accept_chooses_by_weight),
        cmocka_unit_test(decode_without_memory_fails_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
