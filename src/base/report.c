/* SPDX-License-Identifier: MIT */
#include "base/report.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/sys.h"

void cel__report_flush(struct cel__report *to)
{
    int saved_errno = errno;
    size_t at = 0;

    if (to->fd == CEL__REPORT_LOG) {
        if (to->len != 0)
            cel__log(CEL_LOG_ERROR, "%.*s", (int)to->len, to->bytes);
        to->len = 0;
        return;
    }
    while (at < to->len) {
        ssize_t n = cel__sys.write(to->fd, to->bytes + at, to->len - at);

        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || errno != EINTR)
            break;
    }
    to->len = 0;
    errno = saved_errno;
}

static void put(struct cel__report *to, char c)
{
    if (to->len == sizeof to->bytes)
        cel__report_flush(to);
    to->bytes[to->len++] = c;
}

void cel__report_slice(struct cel__report *to, struct cel_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        put(to, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

void cel__report_str(struct cel__report *to, const char *text)
{
    if (text != NULL)
        cel__report_slice(to, (struct cel_str){text, strlen(text)});
}

static void put_digits(struct cel__report *to, uint64_t n, unsigned base, int at_least)
{
    char digits[24];
    char *p = digits + sizeof digits;

    do
        *--p = "0123456789abcdef"[n % base];
    while ((n /= base) != 0 || digits + sizeof digits - p < at_least);
    cel__report_slice(to, (struct cel_str){p, (size_t)(digits + sizeof digits - p)});
}

void cel__report_number(struct cel__report *to, int64_t n)
{
    if (n < 0)
        put(to, '-');
    put_digits(to, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, 1);
}

void cel__report_hex(struct cel__report *to, uint64_t n)
{
    cel__report_str(to, "0x");
    put_digits(to, n, 16, 1);
}

void cel__report_duration(struct cel__report *to, int64_t ns)
{
    int64_t us = ns / 1000;

    if (us < 10000) {
        cel__report_number(to, us);
        cel__report_str(to, " us");
    } else if (us < 10000000) {
        cel__report_number(to, us / 1000);
        cel__report_str(to, " ms");
    } else {
        cel__report_number(to, us / 1000000);
        put(to, '.');
        put_digits(to, (uint64_t)(us / 1000 % 1000), 10, 3);
        cel__report_str(to, " s");
    }
}

void cel__report_end(struct cel__report *to)
{
    if (to->fd == CEL__REPORT_LOG)
        cel__report_flush(to);
    else
        put(to, '\n');
}
