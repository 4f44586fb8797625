/* SPDX-License-Identifier: MIT */
/* The public suffix list, by libpsl with the data it is built with: no file is read. */
#include "http/suffix.h"

#include <libpsl.h>
#include <string.h>

#define NAME_MAX_BYTES 255

bool cel__suffix_is_public(struct cel_str name)
{
    char text[NAME_MAX_BYTES + 1];

    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return true;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return psl_is_public_suffix(psl_builtin(), text) != 0;
}
