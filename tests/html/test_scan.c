/* SPDX-License-Identifier: MIT */
/* Every variant finds what the plain one finds, at every distance from both ends. */
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#include "html/scan.h"

#define LONGEST 200

static void check_all(const char *p, const char *end, char a, char b)
{
    const char *expected = cel__scan_plain(p, end, a, b);

    for (unsigned n = 0; cel__scan_nth(n) != NULL; n++)
        if (cel__scan_nth(n)(p, end, a, b) != expected)
            fail_msg("variant %u, %td bytes: not at %td", n, end - p, expected - p);
    assert_ptr_equal(cel__scan(p, end, a, b), expected);
}

static void scan_finds_each_byte_at_each_place(void **state)
{
    static const char found[] = {'<', '&', '\r', '\0'};

    for (size_t len = 0; len <= LONGEST; len++) {
        char *exact = malloc(len != 0 ? len : 1); /* reading past it is seen */

        memset(exact, 'x', len);
        check_all(exact, exact + len, '<', '&');
        for (size_t at = 0; at < len; at++) {
            exact[at] = found[at % sizeof found];
            check_all(exact, exact + len, '<', '&');
            check_all(exact + at / 2, exact + len, '<', '&');
            exact[at] = (char)(0x80 + at); /* none of them */
            if (at % 3 == 0)
                exact[at] = 'x';
        }
        free(exact);
    }
}

static void scan_takes_any_two_bytes(void **state)
{
    char bytes[LONGEST];

    for (int c = 1; c < 256; c++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(c == 'x' ? 'y' : 'x');
        bytes[150] = (char)c;
        check_all(bytes, bytes + sizeof bytes, (char)c, (char)c);
        check_all(bytes, bytes + sizeof bytes, '-', (char)c);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_finds_each_byte_at_each_place),
        cmocka_unit_test(scan_takes_any_two_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
