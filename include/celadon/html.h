/* SPDX-License-Identifier: MIT */
#ifndef CELADON_HTML_H
#define CELADON_HTML_H

/* HTML: parse a page, select by CSS, extract fields into an item.
 *
 * Nothing here parks and nothing needs a loop: these functions run in any
 * thread. Documents, selectors and field sets never change once made, so any
 * number of threads may read one at a time; each must outlive what points into
 * it: nodes and texts into their document, iterators into both. Text is UTF-8
 * throughout, whatever encoding the page came in; broken bytes become U+FFFD. */

#include <stdbool.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Documents ---- */

struct cel_html;

enum cel_html_parser {
    CEL_HTML_HTML5,  /* the tree that browsers build */
    CEL_HTML_LIBXML2 /* the tree that 'lxml' builds; stops at 256 open elements */
};

/* A mistake in a page, by its name ("eof-in-tag", static): the HTML standard's where it gives one,
 * else, for how elements stand together, that of the html5lib test suite; each is explained in
 * docs/html-errors.md. Its place is the character, or where the tag begins. Lines and columns count
 * from 1, columns in characters; the offset is of the byte in the page as UTF-8, which for pages in
 * that encoding is the byte of the page behind its byte order mark. Text in a wrong place is a
 * mistake for each of its characters, as the standard has it. */
struct cel_html_error {
    const char *code;
    uint32_t line;
    uint32_t column;
    uint64_t offset;
    /* The name of the tag, or of the element that is open, which it is about; may be empty. Lives
     * until the call returns. */
    struct cel_str element;
    const char *meaning; /* of the code, in a few words of English; static */
};

/* Zero means the default. */
struct cel_html_options {
    enum cel_html_parser parser;
    /* What the transport says of the encoding: a label or a whole Content-Type; may be NULL. A
     * byte order mark in the page wins over it, it wins over the page's meta tags. */
    const char *charset;
    size_t max_bytes;   /* 16 MiB, at most 256 MiB; of the page */
    uint32_t max_depth; /* 512, at most 4096; of open elements */
    uint32_t max_nodes; /* 1,000,000 */
    bool whole_tree;    /* cel_fields_scan: builds the tree even where it could do without */
    /* Called between portions of a long page, so that a host may let others run; may park. */
    void (*pause)(void *arg);
    void *pause_arg;
    uint32_t max_attributes; /* 256, at most 4096; of one tag */

    /* The rest is for CEL_HTML_HTML5 only. */

    /* The page is what stands inside this element, as innerHTML has it: "body", "tr", "svg path",
     * "math mi". Its nodes lie in the document itself. NULL: a whole page. */
    const char *fragment;
    bool scripting; /* <noscript> is text, as where scripts run */
    bool positions; /* cel_html_dump tells where nodes began; four bytes a node */
    /* Told of each mistake, in their order, while the page is parsed. NULL: they are not looked
     * for, which is faster. */
    void (*error)(void *arg, const struct cel_html_error *error);
    void *error_arg;
};

/* Any bytes are a page, none as well; what is beyond a limit is cut off, see cel_html_truncated.
 * `bytes` is not needed afterwards. `options` may be NULL. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_html_parse(struct cel_html **out, const void *bytes, size_t len,
                                            const struct cel_html_options *options);

/* NULL is fine. */
CEL_PUBLIC void cel_html_free(struct cel_html *doc);

/* NULL when the whole page is in the document; else the limit that cut it: "size", "depth",
 * "nodes", "attributes", "names" (65,536 different ones that HTML does not have), "length" (of a
 * name: 1 KiB, of a value or a comment: 4 MiB) or "memory" (the page grew out of proportion).
 * Static. */
CEL_PUBLIC const char *cel_html_truncated(const struct cel_html *doc);

/* The standard's name of the encoding the page was read in ("UTF-8", "windows-1252"). Static. */
CEL_PUBLIC const char *cel_html_charset(const struct cel_html *doc);

/* The tree as text in the notation of the html5lib tests, a line for each node and attribute; in
 * front of a node's line its offset (of cel_html_error) when the page was parsed with `positions`.
 * The text is the caller's, NUL-terminated and freed by cel_html_text_free; its length goes to *len
 * (may be NULL). NULL when memory is out. */
CEL_PUBLIC char *cel_html_dump(const struct cel_html *doc, size_t *len);

/* ---- Nodes ---- */

/* A place in a document, passed by value. With at == 0 and a document: the document itself. With
 * doc == NULL: no node; every function takes that and answers "none" or "". */
struct cel_node {
    const struct cel_html *doc;
    uint32_t at;
};

enum cel_node_kind {
    CEL_NODE_NONE,
    CEL_NODE_DOCUMENT,
    CEL_NODE_ELEMENT,
    CEL_NODE_TEXT,
    CEL_NODE_COMMENT,
    CEL_NODE_DOCTYPE
};

/* The document as a node: where a search of the whole page begins. */
CEL_PUBLIC struct cel_node cel_html_root(const struct cel_html *doc);
/* What the node is. */
CEL_PUBLIC enum cel_node_kind cel_node_kind(struct cel_node node);
/* The node around it; of the document: none. */
CEL_PUBLIC struct cel_node cel_node_parent(struct cel_node node);
/* The first node inside it, or none. */
CEL_PUBLIC struct cel_node cel_node_first(struct cel_node node);
/* The sibling behind it, or none. */
CEL_PUBLIC struct cel_node cel_node_next(struct cel_node node);
/* The sibling before it, or none. */
CEL_PUBLIC struct cel_node cel_node_prev(struct cel_node node);

/* Of an element, in lower case for HTML. Slices belong to the document. */
CEL_PUBLIC struct cel_str cel_node_name(struct cel_node node);
/* All text inside, in order, blanks as they are; without scripts, styles and comments. Of a script,
 * a style, a comment: its own content. No copy is made. */
CEL_PUBLIC struct cel_str cel_node_text(struct cel_node node);
/* The value of an attribute; ptr is NULL when there is none. Names of HTML are lower case. */
CEL_PUBLIC struct cel_str cel_node_attr(struct cel_node node, const char *name);
/* The i-th attribute from 0: 1, or 0 behind the last. */
CEL_PUBLIC int cel_node_attr_at(struct cel_node node, size_t i, struct cel_str *name,
                                struct cel_str *value);

/* The node (outer) or its children (inner) as HTML. The text is the caller's, NUL-terminated and
 * freed by cel_html_text_free; its length goes to *len (may be NULL). NULL when memory is out. */
CEL_PUBLIC char *cel_node_outer_html(struct cel_node node, size_t *len);
CEL_PUBLIC char *cel_node_inner_html(struct cel_node node, size_t *len);
CEL_PUBLIC void cel_html_text_free(char *text);

/* ---- Selectors ---- */

/* Selectors level 3 whole, and of level 4: :is :where :not(list) :has(relative) :nth-child(an+b of
 * S) [a=b i] [a=b s] :any-link :lang(list) :scope and the states that a page states itself
 * (:enabled :disabled :checked :required :optional :read-only :read-write :default
 * :placeholder-shown). What only a live page can answer (:hover, :visited, :target, …) is known
 * and matches nothing. -soup-contains("text") finds by content. A last `::text`, `::attr(name)`,
 * `::html` or `::inner-html` says what extraction takes of a match. */
struct cel_selector;

/* -CEL_ESELECTOR, with "column N: cause" in error->text (error may be NULL); -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_selector_new(struct cel_selector **out, const char *css,
                                              struct cel_error *error);
/* NULL is fine. */
CEL_PUBLIC void cel_selector_free(struct cel_selector *selector);

/* 1 or 0; -CEL_ETOOLARGE when answering takes more than the budget of 50 million steps, -ENOMEM. */
CEL_PUBLIC int cel_node_matches(struct cel_node node, const struct cel_selector *selector);

/* The first match inside `within` (a document's root or an element, which is itself :scope and no
 * candidate), in document order. 1, 0 for none, or an error as above. */
CEL_PUBLIC int cel_select_first(const struct cel_selector *selector, struct cel_node within,
                                struct cel_node *out);

/* All matches in document order, none twice; the array is the caller's to free by cel_nodes_free.
 * The count, or an error as above. */
CEL_PUBLIC int cel_select_all(const struct cel_selector *selector, struct cel_node within,
                              struct cel_node **out);
CEL_PUBLIC void cel_nodes_free(struct cel_node *nodes);

/* One by one. 0 or -ENOMEM. */
struct cel_matches;
CEL_PUBLIC CEL_NODISCARD int cel_matches_new(struct cel_matches **out,
                                             const struct cel_selector *selector,
                                             struct cel_node within);
/* 1, 0 behind the last, or an error as above. */
CEL_PUBLIC int cel_matches_next(struct cel_matches *matches, struct cel_node *out);
/* NULL is fine. */
CEL_PUBLIC void cel_matches_free(struct cel_matches *matches);

/* ---- Fields and items ---- */

/* One value wanted of a page. The end of an array of them has name NULL. */
struct cel_field {
    const char *name;
    const char *css;  /* a selector, may end in ::text, ::attr(x) or ::html */
    const char *attr; /* take this attribute instead of the text */
    const char *join; /* all matches as one string, with this between them */
    bool is_list;     /* all matches as a list; else the first */
};

/* A compiled set of fields, for use on any number of pages. */
struct cel_fields;

/* `fields` may be NULL, for a set that begins empty. Texts are copied. -CEL_ESELECTOR with the
 * field and the cause in error->text (error may be NULL); -EEXIST: a name twice; -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_fields_new(struct cel_fields **out, const struct cel_field *fields,
                                            struct cel_error *error);
/* One more; errors as above, and the set is as before. */
CEL_PUBLIC CEL_NODISCARD int cel_fields_add(struct cel_fields *fields,
                                            const struct cel_field *field, struct cel_error *error);
/* One more, as the command line spells it: NAME=CSS, NAME=CSS@attr, NAME[]=CSS for a list. With
 * `join` not NULL the list becomes one string. An '@' inside brackets, parentheses or quotes is
 * part of the selector. -EINVAL for what is no such form; errors as above. */
CEL_PUBLIC CEL_NODISCARD int cel_fields_add_spec(struct cel_fields *fields, const char *spec,
                                                 const char *join, struct cel_error *error);
CEL_PUBLIC size_t cel_fields_count(const struct cel_fields *fields);
/* Name of the i-th; belongs to the set. */
CEL_PUBLIC const char *cel_fields_name(const struct cel_fields *fields, size_t i);
/* Its selector as it was written, without NAME= and @attr. */
CEL_PUBLIC const char *cel_fields_css(const struct cel_fields *fields, size_t i);
/* The attribute that it takes by `attr` or @attr, or NULL; belongs to the set. */
CEL_PUBLIC const char *cel_fields_attr(const struct cel_fields *fields, size_t i);
/* NULL is fine. */
CEL_PUBLIC void cel_fields_free(struct cel_fields *fields);

/* What was found of one page; outlives page and fields. */
struct cel_item;

enum cel_item_kind { CEL_ITEM_MISSING, CEL_ITEM_STRING, CEL_ITEM_LIST };

/* Takes the fields from a page in one walk. The text of a match is all text inside it, without the
 * blanks at both ends. A field that the page lacks is missing, which is no error; a list or join
 * that found nothing is an empty list or missing. -CEL_ETOOLARGE when a selector takes more than
 * the budget; -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_fields_extract(const struct cel_fields *fields,
                                                const struct cel_html *doc, struct cel_item **out);

/* Takes the fields from a page's bytes: what cel_html_parse and cel_fields_extract give, in one
 * pass. Where all selectors can be answered on the way (types, classes, ids, attributes,
 * descendants, children, siblings before, :nth-child, :not, :is, :where of those), nothing is kept
 * of what no field takes, and the pass ends when the last field has all it wants. Else, and for the
 * few pages whose nodes do not come in document order, a tree is built. `options` may be NULL.
 * *truncated (may be NULL) is as cel_html_truncated, for what had to be read. Errors as there; *out
 * is untouched then. */
CEL_PUBLIC CEL_NODISCARD int cel_fields_scan(const struct cel_fields *fields, const void *bytes,
                                             size_t len, const struct cel_html_options *options,
                                             struct cel_item **out, const char **truncated);

/* The same in one call, for a page or two: compiles the fields each time. NULL when doc is NULL, a
 * selector is wrong (the log says which and why) or memory is out. */
CEL_PUBLIC struct cel_item *cel_extract(const struct cel_html *doc, const struct cel_field *fields);

/* NULL is fine. */
CEL_PUBLIC void cel_item_free(struct cel_item *item);

/* By place, in the order of the fields. Slices belong to the item. */
CEL_PUBLIC size_t cel_item_count(const struct cel_item *item);
CEL_PUBLIC const char *cel_item_name(const struct cel_item *item, size_t i);
CEL_PUBLIC enum cel_item_kind cel_item_kind(const struct cel_item *item, size_t i);
/* Number of values: 0 missing, 1 string, any for a list. */
CEL_PUBLIC size_t cel_item_values(const struct cel_item *item, size_t i);
CEL_PUBLIC struct cel_str cel_item_value(const struct cel_item *item, size_t i, size_t k);

/* By name: the string, or a list's first; ptr is NULL when it is missing or no such field is. The
 * bytes are followed by a NUL. */
CEL_PUBLIC struct cel_str cel_item_get(const struct cel_item *item, const char *name);

/* {"title":"…","content":["…"],"date":null}, NUL-terminated; belongs to the item, which is the one
 * thing this may change (so one thread at a time). *len may be NULL. NULL when memory is out. */
CEL_PUBLIC const char *cel_item_json(struct cel_item *item, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
