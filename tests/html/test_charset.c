/* SPDX-License-Identifier: MIT */
/* Every way in which a page's encoding is told, and what wins. */
#include "support/check.h"

#include <string.h>

#include "celadon/html.h"
#include "html/utf8.h"

static const struct {
    const char *name;
    const char *hint;
    const char *page;
    const char *text; /* of all of it, or NULL */
    size_t len;       /* of the page when it holds NULs */
} cases[] = {
    /* marks */
    {"UTF-8", NULL, "\357\273\277\303\251", "\303\251", 0},
    {"UTF-8", "latin1", "\357\273\277\303\251", "\303\251", 0},
    {"UTF-16LE", NULL, "\377\376a\0\351\0\075\330\000\336", "a\303\251\360\237\230\200", 10},
    {"UTF-16BE", NULL, "\376\377\0a\0\351\330\075\336\000", "a\303\251\360\237\230\200", 10},
    {"UTF-16LE", "utf-8", "\377\376a\0", "a", 4},
    /* the transport */
    {"windows-1252", "latin1", "\351", "\303\251", 0},
    {"windows-1252", "text/html; charset=ISO-8859-1", "\351", "\303\251", 0},
    {"windows-1252", "text/html;charset=\"iso-8859-1\"; x=y", "\351", "\303\251", 0},
    {"UTF-8", "text/html", "\303\251", "\303\251", 0},
    {"UTF-8", "nonsense", "\303\251", "\303\251", 0},
    {"windows-1251", "windows-1251", "<meta charset=utf-8>\317", "\320\237", 0},
    {"Shift_JIS", " shift_jis ", "\202\240", "\343\201\202", 0},
    {"UTF-16LE", "utf-16le", "a\0b\0", "ab", 4},
    {"UTF-16BE", "utf-16be", "\0a\0b", "ab", 4},
    {"EUC-JP", "euc-jp", "\244\242", "\343\201\202", 0},
    {"EUC-KR", "euc-kr", "\260\241", "\352\260\200", 0},
    {"Big5", "big5", "\244\244", "\344\270\255", 0},
    {"GBK", "gb2312", "\326\320", "\344\270\255", 0},
    {"gb18030", "gb18030", "\201\060\201\060", "\302\200", 0},
    {"KOI8-R", "koi8-r", "\360", "\320\237", 0},
    {"ISO-2022-JP", "iso-2022-jp", "\033$B$\"\033(B", "\343\201\202", 0},
    /* meta */
    {"windows-1252", NULL, "<meta charset=iso-8859-1>\351", "\303\251", 0},
    {"windows-1252", NULL, "<META CHARSET='ISO-8859-1'>\351", "\303\251", 0},
    {"windows-1252", NULL, "<meta/charset=\"latin1\"/>\351", "\303\251", 0},
    {"windows-1251", NULL,
     "<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>\317", "\320\237", 0},
    {"windows-1251", NULL,
     "<meta content='text/html; charset = \"cp1251\"' http-equiv='content-type'>\317", "\320\237",
     0},
    {"UTF-8", NULL, "<meta content='text/html; charset=windows-1251'>\303\251", "\303\251", 0},
    {"UTF-8", NULL, "<!-- <meta charset=latin1> -->\303\251", "\303\251", 0},
    {"UTF-8", NULL, "<!--><meta charset=utf-8><!-- --><meta charset=latin1>\303\251", "\303\251",
     0},
    {"UTF-8", NULL, "<a title='<meta charset=latin1>'>\303\251", "\303\251", 0},
    {"UTF-8", NULL, "<metal charset=latin1>\303\251", "\303\251", 0},
    {"UTF-8", NULL, "<!x <meta charset=latin1>\303\251", NULL, 0},
    {"windows-1252", NULL, "<meta charset=none><meta charset=latin1>\351", "\303\251", 0},
    {"UTF-8", NULL, "<meta charset=utf-16>\303\251", "\303\251", 0},
    {"UTF-8", NULL, "<meta charset=", "", 0},
    {"UTF-8", NULL, "<meta charset", "", 0},
    {"UTF-8", NULL, "<meta", NULL, 0},
    {"UTF-8", NULL, "<", NULL, 0},
    /* the bytes themselves */
    {"UTF-8", NULL, "abc", "abc", 0},
    {"UTF-8", NULL, "caf\303\251", "caf\303\251", 0},
    {"windows-1252", NULL, "caf\351 \200", "caf\303\251 \342\202\254", 0},
    {"windows-1251", NULL,
     "<p>\317\360\350\342\345\362, \352\340\352 \344\345\353\340? \335\362\356 "
     "\362\345\352\361\362 \355\340 \360\363\361\361\352\356\354 \377\347\373\352\345.",
     "\320\237\321\200\320\270\320\262\320\265\321\202, \320\272\320\260\320\272 "
     "\320\264\320\265\320\273\320\260? \320\255\321\202\320\276 "
     "\321\202\320\265\320\272\321\201\321\202 \320\275\320\260 "
     "\321\200\321\203\321\201\321\201\320\272\320\276\320\274 "
     "\321\217\320\267\321\213\320\272\320\265.",
     0},
    /* broken */
    {"UTF-8", "utf-8", "a\377b\303", "a\357\277\275b\357\277\275", 0},
    {"UTF-8", "utf-8", "\355\240\200\300\200", NULL, 0},
    {"Shift_JIS", "sjis", "\202", "\357\277\275", 0},
    {"GBK", "gbk", "\201<b>x</b>", "\357\277\275x", 0},
    {"UTF-16LE", "utf-16le", "\0\330a\0x", "\357\277\275a\357\277\275", 5},
    {"UTF-16LE", "utf-16le", "\0\330", "\357\277\275", 2},
};

static void charset_is_found_and_decoded(void **state)
{
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        size_t k = i / 2, len = cases[k].len != 0 ? cases[k].len : strlen(cases[k].page);
        struct cel_html_options options = {.charset = cases[k].hint,
                                           .parser = (enum cel_html_parser)(i % 2)};
        struct cel_html *doc;
        struct cel_str text;

        assert_int_equal(cel_html_parse(&doc, cases[k].page, len, &options), 0);
        if (strcmp(cel_html_charset(doc), cases[k].name) != 0)
            fail_msg("case %zu is %s", k, cel_html_charset(doc));
        text = cel_node_text(cel_html_root(doc));
        if (cases[k].text != NULL &&
            (text.len != strlen(cases[k].text) || memcmp(text.ptr, cases[k].text, text.len) != 0))
            fail_msg("case %zu reads \"%.*s\"", k, CEL_STR(text));
        assert_int_equal(cel__utf8_valid(text), text.len);
        cel_html_free(doc);
    }
}

static void charset_every_label_decodes_any_bytes(void **state)
{
    static const char *const labels[] = {
        "utf-8",        "ibm866",       "iso-8859-2",     "iso-8859-3",    "iso-8859-4",
        "iso-8859-5",   "iso-8859-6",   "iso-8859-7",     "iso-8859-8",    "iso-8859-8-i",
        "iso-8859-10",  "iso-8859-13",  "iso-8859-14",    "iso-8859-15",   "iso-8859-16",
        "koi8-r",       "koi8-u",       "macintosh",      "windows-874",   "windows-1250",
        "windows-1251", "windows-1252", "windows-1253",   "windows-1254",  "windows-1255",
        "windows-1256", "windows-1257", "windows-1258",   "gbk",           "gb18030",
        "big5",         "euc-jp",       "iso-2022-jp",    "shift_jis",     "euc-kr",
        "utf-16be",     "utf-16le",     "x-user-defined", "x-mac-cyrillic"};
    unsigned char bytes[3 * 65536];
    size_t len = 0;

    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            bytes[len++] = (unsigned char)a;
            bytes[len++] = (unsigned char)b;
            bytes[len++] = (unsigned char)(a ^ b);
        }
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct cel_html_options options = {.charset = labels[i]};
        struct cel_html *doc;
        struct cel_str text;

        assert_int_equal(cel_html_parse(&doc, bytes, len, &options), 0);
        text = cel_node_text(cel_html_root(doc));
        if (cel__utf8_valid(text) != text.len)
            fail_msg("%s yields broken UTF-8", labels[i]);
        cel_html_free(doc);
    }
}

static void utf8_repair_replaces_longest_beginnings(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } broken[] = {
        {"\200", "\357\277\275"},
        {"\360\237\230", "\357\277\275"},
        {"\360\237\230x", "\357\277\275x"},
        {"\342\202\342\202\254", "\357\277\275\342\202\254"},
        {"\300\257", "\357\277\275\357\277\275"},
        {"\355\240\200", "\357\277\275\357\277\275\357\277\275"},
        {"\364\220\200\200", "\357\277\275\357\277\275\357\277\275\357\277\275"},
        {"ok\303\251", "ok\303\251"},
    };

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct cel__buf out = {0};

        assert_int_equal(
            cel__utf8_repair((struct cel_str){broken[i].in, strlen(broken[i].in)}, &out), 0);
        CHECK_STR(cel__buf_str(&out), broken[i].out);
        cel__buf_fini(&out);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(charset_is_found_and_decoded),
        cmocka_unit_test(charset_every_label_decodes_any_bytes),
        cmocka_unit_test(utf8_repair_replaces_longest_beginnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
