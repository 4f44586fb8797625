/* SPDX-License-Identifier: MIT */
/* The tree as people compare it: two blanks for each node around, attributes in the
 * order of their names, the content of a template beneath a line that says so. The
 * walk keeps no stack but of templates, whose content lies elsewhere. */
#include "html/tree_dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define POSITION_WIDTH 8

struct dump {
    const struct cel__tree *tree;
    struct cel__buf *out;
    const uint32_t *positions; /* NULL: not asked for, or the tree has none */
    struct cel__buf templates; /* the template elements that the walk is inside of, uint32_t each */
};

static void begin_line(struct dump *d, uint32_t i, uint32_t level)
{
    if (d->positions != NULL && i != 0)
        cel__buf_printf(d->out, "%*u ", POSITION_WIDTH, (unsigned)d->positions[i]);
    else if (d->positions != NULL)
        cel__buf_printf(d->out, "%*s ", POSITION_WIDTH, "");
    cel__buf_add_text(d->out, "| ");
    while (level-- > 0)
        cel__buf_add_text(d->out, "  ");
}

static void add_quoted(struct cel__buf *out, struct cel_str text)
{
    cel__buf_add_char(out, '"');
    cel__buf_add_str(out, text);
    cel__buf_add_char(out, '"');
}

static const char *prefix_of(uint32_t ns)
{
    switch (ns) {
    case CEL__NS_SVG:
        return "svg ";
    case CEL__NS_MATHML:
        return "math ";
    case CEL__NS_XLINK:
        return "xlink ";
    case CEL__NS_XML:
        return "xml ";
    case CEL__NS_XMLNS:
        return "xmlns ";
    default:
        return "";
    }
}

/* As UTF-16 sorts: code points beyond the first plane come before U+E000. */
static int sort_key(uint8_t byte)
{
    return byte == 0xee || byte == 0xef ? byte + 0x10 : byte;
}

static int compare_utf16(struct cel_str a, struct cel_str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (a.ptr[i] != b.ptr[i])
            return sort_key((uint8_t)a.ptr[i]) - sort_key((uint8_t)b.ptr[i]);
    return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_attrs(const void *a, const void *b, void *tree)
{
    const struct cel__tree *t = tree;
    const struct cel__attr *x = &t->attrs[*(const uint32_t *)a];
    const struct cel__attr *y = &t->attrs[*(const uint32_t *)b];
    const struct cel__names *names = &t->names;
    struct cel_str x_name = cel__names_text(names, x->name);
    struct cel_str y_name = cel__names_text(names, y->name);
    const char *x_prefix = prefix_of(x->ns), *y_prefix = prefix_of(y->ns);

    /* Only one of two prefixes can be the beginning of a name, and "xlink " is of none. */
    if (*x_prefix != 0 && *y_prefix == 0)
        x_name = (struct cel_str){x_prefix, strlen(x_prefix)};
    else if (*y_prefix != 0 && *x_prefix == 0)
        y_name = (struct cel_str){y_prefix, strlen(y_prefix)};
    else if (x_prefix != y_prefix)
        return strcmp(x_prefix, y_prefix);
    return compare_utf16(x_name, y_name);
}

static void add_attr(struct dump *d, const struct cel__attr *a, uint32_t level)
{
    begin_line(d, 0, level);
    cel__buf_add_text(d->out, prefix_of(a->ns));
    cel__buf_add_str(d->out, cel__names_text(&d->tree->names, a->name));
    cel__buf_add_char(d->out, '=');
    add_quoted(d->out, cel__attr_value(d->tree, a));
    cel__buf_add_char(d->out, '\n');
}

static int add_attrs(struct dump *d, uint32_t i, uint32_t level)
{
    const struct cel__tree *t = d->tree;
    uint32_t count = t->nodes[i].attr_count;
    uint32_t *sorted;

    if (count == 0)
        return 0;
    sorted = cel__mem_alloc(count * sizeof *sorted);
    if (sorted == NULL)
        return -ENOMEM;
    for (uint32_t k = 0; k < count; k++)
        sorted[k] = t->nodes[i].attrs + k;
    qsort_r(sorted, count, sizeof *sorted, compare_attrs, (void *)t);
    for (uint32_t k = 0; k < count; k++)
        add_attr(d, &t->attrs[sorted[k]], level);
    cel__mem_free(sorted);
    return 0;
}

static void add_doctype(struct dump *d, uint32_t i)
{
    const struct cel__tree *t = d->tree;
    struct cel_str public_id = cel__attr_value(t, &t->public_id);
    struct cel_str system_id = cel__attr_value(t, &t->system_id);

    cel__buf_add_text(d->out, "<!DOCTYPE ");
    cel__buf_add_str(d->out, cel__node_text(t, i));
    if (public_id.len != 0 || system_id.len != 0) {
        cel__buf_add_char(d->out, ' ');
        add_quoted(d->out, public_id);
        cel__buf_add_char(d->out, ' ');
        add_quoted(d->out, system_id);
    }
    cel__buf_add_text(d->out, ">\n");
}

static int add_node(struct dump *d, uint32_t i, uint32_t level)
{
    const struct cel__tree *t = d->tree;
    const struct cel__node *n = &t->nodes[i];

    begin_line(d, i, level);
    switch (n->kind) {
    case CEL__NODE_ELEMENT:
        cel__buf_add_char(d->out, '<');
        cel__buf_add_text(d->out, prefix_of(n->ns));
        cel__buf_add_str(d->out, cel__names_text(&t->names, n->name));
        cel__buf_add_text(d->out, ">\n");
        return add_attrs(d, i, level + 1);
    case CEL__NODE_COMMENT:
        cel__buf_add_text(d->out, "<!-- ");
        cel__buf_add_str(d->out, cel__node_text(t, i));
        cel__buf_add_text(d->out, " -->\n");
        return 0;
    case CEL__NODE_DOCTYPE:
        add_doctype(d, i);
        return 0;
    default:
        add_quoted(d->out, cel__node_text(t, i));
        cel__buf_add_char(d->out, '\n');
        return 0;
    }
}

/* The root of a template's content, or 0. */
static uint32_t content_of(const struct cel__tree *t, uint32_t element)
{
    uint32_t low = 0, high = t->template_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (t->templates[middle].element < element)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->template_count && t->templates[low].element == element
               ? t->templates[low].content
               : 0;
}

/* The first node inside i, into a template's content; 0 when there is none. */
static uint32_t descend(struct dump *d, uint32_t i, uint32_t *level)
{
    const struct cel__tree *t = d->tree;
    uint32_t content = content_of(t, i);
    uint32_t first = cel__node_first(t, content != 0 ? content : i);

    if (content != 0) {
        begin_line(d, 0, *level + 1);
        cel__buf_add_text(d->out, "content\n");
    }
    if (content != 0 && first != 0) {
        cel__buf_add(&d->templates, &i, sizeof i);
        ++*level;
    }
    *level += first != 0;
    return first;
}

/* The node behind i and all inside it; 0 when that is beyond `root`. */
static uint32_t advance(struct dump *d, uint32_t i, uint32_t root, uint32_t *level)
{
    const struct cel__tree *t = d->tree;

    for (;;) {
        uint32_t next = cel__node_next(t, i);

        if (next != 0)
            return next;
        i = cel__node_parent(t, i);
        --*level;
        if (i == root)
            return 0;
        if (t->nodes[i].kind == CEL__NODE_CONTENT) {
            CEL__ASSERT(d->templates.ptr != NULL && d->templates.len >= sizeof i);
            d->templates.len -= sizeof i;
            memcpy(&i, d->templates.ptr + d->templates.len, sizeof i);
            --*level;
        }
    }
}

int cel__dump(const struct cel__tree *t, uint32_t root, bool positions, struct cel__buf *out)
{
    struct dump d = {.tree = t, .out = out, .positions = positions ? t->positions : NULL};
    uint32_t level = 0;
    int r = 0;

    for (uint32_t i = cel__node_first(t, root), inside; i != 0 && r == 0; i = inside) {
        r = add_node(&d, i, level);
        inside = descend(&d, i, &level);
        if (inside == 0)
            inside = advance(&d, i, root, &level);
        if (d.templates.failed || out->failed)
            r = -ENOMEM;
    }
    cel__buf_fini(&d.templates);
    return r;
}
