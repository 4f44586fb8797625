/* SPDX-License-Identifier: MIT */
#ifndef CEL__NAMES_H
#define CEL__NAMES_H

/* The names of one document as small numbers. Comparing two names is then one
 * integer compare. Those that matching itself asks for have fixed numbers, the
 * rest are counted up as the document brings them. The hash has a key drawn
 * once per process, so that a page cannot aim collisions. */

#include <stdint.h>

#include "base/buf.h"

/* name constant, spelling */
#define CEL__NAMES(X)                     \
    X(A, "a")                             \
    X(AREA, "area")                       \
    X(BUTTON, "button")                   \
    X(CHECKED, "checked")                 \
    X(CLASS, "class")                     \
    X(CONTENTEDITABLE, "contenteditable") \
    X(DISABLED, "disabled")               \
    X(FIELDSET, "fieldset")               \
    X(FORM, "form")                       \
    X(HREF, "href")                       \
    X(HTML, "html")                       \
    X(ID, "id")                           \
    X(INPUT, "input")                     \
    X(LANG, "lang")                       \
    X(LEGEND, "legend")                   \
    X(OPTGROUP, "optgroup")               \
    X(OPTION, "option")                   \
    X(PLACEHOLDER, "placeholder")         \
    X(READONLY, "readonly")               \
    X(REQUIRED, "required")               \
    X(SCRIPT, "script")                   \
    X(SELECT, "select")                   \
    X(SELECTED, "selected")               \
    X(STYLE, "style")                     \
    X(TEXTAREA, "textarea")               \
    X(TYPE, "type")                       \
    X(VALUE, "value")

enum cel__name {
    CEL__NAME_NONE,
#define X(constant, text) CEL__NAME_##constant,
    CEL__NAMES(X)
#undef X
        CEL__NAME_FIXED /* the first number that a document gives out itself */
};

struct cel__name_entry {
    uint32_t hash;
    uint32_t at; /* in `bytes` */
    uint32_t len;
};

struct cel__names {
    struct cel__name_entry *entries; /* by number; entry 0 is unused */
    uint32_t count;
    uint32_t cap;
    uint32_t *slots; /* open addressing, numbers; 0 is free */
    uint32_t slot_mask;
    struct cel__buf bytes;
};

/* -ENOMEM, after which fini is still due. */
CEL_NODISCARD int cel__names_init(struct cel__names *n);
void cel__names_fini(struct cel__names *n);
/* -> the name's number, made when it is new; CEL__NAME_NONE when memory is out. */
uint32_t cel__names_add(struct cel__names *n, struct cel_str name);
/* -> the name's number, or CEL__NAME_NONE when the document has no such name. */
uint32_t cel__names_find(const struct cel__names *n, struct cel_str name);
struct cel_str cel__names_text(const struct cel__names *n, uint32_t name);

/* Draws the key, once; called before the first hash by whatever keeps hashes. Any thread. */
void cel__names_ready(void);
/* Keyed hash of bytes: fast for short ones. Any thread. */
uint64_t cel__names_hash(struct cel_str s);

#endif
