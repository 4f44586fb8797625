/* SPDX-License-Identifier: MIT */
/* Protocols made of lines and of other pieces with an end that can be seen. Bytes are looked at
 * where they lie, and copied once they are a whole piece; nothing is looked at twice, but for as
 * many as a separator may have begun with. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "io/stream.h"

/* Takes n bytes, of which the first `len` are the line. */
static ssize_t take(struct cel_stream *s, const char *data, size_t len, size_t n, void *buf)
{
    if (len > 0)
        memcpy(buf, data, len);
    cel_consume(s, n);
    return (ssize_t)len;
}

static size_t without_return(const char *data, size_t len)
{
    return len > 0 && data[len - 1] == '\r' ? len - 1 : len;
}

ssize_t cel_read_line(struct cel_stream *s, void *buf, size_t cap)
{
    size_t seen = 0;

    for (;;) {
        const char *data, *end;
        ssize_t have = cel_peek(s, &data, seen + 1); /* parks */
        size_t len;

        if (have < 0)
            return have;
        if (have == 0)
            return -CEL_EEOF;
        end = memchr(data + seen, '\n', (size_t)have - seen);
        if (end != NULL || (size_t)have == seen) {
            len = end != NULL ? without_return(data, (size_t)(end - data)) : seen;
            return len > cap
                       ? -CEL_ETOOLARGE
                       : take(s, data, len, end != NULL ? (size_t)(end - data) + 1 : len, buf);
        }
        seen = (size_t)have;
        if (seen > cap + 1)
            return -CEL_ETOOLARGE;
    }
}

struct hit {
    size_t end; /* behind the separator */
    size_t which;
};

/* Is this end sooner, or the same by a longer separator? */
static bool is_better(const struct cel_str *separators, const struct hit *a, const struct hit *b)
{
    return a->end < b->end ||
           (a->end == b->end && separators[a->which].len > separators[b->which].len);
}

/* The first that is complete in the bytes from `seen` on; end SIZE_MAX: none. */
static struct hit find(const char *data, size_t len, size_t seen, const struct cel_str *separators,
                       size_t count)
{
    struct hit best = {SIZE_MAX, 0};

    for (size_t i = 0; i < count; i++) {
        size_t from = seen >= separators[i].len ? seen - (separators[i].len - 1) : 0;
        const char *at = memmem(data + from, len - from, separators[i].ptr, separators[i].len);
        struct hit hit = {SIZE_MAX, i};

        if (at == NULL)
            continue;
        hit.end = (size_t)(at - data) + separators[i].len;
        if (best.end == SIZE_MAX || is_better(separators, &hit, &best))
            best = hit;
    }
    return best;
}

static bool are_separators(const struct cel_str *separators, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (separators[i].len == 0)
            return false;
    return count > 0;
}

ssize_t cel_read_until_any(struct cel_stream *s, const struct cel_str *separators, size_t count,
                           void *buf, size_t cap, size_t *which)
{
    size_t seen = 0;

    if (!are_separators(separators, count))
        return -EINVAL;
    for (;;) {
        const char *data;
        ssize_t have = cel_peek(s, &data, seen + 1); /* parks */
        struct hit hit;

        if (have < 0)
            return have;
        if ((size_t)have == seen)
            return have == 0 ? 0 : -CEL_EEOF;
        hit = find(data, (size_t)have, seen, separators, count);
        if (hit.end <= cap) {
            if (which != NULL)
                *which = hit.which;
            return take(s, data, hit.end, hit.end, buf);
        }
        seen = (size_t)have;
        if (seen >= cap)
            return -CEL_ETOOLARGE;
    }
}
