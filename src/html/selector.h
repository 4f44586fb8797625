/* SPDX-License-Identifier: MIT */
#ifndef CEL__SELECTOR_H
#define CEL__SELECTOR_H

/* A selector in the form that matching wants it: from right to left.
 *
 * list       complex, complex            `a > b, c`
 * complex    compound and what stands left of it
 * compound   tests that one element must all pass   `a.b:not(c)`
 * test       one of them
 *
 * All parts lie in the arena of the selector that owns them and never change
 * once it is compiled. Names are kept as text; a match resolves them to the
 * numbers of its document once. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/html.h"
#include "base/buf.h"

enum cel__comb {
    CEL__COMB_NONE,  /* nothing stands left */
    CEL__COMB_DESC,  /* a b */
    CEL__COMB_CHILD, /* a > b */
    CEL__COMB_NEXT,  /* a + b */
    CEL__COMB_LATER  /* a ~ b */
};

enum cel__test_op {
    CEL__TEST_TYPE,
    CEL__TEST_NS, /* ns|* */
    CEL__TEST_ID,
    CEL__TEST_CLASS,
    CEL__TEST_ATTR,
    CEL__TEST_NEVER,
    CEL__TEST_ANCHOR, /* the element that :has() is asked of */
    CEL__TEST_SCOPE,
    CEL__TEST_ROOT,
    CEL__TEST_EMPTY,
    CEL__TEST_NTH,
    CEL__TEST_IS,
    CEL__TEST_NOT,
    CEL__TEST_HAS,
    CEL__TEST_LANG,
    CEL__TEST_CONTAINS,
    CEL__TEST_LINK,
    CEL__TEST_ENABLED,
    CEL__TEST_DISABLED,
    CEL__TEST_CHECKED,
    CEL__TEST_REQUIRED,
    CEL__TEST_OPTIONAL,
    CEL__TEST_READ_ONLY,
    CEL__TEST_READ_WRITE,
    CEL__TEST_DEFAULT,
    CEL__TEST_PLACEHOLDER
};

enum cel__attr_op {
    CEL__ATTR_EXISTS,
    CEL__ATTR_EQUALS,   /* = */
    CEL__ATTR_INCLUDES, /* ~= */
    CEL__ATTR_DASH,     /* |= */
    CEL__ATTR_PREFIX,   /* ^= */
    CEL__ATTR_SUFFIX,   /* $= */
    CEL__ATTR_CONTAINS  /* *= */
};

enum cel__case {
    CEL__CASE_EXACT,
    CEL__CASE_FOLD,
    CEL__CASE_FOLD_HTML /* of HTML elements only, as for [type=…] */
};

/* More compounds on one path, or bytes of source, are refused. */
#define CEL__SELECTOR_PATH  96
#define CEL__SELECTOR_BYTES 16384

#define CEL__NS_ANY 0xff

struct cel__sel_list;
struct cel__text_list;

struct cel__test {
    struct cel__test *next;
    uint8_t op;
    uint8_t ns;                   /* enum cel__ns or CEL__NS_ANY; TYPE, NS, ATTR */
    uint8_t attr_op;              /* ATTR */
    uint8_t case_rule;            /* ATTR: enum cel__case */
    bool from_end;                /* NTH: counted from the last sibling */
    bool of_type;                 /* NTH: only siblings of the same type count */
    bool own;                     /* CONTAINS: the element's own text only */
    uint16_t name;                /* TYPE, ATTR: lower-case name, index into the selector's names */
    uint16_t exact;               /* the name as written, for elements that are not HTML */
    uint16_t memo;                /* NTH: slot in the match's memory of counts */
    int32_t a, b;                 /* NTH: a*n + b */
    struct cel_str text;          /* ID, CLASS, ATTR value, CONTAINS */
    struct cel__sel_list *list;   /* IS, NOT, HAS; NTH `of` or NULL */
    struct cel__text_list *texts; /* LANG, CONTAINS */
};

struct cel__text_list {
    struct cel__text_list *next;
    struct cel_str text;
};

struct cel__compound {
    struct cel__test *tests;
    struct cel__compound *left;
    uint8_t comb; /* how `left` stands to this; enum cel__comb */
};

/* What extraction takes of a match. */
enum cel__take {
    CEL__TAKE_ALL_TEXT,
    CEL__TAKE_TEXT,
    CEL__TAKE_ATTR,
    CEL__TAKE_HTML,
    CEL__TAKE_INNER
};

struct cel__complex {
    struct cel__complex *next;
    struct cel__compound *last; /* the rightmost */
    uint64_t need;              /* marks that a matching element bears */
    uint64_t need_above;        /* marks that its ancestors bear together */
    uint8_t take;               /* enum cel__take */
    uint8_t reach;              /* HAS: enum cel__comb of the leftmost to the anchor */
    bool is_short;              /* HAS: one compound only */
    struct cel_str attr;        /* TAKE_ATTR */
};

struct cel__sel_list {
    struct cel__complex *first;
};

struct cel__arena_block;

struct cel_selector {
    struct cel__sel_list list;
    struct cel__arena_block *blocks;
    const char *source; /* as it was written */
    struct cel_str *names;
    uint16_t name_count;
    uint16_t name_cap;
    uint16_t memos;
    bool has_take; /* some complex ends in ::text or the like */
};

/* Parses all of `css`, which lives as long as the selector, into s->list. -CEL_ESELECTOR with
 * "column N: cause" in error->text, -ENOMEM. */
CEL_NODISCARD int cel__selector_parse(struct cel_selector *s, struct cel_str css,
                                      struct cel_error *error);

/* Zeroed memory that lives as long as the selector; NULL when memory is out. */
void *cel__selector_alloc(struct cel_selector *s, size_t size_bytes);
/* Index of the name, added when new; -ENOMEM. */
int cel__selector_name(struct cel_selector *s, struct cel_str name);
/* Frees all of that, not the selector itself. */
void cel__selector_drop(struct cel_selector *s);

#endif
