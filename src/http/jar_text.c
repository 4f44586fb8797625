/* SPDX-License-Identifier: MIT */
/* A jar as text, in the form that browsers and command-line clients have shared since Netscape: a
 * line per cookie, seven fields between tabs. A cookie of the session expires at 0. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "celadon/http.h"
#include "http/session.h"

static const char http_only[] = "#HttpOnly_";

static const char *yes_or_no(bool is)
{
    return is ? "TRUE" : "FALSE";
}

static void add_line(void *arg, const struct cel__jar_entry *e)
{
    struct cel__buf *out = arg;

    cel__buf_printf(out, "%s%.*s\t%s\t%.*s\t%s\t%lld\t", e->is_host_only ? "" : ".",
                    CEL_STR(e->domain), yes_or_no(!e->is_host_only), CEL_STR(e->path),
                    yes_or_no(e->is_secure), e->expires != INT64_MAX ? (long long)e->expires : 0LL);
    cel__buf_add_str(out, e->name);
    cel__buf_add_char(out, '\t');
    cel__buf_add_str(out, e->value);
    cel__buf_add_char(out, '\n');
}

char *cel_session_export_cookies(struct cel_session *session)
{
    struct cel__buf out = {0};

    if (session == NULL) {
        (void)cel__session_missing();
        return NULL;
    }
    cel__buf_add_text(&out, "# Netscape HTTP Cookie File\n");
    cel__jar_each(&session->jar, add_line, &out);
    if (cel__buf_cstr(&out) != NULL && !out.failed)
        return out.ptr;
    cel__buf_fini(&out);
    return NULL;
}

static bool read_line(struct cel_str line, struct cel__jar_entry *e)
{
    struct cel_str fields[7];
    uint64_t expires;

    if (cel__str_starts(line, CEL_LIT(http_only)))
        line = (struct cel_str){line.ptr + sizeof http_only - 1, line.len - sizeof http_only + 1};
    else if (line.len == 0 || line.ptr[0] == '#')
        return false;
    for (size_t i = 0; i < 6; i++)
        if (!cel__str_split(&line, '\t', &fields[i]) || line.ptr == NULL)
            return false;
    fields[6] = line;
    if (cel__str_to_u64(fields[4], &expires) < 0 || expires > INT64_MAX)
        return false;
    if (fields[0].len != 0 && fields[0].ptr[0] == '.')
        fields[0] = (struct cel_str){fields[0].ptr + 1, fields[0].len - 1};
    *e = (struct cel__jar_entry){
        .domain = fields[0],
        .path = fields[2],
        .name = fields[5],
        .value = fields[6],
        .expires = expires != 0 ? (int64_t)expires : INT64_MAX,
        .is_host_only = !cel__str_ieq(fields[1], CEL_LIT("TRUE")),
        .is_secure = cel__str_ieq(fields[3], CEL_LIT("TRUE")),
    };
    return true;
}

int cel_session_import_cookies(struct cel_session *session, struct cel_str text)
{
    int64_t now = cel__clock_wall() / CEL_SECOND;
    struct cel_str line;
    int count = 0;

    if (session == NULL)
        return cel__session_missing();
    while (cel__str_split(&text, '\n', &line)) {
        struct cel__jar_entry e;
        int r;

        if (line.len != 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (!read_line(line, &e))
            continue;
        r = cel__jar_put(&session->jar, &e, now);
        if (r == -ENOMEM)
            return r;
        count += r == 0;
    }
    return count;
}
