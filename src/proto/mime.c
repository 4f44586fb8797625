/* SPDX-License-Identifier: MIT */
#include "proto/mime.h"

#include "base/cc.h"
#include "base/str.h"

static const struct {
    const char *extension;
    const char *type;
} types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"svg", "image/svg+xml"},
};

const char *cel__mime_of_path(struct cel_str path)
{
    for (size_t i = 0; i < cel__countof(types); i++) {
        struct cel_str extension = cel__str(types[i].extension);

        if (path.len > extension.len && path.ptr[path.len - extension.len - 1] == '.' &&
            cel__str_ieq((struct cel_str){path.ptr + path.len - extension.len, extension.len},
                         extension))
            return types[i].type;
    }
    return "application/octet-stream";
}
