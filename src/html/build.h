/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUILD_H
#define CEL__BUILD_H

/* The tree while it is parsed.
 *
 * Nearly every page brings its nodes in document order, so they are written where
 * they stay. `path` is the chain of nodes from the document to the innermost one
 * that still can get children at the end of the array; what falls off it gets its
 * `end`. The first insertion elsewhere (foster parenting, adoption, templates) gives
 * every node links to its relatives, which are followed from then on, and
 * cel__build_finish writes the arrays once more in document order. */

#include "html/tokenizer.h"
#include "html/tree.h"

struct cel__build_step {
    uint32_t node;
    uint32_t last; /* its last child, or 0 */
};

/* Of a text node: its next piece and its last piece instead of children; nodes[].end is a piece's
 * length. */
struct cel__build_link {
    uint32_t first;
    uint32_t last;
    uint32_t next;
};

/* Before `before`, or behind the last child. */
struct cel__build_place {
    uint32_t parent;
    uint32_t before;
};

struct cel__build {
    struct cel__tree tree;
    struct cel__tree_limits limits;
    enum cel__cut cut; /* the first limit that was met */
    bool is_full;      /* nothing more is taken */
    bool failed;       /* out of memory; implies is_full */
    bool is_linked;
    bool is_stale;     /* an element got a class or id after it had children */
    bool is_positions; /* tree.positions are kept */
    uint32_t node_cap;
    uint32_t attr_cap;
    uint32_t template_cap;
    uint32_t depth;    /* path[depth] is the innermost */
    uint32_t path_cap; /* at most limits.depth + 1 */
    struct cel__build_step *path;
    struct cel__build_link *links;
    uint64_t at;       /* where the token began */
    uint64_t expected; /* bytes of the page, 0: not known */
};

/* limits.depth is not 0. -ENOMEM: nothing is left to free. */
CEL_NODISCARD int cel__build_init(struct cel__build *b, const struct cel__tree_limits *limits,
                                  struct cel_str preview, bool positions);
void cel__build_fini(struct cel__build *b);
/* The tree in document order; the build is empty afterwards. 0 or -ENOMEM. */
CEL_NODISCARD int cel__build_finish(struct cel__build *b, struct cel__tree *out);

/* Each: the new node, or 0 when nothing more is taken (is_full). */
uint32_t cel__build_element(struct cel__build *b, struct cel__build_place at, uint32_t name,
                            enum cel__ns ns);
uint32_t cel__build_raw(struct cel__build *b, struct cel__build_place at, enum cel__node_kind kind,
                        struct cel_str text);
/* An element like another, with its attributes, that is nowhere yet. */
uint32_t cel__build_clone(struct cel__build *b, uint32_t node);
/* The root of a template's content. */
uint32_t cel__build_content(struct cel__build *b, uint32_t element);

/* Adds to the text there, or a text node. */
void cel__build_text(struct cel__build *b, struct cel__build_place at, struct cel_str text);
/* The text of a script or style. */
void cel__build_raw_text(struct cel__build *b, uint32_t parent, struct cel_str text);

/* To the newest node. */
void cel__build_attr(struct cel__build *b, uint32_t node, uint32_t name, enum cel__ns ns,
                     struct cel_str value);
/* Those that an element does not have yet. */
void cel__build_merge(struct cel__build *b, uint32_t node, const struct cel__token_attr *attrs,
                      uint32_t count);

/* Takes a node out, with what is in it, or puts it somewhere. */
void cel__build_detach(struct cel__build *b, uint32_t node);
void cel__build_move(struct cel__build *b, uint32_t node, struct cel__build_place at);
void cel__build_move_children(struct cel__build *b, uint32_t from, uint32_t to);

void cel__build_note_cut(struct cel__build *b, enum cel__cut cut);

#endif
