/* SPDX-License-Identifier: MIT */
#include "proto/mime.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/h1_scan.h"

static bool is_token(struct cel_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!cel__h1_is_token(s.ptr[i]))
            return false;
    return s.len != 0;
}

static size_t until(struct cel_str s, char a, char b)
{
    size_t i = 0;

    while (i < s.len && s.ptr[i] != a && s.ptr[i] != b)
        i++;
    return i;
}

static void skip(struct cel_str *s, size_t n)
{
    s->ptr += n;
    s->len -= n;
}

/* s begins behind the opening quote -> what is inside; s is left behind the closing one. */
static struct cel_str take_quoted(struct cel_str *s)
{
    struct cel_str inside = {s->ptr, 0};

    while (inside.len < s->len && s->ptr[inside.len] != '"')
        inside.len += s->ptr[inside.len] == '\\' && inside.len + 1 < s->len ? 2 : 1;
    skip(s, inside.len < s->len ? inside.len + 1 : inside.len);
    return inside;
}

bool cel__mime_param_next(struct cel_str *params, struct cel_str *name, struct cel_str *value)
{
    while (params->len != 0) {
        size_t n;

        *params = cel__str_trim(*params);
        n = until(*params, ';', '=');
        *name = cel__str_trim((struct cel_str){params->ptr, n});
        *value = (struct cel_str){params->ptr, 0};
        skip(params, n);
        if (params->len != 0 && params->ptr[0] == '=') {
            skip(params, 1);
            if (params->len != 0 && params->ptr[0] == '"') {
                skip(params, 1);
                *value = take_quoted(params);
                n = until(*params, ';', ';');
            } else {
                n = until(*params, ';', ';');
                *value = cel__str_trim((struct cel_str){params->ptr, n});
            }
            skip(params, n);
        }
        if (params->len != 0)
            skip(params, 1);
        if (is_token(*name))
            return true;
    }
    return false;
}

int cel__mime_parse(struct cel__mime *m, struct cel_str text)
{
    struct cel_str rest, name, value;
    struct cel__mime made = {0};
    size_t n;

    text = cel__str_trim(text);
    n = until(text, ';', ';');
    made.essence = cel__str_trim((struct cel_str){text.ptr, n});
    made.params = (struct cel_str){text.ptr + cel__min(n + 1, text.len),
                                   text.len - cel__min(n + 1, text.len)};
    n = until(made.essence, '/', '/');
    if (n == made.essence.len)
        return -EINVAL;
    made.type = (struct cel_str){made.essence.ptr, n};
    made.subtype = (struct cel_str){made.essence.ptr + n + 1, made.essence.len - n - 1};
    if (!is_token(made.type) || !is_token(made.subtype))
        return -EINVAL;
    rest = made.params;
    while (made.charset.len == 0 && cel__mime_param_next(&rest, &name, &value))
        if (cel__str_ieq(name, CEL_LIT("charset")))
            made.charset = value;
    *m = made;
    return 0;
}

bool cel__mime_is(const struct cel__mime *m, const char *essence)
{
    return cel__str_ieq(m->essence, cel__str(essence));
}

static bool ends_with(struct cel_str s, struct cel_str end)
{
    return s.len >= end.len &&
           cel__str_ieq((struct cel_str){s.ptr + s.len - end.len, end.len}, end);
}

bool cel__mime_is_text(const struct cel__mime *m)
{
    return cel__str_ieq(m->type, CEL_LIT("text")) || ends_with(m->subtype, CEL_LIT("json")) ||
           ends_with(m->subtype, CEL_LIT("xml")) || ends_with(m->subtype, CEL_LIT("javascript"));
}

#define TEXT "; charset=utf-8"

/* Sorted by extension; a test holds that. */
static const struct {
    const char *extension;
    const char *type;
} types[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"c", "text/plain" TEXT},
    {"css", "text/css" TEXT},
    {"csv", "text/csv" TEXT},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"h", "text/plain" TEXT},
    {"htm", "text/html" TEXT},
    {"html", "text/html" TEXT},
    {"ico", "image/x-icon"},
    {"ics", "text/calendar" TEXT},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript" TEXT},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"log", "text/plain" TEXT},
    {"m4a", "audio/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown" TEXT},
    {"mjs", "text/javascript" TEXT},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"sh", "text/plain" TEXT},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain" TEXT},
    {"vtt", "text/vtt" TEXT},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xml", "application/xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

/* As strcmp, without regard to the case of a. */
static int compare(struct cel_str a, const char *b)
{
    for (size_t i = 0; i < a.len; i++) {
        int difference = (uint8_t)cel__char_lower(a.ptr[i]) - (uint8_t)b[i];

        if (difference != 0 || b[i] == '\0')
            return difference != 0 ? difference : 1;
    }
    return b[a.len] == '\0' ? 0 : -1;
}

const char *cel__mime_of_path(struct cel_str path)
{
    size_t at = path.len, low = 0, high = cel__countof(types);

    while (at != 0 && path.ptr[at - 1] != '.' && path.ptr[at - 1] != '/')
        at--;
    if (at == 0 || path.ptr[at - 1] == '/')
        high = 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = compare((struct cel_str){path.ptr + at, path.len - at}, types[middle].extension);

        if (c == 0)
            return types[middle].type;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return "application/octet-stream";
}
