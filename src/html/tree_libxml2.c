/* SPDX-License-Identifier: MIT */
/* libxml2's HTML parser as second tree builder, for results equal to those of
 * programs that parse with 'lxml'.
 *
 * 1. It stops at 256 open elements without telling; the depth of what it built
 *    tells, and so does its parser's state.
 * 2. Its check for repeated attributes is quadratic: 100,000 in one tag cost
 *    half a minute. So the input is cut before a tag that has too many. */
#include <libxml/HTMLparser.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/builders.h"

#define PARSE_OPTIONS                                                                    \
    (HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | \
     HTML_PARSE_COMPACT)
#define LIBXML2_DEPTH 256

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
    xmlInitParser();
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* -> behind the tag that begins at p, or NULL when it has more than `max` attributes. */
static const char *skip_tag(const char *p, const char *end, uint32_t max)
{
    uint32_t words = 0;

    for (; p < end && *p != '>'; p++) {
        if ((*p == '"' || *p == '\'') && p[-1] == '=') {
            const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));

            if (close == NULL)
                return end;
            p = close;
        }
        /* An attribute begins behind a blank, a slash or a closed quote. */
        if ((is_space(*p) || *p == '/' || *p == '"' || *p == '\'') && p + 1 < end &&
            !is_space(p[1]) && ++words > max + 1)
            return NULL;
    }
    return p;
}

/* Script and style are text up to their close tag, however many blanks follow a '<' in them. */
static const char *skip_raw(const char *tag, const char *p, const char *end)
{
    static const struct cel_str raw[] = {CEL_LIT("script"), CEL_LIT("style")};

    for (size_t i = 0; i < cel__countof(raw); i++) {
        struct cel_str head = {tag, raw[i].len};

        if ((size_t)(end - tag) <= head.len || !cel__str_ieq(head, raw[i]))
            continue;
        while ((p = memmem(p, (size_t)(end - p), "</", 2)) != NULL) {
            struct cel_str close = {p + 2, raw[i].len};

            if ((size_t)(end - p) > close.len + 2 && cel__str_ieq(close, raw[i]))
                return p;
            p += 2;
        }
        return end;
    }
    return p;
}

/* Length of the input before the first tag with too many attributes. */
static size_t safe_length(struct cel_str html, uint32_t max)
{
    const char *p = html.ptr, *end = html.ptr + html.len, *tag;

    while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
            const char *close = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);

            p = close != NULL ? close : end;
            continue;
        }
        tag = p + 1;
        p = skip_tag(tag, end, max);
        if (p == NULL)
            return (size_t)(tag - 1 - html.ptr);
        p = skip_raw(tag, p, end);
    }
    return html.len;
}

static struct cel_str text_of(const xmlChar *text)
{
    return cel__str(text != NULL ? (const char *)text : "");
}

static void copy_attr(struct cel__tree_builder *b, const xmlAttr *a)
{
    uint32_t name = cel__names_add(&b->tree->names, text_of(a->name));
    const xmlNode *value = a->children;
    xmlChar *joined;

    if (value == NULL || (value->next == NULL && value->type == XML_TEXT_NODE)) {
        cel__tree_attr(b, name, CEL__NS_NONE, text_of(value != NULL ? value->content : NULL));
        return;
    }
    joined = xmlNodeListGetString(a->doc, a->children, 1);
    cel__tree_attr(b, name, CEL__NS_NONE, text_of(joined));
    xmlFree(joined);
}

/* true when an element was opened. */
static bool copy_node(struct cel__tree_builder *b, const xmlNode *node)
{
    const xmlDtd *dtd = (const void *)node;

    switch (node->type) {
    case XML_ELEMENT_NODE:
        cel__tree_open(b, cel__names_add(&b->tree->names, text_of(node->name)), CEL__NS_HTML);
        for (const xmlAttr *a = node->properties; a != NULL; a = a->next)
            copy_attr(b, a);
        return true;
    case XML_TEXT_NODE:
    case XML_ENTITY_REF_NODE:
        cel__tree_text(b, text_of(node->content));
        return false;
    case XML_CDATA_SECTION_NODE:
        cel__tree_raw(b, CEL__NODE_RAW, text_of(node->content));
        return false;
    case XML_COMMENT_NODE:
        cel__tree_raw(b, CEL__NODE_COMMENT, text_of(node->content));
        return false;
    case XML_DTD_NODE:
        cel__tree_raw(b, CEL__NODE_DOCTYPE, text_of(dtd->name));
        return false;
    default:
        return false;
    }
}

/* -> the greatest depth met. */
static uint32_t copy(struct cel__tree_builder *b, const xmlDoc *doc)
{
    const xmlNode *node = doc->children;
    uint32_t depth = 0, deepest = 0;

    while (node != NULL) {
        if (copy_node(b, node)) {
            if (node->children != NULL) {
                depth++;
                deepest = cel__max(deepest, depth);
                node = node->children;
                continue;
            }
            cel__tree_close(b);
        }
        while (node->next == NULL && depth > 0) {
            node = node->parent;
            depth--;
            cel__tree_close(b);
        }
        node = node->next;
    }
    return deepest;
}

int cel__build_libxml2(struct cel__tree_builder *b, struct cel_str html)
{
    size_t len = safe_length(html, b->limits.attributes);
    htmlParserCtxtPtr parser;
    htmlDocPtr doc;

    pthread_once(&library_once, init_library);
    if (len < html.len)
        cel__tree_note_cut(b, CEL__CUT_ATTRIBUTES);
    parser = htmlNewParserCtxt();
    if (parser == NULL)
        return -ENOMEM;
    doc = htmlCtxtReadMemory(parser, html.ptr, (int)len, NULL, "UTF-8", PARSE_OPTIONS);
    if (doc != NULL && copy(b, doc) + 1 >= LIBXML2_DEPTH)
        cel__tree_note_cut(b, CEL__CUT_DEPTH);
    xmlFreeDoc(doc);
    htmlFreeParserCtxt(parser);
    return 0;
}
