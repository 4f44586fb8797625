/* SPDX-License-Identifier: MIT */
/* Years are counted from March, so that the leap day is the last of its year and the days before
 * a month follow a line: (153 m + 2) / 5. */
#include "proto/date.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/clock.h"
#include "base/str.h"

#define DAY_SECONDS 86400
#define AHEAD       (INT64_C(50) * 31556952) /* 50 mean years */
#define FIRST       INT64_C(-62135596800)    /* 0001-01-01 */
#define LAST        INT64_C(253402300799)    /* 9999-12-31 23:59:59 */

/* Rows without a NUL. */
static const char model[CEL__DATE_LEN] = "Sun, 06 Nov 1994 08:49:37 GMT";
static const char days[7][3] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][3] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int month_length(int year, int month)
{
    static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return lengths[month - 1] + (month == 2 && is_leap);
}

bool cel__date_to_seconds(const struct cel__date *d, int64_t *out)
{
    if (d->year < 1 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1 ||
        d->day > month_length(d->year, d->month) || d->hour < 0 || d->hour > 23 || d->minute < 0 ||
        d->minute > 59 || d->second < 0 || d->second > 60)
        return false;
    *out = days_of(d->year, d->month, d->day) * DAY_SECONDS + INT64_C(3600) * d->hour +
           INT64_C(60) * d->minute + cel__min(d->second, 59);
    return true;
}

static void put_digits(char *out, int value, int count)
{
    while (count-- > 0) {
        out[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

void cel__date_write(char out[CEL__DATE_LEN], int64_t seconds)
{
    int64_t since = cel__max(FIRST, cel__min(seconds, LAST)) + 719468 * INT64_C(86400);
    int64_t day = since / DAY_SECONDS, second = since % DAY_SECONDS;
    int64_t of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (int)((5 * of_year + 2) / 153);

    memcpy(out, model, sizeof model);
    memcpy(out, days[(day + 3) % 7], 3);
    put_digits(out + 5, (int)(of_year - (153 * month + 2) / 5 + 1), 2);
    month = (month + 2) % 12;
    memcpy(out + 8, months[month], 3);
    put_digits(out + 12, (int)(year + day / 146097 * 400 + (month < 2)), 4);
    put_digits(out + 17, (int)(second / 3600), 2);
    put_digits(out + 20, (int)(second / 60 % 60), 2);
    put_digits(out + 23, (int)(second % 60), 2);
}

/* Whether `text` has the shape: 'd' a digit, 'D' a digit or space, 'a' a letter, else itself. */
static bool has_shape(struct cel_str text, const char *shape)
{
    if (text.len != strlen(shape))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        switch (shape[i]) {
        case 'd':
            if (!is_digit)
                return false;
            break;
        case 'D':
            if (!is_digit && c != ' ')
                return false;
            break;
        case 'a':
            if (!is_letter)
                return false;
            break;
        default:
            if (c != shape[i])
                return false;
        }
    }
    return true;
}

static int number(const char *p, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++)
        value = value * 10 + (p[i] == ' ' ? 0 : p[i] - '0');
    return value;
}

static int month_of(const char *p)
{
    for (int m = 0; m < 12; m++)
        if (cel__str_ieq((struct cel_str){p, 3}, (struct cel_str){months[m], 3}))
            return m + 1;
    return 0;
}

static void read_time(struct cel__date *d, const char *p)
{
    d->hour = number(p, 2);
    d->minute = number(p + 3, 2);
    d->second = number(p + 6, 2);
}

static bool read_rfc850(struct cel_str text, int64_t now, int64_t *out)
{
    const char *comma = memchr(text.ptr, ',', text.len), *p;
    struct cel__date d;

    if (comma == NULL || comma - text.ptr < 6 || comma - text.ptr > 9)
        return false;
    p = comma;
    if (!has_shape((struct cel_str){p, text.len - (size_t)(p - text.ptr)},
                   ", dd-aaa-dd dd:dd:dd GMT"))
        return false;
    d = (struct cel__date){.day = number(p + 2, 2), .month = month_of(p + 5)};
    read_time(&d, p + 12);
    d.year = 1900 + number(p + 9, 2);
    for (;;) {
        struct cel__date later = {.year = d.year + 100, .month = d.month, .day = 1};
        int64_t then;

        if (!cel__date_to_seconds(&later, &then) || then > cel__clock_add(now, AHEAD))
            break;
        d.year += 100;
    }
    return cel__date_to_seconds(&d, out);
}

static bool read_date(struct cel_str text, int64_t now, int64_t *out)
{
    struct cel__date d;

    if (has_shape(text, "aaa, dd aaa dddd dd:dd:dd GMT")) {
        d.day = number(text.ptr + 5, 2);
        d.month = month_of(text.ptr + 8);
        d.year = number(text.ptr + 12, 4);
        read_time(&d, text.ptr + 17);
        return cel__date_to_seconds(&d, out);
    }
    if (has_shape(text, "aaa aaa Dd dd:dd:dd dddd")) {
        d.month = month_of(text.ptr + 4);
        d.day = number(text.ptr + 8, 2);
        read_time(&d, text.ptr + 11);
        d.year = number(text.ptr + 20, 4);
        return cel__date_to_seconds(&d, out);
    }
    return read_rfc850(text, now, out);
}

int cel__date_parse(struct cel_str text, int64_t now, int64_t *out)
{
    int64_t seconds;

    if (text.len == 0 || !read_date(text, now, &seconds))
        return -EINVAL;
    *out = seconds;
    return 0;
}

struct cel_str cel__date_line(struct cel__date_line *line, int64_t seconds)
{
    if (line->text[0] == '\0' || line->seconds != seconds) {
        memcpy(line->text, "Date: ", 6);
        cel__date_write(line->text + 6, seconds);
        memcpy(line->text + 6 + CEL__DATE_LEN, "\r\n", 2);
        line->seconds = seconds;
    }
    return (struct cel_str){line->text, sizeof line->text};
}
