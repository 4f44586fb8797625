/* SPDX-License-Identifier: MIT */
/* A head is a row of lines. Each line function reads the line at h->at and returns
 *     > 0   its length with CR LF,
 *     0     the bytes ran out first,
 *     < 0   -(enum cel__h1_error).
 * An error counts only once the line's LF is there and within the limits (`settle`), which makes
 * the answer independent of how the bytes were split.
 *
 * Stages: BEGIN (nothing judged) -> START (first byte is good) -> FIELDS -> DONE. */
#include "proto/h1_parse.h"

#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/h1_frame.h"

enum { BEGIN, START, FIELDS, DONE };

struct feed {
    struct cel__h1_head *head;
    const struct cel__h1_scan *scan;
    const char *buf;
    const char *end;
    bool is_within_limits; /* all the bytes there are are fewer than any limit */
};

/* First offset at which the current line's LF may not stand any more. */
static inline uint32_t line_stop(const struct cel__h1_head *h)
{
    return cel__min(h->at + h->limits.line_bytes, h->limits.head_bytes);
}

static inline bool is_line_within(const struct feed *f, uint32_t at, uint32_t len)
{
    const struct cel__h1_limits *limits = &f->head->limits;

    return cel__likely(f->is_within_limits) ||
           (len <= limits->line_bytes && at + len <= limits->head_bytes);
}

static enum cel__h1_error limit_error(const struct cel__h1_head *h)
{
    if (h->at + h->limits.line_bytes > h->limits.head_bytes)
        return CEL__H1_E_HEAD_TOO_LARGE;
    return h->stage == START ? CEL__H1_E_START_TOO_LONG : CEL__H1_E_FIELD_TOO_LONG;
}

/* CR LF at p, where the byte there ended the line's last word; `bad` names any other byte. */
static inline int line_end(const char *p, const char *end, enum cel__h1_error bad)
{
    if (cel__likely(end - p >= 2 && memcmp(p, "\r\n", 2) == 0))
        return 2;
    if (p == end || (*p == '\r' && p + 1 == end))
        return 0;
    return *p == '\r' || *p == '\n' ? -(int)CEL__H1_E_LINE_END : -(int)bad;
}

static inline struct cel__h1_span span(const struct feed *f, const char *from, const char *to)
{
    return (struct cel__h1_span){(uint32_t)(from - f->buf), (uint32_t)(to - from)};
}

/* "HTTP/1.1" or "HTTP/1.0"; at least 8 bytes are there. */
static inline int read_version(struct cel__h1_head *h, const char *p)
{
    if (cel__likely(memcmp(p, "HTTP/1.1", 8) == 0)) {
        h->version_minor = 1;
        return 8;
    }
    if (memcmp(p, "HTTP/", 5) != 0 || p[5] < '0' || p[5] > '9' || p[6] != '.' || p[7] < '0' ||
        p[7] > '9')
        return -(int)CEL__H1_E_START_LINE;
    if (p[5] != '1' || p[7] > '1')
        return -(int)CEL__H1_E_VERSION;
    h->version_minor = (uint8_t)(p[7] - '0');
    return 8;
}

static const char *read_method(struct feed *f, const char *p)
{
    struct cel__h1_head *h = f->head;
    const char *q = p;

    if (cel__likely(f->end - p >= 4 && memcmp(p, "GET ", 4) == 0)) {
        h->method = CEL__H1_GET;
        q = p + 3;
    } else {
        while (q != f->end && cel__h1_is_token(*q))
            q++;
        h->method = cel__h1_method_find((struct cel_str){p, (size_t)(q - p)});
    }
    h->method_name = span(f, p, q);
    return q;
}

static int request_line(struct feed *f)
{
    struct cel__h1_head *h = f->head;
    const char *p = f->buf + h->at, *target, *q;
    enum cel__h1_error e;
    int r;

    q = read_method(f, p);
    if (q == f->end)
        return 0;
    if (*q != ' ')
        return *q == '\r' || *q == '\n' ? -(int)CEL__H1_E_START_LINE : -(int)CEL__H1_E_METHOD;
    target = q + 1;
    q = f->scan->target(f->buf, target, f->end);
    if (q == f->end)
        return 0;
    if (q == target || *q == '\r' || *q == '\n')
        return -(int)CEL__H1_E_START_LINE;
    if (*q != ' ')
        return -(int)CEL__H1_E_TARGET;
    h->target = span(f, target, q);
    if (f->end - q < 9)
        return -(int)CEL__H1_E_START_LINE;
    r = read_version(h, q + 1);
    if (r < 0)
        return r;
    q += 9;
    r = line_end(q, f->end, CEL__H1_E_START_LINE);
    if (r <= 0)
        return r;
    e = cel__h1_frame_target(h, f->buf);
    return e != CEL__H1_E_NONE ? -(int)e : (int)(q - p) + r;
}

/* Version and status, the 12 bytes at p. */
static int read_status(struct cel__h1_head *h, const char *p)
{
    int r = read_version(h, p);

    if (r < 0)
        return r;
    h->status = 0;
    for (int i = 9; i < 12; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -(int)CEL__H1_E_STATUS;
        h->status = (uint16_t)(h->status * 10 + (p[i] - '0'));
    }
    return p[8] == ' ' && h->status >= 100 ? 12 : -(int)CEL__H1_E_STATUS;
}

static int status_line(struct feed *f)
{
    struct cel__h1_head *h = f->head;
    const char *p = f->buf + h->at, *q = p + 12, *reason;
    int r;

    if (f->end - p < 13)
        return -(int)CEL__H1_E_START_LINE;
    r = read_status(h, p);
    if (r < 0)
        return memchr(p, '\n', 12) != NULL ? -(int)CEL__H1_E_START_LINE : r;
    if (*q != ' ') {
        r = line_end(q, f->end, CEL__H1_E_STATUS);
    } else {
        reason = q + 1;
        q = f->scan->text(f->buf, reason, f->end);
        h->reason = span(f, reason, q);
        r = line_end(q, f->end, CEL__H1_E_REASON);
    }
    return r <= 0 ? r : (int)(q - p) + r;
}

/* What is wrong with the line at p, which the scanner did not take; 0 when it is not whole. */
static int bad_line(const struct feed *f, const char *p)
{
    const char *q = p;
    int r;

    while (q != f->end && cel__h1_is_token(*q))
        q++;
    if (q == f->end)
        return 0;
    if (*q == ' ' || *q == '\t')
        return q == p ? -(int)CEL__H1_E_FIELD_FOLD : -(int)CEL__H1_E_FIELD_SPACE;
    if (*q == '\r' || *q == '\n')
        return -(int)CEL__H1_E_LINE_END;
    if (*q != ':')
        return -(int)CEL__H1_E_FIELD_NAME;
    if (q == p)
        return -(int)CEL__H1_E_FIELD_EMPTY;
    r = line_end(f->scan->text(f->buf, q + 1, f->end), f->end, CEL__H1_E_FIELD_VALUE);
    CEL__ASSERT(r <= 0);
    return r;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The field is read where it stays: a copy of what was just written in pieces would wait for the
 * store buffer, 5 ns a field. */
static inline int keep_field(struct feed *f, const struct cel__h1_field *field)
{
    struct cel__h1_head *h = f->head;
    bool is_framing = field->id != CEL__FIELD_OTHER && field->id <= CEL__FIELD_UPGRADE;

    if (cel__unlikely(h->kind == CEL__H1_TRAILER)) {
        if (is_framing)
            return -(int)CEL__H1_E_TRAILER_FIELD;
        if (cel__field_is_forbidden_in_trailer(field->id))
            return 0;
    } else if (is_framing) {
        enum cel__h1_error e = cel__h1_frame_field(h, f->buf, field);

        if (e != CEL__H1_E_NONE)
            return -(int)e;
    }
    h->field_count++;
    h->known |= UINT64_C(1) << field->id;
    return 0;
}

/* The CR behind the value and the colon before it stop the searches for blanks. */
static inline int take_line(struct feed *f, const struct cel__h1_line *line)
{
    struct cel__h1_head *h = f->head;
    const char *value = f->buf + line->colon + 1, *value_end = f->buf + line->end;
    struct cel__h1_field *field = &h->fields[h->field_count];
    uint32_t name_len = line->colon - line->at;

    if (!is_line_within(f, line->at, line->end + 2 - line->at))
        return -(int)limit_error(h);
    if (cel__unlikely(h->field_count == h->field_cap))
        return -(int)CEL__H1_E_TOO_MANY_FIELDS;
    while (is_blank(*value))
        value++;
    while (is_blank(value_end[-1]) && value_end != value)
        value_end--;
    field->name_at = line->at;
    field->name_len = (uint16_t)name_len;
    field->value_at = (uint32_t)(value - f->buf);
    field->value_len = (uint32_t)(value_end - value);
    field->id = (uint8_t)cel__field_find((struct cel_str){f->buf + line->at, name_len});
    return keep_field(f, field);
}

/* The empty line that ends the head. */
static int last_line(struct feed *f)
{
    struct cel__h1_head *h = f->head;
    int r = line_end(f->buf + h->at, f->end, CEL__H1_E_LINE_END);
    enum cel__h1_error e;

    if (r <= 0)
        return r;
    if (!is_line_within(f, h->at, (uint32_t)r))
        return -(int)limit_error(h);
    e = h->kind == CEL__H1_TRAILER ? CEL__H1_E_NONE : cel__h1_frame_end(h, f->buf);
    if (e != CEL__H1_E_NONE)
        return -(int)e;
    h->at += (uint32_t)r;
    h->stage = DONE;
    return r;
}

/* All lines from h->at on, some at a time; the answer of the last that was read. */
static int field_lines(struct feed *f)
{
    struct cel__h1_head *h = f->head;
    struct cel__h1_line lines[16];
    unsigned n;

    do {
        n = f->scan->lines(f->buf, f->buf + h->at, f->end, lines, cel__countof(lines));
        for (unsigned i = 0; i < n; i++) {
            int r = take_line(f, &lines[i]);

            if (cel__unlikely(r < 0))
                return r;
            h->at = lines[i].end + 2;
        }
    } while (n == cel__countof(lines));
    if (f->buf + h->at == f->end)
        return 0;
    return f->buf[h->at] == '\r' ? last_line(f) : bad_line(f, f->buf + h->at);
}

/* The empty line before a request that some clients send, and the first byte. */
static int begin(struct cel__h1_head *h, const char *buf, size_t len)
{
    if (h->kind == CEL__H1_TRAILER) {
        h->stage = FIELDS;
        return 1;
    }
    if (h->kind == CEL__H1_REQUEST && buf[0] == '\r') {
        if (len < 2)
            return 0;
        if (buf[1] != '\n')
            return -(int)CEL__H1_E_FIRST_BYTE;
        h->at = 2;
    }
    if (len == h->at)
        return 0;
    if (h->kind == CEL__H1_REQUEST ? !cel__h1_is_token(buf[h->at]) : buf[0] != 'H')
        return -(int)CEL__H1_E_FIRST_BYTE;
    h->stage = START;
    return 1;
}

static ssize_t fail(struct cel__h1_head *h, enum cel__h1_error e)
{
    h->error = e;
    return cel__h1_error_code(e);
}

/* A line that was not read: r is its function's answer, 0 or an error. */
static ssize_t settle(struct cel__h1_head *h, const char *buf, size_t len, int r)
{
    uint32_t stop = line_stop(h);

    if (r < 0 && len > h->at && memchr(buf + h->at, '\n', cel__min(len, stop) - h->at) != NULL)
        return fail(h, (enum cel__h1_error) - r);
    if (len >= stop)
        return fail(h, limit_error(h));
    h->seen = (uint32_t)len;
    return 0;
}

/* Whether bytes that came since the last call hold the line's LF. */
static bool has_new_line_end(const struct cel__h1_head *h, const char *buf, size_t len)
{
    size_t to = cel__min(len, line_stop(h));

    return to > h->seen && memchr(buf + h->seen, '\n', to - h->seen) != NULL;
}

static int start_line(struct feed *f)
{
    struct cel__h1_head *h = f->head;
    int r = h->kind == CEL__H1_REQUEST ? request_line(f) : status_line(f);

    if (r <= 0)
        return r;
    if (!is_line_within(f, h->at, (uint32_t)r))
        return -(int)limit_error(h);
    h->at += (uint32_t)r;
    h->stage = FIELDS;
    return r;
}

ssize_t cel__h1_parse_by(const struct cel__h1_scan *scan, struct cel__h1_head *h, const char *buf,
                         size_t len)
{
    struct feed f = {.head = h, .scan = scan, .buf = buf};
    int r;

    if (h->error != CEL__H1_E_NONE)
        return cel__h1_error_code((enum cel__h1_error)h->error);
    CEL__ASSERT(h->stage != DONE);
    if (len == 0)
        return 0;
    len = cel__min(len, INT32_MAX);
    f.end = buf + len;
    f.is_within_limits = len <= cel__min(h->limits.line_bytes, h->limits.head_bytes);
    if (h->stage == BEGIN) {
        r = begin(h, buf, len);
        if (r <= 0)
            return r == 0 ? 0 : fail(h, (enum cel__h1_error) - r);
    }
    if (h->seen > h->at && !has_new_line_end(h, buf, len))
        return settle(h, buf, len, 0);
    r = h->stage == START ? start_line(&f) : 1;
    if (r > 0)
        r = field_lines(&f);
    return r > 0 ? (ssize_t)h->at : settle(h, buf, len, r);
}

ssize_t cel__h1_parse(struct cel__h1_head *h, const char *buf, size_t len)
{
    return cel__h1_parse_by(cel__h1_scan(), h, buf, len);
}
