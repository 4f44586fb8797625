/* SPDX-License-Identifier: MIT */
#ifndef CEL__TREE_H
#define CEL__TREE_H

/* Building a tree: what a tree builder that is not ours (libxml2's) calls, in document
 * order, and the limits that hold for all of them. What a limit cuts off is
 * noted in `cut`; running out of memory is noted in `failed` and ends in
 * cel__tree_finish. */

#include "html/node.h"

enum cel__cut {
    CEL__CUT_NONE,
    CEL__CUT_SIZE,       /* input bytes */
    CEL__CUT_DEPTH,      /* nesting */
    CEL__CUT_NODES,      /* nodes of the document */
    CEL__CUT_ATTRIBUTES, /* attributes of one tag */
    CEL__CUT_NAMES,      /* different names that are not fixed */
    CEL__CUT_MEMORY,     /* a page that grows out of proportion while it is parsed */
    CEL__CUT_LENGTH      /* of a name or a value */
};

struct cel__tree_limits {
    uint32_t depth;
    uint32_t nodes;
    uint32_t attributes; /* of one tag */
    uint32_t names;      /* that are not fixed (html/names.h) */
    size_t bytes;        /* text and values together */
    size_t name;         /* of a tag's or an attribute's; 0: any */
    size_t value;        /* of an attribute, a comment, a doctype's identifier; 0: any */
};

struct cel__tree_open {
    uint32_t node;
    uint32_t last_child;
};

struct cel__tree_builder {
    struct cel__tree *tree;
    struct cel__tree_limits limits;
    struct cel__tree_open *open; /* limits.depth + 1 entries */
    uint32_t depth;              /* open[depth] is the innermost open node */
    uint32_t over;               /* elements open beyond the depth limit */
    uint32_t node_cap;
    uint32_t attr_cap;
    enum cel__cut cut; /* the first limit that was met */
    bool is_full;      /* nothing more is taken */
    bool failed;
};

/* Sizes the tree for `input_bytes` of HTML. -ENOMEM: nothing is left to free. */
CEL_NODISCARD int cel__tree_begin(struct cel__tree_builder *b, struct cel__tree *t,
                                  const struct cel__tree_limits *limits, size_t input_bytes);
/* Closes what is open and frees the builder. 0 or -ENOMEM. The tree is the caller's to fini. */
CEL_NODISCARD int cel__tree_finish(struct cel__tree_builder *b);

/* An element; attributes follow at once, then children, then the close. */
void cel__tree_open(struct cel__tree_builder *b, uint32_t name, enum cel__ns ns);
/* A second one of the same name is dropped, as HTML has it. */
void cel__tree_attr(struct cel__tree_builder *b, uint32_t name, enum cel__ns ns,
                    struct cel_str value);
void cel__tree_close(struct cel__tree_builder *b);
void cel__tree_text(struct cel__tree_builder *b, struct cel_str text);
/* A raw kind: script text, comment, doctype. */
void cel__tree_raw(struct cel__tree_builder *b, enum cel__node_kind kind, struct cel_str text);

/* The bit of an element's name. */
uint64_t cel__tree_mark_of_name(const struct cel__tree *t, uint32_t name, enum cel__ns ns);
/* The bits of the value of `class` or `id`. */
uint64_t cel__tree_marks_of_value(uint32_t name, struct cel_str value);
/* Adds the bits of the value of `class` or `id`. */
void cel__tree_mark_value(struct cel__tree *t, uint32_t i, uint32_t name, struct cel_str value);

void cel__tree_note_cut(struct cel__tree_builder *b, enum cel__cut cut);
void cel__tree_fini(struct cel__tree *t);

#endif
