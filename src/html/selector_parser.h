/* SPDX-License-Identifier: MIT */
#ifndef CEL__SELECTOR_PARSER_H
#define CEL__SELECTOR_PARSER_H

/* The state of one parse, and what both halves of the parser (the grammar, the
 * pseudo-classes) do with it. */

#include "html/selector_token.h"

struct cel__parser {
    struct cel_selector *s;
    struct cel_error *error;
    struct cel__lexer lx;
    struct cel__token token;      /* the one to look at */
    struct cel__complex *complex; /* being parsed */
    bool has_take;                /* the compound ended in a pseudo-element */
    bool in_has;
    unsigned nesting; /* parentheses open */
    unsigned path;    /* compounds and parentheses on the way here: bounds the recursion */
    /* Up to the ')' or the end. The pseudo-classes come back to the grammar by this. */
    int (*parse_list)(struct cel__parser *p, struct cel__sel_list *list, bool is_relative);
};

/* -CEL_ESELECTOR, with the column of byte `at` and the cause in the error. */
int cel__parser_fail(struct cel__parser *p, size_t at, const char *fmt, ...) CEL_PRINTF(3, 4);
/* The same for a token that is not what should stand there. */
int cel__parser_unexpected(struct cel__parser *p, const char *expected);

void cel__parser_next(struct cel__parser *p);
void cel__parser_skip_space(struct cel__parser *p);
bool cel__parser_at(const struct cel__parser *p, char delim);

/* A new last test of the compound; NULL when memory is out. */
struct cel__test *cel__parser_add(struct cel__parser *p, struct cel__compound *c,
                                  enum cel__test_op op);

#endif
