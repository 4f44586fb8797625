/* SPDX-License-Identifier: MIT */
#ifndef CEL__DATE_H
#define CEL__DATE_H

/* Dates of HTTP: one form is written, three are read. Seconds since 1970, UTC, no locale. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/base.h"

#define CEL__DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

struct cel__date {
    int year;       /* 1 to 9999 */
    int month, day; /* from 1 */
    int hour, minute, second;
};

/* Days and times that exist; second 60 is taken as 59. false: not a date. */
bool cel__date_to_seconds(const struct cel__date *date, int64_t *out);

/* `seconds` lies in the years 1 to 9999, else the nearest that does is written. No NUL. */
void cel__date_write(char out[CEL__DATE_LEN], int64_t seconds);

/* IMF-fixdate, RFC 850 and asctime. The middle one has years of two digits, taken as the one that
 * is at most 50 years ahead of `now`. -EINVAL. */
CEL_NODISCARD int cel__date_parse(struct cel_str text, int64_t now, int64_t *out);

/* "Date: …\r\n", written again only when the second has changed. Zeroed is valid. */
struct cel__date_line {
    int64_t seconds;
    char text[6 + CEL__DATE_LEN + 2];
};
struct cel_str cel__date_line(struct cel__date_line *line, int64_t seconds);

#endif
