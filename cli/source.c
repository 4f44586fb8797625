/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/base.h>

#include "command.h"

/* One byte too many shows that it is too long. */
char *source_read(const char *path, size_t *len)
{
    char *bytes = NULL, *grown;
    size_t room = 0, n = 0;
    FILE *f;

    errno = 0;
    f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    while (f != NULL && !feof(f) && !ferror(f) && n <= SOURCE_MAX) {
        if (n == room) {
            room = room != 0 ? 2 * room : 65536;
            grown = realloc(bytes, room);
            if (grown == NULL)
                break;
            bytes = grown;
        }
        n += fread(bytes + n, 1, room - n, f);
    }
    if (f == NULL || !feof(f)) {
        complain("cannot read %s: %s", path,
                 n > SOURCE_MAX ? "more than 256 MiB" : cel_strerror(errno != 0 ? -errno : -EIO));
        free(bytes);
        bytes = NULL;
    }
    if (f != NULL && f != stdin)
        fclose(f);
    *len = n;
    return bytes;
}
