/* SPDX-License-Identifier: MIT */
/* The fragment serialisation of the HTML standard, without recursion: a close
 * tag is due whenever the walk passes the end of an open element. */
#include "html/serialize.h"

#include <errno.h>

#include "html/html.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"

static bool is_one_of(struct cel_str name, const struct cel_str *list, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (cel__str_eq(name, list[k]))
            return true;
    return false;
}

static struct cel_str name_of(const struct cel__tree *t, uint32_t i)
{
    return cel__names_text(&t->names, cel__node(t, i)->name);
}

static bool is_void(const struct cel__tree *t, uint32_t i)
{
    static const struct cel_str names[] = {
        CEL_LIT("area"),  CEL_LIT("base"), CEL_LIT("basefont"), CEL_LIT("bgsound"),
        CEL_LIT("br"),    CEL_LIT("col"),  CEL_LIT("embed"),    CEL_LIT("frame"),
        CEL_LIT("hr"),    CEL_LIT("img"),  CEL_LIT("input"),    CEL_LIT("keygen"),
        CEL_LIT("link"),  CEL_LIT("meta"), CEL_LIT("param"),    CEL_LIT("source"),
        CEL_LIT("track"), CEL_LIT("wbr")};

    return cel__node(t, i)->ns == CEL__NS_HTML &&
           is_one_of(name_of(t, i), names, cel__countof(names));
}

/* Elements whose text is written as it stands. */
static bool is_literal(const struct cel__tree *t, uint32_t i)
{
    static const struct cel_str names[] = {
        CEL_LIT("style"),   CEL_LIT("script"),   CEL_LIT("xmp"),      CEL_LIT("iframe"),
        CEL_LIT("noembed"), CEL_LIT("noframes"), CEL_LIT("plaintext")};

    return cel__node_is_element(t, i) && cel__node(t, i)->ns == CEL__NS_HTML &&
           is_one_of(name_of(t, i), names, cel__countof(names));
}

static void add_escaped(struct cel__buf *out, struct cel_str s, bool in_attr)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        const char *entity = NULL;
        size_t len = 1;

        if (s.ptr[i] == '&')
            entity = "&amp;";
        else if (s.ptr[i] == '<' && !in_attr)
            entity = "&lt;";
        else if (s.ptr[i] == '>' && !in_attr)
            entity = "&gt;";
        else if (s.ptr[i] == '"' && in_attr)
            entity = "&quot;";
        else if (s.ptr[i] == '\xc2' && i + 1 < s.len && s.ptr[i + 1] == '\xa0')
            entity = "&nbsp;", len = 2;
        if (entity == NULL)
            continue;
        cel__buf_add(out, s.ptr + from, i - from);
        cel__buf_add_text(out, entity);
        i += len - 1;
        from = i + 1;
    }
    cel__buf_add(out, s.ptr + from, s.len - from);
}

static void add_start(const struct cel__tree *t, uint32_t i, struct cel__buf *out)
{
    static const char *const prefixes[] = {
        [CEL__NS_XLINK] = "xlink:", [CEL__NS_XML] = "xml:", [CEL__NS_XMLNS] = "xmlns:"};
    const struct cel__node *n = cel__node(t, i);

    cel__buf_add_char(out, '<');
    cel__buf_add_str(out, name_of(t, i));
    for (uint32_t k = n->attrs; k < n->attrs + n->attr_count; k++) {
        const struct cel__attr *a = &t->attrs[k];
        struct cel_str name = cel__names_text(&t->names, a->name);

        cel__buf_add_char(out, ' ');
        if (a->ns >= CEL__NS_XLINK && !cel__str_eq(name, CEL_LIT("xmlns")))
            cel__buf_add_text(out, prefixes[a->ns]);
        cel__buf_add_str(out, name);
        cel__buf_add_text(out, "=\"");
        add_escaped(out, cel__attr_value(t, a), true);
        cel__buf_add_char(out, '"');
    }
    cel__buf_add_char(out, '>');
}

static void add_end(const struct cel__tree *t, uint32_t i, struct cel__buf *out)
{
    if (!cel__node_is_element(t, i) || is_void(t, i))
        return;
    cel__buf_add_text(out, "</");
    cel__buf_add_str(out, name_of(t, i));
    cel__buf_add_char(out, '>');
}

static void add_one(const struct cel__tree *t, uint32_t i, struct cel__buf *out)
{
    switch ((enum cel__node_kind)cel__node(t, i)->kind) {
    case CEL__NODE_ELEMENT:
        add_start(t, i, out);
        break;
    case CEL__NODE_TEXT:
    case CEL__NODE_RAW:
        if (is_literal(t, cel__node_parent(t, i)))
            cel__buf_add_str(out, cel__node_text(t, i));
        else
            add_escaped(out, cel__node_text(t, i), false);
        break;
    case CEL__NODE_COMMENT:
        cel__buf_add_text(out, "<!--");
        cel__buf_add_str(out, cel__node_text(t, i));
        cel__buf_add_text(out, "-->");
        break;
    case CEL__NODE_DOCTYPE:
        cel__buf_add_text(out, "<!DOCTYPE ");
        cel__buf_add_str(out, cel__node_text(t, i));
        cel__buf_add_char(out, '>');
        break;
    case CEL__NODE_DOCUMENT:
    case CEL__NODE_CONTENT:
        break;
    }
}

int cel__serialize(const struct cel__tree *t, uint32_t i, bool is_inner, struct cel__buf *out)
{
    uint32_t end = cel__node_end(t, i), stop = is_inner ? i : cel__node_parent(t, i);

    for (uint32_t at = is_inner ? i + 1 : i; at < end; at++) {
        add_one(t, at, out);
        for (uint32_t open = at; open != stop && open != 0 && cel__node_end(t, open) == at + 1;
             open = cel__node_parent(t, open))
            add_end(t, open, out);
    }
    return out->failed ? -ENOMEM : 0;
}

static char *to_html(struct cel_node node, bool is_inner, size_t *len)
{
    struct cel__buf out = {0};

    if (node.doc != NULL)
        cel__serialize(&node.doc->tree, node.at, is_inner, &out);
    if (cel__buf_cstr(&out) == NULL || out.failed) {
        cel__buf_fini(&out);
        return NULL;
    }
    if (len != NULL)
        *len = out.len;
    return out.ptr;
}

char *cel_node_outer_html(struct cel_node node, size_t *len)
{
    return to_html(node, false, len);
}

char *cel_node_inner_html(struct cel_node node, size_t *len)
{
    return to_html(node, true, len);
}

void cel_html_text_free(char *text)
{
    cel__mem_free(text);
}
