/* SPDX-License-Identifier: MIT */
/* Responses: what came back, to be looked at without a copy and freed at once. */
#include "http/response.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* ---- making one ---- */

/* The block behind the struct: the fields' table, the head's bytes, the URL, the body. */
static void lay_out(struct cel__response *r, const struct cel__fetch *f, size_t text_cap)
{
    size_t table_size = f->head.field_count * sizeof *f->fields;
    struct cel__h1_field *table = (struct cel__h1_field *)(void *)(r + 1);
    char *bytes = (char *)table + table_size, *url = bytes + f->head_len;

    if (table_size > 0)
        memcpy(table, f->fields, table_size);
    memcpy(bytes, f->in, f->head_len);
    memcpy(url, f->target.url.ptr, f->target.url.len + 1);
    r->head = f->head;
    r->head.fields = table;
    r->head.field_cap = f->head.field_count;
    r->bytes = bytes;
    r->face.url = url;
    r->face.status = f->head.status;
    r->face.reason = cel__h1_slice(bytes, f->head.reason);
    r->text = (struct cel__buf){0};
    r->is_text_inside = text_cap > 0;
    if (text_cap > 0)
        r->text = (struct cel__buf){.ptr = url + f->target.url.len + 1, .cap = text_cap};
}

static int take_history(struct cel__response *r, struct cel__fetch *f)
{
    if (f->visit_count == 0)
        return 0;
    r->history = cel__mem_array(f->visit_count, sizeof *r->history);
    if (r->history == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < f->visit_count; i++) {
        r->history[i] = (struct cel_hop){f->visits[i].status, f->visits[i].url};
        f->visits[i].url = NULL;
    }
    r->face.history = r->history;
    r->face.history_count = f->visit_count;
    return 0;
}

int cel__response_new(struct cel__response **out, struct cel__fetch *f, size_t text_cap)
{
    size_t size = sizeof **out + f->head.field_count * sizeof *f->fields + f->head_len +
                  f->target.url.len + 1 + text_cap;
    struct cel__response *r = cel__mem_alloc(size);

    if (r == NULL)
        return -ENOMEM;
    lay_out(r, f, text_cap);
    r->session = f->session;
    r->source = NULL;
    r->early = (struct cel__buf){0};
    r->early_at = 0;
    r->total = f->limit.total;
    r->history = NULL;
    r->face.history = NULL;
    r->face.history_count = 0;
    if (take_history(r, f) < 0) {
        cel__mem_free(r);
        return -ENOMEM;
    }
    *out = r;
    return 0;
}

/* ---- looking at it ---- */

static const struct cel__response *inside(const struct cel_response *response)
{
    return (const struct cel__response *)(const void *)response;
}

struct cel_str cel_response_header(const struct cel_response *response, const char *name)
{
    const struct cel__response *r = inside(response);
    const struct cel__h1_field *f =
        r != NULL ? cel__h1_find_name(&r->head, r->bytes, cel__str(name), 0) : NULL;

    return f != NULL ? cel__h1_value(r->bytes, f) : (struct cel_str){0};
}

bool cel_response_header_at(const struct cel_response *response, size_t i, struct cel_str *name,
                            struct cel_str *value)
{
    const struct cel__response *r = inside(response);

    if (r == NULL || i >= r->head.field_count)
        return false;
    *name = cel__h1_name(r->bytes, &r->head.fields[i]);
    *value = cel__h1_value(r->bytes, &r->head.fields[i]);
    return true;
}

struct cel_str cel_text(const struct cel_response *response)
{
    const struct cel__response *r = inside(response);

    return r != NULL && r->text.ptr != NULL ? cel__buf_str(&r->text) : (struct cel_str){"", 0};
}

/* ---- a streamed body ---- */

void cel__response_end(struct cel__response *r)
{
    if (r->source == NULL)
        return;
    cel__source_fini(r->source);
    cel__mem_free(r->source);
    r->source = NULL;
    cel__session_let_go(r->session);
}

/* What came before the call that made the response had returned. */
static size_t give_early(struct cel__response *r, void *buf, size_t cap)
{
    size_t n = cel__min(cap, r->early.len - r->early_at);

    if (n > 0)
        memcpy(buf, r->early.ptr + r->early_at, n);
    r->early_at += n;
    if (r->early_at == r->early.len)
        cel__buf_fini(&r->early);
    if (r->early.ptr == NULL)
        r->early_at = 0;
    return n;
}

ssize_t cel_response_read(struct cel_response *response, void *buf, size_t cap)
{
    struct cel__response *r = (struct cel__response *)(void *)response;
    struct cel__limit limit;
    ssize_t n;

    if (r == NULL)
        return -EINVAL;
    if (r->source == NULL || cap == 0)
        return 0;
    if (r->early.len > 0) {
        n = cel_checkpoint();
        return n < 0 ? n : (ssize_t)give_early(r, buf, cap);
    }
    cel__limit_enter(&limit, r->total);
    n = cel__source_read(r->source, &limit, buf, cap); /* parks */
    return cel__limit_leave(&limit, n, "body", r->face.url);
}

int cel_response_load(struct cel_response *response)
{
    struct cel__response *r = (struct cel__response *)(void *)response;
    struct cel__limit limit;
    int code;

    if (r == NULL)
        return -EINVAL;
    if (r->source == NULL)
        return 0;
    if (r->early.len > 0) {
        memmove(r->early.ptr, r->early.ptr + r->early_at, r->early.len - r->early_at);
        r->text = r->early;
        r->text.len -= r->early_at;
        r->early = (struct cel__buf){0};
        r->early_at = 0;
    }
    cel__limit_enter(&limit, r->total);
    code = cel__source_read_all(r->source, &limit, &r->text); /* parks */
    code = (int)cel__limit_leave(&limit, code, "body", r->face.url);
    if (code == 0)
        cel__response_end(r);
    return code;
}

void cel_response_free(struct cel_response *response)
{
    struct cel__response *r = (struct cel__response *)(void *)response;

    if (r == NULL)
        return;
    cel__response_end(r);
    for (size_t i = 0; i < r->face.history_count; i++)
        cel__mem_free((char *)r->history[i].url);
    cel__mem_free(r->history);
    cel__buf_fini(&r->early);
    if (!r->is_text_inside)
        cel__buf_fini(&r->text);
    cel__mem_free(r);
}
