/* SPDX-License-Identifier: MIT */
/* All fields in one walk over the page: each element is shown to each selector
 * that still wants one, and the walk ends when none does. A hit is only noted;
 * what it holds is copied when the walk is over, field by field. */
#include "html/extract.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "html/above.h"
#include "html/html.h"
#include "html/item.h"
#include "html/serialize.h"
#include "html/text.h"

static struct cel_str attr_of(const struct cel__tree *t, uint32_t node, struct cel_str name)
{
    uint32_t number = cel__names_find(&t->names, name);
    const struct cel__attr *a = number != 0 ? cel__node_attr(t, node, number) : NULL;

    return a != NULL ? cel__attr_value(t, a) : (struct cel_str){NULL, 0};
}

/* The value of a hit; ptr is NULL when the element lacks what is asked. */
struct cel_str cel__extraction_value(struct cel__extraction *x, const struct cel__hit *hit)
{
    const struct cel__field *f = &x->fields->list[hit->field];
    const struct cel__tree *t = x->tree;

    if (f->attr != NULL)
        return attr_of(t, hit->node, cel__str(f->attr));
    cel__buf_clear(&x->scratch);
    switch ((enum cel__take)hit->by->take) {
    case CEL__TAKE_ATTR:
        return attr_of(t, hit->node, hit->by->attr);
    case CEL__TAKE_HTML:
    case CEL__TAKE_INNER:
        cel__serialize(t, hit->node, hit->by->take == CEL__TAKE_INNER, &x->scratch);
        return (struct cel_str){x->scratch.ptr != NULL ? x->scratch.ptr : "", x->scratch.len};
    case CEL__TAKE_TEXT:
        cel__text_own(t, hit->node, &x->scratch);
        return x->scratch.len != 0 ? cel__text_strip(cel__buf_str(&x->scratch))
                                   : (struct cel_str){NULL, 0};
    case CEL__TAKE_ALL_TEXT:
        break;
    }
    return cel__text_strip(cel__node_text(t, hit->node));
}

/* Whether the element has what the field takes; if not, a later one may. */
static bool has_value(struct cel__extraction *x, const struct cel__hit *hit)
{
    const struct cel__field *f = &x->fields->list[hit->field];

    if (f->attr == NULL && hit->by->take != CEL__TAKE_ATTR && hit->by->take != CEL__TAKE_TEXT)
        return true;
    return cel__extraction_value(x, hit).ptr != NULL;
}

int cel__extraction_note(struct cel__extraction *x, const struct cel__hit *hit)
{
    if (x->hit_count == x->hit_cap) {
        size_t cap = x->hit_cap != 0 ? x->hit_cap * 2 : 32;
        struct cel__hit *grown = cel__mem_realloc(x->hits, cap * sizeof *grown);

        if (grown == NULL)
            return -ENOMEM;
        x->hits = grown;
        x->hit_cap = cap;
    }
    x->hits[x->hit_count++] = *hit;
    return 0;
}

/* Shows the element to one seeker. -> 1 when that seeker has all it wants. */
static int show(struct cel__extraction *x, struct cel__seeker *s, uint32_t i, uint64_t above)
{
    struct cel__hit hit = {.field = s->index, .node = i};
    int r;

    hit.by = cel__match_below(&s->match, i, above);
    if (hit.by == NULL)
        return cel__match_is_exhausted(&s->match) ? -CEL_ETOOLARGE : 0;
    if (!has_value(x, &hit))
        return x->scratch.failed ? -ENOMEM : 0;
    r = cel__extraction_note(x, &hit);
    return r < 0 ? r : !s->wants_all;
}

static int show_all(struct cel__extraction *x, uint32_t i, uint64_t above)
{
    uint64_t own = x->tree->marks[i];

    for (size_t k = 0; k < x->live_count;) {
        int r = cel__match_may(x->needs[k], own, above) ? show(x, x->live[k], i, above) : 0;

        if (r < 0)
            return r;
        if (r == 1)
            cel__extraction_end_live(x, k);
        else
            k++;
    }
    return 0;
}

static int walk(struct cel__extraction *x)
{
    struct cel__above above;
    int r = 0;

    cel__above_init(&above, x->tree, 0);
    for (uint32_t i = 1; i < x->tree->count && x->live_count != 0 && r == 0; i++)
        if (x->tree->marks[i] & CEL__MARK_ELEMENT)
            r = show_all(x, i, cel__above_next(&above, i));
    return r;
}

static int add_bytes(struct cel_item *item, struct cel_str bytes, struct cel__item_value *v)
{
    v->at = item->bytes.len;
    if (cel__text_add(&item->bytes, bytes) < 0)
        return -ENOMEM;
    v->len = item->bytes.len - v->at;
    return cel__buf_add_char(&item->bytes, '\0');
}

/* Taken on the way, or still in the tree. */
static struct cel_str value_at(struct cel__extraction *x, const struct cel__hit *hit)
{
    if (!x->is_taken)
        return cel__extraction_value(x, hit);
    if (hit->len == 0) /* maybe nothing was taken at all, and there is no buffer */
        return (struct cel_str){"", 0};
    return (struct cel_str){x->taken.ptr + hit->at, hit->len};
}

/* Values of one field, as they are or joined into one. */
static int fill_field(struct cel__extraction *x, struct cel_item *item, uint32_t field,
                      size_t *values)
{
    const struct cel__field *f = &x->fields->list[field];
    struct cel__item_field *out = &item->fields[field];
    struct cel__item_value v;

    out->first = *values;
    for (size_t k = 0; k < x->hit_count; k++) {
        struct cel_str value;

        if (x->hits[k].field != field || x->hits[k].is_void)
            continue;
        value = value_at(x, &x->hits[k]);
        if (out->count != 0 && !f->is_list && f->join == NULL)
            break;
        if (f->join != NULL && out->count != 0) {
            struct cel__item_value *last = &item->values[*values - 1];

            item->bytes.len--; /* the NUL */
            if (add_bytes(item, cel__str(f->join), &v) < 0)
                return -ENOMEM;
            item->bytes.len--;
            if (add_bytes(item, value, &v) < 0)
                return -ENOMEM;
            last->len = v.at + v.len - last->at;
        } else {
            if (add_bytes(item, value, &item->values[*values]) < 0)
                return -ENOMEM;
            ++*values;
            out->count++;
        }
    }
    out->kind = f->is_list ? CEL_ITEM_LIST : out->count != 0 ? CEL_ITEM_STRING : CEL_ITEM_MISSING;
    return x->scratch.failed ? -ENOMEM : 0;
}

int cel__extraction_fill(struct cel__extraction *x, struct cel_item **out)
{
    struct cel_item *item = cel__mem_zalloc(sizeof *item);
    struct cel__item_value name;
    size_t values = 0;

    if (item == NULL)
        return -ENOMEM;
    item->count = x->fields->count;
    item->fields = cel__mem_array(item->count, sizeof *item->fields);
    item->values = cel__mem_array(x->hit_count, sizeof *item->values);
    if (item->fields == NULL || item->values == NULL || cel__buf_reserve(&item->bytes, 1024) < 0)
        goto fail;
    for (uint32_t i = 0; i < item->count; i++) {
        if (add_bytes(item, cel__str(x->fields->list[i].name), &name) < 0)
            goto fail;
        item->fields[i].name_at = name.at;
        if (fill_field(x, item, i, &values) < 0)
            goto fail;
    }
    *out = item;
    return 0;

fail:
    cel_item_free(item);
    return -ENOMEM;
}

int cel__extraction_begin(struct cel__extraction *x, struct cel__names *early)
{
    size_t count = x->fields->count;

    x->seekers = cel__mem_array(count, sizeof *x->seekers);
    x->live = cel__mem_array(count, sizeof *x->live);
    x->needs = cel__mem_array(count, sizeof *x->needs);
    if (x->seekers == NULL || x->live == NULL || x->needs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct cel__seeker *s = &x->seekers[i];
        int r;

        s->field = &x->fields->list[i];
        s->index = (uint32_t)i;
        s->wants_all = s->field->is_list || s->field->join != NULL;
        if (early != NULL)
            r = cel__match_init_early(&s->match, s->field->selector, x->tree, early);
        else
            r = cel__match_init(&s->match, s->field->selector, x->tree, 0);
        if (r < 0)
            return r;
        x->live[x->live_count] = s;
        x->needs[x->live_count++] = s->match.need;
    }
    return 0;
}

void cel__extraction_end(struct cel__extraction *x)
{
    if (x->seekers != NULL)
        for (size_t i = 0; i < x->fields->count; i++)
            cel__match_fini(&x->seekers[i].match);
    cel__mem_free(x->seekers);
    cel__mem_free(x->live);
    cel__mem_free(x->needs);
    cel__mem_free(x->hits);
    cel__buf_fini(&x->scratch);
    cel__buf_fini(&x->taken);
}

int cel_fields_extract(const struct cel_fields *fields, const struct cel_html *doc,
                       struct cel_item **out)
{
    struct cel__extraction x = {.fields = fields, .tree = &doc->tree};
    int r = cel__extraction_begin(&x, NULL);

    if (r == 0)
        r = walk(&x);
    if (r == 0)
        r = cel__extraction_fill(&x, out);
    cel__extraction_end(&x);
    return r;
}

struct cel_item *cel_extract(const struct cel_html *doc, const struct cel_field *fields)
{
    struct cel_fields *set;
    struct cel_item *item = NULL;
    struct cel_error error;
    int r;

    if (doc == NULL)
        return NULL;
    r = cel_fields_new(&set, fields, &error);
    if (r < 0) {
        cel__log(CEL_LOG_ERROR, "cannot extract: %s", error.text);
        return NULL;
    }
    r = cel_fields_extract(set, doc, &item);
    cel_fields_free(set);
    if (r < 0)
        cel__log(CEL_LOG_ERROR, "cannot extract: %s", cel_strerror(r));
    return r < 0 ? NULL : item;
}
