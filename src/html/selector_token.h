/* SPDX-License-Identifier: MIT */
#ifndef CEL__SELECTOR_TOKEN_H
#define CEL__SELECTOR_TOKEN_H

/* The tokens of CSS syntax that selectors are made of. */

#include <stdbool.h>

#include "html/selector.h"

enum cel__token_kind {
    CEL__TOKEN_END,
    CEL__TOKEN_SPACE, /* blanks and comments */
    CEL__TOKEN_IDENT,
    CEL__TOKEN_FUNCTION, /* ident and the '(' behind it */
    CEL__TOKEN_HASH,
    CEL__TOKEN_STRING,
    CEL__TOKEN_NUMBER, /* or dimension: whatever begins like a number */
    CEL__TOKEN_DELIM,  /* any other character, in `delim` */
    CEL__TOKEN_BAD     /* an unclosed string, a broken escape */
};

struct cel__token {
    enum cel__token_kind kind;
    char delim;
    bool is_id;          /* HASH: what follows the '#' could stand as an identifier */
    size_t at;           /* where it begins in the source */
    struct cel_str text; /* unescaped: IDENT, FUNCTION, HASH, STRING */
};

struct cel__lexer {
    struct cel_selector *owner; /* unescaped texts go to its arena */
    struct cel_str css;
    size_t at;
    bool out_of_memory;
};

struct cel__token cel__lexer_next(struct cel__lexer *lx);

#endif
