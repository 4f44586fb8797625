/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <errno.h>

#include "base/cc.h"

bool cel__str_ieq(struct cel_str a, struct cel_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (cel__char_lower(a.ptr[i]) != cel__char_lower(b.ptr[i]))
            return false;
    return true;
}

bool cel__str_starts(struct cel_str s, struct cel_str prefix)
{
    return s.len >= prefix.len && cel__str_eq((struct cel_str){s.ptr, prefix.len}, prefix);
}

bool cel__str_ends(struct cel_str s, struct cel_str suffix)
{
    return s.len >= suffix.len &&
           cel__str_eq((struct cel_str){s.ptr + s.len - suffix.len, suffix.len}, suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

struct cel_str cel__str_trim(struct cel_str s)
{
    while (s.len != 0 && is_blank(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len != 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool cel__str_split(struct cel_str *rest, char sep, struct cel_str *part)
{
    const char *at;

    if (rest->ptr == NULL)
        return false;
    at = rest->len != 0 ? memchr(rest->ptr, sep, rest->len) : NULL;
    if (at == NULL) {
        *part = *rest;
        *rest = (struct cel_str){NULL, 0};
        return true;
    }
    *part = (struct cel_str){rest->ptr, (size_t)(at - rest->ptr)};
    rest->len -= part->len + 1;
    rest->ptr = at + 1;
    return true;
}

int cel__str_to_u64(struct cel_str s, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n))
            return -ERANGE;
    }
    *out = n;
    return 0;
}

static int64_t unit_ns(struct cel_str unit)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"", CEL_SECOND},        {"ns", 1},         {"us", CEL_MICROSECOND},
                 {"ms", CEL_MILLISECOND}, {"s", CEL_SECOND}, {"m", CEL_MINUTE},
                 {"h", 60 * CEL_MINUTE}};

    for (size_t i = 0; i < cel__countof(units); i++)
        if (cel__str_eq(unit, cel__str(units[i].name)))
            return units[i].ns;
    return 0;
}

int cel__str_to_duration(struct cel_str s, int64_t *out_ns)
{
    size_t digits = 0, unit_at;
    uint64_t whole;
    int64_t unit, total;
    double fraction = 0, place = 0.1;
    int r;

    while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
        digits++;
    r = cel__str_to_u64((struct cel_str){s.ptr, digits}, &whole);
    if (r < 0)
        return r;
    unit_at = digits;
    if (unit_at < s.len && s.ptr[unit_at] == '.')
        for (unit_at++; unit_at < s.len && s.ptr[unit_at] >= '0' && s.ptr[unit_at] <= '9';
             unit_at++) {
            fraction += place * (s.ptr[unit_at] - '0');
            place /= 10;
        }
    unit = unit_ns((struct cel_str){s.ptr + unit_at, s.len - unit_at});
    if (unit == 0)
        return -EINVAL;
    if (__builtin_mul_overflow(whole, unit, &total) ||
        __builtin_add_overflow(total, (int64_t)(fraction * (double)unit), &total))
        return -ERANGE;
    *out_ns = total;
    return 0;
}
