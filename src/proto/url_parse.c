/* SPDX-License-Identifier: MIT */
/* The standard's state machine, cut at its delimiters instead of driven byte by byte: each
 * function below is one of its states, reads from `in` and fills the parts.
 *
 * Invariant: `path` begins with '/' or is empty unless it is opaque. */
#include "proto/url_parse.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/percent.h"

static const struct {
    const char *name;
    int port;
} schemes[] = {
    [CEL__URL_OTHER] = {"", -1},       [CEL__URL_HTTP] = {"http", 80},
    [CEL__URL_HTTPS] = {"https", 443}, [CEL__URL_WS] = {"ws", 80},
    [CEL__URL_WSS] = {"wss", 443},     [CEL__URL_FTP] = {"ftp", 21},
    [CEL__URL_FILE] = {"file", -1},
};

static int bad(struct cel__url_parse *p, const char *why)
{
    p->why = why;
    return -CEL_EURL;
}

static bool is_special(const struct cel__url_parse *p)
{
    return p->kind != CEL__URL_OTHER;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* First byte left, or NUL; a NUL in the input is never asked for. */
static char first(const struct cel__url_parse *p)
{
    return p->in.len != 0 ? p->in.ptr[0] : '\0';
}

static void skip(struct cel__url_parse *p, size_t n)
{
    p->in.ptr += n;
    p->in.len -= n;
}

static bool is_slash(const struct cel__url_parse *p, char c)
{
    return c == '/' || (c == '\\' && is_special(p));
}

static void set(struct cel__buf *b, struct cel_str s)
{
    cel__buf_clear(b);
    cel__buf_add_str(b, s);
}

/* -> length of s up to the first of the delimiters. */
static size_t until(struct cel_str s, const char *delimiters)
{
    size_t i = 0;

    while (i < s.len && (s.ptr[i] == '\0' || strchr(delimiters, s.ptr[i]) == NULL))
        i++;
    return i;
}

static bool is_drive(struct cel_str s)
{
    return s.len == 2 && is_letter(s.ptr[0]) && (s.ptr[1] == ':' || s.ptr[1] == '|');
}

static bool starts_with_drive(struct cel_str s)
{
    return s.len >= 2 && is_drive((struct cel_str){s.ptr, 2}) &&
           (s.len == 2 || strchr("/\\?#", s.ptr[2]) != NULL) && (s.len == 2 || s.ptr[2] != '\0');
}

/* Drops the last segment, but not the drive of a file URL. */
static void shorten(struct cel__url_parse *p)
{
    struct cel__buf *path = &p->path;

    if (p->kind == CEL__URL_FILE && path->len == 3 && is_letter(path->ptr[1]) &&
        path->ptr[2] == ':')
        return;
    while (path->len != 0 && path->ptr[--path->len] != '/')
        ;
}

/* 1 ".", 2 "..", with any dot as %2e. */
static int dots(struct cel_str s)
{
    int count = 0;

    while (s.len != 0 && count < 3) {
        size_t n = s.ptr[0] == '.' ? 1 : 3;

        if (n == 3 && (s.len < 3 || s.ptr[0] != '%' || s.ptr[1] != '2' || (s.ptr[2] | 0x20) != 'e'))
            return 0;
        s.ptr += n;
        s.len -= n;
        count++;
    }
    return count < 3 ? count : 0;
}

static void read_fragment(struct cel__url_parse *p)
{
    p->has_fragment = true;
    cel__buf_clear(&p->fragment);
    cel__percent_encode(&p->fragment, p->in, CEL__PERCENT_FRAGMENT);
    skip(p, p->in.len);
}

/* At '?', '#' or the end. */
static int read_query(struct cel__url_parse *p)
{
    struct cel_str query;

    if (first(p) == '?' && p->in.len != 0) {
        skip(p, 1);
        query = (struct cel_str){p->in.ptr, until(p->in, "#")};
        p->has_query = true;
        cel__buf_clear(&p->query);
        cel__percent_encode(&p->query, query,
                            is_special(p) ? CEL__PERCENT_SPECIAL_QUERY : CEL__PERCENT_QUERY);
        skip(p, query.len);
    }
    if (p->in.len != 0) {
        skip(p, 1);
        read_fragment(p);
    }
    return 0;
}

static void add_segment(struct cel__url_parse *p, struct cel_str segment, bool is_last)
{
    int count = dots(segment);

    if (count == 2)
        shorten(p);
    if (count != 0) {
        if (is_last)
            cel__buf_add_char(&p->path, '/');
        return;
    }
    cel__buf_add_char(&p->path, '/');
    if (p->kind == CEL__URL_FILE && p->path.len == 1 && is_drive(segment)) {
        cel__buf_add_char(&p->path, segment.ptr[0]);
        cel__buf_add_char(&p->path, ':');
        return;
    }
    cel__percent_encode(&p->path, segment, CEL__PERCENT_PATH);
}

/* Segments behind a slash that was taken, then the rest. */
static int read_path(struct cel__url_parse *p)
{
    const char *delimiters = is_special(p) ? "/\\?#" : "/?#";

    for (;;) {
        struct cel_str segment = {p->in.ptr, until(p->in, delimiters)};
        bool is_last;

        skip(p, segment.len);
        is_last = p->in.len == 0 || !is_slash(p, first(p));
        add_segment(p, segment, is_last);
        if (is_last)
            return read_query(p);
        skip(p, 1);
    }
}

/* Behind an authority. */
static int read_path_start(struct cel__url_parse *p)
{
    bool is_path = p->in.len != 0 && first(p) != '?' && first(p) != '#';

    if (is_path && is_slash(p, first(p)))
        skip(p, 1);
    return is_path || is_special(p) ? read_path(p) : read_query(p);
}

static int read_opaque_path(struct cel__url_parse *p)
{
    struct cel_str path = {p->in.ptr, until(p->in, "?#")};
    bool ends_in_space = path.len != 0 && path.ptr[path.len - 1] == ' ' && path.len != p->in.len;

    p->is_opaque = true;
    skip(p, path.len);
    path.len -= ends_in_space;
    cel__percent_encode(&p->path, path, CEL__PERCENT_CONTROL);
    if (ends_in_space)
        cel__buf_add_text(&p->path, "%20");
    return read_query(p);
}

static int read_host(struct cel__url_parse *p, struct cel_str text)
{
    int r =
        cel__host_parse(&p->host, text, is_special(p), (p->flags & CEL__URL_STRICT) != 0, &p->why);

    if (r < 0)
        return r;
    p->host_kind = (enum cel__host_kind)r;
    return 0;
}

static int read_port(struct cel__url_parse *p, struct cel_str text)
{
    int port = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return bad(p, "port is not a number");
        port = port * 10 + (text.ptr[i] - '0');
        if (port > 65535)
            return bad(p, "port is too large");
    }
    p->port = text.len == 0 || port == schemes[p->kind].port ? -1 : port;
    return 0;
}

static void read_userinfo(struct cel__url_parse *p, struct cel_str text)
{
    size_t name = until(text, ":");

    cel__percent_encode(&p->username, (struct cel_str){text.ptr, name}, CEL__PERCENT_USERINFO);
    if (name != text.len)
        cel__percent_encode(&p->password,
                            (struct cel_str){text.ptr + name + 1, text.len - name - 1},
                            CEL__PERCENT_USERINFO);
}

/* -> where the colon before the port stands, or the end; those in brackets do not count. */
static size_t find_port(struct cel_str text)
{
    bool is_inside = false;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '[')
            is_inside = true;
        else if (text.ptr[i] == ']')
            is_inside = false;
        else if (text.ptr[i] == ':' && !is_inside)
            return i;
    }
    return text.len;
}

/* Behind "//". */
static int read_authority(struct cel__url_parse *p)
{
    struct cel_str text = {p->in.ptr, until(p->in, is_special(p) ? "/\\?#" : "/?#")};
    const char *at = text.len != 0 ? memrchr(text.ptr, '@', text.len) : NULL;
    size_t colon;
    int r;

    skip(p, text.len);
    if (at != NULL) {
        read_userinfo(p, (struct cel_str){text.ptr, (size_t)(at - text.ptr)});
        text.len -= (size_t)(at + 1 - text.ptr);
        text.ptr = at + 1;
        if (text.len == 0)
            return bad(p, "no host behind the user's name");
    }
    colon = find_port(text);
    if (colon == 0 && (is_special(p) || text.len != 0))
        return bad(p, "no host");
    r = read_host(p, (struct cel_str){text.ptr, colon});
    if (r == 0 && colon != text.len)
        r = read_port(p, (struct cel_str){text.ptr + colon + 1, text.len - colon - 1});
    return r < 0 ? r : read_path_start(p);
}

static void copy_authority(struct cel__url_parse *p)
{
    const struct cel__url *base = p->base;

    set(&p->username, base->username);
    set(&p->password, base->password);
    set(&p->host, base->host);
    p->host_kind = base->host_kind;
    p->port = base->port.len != 0 ? (int)base->port_number : -1;
}

static void copy_path(struct cel__url_parse *p)
{
    set(&p->path, p->base->path);
    p->is_opaque = p->base->is_opaque;
    set(&p->query, p->base->query);
    p->has_query = p->base->has_query;
}

/* At a rest that names no path of its own, or one below the base's last slash. */
static int read_relative_path(struct cel__url_parse *p)
{
    if (p->in.len == 0 || first(p) == '#')
        return read_query(p);
    p->has_query = false;
    cel__buf_clear(&p->query);
    if (first(p) == '?')
        return read_query(p);
    shorten(p);
    return read_path(p);
}

static int read_slashes(struct cel__url_parse *p)
{
    while (p->in.len != 0 && is_slash(p, first(p)))
        skip(p, 1);
    return read_authority(p);
}

static int read_relative(struct cel__url_parse *p)
{
    if (p->in.len != 0 && is_slash(p, first(p))) {
        skip(p, 1);
        if (p->in.len != 0 && is_slash(p, first(p)))
            return is_special(p) ? read_slashes(p) : (skip(p, 1), read_authority(p));
        copy_authority(p);
        return read_path(p);
    }
    copy_authority(p);
    copy_path(p);
    return read_relative_path(p);
}

static int read_file_host(struct cel__url_parse *p)
{
    struct cel_str text = {p->in.ptr, until(p->in, "/\\?#")};
    int r;

    if (is_drive(text))
        return read_path(p);
    skip(p, text.len);
    r = read_host(p, text);
    if (r < 0)
        return r;
    if (cel__str_eq(cel__buf_str(&p->host), CEL_LIT("localhost"))) {
        cel__buf_clear(&p->host);
        p->host_kind = CEL__HOST_EMPTY;
    }
    return read_path_start(p);
}

static int read_file_slash(struct cel__url_parse *p)
{
    const struct cel__url *base = p->base;

    skip(p, 1);
    if (p->in.len != 0 && is_slash(p, first(p))) {
        skip(p, 1);
        return read_file_host(p);
    }
    if (base != NULL && base->kind == CEL__URL_FILE) {
        set(&p->host, base->host);
        p->host_kind = base->host_kind;
        if (!starts_with_drive(p->in) && base->path.len >= 3 && base->path.ptr[2] == ':' &&
            is_letter(base->path.ptr[1]) && (base->path.len == 3 || base->path.ptr[3] == '/'))
            set(&p->path, (struct cel_str){base->path.ptr, 3});
    }
    return read_path(p);
}

static int read_file(struct cel__url_parse *p)
{
    const struct cel__url *base = p->base;

    p->host_kind = CEL__HOST_EMPTY;
    if (p->in.len != 0 && is_slash(p, first(p)))
        return read_file_slash(p);
    if (base == NULL || base->kind != CEL__URL_FILE)
        return read_path(p);
    set(&p->host, base->host);
    p->host_kind = base->host_kind;
    copy_path(p);
    if (!starts_with_drive(p->in))
        return read_relative_path(p);
    p->has_query = false;
    cel__buf_clear(&p->query);
    cel__buf_clear(&p->path);
    return read_path(p);
}

/* Behind "scheme:". */
static int read_absolute(struct cel__url_parse *p)
{
    bool has_two = p->in.len >= 2 && p->in.ptr[0] == '/' && p->in.ptr[1] == '/';

    if (p->kind == CEL__URL_FILE)
        return read_file(p);
    if (is_special(p)) {
        if (!has_two && p->base != NULL && p->base->kind == p->kind)
            return read_relative(p);
        return read_slashes(p);
    }
    if (has_two) {
        skip(p, 2);
        return read_authority(p);
    }
    if (first(p) == '/') {
        skip(p, 1);
        return read_path(p);
    }
    return read_opaque_path(p);
}

/* "scheme:" at the begin -> its length without the colon, or 0. */
static size_t scheme_len(struct cel_str s)
{
    size_t i = 0;

    if (s.len == 0 || !is_letter(s.ptr[0]))
        return 0;
    while (i < s.len && (is_letter(s.ptr[i]) || (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
                         s.ptr[i] == '+' || s.ptr[i] == '-' || s.ptr[i] == '.'))
        i++;
    return i < s.len && s.ptr[i] == ':' ? i : 0;
}

static int read_without_scheme(struct cel__url_parse *p)
{
    const struct cel__url *base = p->base;

    if (base == NULL)
        return bad(p, "no scheme such as https://, and nothing to resolve against");
    p->kind = base->kind;
    set(&p->scheme, base->scheme);
    if (base->is_opaque) {
        if (first(p) != '#')
            return bad(p, "relative to a URL without a hierarchy");
        copy_path(p);
        skip(p, 1);
        read_fragment(p);
        return 0;
    }
    return p->kind == CEL__URL_FILE ? read_file(p) : read_relative(p);
}

static int read_url(struct cel__url_parse *p)
{
    size_t len = scheme_len(p->in);

    if (len == 0)
        return read_without_scheme(p);
    for (size_t i = 0; i < len; i++)
        cel__buf_add_char(&p->scheme, cel__char_lower(p->in.ptr[i]));
    skip(p, len + 1);
    for (unsigned k = CEL__URL_HTTP; k <= CEL__URL_FILE; k++)
        if (cel__str_eq(cel__buf_str(&p->scheme), cel__str(schemes[k].name)))
            p->kind = (enum cel__url_scheme)k;
    return read_absolute(p);
}

static bool is_control_or_space(char c)
{
    return (uint8_t)c <= 0x20;
}

/* Takes blanks off the ends and tabs and line ends out, or refuses them. */
static int clean(struct cel__url_parse *p)
{
    struct cel_str s = p->in;
    bool has_any = false;

    for (size_t i = 0; i < s.len; i++)
        has_any |= is_control_or_space(s.ptr[i]) || s.ptr[i] == 0x7f;
    if (!has_any)
        return 0;
    if ((p->flags & CEL__URL_STRICT) != 0)
        return bad(p, "blank or control byte");
    while (s.len != 0 && is_control_or_space(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len != 0 && is_control_or_space(s.ptr[s.len - 1]))
        s.len--;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\t' && s.ptr[i] != '\n' && s.ptr[i] != '\r')
            cel__buf_add_char(&p->clean, s.ptr[i]);
    p->in = cel__buf_str(&p->clean);
    if (p->in.ptr == NULL)
        p->in.ptr = "";
    return 0;
}

int cel__url_parse_run(struct cel__url_parse *p)
{
    int r;

    p->port = -1;
    if (p->in.ptr == NULL)
        p->in.ptr = "";
    r = clean(p);
    if (r == 0)
        r = read_url(p);
    if (r == 0 &&
        (p->clean.failed || p->scheme.failed || p->username.failed || p->password.failed ||
         p->host.failed || p->path.failed || p->query.failed || p->fragment.failed))
        r = -ENOMEM;
    if (r == -ENOMEM)
        p->why = "no memory";
    return r;
}

void cel__url_parse_fini(struct cel__url_parse *p)
{
    cel__buf_fini(&p->clean);
    cel__buf_fini(&p->scheme);
    cel__buf_fini(&p->username);
    cel__buf_fini(&p->password);
    cel__buf_fini(&p->host);
    cel__buf_fini(&p->path);
    cel__buf_fini(&p->query);
    cel__buf_fini(&p->fragment);
}

unsigned cel__url_default_port(enum cel__url_scheme scheme)
{
    return (unsigned)cel__max(schemes[scheme].port, 0);
}
