/* SPDX-License-Identifier: MIT */
#include "http/conditions.h"

#include "base/cc.h"
#include "base/str.h"
#include "http/serving.h"
#include "proto/date.h"

/* A list of entity tags. Weak ones never match strongly; "*" is any version that there is. */
static bool list_has(struct cel_str list, struct cel_str etag, bool is_strong)
{
    struct cel_str item;

    while (cel__str_split(&list, ',', &item)) {
        item = cel__str_trim(item);
        if (!is_strong && cel__str_starts(item, CEL_LIT("W/")))
            item = (struct cel_str){item.ptr + 2, item.len - 2};
        if (cel__str_eq(item, etag) || cel__str_eq(item, CEL_LIT("*")))
            return true;
    }
    return false;
}

/* Whether the header holds a date, and the version is no newer. What is no date says nothing. */
static bool is_since(const struct cel_request *req, const char *header, int64_t mtime,
                     bool otherwise)
{
    struct cel_str text = cel_request_header(req, header);
    int64_t since;

    if (text.ptr == NULL || cel__date_parse(text, mtime, &since) < 0)
        return otherwise;
    return mtime <= since;
}

/* RFC 9110 13.2.2: the order, and which rules out which. */
int cel__conditions_judge(const struct cel_request *req, const struct cel__version *v)
{
    struct cel_str etag = cel__str(v->etag), wanted = cel_request_header(req, "If-Match"), had;

    if (wanted.ptr != NULL) {
        if (!list_has(wanted, etag, true))
            return 412;
    } else if (!is_since(req, "If-Unmodified-Since", v->mtime, true)) {
        return 412;
    }
    had = cel_request_header(req, "If-None-Match");
    if (had.ptr != NULL)
        return list_has(had, etag, false) ? 304 : 200;
    return is_since(req, "If-Modified-Since", v->mtime, false) ? 304 : 200;
}

/* By tag, or by a date that is exactly the version's. */
static bool is_of_this_version(const struct cel_request *req, const struct cel__version *v)
{
    struct cel_str condition = cel_request_header(req, "If-Range");
    int64_t date;

    if (condition.ptr == NULL || cel__str_eq(condition, cel__str(v->etag)))
        return true;
    return cel__date_parse(condition, v->mtime, &date) == 0 && date == v->mtime;
}

/* A number of bytes; what is larger than any file is as good as the largest. */
static bool read_number(struct cel_str text, int64_t *out)
{
    uint64_t n;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    *out = cel__str_to_u64(text, &n) == 0 && n < INT64_MAX ? (int64_t)n : INT64_MAX;
    return true;
}

/* "-500": the last 500. */
static bool range_of_suffix(struct cel_str last, int64_t size, struct cel__range *out)
{
    int64_t n;

    if (!read_number(last, &n))
        return true;
    if (n == 0 || size == 0)
        return false;
    n = cel__min(n, size);
    *out = (struct cel__range){size - n, n, true};
    return true;
}

static bool range_of_text(struct cel_str text, int64_t size, struct cel__range *out)
{
    struct cel_str rest = text, first, last;
    int64_t from, to = INT64_MAX;

    if (!cel__str_split(&rest, '-', &first) || rest.ptr == NULL)
        return true;
    first = cel__str_trim(first);
    last = cel__str_trim(rest);
    if (first.len == 0)
        return range_of_suffix(last, size, out);
    if (!read_number(first, &from) || (last.len != 0 && !read_number(last, &to)) || to < from)
        return true; /* no range by the grammar: as if it were not there */
    if (from >= size)
        return false;
    *out = (struct cel__range){from, cel__min(to, size - 1) - from + 1, true};
    return true;
}

bool cel__conditions_range(const struct cel_request *req, const struct cel__version *v,
                           struct cel__range *out)
{
    struct cel_str rest = cel_request_header(req, "Range"), unit;

    *out = (struct cel__range){0, v->size, false};
    if (rest.ptr == NULL || req->head.method != CEL__H1_GET || !is_of_this_version(req, v))
        return true;
    if (!cel__str_split(&rest, '=', &unit) || rest.ptr == NULL ||
        !cel__str_ieq(cel__str_trim(unit), CEL_LIT("bytes")))
        return true;
    return range_of_text(rest, v->size, out);
}
