/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cc.h"
#include "base/rand.h"
#include "base/str.h"
#include "proto/date.h"
#include "support/check.h"

static const int64_t now = 1795382100; /* 2026-11-22 */

static void date_write_agrees_with_libc(void **state)
{
    struct cel__rand rand;
    char ours[CEL__DATE_LEN], libc[64];

    cel__rand_seed(&rand, 1);
    for (int i = 0; i < 20000; i++) {
        time_t t = (time_t)cel__rand_below(&rand, UINT64_C(315537897600)) - INT64_C(62135596800);
        struct tm tm;
        int64_t back;

        gmtime_r(&t, &tm);
        snprintf(libc, sizeof libc, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                 "SunMonTueWedThuFriSat" + 3 * tm.tm_wday, tm.tm_mday,
                 "JanFebMarAprMayJunJulAugSepOctNovDec" + 3 * tm.tm_mon, tm.tm_year + 1900,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
        cel__date_write(ours, t);
        assert_memory_equal(ours, libc, CEL__DATE_LEN);
        assert_int_equal(cel__date_parse((struct cel_str){ours, CEL__DATE_LEN}, now, &back), 0);
        assert_int_equal(back, t);
    }
}

static void date_parse_reads_three_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Sun Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Tuesday, 29-Feb-00 00:00:00 GMT", 951782400},
        {"Saturday, 01-Jan-77 00:00:00 GMT", 220924800}, /* 2077 is more than 50 years ahead */
        {"Wednesday, 01-Jan-76 00:00:00 GMT", INT64_C(3345062400)},
        {"Thu, 31 Dec 1998 23:59:60 GMT", 915148799},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        int64_t seconds = -1;

        assert_int_equal(cel__date_parse(cel__str(cases[i].text), now, &seconds), 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void date_parse_refuses_what_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "now",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nob 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun Nov 6 08:49:37 1994",
        "784111777",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        int64_t seconds = 5;

        assert_int_equal(cel__date_parse(cel__str(cases[i]), now, &seconds), -EINVAL);
        assert_int_equal(seconds, 5);
    }
}

static void date_line_changes_with_the_second(void **state)
{
    struct cel__date_line line = {0};

    CHECK_STR(cel__date_line(&line, 0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    CHECK_STR(cel__date_line(&line, 0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    CHECK_STR(cel__date_line(&line, 784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date_write_agrees_with_libc),
        cmocka_unit_test(date_parse_reads_three_forms),
        cmocka_unit_test(date_parse_refuses_what_is_none),
        cmocka_unit_test(date_line_changes_with_the_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
