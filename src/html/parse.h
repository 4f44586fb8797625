/* SPDX-License-Identifier: MIT */
#ifndef CEL__PARSE_H
#define CEL__PARSE_H

/* The HTML standard's parser: UTF-8 in, a tree out, sans-IO.
 *
 * Bytes come in any portions; the tree is the same however they are cut. Limits
 * mark what they cut (enum cel__cut) and never fail. All memory is of the parser
 * until the tree is taken, so giving up half-way is cel__parser_free. */

#include "html/sieve.h"
#include "html/tokenizer.h"
#include "html/tree.h"

struct cel__parse_options {
    bool scripting; /* <noscript> is text, as where scripts run */
    /* Of a fragment: the element that it is the content of; ptr NULL for a whole document. The
     * content then lies in the document node itself, without an html element around it. */
    struct cel_str context;
    enum cel__ns context_ns;
    struct cel__tree_limits limits; /* zeros are no limits, but for depth: 512 */
    bool positions;                 /* tree.positions gets a byte offset for each node */
    void (*error)(void *arg, const struct cel__error *error); /* NULL: errors are not looked for */
    void *error_arg;
    struct cel__sieve *sieve; /* NULL: all is kept. With one, cel__parser_end gives no tree */
    struct cel_str preview;   /* the bytes that will come, as far as they are there: they tell what
                               * room they need. Looked at by cel__parser_new only */
};

struct cel__parser;

/* The tree under way, for the owner of a sieve, who may add names to it before the first bytes. */
struct cel__tree *cel__parser_tree(struct cel__parser *p);

/* -ENOMEM. Owner: the caller, until cel__parser_free. */
CEL_NODISCARD int cel__parser_new(struct cel__parser **out,
                                  const struct cel__parse_options *options);
/* NULL is fine, half-way is fine. */
void cel__parser_free(struct cel__parser *p);

/* Whatever else comes changes nothing. */
bool cel__parser_has_enough(const struct cel__parser *p);
/* Valid UTF-8, in portions that may end within a character. 0 or -ENOMEM, after which only free. */
CEL_NODISCARD int cel__parser_feed(struct cel__parser *p, const void *bytes, size_t len);
/* Nothing more comes. The tree is the caller's to fini, also when the parser is freed first; *cut
 * (may be NULL) gets the first limit that was met. 0 or -ENOMEM with nothing in *out. */
CEL_NODISCARD int cel__parser_end(struct cel__parser *p, struct cel__tree *out, enum cel__cut *cut);

#endif
