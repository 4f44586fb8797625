/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/names.h"
#include "html/tags.h"

static void names_fixed_are_found_by_their_words(void **state)
{
    static const char *const texts[] = {
#define X(constant, text) text,
        CEL__NAMES(X)
#undef X
    };
    struct cel__names n;

    cel__names_init(&n);
    for (uint32_t i = 0; i < cel__countof(texts); i++) {
        assert_int_equal(cel__names_find(&n, cel__str(texts[i])), i + 1);
        assert_int_equal(cel__names_add(&n, cel__str(texts[i])), i + 1);
        CHECK_STR(cel__names_text(&n, i + 1), texts[i]);
        assert_true(cel__names_hash_of(&n, i + 1) == cel__names_hash(cel__str(texts[i])));
    }
    assert_int_equal(n.count, 0); /* none took memory */
    cel__names_fini(&n);
}

static void names_of_a_document_are_counted_up(void **state)
{
    struct cel__names n;
    char text[40];

    cel__names_init(&n);
    assert_int_equal(cel__names_find(&n, CEL_LIT("x-0")), CEL__NAME_NONE);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "x-%d", i);
        assert_int_equal(cel__names_add(&n, cel__str(text)), CEL__NAME_FIXED + i);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "x-%d", i);
        assert_int_equal(cel__names_find(&n, cel__str(text)), CEL__NAME_FIXED + i);
        CHECK_STR(cel__names_text(&n, (uint32_t)(CEL__NAME_FIXED + i)), text);
    }
    cel__names_fini(&n);
}

static void names_longer_than_their_words_are_others(void **state)
{
    struct cel__names n;

    cel__names_init(&n);
    assert_int_equal(cel__names_find(&n, CEL_LIT("contenteditable")), CEL__NAME_CONTENTEDITABLE);
    assert_int_equal(cel__names_add(&n, CEL_LIT("contenteditable12")), CEL__NAME_FIXED);
    assert_int_equal(cel__names_find(&n, CEL_LIT("contenteditable1")), CEL__NAME_NONE);
    assert_int_equal(cel__names_find(&n, CEL_LIT("")), CEL__NAME_NONE);
    cel__names_fini(&n);
}

static void tags_say_what_the_standard_says(void **state)
{
    assert_true((cel__tag_flags(CEL__NAME_TD) & CEL__TAG_SCOPE) != 0);
    assert_true((cel__tag_flags(CEL__NAME_SPAN) & CEL__TAG_SPECIAL) == 0);
    assert_true((cel__tag_flags(CEL__NAME_LI) & CEL__TAG_IMPLIED) != 0);
    assert_int_equal(cel__tag_flags(CEL__NAME_FIXED), 0);
    assert_int_equal(cel__tag_flags(CEL__NAME_HREF), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_fixed_are_found_by_their_words),
        cmocka_unit_test(names_of_a_document_are_counted_up),
        cmocka_unit_test(names_longer_than_their_words_are_others),
        cmocka_unit_test(tags_say_what_the_standard_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
