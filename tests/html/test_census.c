/* SPDX-License-Identifier: MIT */
/* Each variant counts as the plain one does, and that counts what it says. */
#include "support/check.h"

#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/census.h"

static void census_counts_where_nodes_and_attributes_begin(void **state)
{
    struct cel__census c =
        cel__census_nth(0)(CEL_LIT("<p class=\"a\" id='b'>text<br></p>\n<!-- c --><p>"));

    assert_int_equal(c.nodes, 7); /* p, text, br, blank, comment, p, what may follow */
    assert_int_equal(c.attrs, 2);
    c = cel__census_take((struct cel_str){"", 0});
    assert_int_equal(c.nodes, 0);
    assert_int_equal(c.attrs, 0);
}

static void census_variants_agree(void **state)
{
    static const char bytes[] = "<>/='\"ab &";
    static char page[20000];
    uint32_t seed = 7;

    for (size_t i = 0; i < sizeof page; i++) {
        seed = seed * 1664525u + 1013904223u;
        page[i] = bytes[(seed >> 16) % (sizeof bytes - 1)];
    }
    for (size_t len = 0; len <= sizeof page; len += len < 200 ? 1 : 1237)
        for (unsigned n = 1; cel__census_nth(n) != NULL; n++) {
            struct cel_str some = {page + sizeof page - len, len};
            struct cel__census a = cel__census_nth(0)(some), b = cel__census_nth(n)(some);

            assert_int_equal(a.nodes, b.nodes);
            assert_int_equal(a.attrs, b.attrs);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(census_counts_where_nodes_and_attributes_begin),
        cmocka_unit_test(census_variants_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
