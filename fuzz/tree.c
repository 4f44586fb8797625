/* SPDX-License-Identifier: MIT */
/* The first byte chooses a context, the second how the rest is cut: the tree and the errors of the
 * pieces must be those of the whole, the tree must hold together, and be within limits, which the
 * last bytes of the page say. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "html/tree_dump.h"
#include "html/parse.h"
#include "html/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void set_context(struct cel__parse_options *o, unsigned which)
{
    static const struct {
        const char *name;
        enum cel__ns ns;
    } contexts[] = {{NULL, CEL__NS_HTML},       {"body", CEL__NS_HTML},
                    {"template", CEL__NS_HTML}, {"table", CEL__NS_HTML},
                    {"tr", CEL__NS_HTML},       {"select", CEL__NS_HTML},
                    {"title", CEL__NS_HTML},    {"script", CEL__NS_HTML},
                    {"frameset", CEL__NS_HTML}, {"html", CEL__NS_HTML},
                    {"svg", CEL__NS_SVG},       {"foreignObject", CEL__NS_SVG},
                    {"math", CEL__NS_MATHML},   {"annotation-xml", CEL__NS_MATHML},
                    {"mi", CEL__NS_MATHML},     {"colgroup", CEL__NS_HTML}};
    const char *name = contexts[which % 16].name;

    o->context_ns = contexts[which % 16].ns;
    if (name != NULL)
        o->context = (struct cel_str){name, strlen(name)};
}

/* Pieces of 1 to `longest` bytes, each in a block of its own; 0: all at once. */
static void feed(struct cel__parser *p, struct cel_str bytes, size_t longest)
{
    for (size_t at = 0, len; at < bytes.len; at += len) {
        char *piece;

        len = longest != 0 ? 1 + at * 7 % longest : bytes.len;
        len = len < bytes.len - at ? len : bytes.len - at;
        piece = malloc(len);
        memcpy(piece, bytes.ptr + at, len);
        check(cel__parser_feed(p, piece, len) == 0);
        free(piece);
    }
}

/* What node.h promises of the array. */
static void check_tree(const struct cel__tree *t)
{
    check(t->nodes[0].end == t->count && t->total >= t->count);
    for (uint32_t i = 1; i < t->total; i++) {
        const struct cel__node *n = &t->nodes[i], *parent = &t->nodes[n->parent];

        check(n->end > i && n->end <= t->total);
        check(n->prev < i && n->parent < i);
        if (n->kind == CEL__NODE_CONTENT)
            continue;
        check(n->end <= parent->end && i < parent->end);
        check(n->prev == 0 ? i == n->parent + 1 : t->nodes[n->prev].end == i);
    }
    for (uint32_t i = 0; i < t->template_count; i++)
        check(t->nodes[t->templates[i].content].kind == CEL__NODE_CONTENT);
}

/* The byte limit is of text and of values, each by itself (html/build_place.c, build_arrays.c). */
static void check_limits(const struct cel__tree *t, const struct cel__tree_limits *l)
{
    check(l->nodes == 0 || t->total <= l->nodes);
    check(l->bytes == 0 || (t->text.len <= l->bytes && t->values.len <= l->bytes));
    for (uint32_t i = 1; i < t->total; i++)
        check(l->attributes == 0 || t->nodes[i].attr_count <= l->attributes ||
              t->nodes[i].name == CEL__NAME_HTML || t->nodes[i].name == CEL__NAME_BODY);
}

static void note_error(void *arg, const struct cel__error *error)
{
    cel__buf_printf(arg, "%u:%u@%llu %s %.*s\n", error->line, error->column,
                    (unsigned long long)error->at, cel__parse_error_text(error->code),
                    CEL_STR(error->element));
}

static void parse(struct cel_str bytes, const struct cel__parse_options *o, size_t longest,
                  struct cel__buf *out)
{
    struct cel__parse_options telling = *o;
    struct cel__buf errors = {0};
    struct cel__parser *p;
    struct cel__tree tree;
    enum cel__cut cut;

    telling.error = note_error;
    telling.error_arg = &errors;
    check(cel__parser_new(&p, &telling) == 0);
    feed(p, bytes, longest);
    check(cel__parser_end(p, &tree, &cut) == 0);
    cel__parser_free(p);
    check_tree(&tree);
    check_limits(&tree, &o->limits);
    check(cel__dump(&tree, 0, true, out) == 0);
    cel__buf_printf(out, "cut %d quirks %d\n", (int)cut, (int)tree.quirks);
    /* Where a limit ends the page, the last text's errors are those of the pieces that were seen.
     */
    if (cut == CEL__CUT_NONE)
        cel__buf_add_str(out, cel__buf_str(&errors));
    cel__buf_fini(&errors);
    cel__tree_fini(&tree);
}

static void check_pieces(struct cel_str bytes, const struct cel__parse_options *o, size_t longest)
{
    struct cel__buf whole = {0}, pieces = {0};

    parse(bytes, o, 0, &whole);
    parse(bytes, o, longest, &pieces);
    if (whole.len != pieces.len || memcmp(whole.ptr, pieces.ptr, whole.len) != 0) {
        fprintf(stderr, "whole:\n%.*spieces:\n%.*s", CEL_STR(cel__buf_str(&whole)),
                CEL_STR(cel__buf_str(&pieces)));
        abort();
    }
    cel__buf_fini(&whole);
    cel__buf_fini(&pieces);
}

static struct cel__tree_limits limits_of(const uint8_t *data, size_t len)
{
    uint8_t last[7] = {0};

    memcpy(last, data + len - (len < 7 ? len : 7), len < 7 ? len : 7);
    return (struct cel__tree_limits){.depth = 1 + last[0] % 16,
                                     .nodes = last[1] % 64,
                                     .attributes = last[2] % 4,
                                     .names = last[3] % 8,
                                     .bytes = last[4] % 128,
                                     .name = last[5] % 16,
                                     .value = last[6] % 16};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cel__parse_options o = {.positions = true};
    struct cel__buf utf8 = {0};
    struct cel_str rest;

    if (len < 2)
        return 0;
    check(cel__utf8_repair((struct cel_str){(const char *)data + 2, len - 2}, &utf8) == 0);
    rest = cel__buf_str(&utf8);
    set_context(&o, data[0]);
    o.scripting = data[0] & 16;
    check_pieces(rest, &o, 1 + data[1] % 32);
    o.limits = (struct cel__tree_limits){
        .depth = 5, .nodes = 40, .attributes = 2, .name = 20, .value = 10};
    check_pieces(rest, &o, 1 + data[1] % 32);
    o.limits = limits_of(data, len);
    check_pieces(rest, &o, 1 + data[1] % 32);
    cel__buf_fini(&utf8);
    return 0;
}
