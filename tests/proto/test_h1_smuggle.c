/* SPDX-License-Identifier: MIT */
/* Every head of the table is refused for its cause, however it is split. */
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "proto/h1_parse.h"
#include "proto/smuggle.h"
#include "support/check.h"

static enum cel__h1_error refusal(enum cel__h1_kind kind, struct cel_str text, size_t first,
                                  size_t step)
{
    struct cel__h1_field fields[20];
    struct cel__h1_head h;
    ssize_t r;

    cel__h1_head_init(&h, kind, fields, cel__countof(fields), NULL);
    for (size_t len = first;; len = cel__min(len + step, text.len)) {
        char *piece = cel__mem_alloc(len);

        assert_non_null(piece);
        memcpy(piece, text.ptr, len);
        r = cel__h1_parse(&h, piece, len);
        cel__mem_free(piece);
        if (r != 0 || len == text.len)
            break;
    }
    assert_true((r < 0) == (h.error != CEL__H1_E_NONE));
    return (enum cel__h1_error)h.error;
}

static void check(enum cel__h1_kind kind, const struct smuggle *s)
{
    for (size_t first = 1; first <= s->text.len; first++) {
        enum cel__h1_error e = refusal(kind, s->text, first, s->text.len);

        if (e != s->error)
            print_error("\"%s\", not \"%s\", for:\n%.*s\n", cel__h1_error_text(e),
                        cel__h1_error_text(s->error), CEL_STR(s->text));
        assert_int_equal(e, s->error);
    }
    assert_int_equal(refusal(kind, s->text, 1, 1), s->error);
}

static void smuggled_request_is_refused_for_its_cause(void **state)
{
    assert_true(cel__countof(smuggled_requests) > 150);
    for (size_t i = 0; i < cel__countof(smuggled_requests); i++)
        check(CEL__H1_REQUEST, &smuggled_requests[i]);
}

static void smuggled_response_is_refused_for_its_cause(void **state)
{
    for (size_t i = 0; i < cel__countof(smuggled_responses); i++)
        check(CEL__H1_RESPONSE, &smuggled_responses[i]);
}

static void every_error_has_a_text_and_a_status(void **state)
{
    for (unsigned e = 1; e < CEL__H1_ERROR_COUNT; e++) {
        assert_true(strlen(cel__h1_error_text((enum cel__h1_error)e)) > 4);
        assert_true(cel__h1_error_status((enum cel__h1_error)e) >= 400);
        assert_true(cel__h1_error_code((enum cel__h1_error)e) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smuggled_request_is_refused_for_its_cause),
        cmocka_unit_test(smuggled_response_is_refused_for_its_cause),
        cmocka_unit_test(every_error_has_a_text_and_a_status),
    };

    print_message("%zu heads\n",
                  cel__countof(smuggled_requests) + cel__countof(smuggled_responses));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
