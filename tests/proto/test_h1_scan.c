/* SPDX-License-Identifier: MIT */
/* Every scanner this processor can run answers as the plain one does. */
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "proto/field.h"
#include "proto/h1_scan.h"
#include "support/check.h"

enum { ROUNDS = 20000, LONGEST = 300 };

/* Mostly harmless bytes, so that runs are long, with any byte strewn in. */
static void fill(struct cel__rand *rand, char *bytes, size_t len)
{
    static const char usual[] = "abcXYZ019-_:  \t\"()/;=\r\n#";

    for (size_t i = 0; i < len; i++)
        bytes[i] = cel__rand_below(rand, 40) == 0
                       ? (char)cel__rand_next(rand)
                       : usual[cel__rand_below(rand, i % 7 == 0 ? sizeof usual - 1 : 9)];
}

static void check_lines(const struct cel__h1_scan *scan, const char *bytes, size_t len, size_t at)
{
    const struct cel__h1_scan *plain = cel__h1_scan_nth(0);
    struct cel__h1_line mine[3], theirs[3];

    memset(mine, 0, sizeof mine);
    memset(theirs, 0, sizeof theirs);
    assert_int_equal(scan->lines(bytes, bytes + at, bytes + len, mine, 3),
                     plain->lines(bytes, bytes + at, bytes + len, theirs, 3));
    assert_memory_equal(mine, theirs, sizeof mine);
}

/* Fields of random sizes, of which some are odd. */
static size_t fill_lines(struct cel__rand *rand, char *bytes, size_t max)
{
    size_t len = 0;

    while (max - len > 2) {
        size_t left = max - len - 2, name = cel__rand_below(rand, 40);
        size_t value = cel__rand_below(rand, 100);

        if (name + value + 1 > left)
            break;
        memset(bytes + len, 'n', name);
        bytes[len + name] = ':';
        memset(bytes + len + name + 1, 'v', value);
        len += name + 1 + value;
        bytes[len++] = '\r';
        bytes[len++] = '\n';
        if (cel__rand_below(rand, 4) == 0)
            bytes[cel__rand_below(rand, len)] = (char)cel__rand_next(rand);
    }
    return len;
}

static void scan_lines_of_variants_agree_with_plain(void **state)
{
    const struct cel__h1_scan *scan;
    struct cel__rand rand;
    char room[LONGEST];

    cel__rand_seed(&rand, 9110);
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = fill_lines(&rand, room, cel__rand_below(&rand, LONGEST));
        char *bytes = cel__mem_alloc(len + 1);
        size_t at = len != 0 && cel__rand_below(&rand, 2) == 0 ? cel__rand_below(&rand, len) : 0;

        assert_non_null(bytes);
        memcpy(bytes + 1, room, len); /* no read may leave [1, len + 1) */
        for (unsigned n = 1; (scan = cel__h1_scan_nth(n)) != NULL; n++)
            check_lines(scan, bytes + 1, len, at);
        cel__mem_free(bytes);
    }
}

static void scan_variants_agree_with_plain(void **state)
{
    const struct cel__h1_scan *plain = cel__h1_scan_nth(0), *scan;
    struct cel__rand rand;

    cel__rand_seed(&rand, 20261122);
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = cel__rand_below(&rand, LONGEST);
        char *bytes = cel__mem_alloc(len + 1); /* exact but for one byte: no read may leave it */
        size_t at = cel__rand_below(&rand, len + 1);

        assert_non_null(bytes);
        fill(&rand, bytes, len);
        for (unsigned n = 1; (scan = cel__h1_scan_nth(n)) != NULL; n++) {
            check_lines(scan, bytes, len, at);
            assert_ptr_equal(scan->target(bytes, bytes + at, bytes + len),
                             plain->target(bytes, bytes + at, bytes + len));
            assert_ptr_equal(scan->text(bytes, bytes + at, bytes + len),
                             plain->text(bytes, bytes + at, bytes + len));
        }
        cel__mem_free(bytes);
    }
}

static void scan_classes_are_those_of_the_rfc(void **state)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    for (int c = 1; c < 256; c++) {
        assert_int_equal((cel__h1_classes[c] & CEL__H1_TOKEN) != 0, strchr(token, c) != NULL);
        assert_int_equal((cel__h1_classes[c] & CEL__H1_TEXT) != 0,
                         c == '\t' || (c >= ' ' && c != 0x7f));
        assert_int_equal((cel__h1_classes[c] & CEL__H1_TARGET) != 0,
                         c > ' ' && c < 0x7f && c != '#');
        assert_int_equal((cel__h1_classes[c] & CEL__H1_HOST) != 0,
                         strchr(token + 15, c) != NULL || strchr("-._~", c) != NULL);
    }
    assert_int_equal(cel__h1_classes[0], 0);
}

static void scan_of_each_byte_stops_where_its_class_says(void **state)
{
    const struct cel__h1_scan *scan;
    char text[97];

    for (unsigned n = 0; (scan = cel__h1_scan_nth(n)) != NULL; n++)
        for (int c = 0; c < 256; c++)
            for (size_t at = 0; at < sizeof text; at++) {
                bool stops_text = (cel__h1_classes[c] & CEL__H1_TEXT) == 0;
                bool stops_target = (cel__h1_classes[c] & CEL__H1_TARGET) == 0;
                bool stops_token = (cel__h1_classes[c] & CEL__H1_TOKEN) == 0;
                struct cel__h1_line line;

                memset(text, 'a', sizeof text);
                text[at] = (char)c;
                assert_ptr_equal(scan->text(text, text, text + sizeof text),
                                 text + (stops_text ? at : sizeof text));
                assert_ptr_equal(scan->target(text, text, text + sizeof text),
                                 text + (stops_target ? at : sizeof text));
                memcpy(text + 94, ":\r\n", 3);
                assert_int_equal(scan->lines(text, text, text + sizeof text, &line, 1),
                                 at >= 94 || !stops_token || (c == ':' && at > 0));
            }
}

static void field_find_knows_each_name_in_any_case(void **state)
{
    char mixed[64];

    for (unsigned id = 1; id < CEL__FIELD_COUNT; id++) {
        struct cel_str name = cel__field_name((enum cel__field_id)id);

        assert_int_equal(cel__field_find(name), id);
        for (size_t i = 0; i < name.len; i++)
            mixed[i] = (char)(i % 2 != 0 ? name.ptr[i] | 0x20 : name.ptr[i] & ~0x20);
        for (size_t i = 0; i < name.len; i++)
            if (name.ptr[i] == '-')
                mixed[i] = '-';
        assert_int_equal(cel__field_find((struct cel_str){mixed, name.len}), id);
        mixed[name.len / 2] = mixed[name.len / 2] == 'q' ? 'z' : 'q';
        assert_int_equal(cel__field_find((struct cel_str){mixed, name.len}), CEL__FIELD_OTHER);
        assert_int_equal(cel__field_find((struct cel_str){name.ptr, name.len - 1}),
                         CEL__FIELD_OTHER);
    }
    assert_int_equal(cel__field_find(CEL_LIT("")), CEL__FIELD_OTHER);
    assert_int_equal(cel__field_find(CEL_LIT("X-Frame-Options")), CEL__FIELD_OTHER);
}

static void field_has_token_reads_lists(void **state)
{
    assert_true(cel__field_has_token(CEL_LIT("a, B ,c"), CEL_LIT("b")));
    assert_true(cel__field_has_token(CEL_LIT("close"), CEL_LIT("close")));
    assert_false(cel__field_has_token(CEL_LIT("notupgrade, x"), CEL_LIT("upgrade")));
    assert_false(cel__field_has_token(CEL_LIT(""), CEL_LIT("upgrade")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_variants_agree_with_plain),
        cmocka_unit_test(scan_lines_of_variants_agree_with_plain),
        cmocka_unit_test(scan_classes_are_those_of_the_rfc),
        cmocka_unit_test(scan_of_each_byte_stops_where_its_class_says),
        cmocka_unit_test(field_find_knows_each_name_in_any_case),
        cmocka_unit_test(field_has_token_reads_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
