/* SPDX-License-Identifier: MIT */
/* Fields from a page in one pass: each element is shown to the seekers when its start tag is read,
 * and what they want of it is taken when it ends. The result is that of the finished tree; where
 * this way cannot promise that (html/sieve.h), the page is parsed again, into one.
 *
 * 1. Hits are noted in the order of their start tags, which is the document's.
 * 2. `open` holds the hits whose elements have not ended, innermost last.
 * 3. Before a meta element has confirmed an encoding that was only assumed, nothing is over. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "html/charset_meta.h"
#include "html/extract.h"
#include "html/html.h"
#include "html/parse.h"

#define NEEDS_TREE 1

struct scan {
    struct cel__extraction x;
    struct cel__sieve sieve;
    struct cel__parser *parser;
    enum cel__encoding encoding;
    struct cel_str html; /* decoded */
    bool is_settled;     /* the encoding is */
    bool must_go_on;     /* to the page's end */
    uint32_t *open;      /* hits */
    uint32_t open_count, open_cap;
};

static bool takes_attr(const struct cel__seeker *s, const struct cel__complex *by)
{
    return s->field->attr != NULL || by->take == CEL__TAKE_ATTR;
}

static int push_open(struct scan *scan, uint32_t hit)
{
    if (scan->open_count == scan->open_cap) {
        uint32_t cap = scan->open_cap != 0 ? scan->open_cap * 2 : 16;
        uint32_t *grown = cel__mem_realloc(scan->open, cap * sizeof *grown);

        if (grown == NULL)
            return -ENOMEM;
        scan->open = grown;
        scan->open_cap = cap;
    }
    scan->open[scan->open_count++] = hit;
    return 0;
}

static int take_value(struct cel__extraction *x, struct cel__hit *hit)
{
    struct cel_str value = cel__extraction_value(x, hit);

    hit->is_pending = false;
    hit->is_void = value.ptr == NULL;
    hit->at = x->taken.len;
    hit->len = value.len;
    if (x->scratch.failed || cel__buf_add_str(&x->taken, value) < 0)
        return -ENOMEM;
    return 0;
}

static void look_at_meta(struct scan *scan, uint32_t node)
{
    int named = cel__charset_of_node(scan->x.tree, node);

    if (named < 0)
        return;
    scan->is_settled = true;
    if (named != (int)scan->encoding && scan->encoding != CEL__UTF_16LE &&
        scan->encoding != CEL__UTF_16BE)
        scan->sieve.is_lost = true;
}

static void see_if_over(struct scan *scan)
{
    scan->sieve.wants_no_more =
        scan->x.live_count == 0 && scan->open_count == 0 && scan->is_settled && !scan->must_go_on;
}

/* Tags that work on what lies before them. */
static bool acts_backwards(struct cel_str tag)
{
    static const struct cel_str names[] = {CEL_LIT("body"), CEL_LIT("html"), CEL_LIT("frameset")};

    for (size_t i = 0; i < cel__countof(names); i++)
        if (tag.len >= names[i].len &&
            cel__str_ieq((struct cel_str){tag.ptr, names[i].len}, names[i]))
            return true;
    return false;
}

/* From the token at hand on, which has been read. */
static bool may_end(void *arg, uint64_t at)
{
    struct scan *scan = arg;
    const char *p = scan->html.ptr + at + 1, *end = scan->html.ptr + scan->html.len;

    while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        p++;
        if (acts_backwards((struct cel_str){p, (size_t)(end - p)})) {
            scan->must_go_on = true; /* once is enough to know */
            scan->sieve.wants_no_more = false;
            return false;
        }
    }
    return true;
}

/* Own text is that of the element's own nodes. */
static enum cel__sieve_answer wants_of(const struct cel__complex *by)
{
    return by->take == CEL__TAKE_ALL_TEXT ? CEL__SIEVE_TEXT : CEL__SIEVE_NODES;
}

/* -> 1: that seeker has all it wants; its element may still have to end. */
static int show(struct scan *scan, struct cel__seeker *s, uint32_t node, uint64_t above,
                enum cel__sieve_answer *wanted)
{
    struct cel__extraction *x = &scan->x;
    struct cel__hit hit = {.field = s->index, .node = node};
    int r;

    hit.by = cel__match_below(&s->match, node, above);
    if (hit.by == NULL) {
        scan->sieve.is_lost |= cel__match_is_exhausted(&s->match);
        return 0;
    }
    if (takes_attr(s, hit.by)) {
        if (cel__extraction_value(x, &hit).ptr == NULL)
            return 0;
        r = take_value(x, &hit);
        if (r == 0)
            r = cel__extraction_note(x, &hit);
        return r < 0 ? r : !s->wants_all;
    }
    hit.is_pending = true;
    r = cel__extraction_note(x, &hit);
    if (r == 0)
        r = push_open(scan, (uint32_t)x->hit_count - 1);
    *wanted = cel__max(*wanted, wants_of(hit.by));
    /* Whether there is own text shows at the end. */
    return r < 0 ? r : !s->wants_all && hit.by->take != CEL__TAKE_TEXT;
}

static int opened(void *arg, uint32_t node, uint64_t above)
{
    struct scan *scan = arg;
    struct cel__extraction *x = &scan->x;
    uint64_t own = x->tree->marks[node];
    enum cel__sieve_answer wanted = CEL__SIEVE_NOTHING;

    if (cel__unlikely(!scan->is_settled))
        look_at_meta(scan, node);
    for (size_t k = 0; k < x->live_count;) {
        int r = 0;

        if (cel__unlikely(cel__match_may(x->needs[k], own, above)))
            r = show(scan, x->live[k], node, above, &wanted);
        if (r < 0)
            return r;
        if (r == 1)
            cel__extraction_end_live(x, k);
        else
            k++;
    }
    if (cel__unlikely(x->live_count == 0))
        see_if_over(scan);
    return (int)wanted;
}

/* A field that takes the first own text has it when no earlier element may still have one. */
static void settle_first(struct scan *scan, const struct cel__hit *hit)
{
    struct cel__extraction *x = &scan->x;

    if (hit->is_void || hit->by->take != CEL__TAKE_TEXT)
        return;
    for (uint32_t i = 0; i < scan->open_count; i++)
        if (x->hits[scan->open[i]].field == hit->field)
            return;
    for (size_t k = 0; k < x->live_count; k++)
        if (x->live[k]->index == hit->field && !x->live[k]->wants_all) {
            cel__extraction_end_live(x, k);
            return;
        }
}

static int closed(void *arg, uint32_t node)
{
    struct scan *scan = arg;
    struct cel__extraction *x = &scan->x;

    while (scan->open_count != 0 && x->hits[scan->open[scan->open_count - 1]].node == node) {
        struct cel__hit *hit = &x->hits[scan->open[--scan->open_count]];
        int r = take_value(x, hit);

        if (r < 0)
            return r;
        settle_first(scan, hit);
    }
    see_if_over(scan);
    return 0;
}

static void forget(void *arg, uint32_t from)
{
    struct scan *scan = arg;

    for (size_t i = 0; i < scan->x.fields->count; i++)
        cel__match_forget(&scan->x.seekers[i].match, from);
}

static int run(struct scan *scan, const struct cel__page_bytes *page,
               const struct cel_html_options *o)
{
    struct cel__tree none;
    int r;

    scan->html = page->bytes;
    r = cel__html_feed(scan->parser, page->bytes, o);

    if (r == 0 && !scan->sieve.is_over && !scan->sieve.is_lost)
        r = cel__parser_end(scan->parser, &none, NULL);
    if (r == 0)
        r = scan->sieve.error;
    return r == 0 && scan->sieve.is_lost ? NEEDS_TREE : r;
}

/* Names that have no fixed number are the page's to bring. */
static void add_taken(struct cel__attr_set *set, struct cel_str name)
{
    uint32_t number = name.ptr != NULL ? cel__names_find_fixed(name) : CEL__NAME_NONE;

    if (number != CEL__NAME_NONE)
        cel__attr_set_add(set, number);
    else
        set->has_all |= name.ptr != NULL;
}

/* Which attributes have to be there when an element is shown. What is made of its HTML has all. */
static void find_attrs(struct scan *scan)
{
    struct cel__attr_set *set = &scan->sieve.looks.attrs;

    for (size_t i = 0; i < scan->x.fields->count; i++) {
        const struct cel__field *f = &scan->x.fields->list[i];

        cel__match_add_looks(&scan->x.seekers[i].match, &scan->sieve.looks);
        add_taken(set, f->attr != NULL ? cel__str(f->attr) : (struct cel_str){NULL, 0});
        for (const struct cel__complex *x = f->selector->list.first; x != NULL; x = x->next) {
            set->has_all |= x->take == CEL__TAKE_HTML || x->take == CEL__TAKE_INNER;
            add_taken(set, x->take == CEL__TAKE_ATTR ? x->attr : (struct cel_str){NULL, 0});
        }
    }
}

static int start(struct scan *scan, const struct cel__page_bytes *page,
                 const struct cel_html_options *o)
{
    struct cel__parse_options options = {.scripting = o->scripting,
                                         .limits = cel__html_limits(o, page->bytes.len),
                                         .sieve = &scan->sieve};
    struct cel__tree *tree;
    int r = cel__sieve_init(&scan->sieve, &options.limits);

    if (r < 0)
        return r;
    for (size_t i = 0; i < scan->x.fields->count; i++) /* what they add is not the page's */
        options.limits.names -=
            cel__min(scan->x.fields->list[i].selector->name_count, options.limits.names / 2);
    r = cel__parser_new(&scan->parser, &options);
    if (r < 0)
        return r;
    tree = cel__parser_tree(scan->parser);
    scan->x.tree = tree;
    r = cel__extraction_begin(&scan->x, &tree->names);
    if (r < 0)
        return r;
    find_attrs(scan);
    scan->sieve.needs = scan->x.needs;
    scan->sieve.need_count = &scan->x.live_count;
    scan->sieve.page = page->bytes;
    return 0;
}

static void end(struct scan *scan)
{
    cel__extraction_end(&scan->x);
    cel__parser_free(scan->parser);
    cel__sieve_fini(&scan->sieve);
    cel__mem_free(scan->open);
}

/* 0 and the item, NEEDS_TREE, or an error. */
static int scan_page(const struct cel_fields *fields, struct cel__page_bytes *page,
                     const struct cel_html_options *o, bool keeps_siblings, struct cel_item **out)
{
    struct scan scan = {.x = {.fields = fields, .is_taken = true},
                        .sieve = {.open = opened,
                                  .close = closed,
                                  .forget = forget,
                                  .may_end = may_end,
                                  .arg = &scan,
                                  .keeps_siblings = keeps_siblings},
                        .encoding = page->charset.encoding,
                        .is_settled = page->charset.is_certain};
    int r = cel__page_bytes_decode(page);

    if (r == 0)
        r = start(&scan, page, o);
    if (r == 0)
        r = run(&scan, page, o);
    if (r == 0)
        r = cel__extraction_fill(&scan.x, out);
    end(&scan);
    return r;
}

static bool can_scan(const struct cel_fields *fields, const struct cel_html_options *o, size_t len,
                     bool *keeps_siblings)
{
    if (o->parser != CEL_HTML_HTML5 || o->whole_tree || o->fragment != NULL || o->error != NULL ||
        len == 0)
        return false;
    for (size_t i = 0; i < fields->count; i++)
        if (!cel__match_is_early(fields->list[i].selector, keeps_siblings))
            return false;
    return true;
}

static int by_tree(const struct cel_fields *fields, const void *bytes, size_t len,
                   const struct cel_html_options *o, struct cel_item **out, const char **truncated)
{
    struct cel_html *doc;
    int r = cel_html_parse(&doc, bytes, len, o);

    if (r < 0)
        return r;
    r = cel_fields_extract(fields, doc, out);
    if (r == 0)
        *truncated = cel_html_truncated(doc);
    cel_html_free(doc);
    return r;
}

int cel_fields_scan(const struct cel_fields *fields, const void *bytes, size_t len,
                    const struct cel_html_options *options, struct cel_item **out,
                    const char **truncated)
{
    static const struct cel_html_options usual;
    const struct cel_html_options *o = options != NULL ? options : &usual;
    bool keeps_siblings = false;
    struct cel__page_bytes page;
    const char *cut = NULL;
    int r = NEEDS_TREE;

    if (can_scan(fields, o, len, &keeps_siblings)) {
        cel__page_bytes_init(&page, bytes, len, o);
        cut = cel__cut_name(page.cut);
        r = scan_page(fields, &page, o, keeps_siblings, out);
        cel__page_bytes_fini(&page);
    }
    if (r == NEEDS_TREE)
        r = by_tree(fields, bytes, len, o, out, &cut);
    if (r == 0 && truncated != NULL)
        *truncated = cut;
    return r;
}
