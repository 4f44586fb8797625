/* SPDX-License-Identifier: MIT */
/* "URL\nBASE": what is taken is read back as itself, and strictness takes away and changes
 * nothing. */
#include "proto/url.h"

#include <string.h>

#include "base/cc.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct cel__url *u)
{
    const struct cel_str parts[] = {u->scheme, u->username, u->password, u->host,     u->authority,
                                    u->port,   u->path,     u->query,    u->fragment, u->target};
    struct cel__url again;

    for (size_t i = 0; i < cel__countof(parts); i++)
        CEL__ASSERT(parts[i].ptr >= u->href.ptr &&
                    parts[i].ptr + parts[i].len <= u->href.ptr + u->href.len);
    for (size_t i = 0; i < u->href.len; i++)
        CEL__ASSERT((uint8_t)u->href.ptr[i] >= (u->is_opaque ? ' ' : '!') &&
                    (uint8_t)u->href.ptr[i] < 0x7f);
    CEL__ASSERT(cel__url_parse(&again, u->href, NULL, 0, NULL) == 0);
    CEL__ASSERT(cel__str_eq(again.href, u->href));
    CEL__ASSERT(cel__str_eq(again.path, u->path) && cel__str_eq(again.authority, u->authority));
    cel__url_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cel_str rest = {(const char *)data, len}, text, base_text;
    struct cel__url base, u, strict;
    bool has_base;

    if (len == 0 || !cel__str_split(&rest, '\n', &text))
        return 0;
    has_base = cel__str_split(&rest, '\n', &base_text) &&
               cel__url_parse(&base, base_text, NULL, 0, NULL) == 0;
    if (cel__url_parse(&u, text, has_base ? &base : NULL, 0, NULL) == 0) {
        check(&u);
        if (cel__url_parse(&strict, text, has_base ? &base : NULL, CEL__URL_STRICT, NULL) == 0) {
            CEL__ASSERT(cel__str_eq(strict.href, u.href));
            cel__url_fini(&strict);
        }
        cel__url_fini(&u);
    } else {
        CEL__ASSERT(cel__url_parse(&u, text, has_base ? &base : NULL, CEL__URL_STRICT, NULL) < 0);
    }
    if (has_base)
        cel__url_fini(&base);
    return 0;
}
