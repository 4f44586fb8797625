/* SPDX-License-Identifier: MIT */
/* The values of header fields that strangers send: Set-Cookie, Cookie, dates, media types,
 * Accept-Encoding. What is taken apart lies within, and what is written is read back. */
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/accept.h"
#include "proto/cookie.h"
#include "proto/date.h"
#include "proto/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const int64_t now = 1795382100;

static void within(struct cel_str part, struct cel_str whole)
{
    CEL__ASSERT(part.len == 0 ||
                (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_cookie(struct cel_str text)
{
    struct cel_str line, name, value;
    struct cel__buf b = {0};
    struct cel__cookie c;

    if (cel__cookie_parse(&c, text, now) == 0) {
        within(c.name, text);
        within(c.value, text);
        within(c.domain, text);
        within(c.path, text);
        CEL__ASSERT(c.name.len + c.value.len != 0);
        CEL__ASSERT(cel__cookie_add(&b, c.name, c.value) == 0);
        line = cel__buf_str(&b);
        CEL__ASSERT(cel__cookie_next(&line, &name, &value));
        CEL__ASSERT(cel__str_eq(value, c.value) || c.name.len == 0);
        cel__buf_fini(&b);
    }
    line = text;
    while (cel__cookie_next(&line, &name, &value)) {
        within(name, text);
        within(value, text);
    }
    cel__cookie_path_matches(text, cel__cookie_default_path(text));
}

static void check_date(struct cel_str text)
{
    char written[CEL__DATE_LEN];
    int64_t seconds, again;

    if (cel__date_parse(text, now, &seconds) < 0 && cel__cookie_date(text, &seconds) < 0)
        return;
    cel__date_write(written, seconds);
    CEL__ASSERT(cel__date_parse((struct cel_str){written, CEL__DATE_LEN}, now, &again) == 0);
    CEL__ASSERT(again == seconds);
}

static void check_mime(struct cel_str text)
{
    struct cel_str params, name, value;
    struct cel__mime m;

    CEL__ASSERT(cel__mime_of_path(text) != NULL);
    if (cel__mime_parse(&m, text) < 0)
        return;
    within(m.essence, text);
    within(m.charset, text);
    params = m.params;
    while (cel__mime_param_next(&params, &name, &value)) {
        within(name, text);
        within(value, text);
    }
    cel__mime_is_text(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum cel__coding offered[] = {CEL__CODING_BR, CEL__CODING_GZIP,
                                               CEL__CODING_IDENTITY};
    struct cel_str text = {(const char *)data, len};

    check_cookie(text);
    check_date(text);
    check_mime(text);
    CEL__ASSERT(cel__accept_coding(text, offered) < CEL__CODING_COUNT);
    return 0;
}
