/* SPDX-License-Identifier: MIT */
/* The arrays grow by doubling from a guess that most pages fit; a builder that
 * goes on after a failure or a limit adds nothing and touches nothing. */
#include "html/tree.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static int grow_array(void *array, size_t count, size_t size)
{
    void **at = array;
    void *grown;

    if (count > SIZE_MAX / size)
        return -ENOMEM;
    grown = cel__mem_realloc(*at, count * size);
    if (grown == NULL)
        return -ENOMEM;
    *at = grown;
    return 0;
}

static int grow_nodes(struct cel__tree_builder *b, uint32_t cap)
{
    struct cel__tree *t = b->tree;

    if (grow_array(&t->nodes, cap, sizeof *t->nodes) < 0 ||
        grow_array(&t->marks, cap, sizeof *t->marks) < 0) {
        b->failed = b->is_full = true;
        return -ENOMEM;
    }
    b->node_cap = cap;
    return 0;
}

static int grow_attrs(struct cel__tree_builder *b, uint32_t cap)
{
    if (grow_array(&b->tree->attrs, cap, sizeof *b->tree->attrs) < 0) {
        b->failed = b->is_full = true;
        return -ENOMEM;
    }
    b->attr_cap = cap;
    return 0;
}

/* -> the new node's index, or 0 when nothing more is taken. Leaves room for the sentinel. */
static uint32_t add_node(struct cel__tree_builder *b, enum cel__node_kind kind)
{
    struct cel__tree *t = b->tree;
    struct cel__tree_open *open = &b->open[b->depth];
    uint32_t i = t->count;

    if (b->is_full)
        return 0;
    if (i >= b->limits.nodes || t->text.len + t->values.len > b->limits.bytes) {
        cel__tree_note_cut(b, i >= b->limits.nodes ? CEL__CUT_NODES : CEL__CUT_MEMORY);
        b->is_full = true;
        return 0;
    }
    if (i + 2 > b->node_cap && grow_nodes(b, b->node_cap * 2) < 0)
        return 0;
    t->nodes[i] = (struct cel__node){.parent = open->node,
                                     .prev = open->last_child,
                                     .end = i + 1,
                                     .text_at = (uint32_t)t->text.len,
                                     .attrs = t->attr_count,
                                     .kind = (uint8_t)kind};
    t->marks[i] = 0;
    open->last_child = i;
    t->count++;
    return i;
}

int cel__tree_begin(struct cel__tree_builder *b, struct cel__tree *t,
                    const struct cel__tree_limits *limits, size_t input_bytes)
{
    size_t guess = cel__min(input_bytes / 16 + 16, (size_t)limits->nodes + 2);

    *t = (struct cel__tree){0};
    *b = (struct cel__tree_builder){.tree = t, .limits = *limits};
    cel__names_init(&t->names);
    b->open = cel__mem_alloc(((size_t)limits->depth + 1) * sizeof *b->open);
    if (b->open == NULL || grow_nodes(b, (uint32_t)guess) < 0 ||
        grow_attrs(b, (uint32_t)guess) < 0 ||
        cel__buf_reserve(&t->text, input_bytes / 2 + 64) < 0 ||
        cel__buf_reserve(&t->values, input_bytes / 2 + 64) < 0) {
        cel__mem_free(b->open);
        cel__tree_fini(t);
        return -ENOMEM;
    }
    t->nodes[0] = (struct cel__node){.kind = CEL__NODE_DOCUMENT};
    t->marks[0] = 0;
    t->count = 1;
    b->open[0] = (struct cel__tree_open){0};
    return 0;
}

void cel__tree_note_cut(struct cel__tree_builder *b, enum cel__cut cut)
{
    if (b->cut == CEL__CUT_NONE)
        b->cut = cut;
}

static void close_innermost(struct cel__tree_builder *b)
{
    b->tree->nodes[b->open[b->depth].node].end = b->tree->count;
    b->depth--;
}

/* By the name in lower case, which names of HTML are already. */
uint64_t cel__tree_mark_of_name(const struct cel__tree *t, uint32_t name, enum cel__ns ns)
{
    struct cel_str text;
    char lower[32];

    if (cel__likely(ns == CEL__NS_HTML && name < CEL__NAME_FIXED))
        return cel__mark(cel__name_hashes[name]);
    if (ns == CEL__NS_HTML)
        return cel__mark(cel__names_hash_of(&t->names, name));
    text = cel__names_text(&t->names, name);
    if (text.len > sizeof lower)
        return cel__mark(cel__names_hash(text));
    for (size_t i = 0; i < text.len; i++)
        lower[i] = cel__char_lower(text.ptr[i]);
    return cel__mark(cel__names_hash((struct cel_str){lower, text.len}));
}

/* Beyond the depth limit elements become siblings of the deepest that fits; their order stays. */
void cel__tree_open(struct cel__tree_builder *b, uint32_t name, enum cel__ns ns)
{
    struct cel__tree *t = b->tree;
    uint32_t i;

    if (b->depth == b->limits.depth) {
        cel__tree_note_cut(b, CEL__CUT_DEPTH);
        b->over++;
        close_innermost(b);
    }
    if (name == CEL__NAME_NONE)
        b->failed = b->is_full = true;
    i = add_node(b, CEL__NODE_ELEMENT);
    if (i != 0) {
        t->nodes[i].name = name;
        t->nodes[i].ns = (uint8_t)ns;
        t->marks[i] = CEL__MARK_ELEMENT | cel__tree_mark_of_name(t, name, ns);
    }
    /* Taken or not, the close that belongs to it comes; an untaken one closes the node before. */
    b->depth++;
    b->open[b->depth] = (struct cel__tree_open){.node = i != 0 ? i : t->count - 1};
}

void cel__tree_close(struct cel__tree_builder *b)
{
    if (b->over > 0)
        b->over--;
    else if (b->depth > 0)
        close_innermost(b);
}

static bool is_blank(char c)
{
    return (uint8_t)c <= ' ' && (UINT64_C(1) << c & UINT64_C(0x100003600)) != 0; /* \t \n \f \r */
}

/* Of eight bytes, those below '!' have their high bit set; above the first such, any may. */
static inline uint64_t low_bytes(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    return (word - '!' * ones) & ~word & 0x80 * ones;
}

/* Eight bytes at a time up to one that may be a blank. */
static const char *word_end(const char *p, const char *end)
{
    uint64_t word;

    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        if (low_bytes(word) != 0)
            break;
    }
    while (p < end && !is_blank(*p))
        p++;
    return p;
}

static uint64_t marks_of_classes(struct cel_str value)
{
    const char *p = value.ptr, *end = p + value.len;
    uint64_t marks = 0;

    while (p < end) {
        const char *from = p;

        p = word_end(p, end);
        if (p > from)
            marks |= cel__mark(cel__names_hash((struct cel_str){from, (size_t)(p - from)}));
        p++;
    }
    return marks;
}

uint64_t cel__tree_marks_of_value(uint32_t name, struct cel_str value)
{
    return name == CEL__NAME_CLASS ? marks_of_classes(value) : cel__mark(cel__names_hash(value));
}

void cel__tree_mark_value(struct cel__tree *t, uint32_t i, uint32_t name, struct cel_str value)
{
    t->marks[i] |= cel__tree_marks_of_value(name, value);
}

static bool add_value(struct cel__tree_builder *b, uint32_t name, enum cel__ns ns,
                      struct cel_str value)
{
    struct cel__tree *t = b->tree;

    if (t->attr_count == b->attr_cap && grow_attrs(b, b->attr_cap * 2) < 0)
        return false;
    if (t->values.len + value.len > b->limits.bytes) {
        cel__tree_note_cut(b, CEL__CUT_MEMORY);
        b->is_full = true;
        return false;
    }
    t->attrs[t->attr_count] = (struct cel__attr){
        .name = name, .ns = ns, .at = (uint32_t)t->values.len, .len = (uint32_t)value.len};
    if (cel__buf_add_str(&t->values, value) < 0) {
        b->failed = b->is_full = true;
        return false;
    }
    t->attr_count++;
    return true;
}

void cel__tree_attr(struct cel__tree_builder *b, uint32_t name, enum cel__ns ns,
                    struct cel_str value)
{
    struct cel__tree *t = b->tree;
    uint32_t i = b->open[b->depth].node;
    struct cel__node *n = &t->nodes[i];

    if (b->is_full)
        return;
    for (uint32_t k = 0; k < n->attr_count; k++)
        if (t->attrs[n->attrs + k].name == name && t->attrs[n->attrs + k].ns == ns)
            return;
    if (n->attr_count >= b->limits.attributes) {
        cel__tree_note_cut(b, CEL__CUT_ATTRIBUTES);
        return;
    }
    if (name == CEL__NAME_NONE)
        b->failed = b->is_full = true;
    if (b->is_full || !add_value(b, name, ns, value))
        return;
    n->attr_count++;
    if (ns == CEL__NS_NONE && (name == CEL__NAME_CLASS || name == CEL__NAME_ID))
        cel__tree_mark_value(t, i, name, value);
}

void cel__tree_text(struct cel__tree_builder *b, struct cel_str text)
{
    if (text.len == 0 || add_node(b, CEL__NODE_TEXT) == 0)
        return;
    if (cel__buf_add_str(&b->tree->text, text) < 0)
        b->failed = b->is_full = true;
}

void cel__tree_raw(struct cel__tree_builder *b, enum cel__node_kind kind, struct cel_str text)
{
    if (add_node(b, kind) != 0 && !add_value(b, CEL__NAME_NONE, CEL__NS_NONE, text))
        b->tree->count--; /* its text is missing, so it never was */
}

int cel__tree_finish(struct cel__tree_builder *b)
{
    struct cel__tree *t = b->tree;

    while (b->depth > 0)
        close_innermost(b);
    cel__mem_free(b->open);
    b->open = NULL;
    t->nodes[0].end = t->total = t->count;
    t->nodes[t->count] = (struct cel__node){.text_at = (uint32_t)t->text.len};
    return b->failed ? -ENOMEM : 0;
}

void cel__tree_fini(struct cel__tree *t)
{
    cel__mem_free(t->nodes);
    cel__mem_free(t->attrs);
    cel__mem_free(t->marks);
    cel__mem_free(t->templates);
    cel__mem_free(t->positions);
    cel__buf_fini(&t->text);
    cel__buf_fini(&t->values);
    cel__names_fini(&t->names);
    *t = (struct cel__tree){0};
}

uint32_t cel__tree_content(const struct cel__tree *t, uint32_t element)
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
