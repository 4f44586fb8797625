/* SPDX-License-Identifier: MIT */
#include "proto/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/idna.h"
#include "proto/percent.h"

/* Four decimal numbers without leading zeros. */
static bool is_ipv4(struct cel_str text, uint8_t out[4])
{
    struct cel_str part;
    unsigned count = 0;
    uint64_t n;

    while (cel__str_split(&text, '.', &part)) {
        if (count == 4 || part.len > 3 || cel__str_to_u64(part, &n) < 0 || n > 255 ||
            (part.len > 1 && part.ptr[0] == '0'))
            return false;
        out[count++] = (uint8_t)n;
    }
    return count == 4;
}

static bool is_ipv6(struct cel_str text, uint8_t out[16])
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len >= sizeof copy || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET6, copy, out) == 1;
}

/* The longest run of two or more zero pieces -> its begin, 8 when there is none. */
static unsigned longest_zeros(const uint16_t pieces[8], unsigned *count)
{
    unsigned best = 8;

    *count = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;

        while (i + n < 8 && pieces[i + n] == 0)
            n++;
        if (n > *count) {
            best = i;
            *count = n;
        }
        i += n;
    }
    return best;
}

static int add_ipv6(struct cel__buf *b, const uint8_t bytes[16])
{
    uint16_t pieces[8];
    unsigned zeros, count;

    for (unsigned i = 0; i < 8; i++)
        pieces[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    zeros = longest_zeros(pieces, &count);
    cel__buf_add_char(b, '[');
    for (unsigned i = 0; i < 8; i++) {
        if (i == zeros) {
            cel__buf_add_text(b, i == 0 ? "::" : ":");
            i += count - 1;
            continue;
        }
        cel__buf_printf(b, i == 7 ? "%x" : "%x:", pieces[i]);
    }
    cel__buf_add_char(b, ']');
    return b->failed ? -ENOMEM : CEL__HOST_IPV6;
}

/* A number of an IPv4 address as old parsers read it: 0x hexadecimal, 0 octal. -1: none. */
static int64_t old_number(struct cel_str s)
{
    unsigned base = 10;
    int64_t n = 0;

    if (s.len >= 2 && s.ptr[0] == '0') {
        base = (s.ptr[1] | 0x20) == 'x' ? 16 : 8;
        s.ptr += base == 16 ? 2 : 1;
        s.len -= base == 16 ? 2 : 1;
    }
    for (size_t i = 0; i < s.len; i++) {
        int digit = cel__percent_hex(s.ptr[i]);

        if (digit < 0 || (unsigned)digit >= base)
            return -1;
        if (n <= UINT32_MAX)
            n = n * base + digit;
    }
    return n;
}

static bool is_digits(struct cel_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len != 0;
}

/* Whether the last label makes the whole an IPv4 address or nothing. */
static bool ends_in_number(struct cel_str s)
{
    struct cel_str last;
    size_t at;

    if (s.len != 0 && s.ptr[s.len - 1] == '.')
        s.len--;
    for (at = s.len; at != 0 && s.ptr[at - 1] != '.'; at--)
        ;
    last = (struct cel_str){s.ptr + at, s.len - at};
    return is_digits(last) || (last.len >= 2 && last.ptr[0] == '0' && (last.ptr[1] | 0x20) == 'x' &&
                               old_number(last) >= 0);
}

static bool read_old_ipv4(struct cel_str s, uint32_t *out)
{
    int64_t numbers[4] = {0}, last;
    struct cel_str part;
    unsigned count = 0;

    if (s.len != 0 && s.ptr[s.len - 1] == '.')
        s.len--;
    while (cel__str_split(&s, '.', &part)) {
        if (count == 4 || part.len == 0)
            return false;
        numbers[count] = old_number(part);
        if (numbers[count++] < 0)
            return false;
    }
    last = numbers[--count];
    if (last >= INT64_C(1) << (8 * (4 - count)))
        return false;
    *out = (uint32_t)last;
    for (unsigned i = 0; i < count; i++) {
        if (numbers[i] > 255)
            return false;
        *out |= (uint32_t)numbers[i] << (24 - 8 * i);
    }
    return true;
}

/* Besides control bytes, space and what would end a host; '%' only in domains. */
static bool is_forbidden(char c, bool is_special)
{
    if ((uint8_t)c <= 0x20 &&
        (is_special || c == '\0' || c == '\t' || c == '\n' || c == '\r' || c == ' '))
        return true;
    if (is_special && (c == '%' || c == 0x7f))
        return true;
    return c != '\0' && strchr("#/:<>?@[\\]^|", c) != NULL;
}

static bool has_forbidden(struct cel_str s, bool is_special)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_forbidden(s.ptr[i], is_special))
            return true;
    return false;
}

static bool is_ascii(struct cel_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80)
            return false;
    return true;
}

/* A name that is ASCII already needs nothing but lower case, even where a label pretends to be
 * Punycode and is none: it is looked up as it stands, and does not exist. */
static int add_ascii(struct cel__buf *b, struct cel_str name)
{
    if (memchr(name.ptr, '\0', name.len) != NULL)
        return -CEL_EURL;
    if (!is_ascii(name))
        return cel__idna_to_ascii(b, name);
    for (size_t i = 0; i < name.len; i++)
        cel__buf_add_char(b, cel__char_lower(name.ptr[i]));
    return b->failed ? -ENOMEM : 0;
}

/* What was appended from `from` on is a domain in ASCII. */
static int finish_domain(struct cel__buf *b, size_t from, bool is_strict, const char **why)
{
    struct cel_str name = {b->ptr + from, b->len - from};
    uint8_t usual[4];
    uint32_t address;

    if (name.len == 0 || has_forbidden(name, true)) {
        *why = "byte that a host name may not hold";
        return -CEL_EURL;
    }
    if (!ends_in_number(name))
        return CEL__HOST_DOMAIN;
    *why = "host is not an IPv4 address";
    if (is_ipv4(name, usual))
        return CEL__HOST_IPV4; /* in its normal form already */
    if (is_strict)
        return -CEL_EURL;
    if (!read_old_ipv4(name, &address))
        return -CEL_EURL;
    b->len = from;
    if (cel__buf_printf(b, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                        address & 255) < 0)
        return -ENOMEM;
    return CEL__HOST_IPV4;
}

static int add_domain(struct cel__buf *b, struct cel_str text, bool is_strict, const char **why)
{
    struct cel__buf decoded = {0};
    size_t from = b->len;
    int r;

    *why = "host name has no ASCII form";
    if (memchr(text.ptr, '%', text.len) != NULL) {
        r = cel__percent_decode(&decoded, text);
        if (r == 0)
            r = decoded.len != 0 ? add_ascii(b, cel__buf_str(&decoded)) : -CEL_EURL;
    } else {
        r = add_ascii(b, text);
    }
    cel__buf_fini(&decoded);
    return r < 0 ? r : finish_domain(b, from, is_strict, why);
}

static int add_host(struct cel__buf *b, struct cel_str text, bool is_special, bool is_strict,
                    const char **why)
{
    uint8_t address[16];

    if (text.ptr[0] == '[') {
        *why = "host is not an IPv6 address";
        if (text.ptr[text.len - 1] != ']' ||
            !is_ipv6((struct cel_str){text.ptr + 1, text.len - 2}, address))
            return -CEL_EURL;
        return add_ipv6(b, address);
    }
    if (is_special)
        return add_domain(b, text, is_strict, why);
    if (has_forbidden(text, false)) {
        *why = "byte that a host may not hold";
        return -CEL_EURL;
    }
    if (cel__percent_encode(b, text, CEL__PERCENT_CONTROL) < 0)
        return -ENOMEM;
    return CEL__HOST_OPAQUE;
}

int cel__host_parse(struct cel__buf *b, struct cel_str text, bool is_special, bool is_strict,
                    const char **why)
{
    size_t from = b->len;
    int r;

    if (text.len == 0)
        return CEL__HOST_EMPTY;
    r = add_host(b, text, is_special, is_strict, why);
    if (r < 0)
        b->len = from;
    return r;
}
