/* SPDX-License-Identifier: MIT */
#include "proto/cookie.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/date.h"

#define AGE_MAX (CEL__COOKIE_AGE_MAX_DAYS * INT64_C(86400))

static struct cel_str trim(struct cel_str s)
{
    while (s.len != 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s.ptr++, s.len--;
    while (s.len != 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* "name=value" with the blanks off both; without '=' all of it is *value (or *name, if asked). */
static void split_pair(struct cel_str pair, bool lone_is_name, struct cel_str *name,
                       struct cel_str *value)
{
    const char *equals = pair.len != 0 ? memchr(pair.ptr, '=', pair.len) : NULL;

    if (equals != NULL) {
        *name = trim((struct cel_str){pair.ptr, (size_t)(equals - pair.ptr)});
        *value = trim((struct cel_str){equals + 1, pair.len - (size_t)(equals + 1 - pair.ptr)});
    } else {
        *name = lone_is_name ? trim(pair) : (struct cel_str){pair.ptr, 0};
        *value = lone_is_name ? (struct cel_str){pair.ptr, 0} : trim(pair);
    }
}

static bool is_delimiter(char c)
{
    return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* least to most digits and then no digit -> how many bytes, 0 when it is not so. */
static size_t digits(struct cel_str s, size_t least, size_t most, int *out)
{
    size_t n = 0;
    int value = 0;

    while (n < s.len && n <= most && is_digit(s.ptr[n]))
        value = value * 10 + (s.ptr[n++] - '0');
    if (n < least || n > most)
        return 0;
    *out = value;
    return n;
}

static bool read_time(struct cel_str token, struct cel__date *d)
{
    int parts[3];

    for (int i = 0; i < 3; i++) {
        size_t n = digits(token, 1, 2, &parts[i]);

        if (n == 0 || (i < 2 && (n == token.len || token.ptr[n] != ':')))
            return false;
        token.ptr += n + (i < 2);
        token.len -= n + (i < 2);
    }
    d->hour = parts[0];
    d->minute = parts[1];
    d->second = parts[2];
    return true;
}

static int month_of(struct cel_str token)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int m = 0; token.len >= 3 && m < 12; m++)
        if (cel__str_ieq((struct cel_str){token.ptr, 3}, (struct cel_str){months + 3 * m, 3}))
            return m + 1;
    return 0;
}

struct found {
    struct cel__date date;
    bool time, day, month, year;
};

static void read_token(struct found *f, struct cel_str token)
{
    if (!f->time && read_time(token, &f->date)) {
        f->time = true;
    } else if (!f->day && digits(token, 1, 2, &f->date.day) != 0) {
        f->day = true;
    } else if (!f->month && month_of(token) != 0) {
        f->date.month = month_of(token);
        f->month = true;
    } else if (!f->year && digits(token, 2, 4, &f->date.year) != 0) {
        f->year = true;
    }
}

int cel__cookie_date(struct cel_str text, int64_t *out)
{
    struct found f = {0};
    size_t at = 0, end;

    while (at < text.len) {
        for (; at < text.len && is_delimiter(text.ptr[at]); at++)
            ;
        for (end = at; end < text.len && !is_delimiter(text.ptr[end]); end++)
            ;
        read_token(&f, (struct cel_str){text.ptr + at, end - at});
        at = end;
    }
    if (!f.time || !f.day || !f.month || !f.year)
        return -EINVAL;
    if (f.date.year >= 70 && f.date.year <= 99)
        f.date.year += 1900;
    else if (f.date.year <= 69)
        f.date.year += 2000;
    if (f.date.year < 1601 || f.date.second > 59 || !cel__date_to_seconds(&f.date, out))
        return -EINVAL;
    return 0;
}

/* What came with the attributes; an age beats a date wherever they stand. */
struct expiry {
    bool has_date, has_age;
    int64_t date, age;
};

static void read_age(struct expiry *e, struct cel_str value, int64_t now)
{
    bool is_negative = value.len != 0 && value.ptr[0] == '-';
    struct cel_str number = {value.ptr + is_negative, value.len - is_negative};
    uint64_t seconds = UINT64_MAX;

    if (cel__str_to_u64(number, &seconds) == -EINVAL)
        return;
    e->has_age = true;
    if (is_negative || seconds == 0)
        e->age = INT64_MIN;
    else
        e->age = now + (int64_t)cel__min(seconds, (uint64_t)AGE_MAX);
}

static enum cel__cookie_site site_of(struct cel_str value)
{
    if (cel__str_ieq(value, CEL_LIT("strict")))
        return CEL__COOKIE_STRICT;
    if (cel__str_ieq(value, CEL_LIT("lax")))
        return CEL__COOKIE_LAX;
    return cel__str_ieq(value, CEL_LIT("none")) ? CEL__COOKIE_NONE : CEL__COOKIE_SITE_DEFAULT;
}

static void read_attribute(struct cel__cookie *c, struct expiry *e, struct cel_str name,
                           struct cel_str value, int64_t now)
{
    if (value.len > CEL__COOKIE_ATTRIBUTE_MAX)
        return;
    if (cel__str_ieq(name, CEL_LIT("expires"))) {
        if (cel__cookie_date(value, &e->date) == 0)
            e->has_date = true;
    } else if (cel__str_ieq(name, CEL_LIT("max-age"))) {
        read_age(e, value, now);
    } else if (cel__str_ieq(name, CEL_LIT("domain"))) {
        if (value.len != 0 && value.ptr[0] == '.')
            value.ptr++, value.len--;
        c->domain = value;
    } else if (cel__str_ieq(name, CEL_LIT("path"))) {
        c->path = value.len != 0 && value.ptr[0] == '/' ? value : (struct cel_str){value.ptr, 0};
    } else if (cel__str_ieq(name, CEL_LIT("secure"))) {
        c->is_secure = true;
    } else if (cel__str_ieq(name, CEL_LIT("httponly"))) {
        c->is_http_only = true;
    } else if (cel__str_ieq(name, CEL_LIT("samesite"))) {
        c->site = site_of(value);
    }
}

static bool starts_with(struct cel_str s, struct cel_str prefix)
{
    return s.len >= prefix.len && cel__str_ieq((struct cel_str){s.ptr, prefix.len}, prefix);
}

/* What the name promises; a nameless cookie must not look as if it had such a name, or any. */
static bool keeps_promises(const struct cel__cookie *c)
{
    bool looks_named = c->value.len != 0 && memchr(c->value.ptr, '=', c->value.len) != NULL;
    struct cel_str name = c->name.len != 0 ? c->name : c->value;
    bool is_host = starts_with(name, CEL_LIT("__Host-"));

    if (c->name.len == 0 && looks_named)
        return false;
    if (!is_host && !starts_with(name, CEL_LIT("__Secure-")))
        return true;
    if (c->name.len == 0 || !c->is_secure)
        return false;
    return !is_host || (c->domain.len == 0 && cel__str_eq(c->path, CEL_LIT("/")));
}

static bool has_control(struct cel_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((uint8_t)s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return true;
    return false;
}

static void settle_expiry(struct cel__cookie *c, const struct expiry *e, int64_t now)
{
    c->is_persistent = e->has_age || e->has_date;
    if (e->has_age)
        c->expires = e->age;
    else if (e->has_date)
        c->expires = e->date <= now ? INT64_MIN : cel__min(e->date, now + AGE_MAX);
}

int cel__cookie_parse(struct cel__cookie *out, struct cel_str line, int64_t now)
{
    struct cel_str rest = line, pair, name, value;
    struct cel__cookie c = {0};
    struct expiry e = {0};

    if (has_control(line) || !cel__str_split(&rest, ';', &pair))
        return -EINVAL;
    split_pair(pair, false, &c.name, &c.value);
    if (c.name.len + c.value.len == 0 || c.name.len + c.value.len > CEL__COOKIE_PAIR_MAX)
        return -EINVAL;
    while (cel__str_split(&rest, ';', &pair)) {
        split_pair(pair, true, &name, &value);
        read_attribute(&c, &e, name, value, now);
    }
    if (!keeps_promises(&c))
        return -EINVAL;
    settle_expiry(&c, &e, now);
    *out = c;
    return 0;
}

int cel__cookie_add(struct cel__buf *b, struct cel_str name, struct cel_str value)
{
    if (cel__buf_reserve(b, name.len + value.len + 3) < 0)
        return -ENOMEM;
    if (b->len != 0)
        cel__buf_add_text(b, "; ");
    cel__buf_add_str(b, name);
    if (name.len != 0)
        cel__buf_add_char(b, '=');
    return cel__buf_add_str(b, value);
}

bool cel__cookie_next(struct cel_str *line, struct cel_str *name, struct cel_str *value)
{
    struct cel_str pair;

    while (cel__str_split(line, ';', &pair)) {
        split_pair(pair, false, name, value);
        if (name->len + value->len != 0)
            return true;
    }
    return false;
}

bool cel__cookie_domain_matches(struct cel_str host, struct cel_str domain, bool host_is_address)
{
    size_t below = host.len - domain.len;

    if (cel__str_ieq(host, domain))
        return true;
    if (host_is_address || domain.len == 0 || host.len <= domain.len || host.ptr[below - 1] != '.')
        return false;
    return cel__str_ieq((struct cel_str){host.ptr + below, domain.len}, domain);
}

bool cel__cookie_path_matches(struct cel_str path, struct cel_str cookie_path)
{
    if (!cel__str_starts(path, cookie_path))
        return false;
    return path.len == cookie_path.len || path.ptr[cookie_path.len] == '/' ||
           (cookie_path.len != 0 && cookie_path.ptr[cookie_path.len - 1] == '/');
}

struct cel_str cel__cookie_default_path(struct cel_str path)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return CEL_LIT("/");
    while (path.ptr[path.len - 1] != '/')
        path.len--;
    if (path.len > 1)
        path.len--;
    return path;
}
