/* SPDX-License-Identifier: MIT */
#include "html/selector_parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cc.h"

int cel__parser_fail(struct cel__parser *p, size_t at, const char *fmt, ...)
{
    size_t column = 1;
    va_list va;
    int len;

    for (size_t i = 0; i < at && i < p->lx.css.len; i++)
        column += ((uint8_t)p->lx.css.ptr[i] & 0xc0) != 0x80;
    len = snprintf(p->error->text, sizeof p->error->text, "column %zu: ", column);
    va_start(va, fmt);
    vsnprintf(p->error->text + len, sizeof p->error->text - (size_t)len, fmt, va);
    va_end(va);
    return -CEL_ESELECTOR;
}

void cel__parser_next(struct cel__parser *p)
{
    p->token = cel__lexer_next(&p->lx);
}

void cel__parser_skip_space(struct cel__parser *p)
{
    while (p->token.kind == CEL__TOKEN_SPACE)
        cel__parser_next(p);
}

bool cel__parser_at(const struct cel__parser *p, char delim)
{
    return p->token.kind == CEL__TOKEN_DELIM && p->token.delim == delim;
}

/* Says what stands where something else was expected. */
int cel__parser_unexpected(struct cel__parser *p, const char *expected)
{
    const struct cel__token *t = &p->token;

    if (t->kind == CEL__TOKEN_END)
        return cel__parser_fail(p, t->at, "the selector ends where %s is expected", expected);
    if (t->kind == CEL__TOKEN_BAD && t->delim != '\\')
        return cel__parser_fail(p, t->at, "a string is broken by a line end");
    if (t->kind == CEL__TOKEN_NUMBER)
        return cel__parser_fail(p, t->at, "a name cannot begin with a digit; %s is expected",
                                expected);
    return cel__parser_fail(p, t->at, "%s is expected, not '%.*s'", expected,
                            (int)cel__min(p->lx.at - t->at, (size_t)40), p->lx.css.ptr + t->at);
}

struct cel__test *cel__parser_add(struct cel__parser *p, struct cel__compound *c,
                                  enum cel__test_op op)
{
    struct cel__test *t = cel__selector_alloc(p->s, sizeof *t), **last = &c->tests;

    if (t == NULL)
        return NULL;
    t->op = (uint8_t)op;
    while (*last != NULL)
        last = &(*last)->next;
    *last = t;
    return t;
}
