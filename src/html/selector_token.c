/* SPDX-License-Identifier: MIT */
/* Tokens are made on demand from `at`; going back is setting `at`. A text with
 * no escape in it is a slice of the source, which the selector keeps. */
#include "html/selector_token.h"

#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/utf8.h"

static int peek(const struct cel__lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->css.len ? (uint8_t)lx->css.ptr[lx->at + ahead] : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_newline(int c)
{
    return c == '\n' || c == '\r' || c == '\f';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(int c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80 || c == 0;
}

static bool is_name(int c)
{
    return is_name_start(c) || is_digit(c) || c == '-';
}

static bool is_escape(const struct cel__lexer *lx, size_t ahead)
{
    return peek(lx, ahead) == '\\' && peek(lx, ahead + 1) >= 0 && !is_newline(peek(lx, ahead + 1));
}

/* Whether an identifier begins `ahead` characters from here. */
static bool starts_ident(const struct cel__lexer *lx, size_t ahead)
{
    if (peek(lx, ahead) == '-') {
        int second = peek(lx, ahead + 1);

        return is_name_start(second) || second == '-' || is_escape(lx, ahead + 1);
    }
    return is_name_start(peek(lx, ahead)) || is_escape(lx, ahead);
}

/* At a backslash that begins an escape. */
static void take_escape(struct cel__lexer *lx, struct cel__buf *out)
{
    uint32_t code = 0;
    int digits = 0;

    lx->at++;
    while (digits < 6 && hex_value(peek(lx, 0)) >= 0) {
        code = code * 16 + (uint32_t)hex_value(peek(lx, 0));
        lx->at++;
        digits++;
    }
    if (digits == 0) {
        cel__buf_add_char(out, lx->css.ptr[lx->at++]);
        return;
    }
    if (peek(lx, 0) == '\r' && peek(lx, 1) == '\n')
        lx->at += 2;
    else if (is_blank(peek(lx, 0)))
        lx->at++;
    cel__utf8_add(out, code != 0 ? code : 0xfffd);
}

/* Hands the buffer's text over to the arena. */
static struct cel_str keep(struct cel__lexer *lx, struct cel__buf *b)
{
    char *copy = cel__selector_alloc(lx->owner, b->len + 1);
    struct cel_str kept = {"", 0};

    if (copy == NULL || b->failed)
        lx->out_of_memory = true;
    else if (b->len != 0)
        kept = (struct cel_str){memcpy(copy, b->ptr, b->len), b->len};
    cel__buf_fini(b);
    return kept;
}

static void take_one(struct cel__lexer *lx, struct cel__buf *out)
{
    char c = lx->css.ptr[lx->at++];

    if (c == '\0')
        cel__buf_add(out, "\xef\xbf\xbd", 3);
    else
        cel__buf_add_char(out, c);
}

static struct cel_str take_name(struct cel__lexer *lx)
{
    size_t from = lx->at;
    struct cel__buf b = {0};

    while (is_name(peek(lx, 0)) && peek(lx, 0) != 0)
        lx->at++;
    if (peek(lx, 0) != 0 && !is_escape(lx, 0))
        return (struct cel_str){lx->css.ptr + from, lx->at - from};
    cel__buf_add(&b, lx->css.ptr + from, lx->at - from);
    for (;;) {
        if (is_escape(lx, 0))
            take_escape(lx, &b);
        else if (is_name(peek(lx, 0)))
            take_one(lx, &b);
        else
            return keep(lx, &b);
    }
}

/* An unclosed string is one that ends with the source, as CSS has it; a line end breaks it. */
static void take_string(struct cel__lexer *lx, struct cel__token *t)
{
    int quote = lx->css.ptr[lx->at++];
    struct cel__buf b = {0};

    t->kind = CEL__TOKEN_STRING;
    while (peek(lx, 0) >= 0 && peek(lx, 0) != quote) {
        if (is_newline(peek(lx, 0))) {
            t->kind = CEL__TOKEN_BAD;
            break;
        }
        if (peek(lx, 0) != '\\') {
            take_one(lx, &b);
        } else if (peek(lx, 1) < 0) {
            lx->at++;
        } else if (is_newline(peek(lx, 1))) {
            lx->at += peek(lx, 1) == '\r' && peek(lx, 2) == '\n' ? 3 : 2;
        } else {
            take_escape(lx, &b);
        }
    }
    if (peek(lx, 0) == quote)
        lx->at++;
    t->text = keep(lx, &b);
}

static void skip_comment(struct cel__lexer *lx)
{
    const char *from = lx->css.ptr + lx->at + 2;
    const char *close = memmem(from, lx->css.len - lx->at - 2, "*/", 2);

    lx->at = close != NULL ? (size_t)(close - lx->css.ptr) + 2 : lx->css.len;
}

/* A comment separates nothing; only a blank does. */
static bool skip_blanks(struct cel__lexer *lx)
{
    bool saw_blank = false;

    for (;;) {
        if (is_blank(peek(lx, 0))) {
            saw_blank = true;
            lx->at++;
        } else if (peek(lx, 0) == '/' && peek(lx, 1) == '*') {
            skip_comment(lx);
        } else {
            return saw_blank;
        }
    }
}

static bool starts_number(const struct cel__lexer *lx)
{
    size_t at = peek(lx, 0) == '+' || peek(lx, 0) == '-';

    return is_digit(peek(lx, at)) || (peek(lx, at) == '.' && is_digit(peek(lx, at + 1)));
}

static void take_number(struct cel__lexer *lx)
{
    lx->at++;
    while (is_name(peek(lx, 0)) || peek(lx, 0) == '.')
        lx->at++;
}

struct cel__token cel__lexer_next(struct cel__lexer *lx)
{
    struct cel__token t = {.at = lx->at};
    int c;

    if (skip_blanks(lx)) {
        t.kind = CEL__TOKEN_SPACE;
        return t;
    }
    t.at = lx->at;
    c = peek(lx, 0);
    if (c < 0) {
        t.kind = CEL__TOKEN_END;
    } else if (c == '"' || c == '\'') {
        take_string(lx, &t);
    } else if (c == '#' && (is_name(peek(lx, 1)) || is_escape(lx, 1))) {
        t.kind = CEL__TOKEN_HASH;
        t.is_id = starts_ident(lx, 1);
        lx->at++;
        t.text = take_name(lx);
    } else if (starts_number(lx)) {
        t.kind = CEL__TOKEN_NUMBER;
        take_number(lx);
    } else if (starts_ident(lx, 0)) {
        t.text = take_name(lx);
        t.kind = peek(lx, 0) == '(' ? CEL__TOKEN_FUNCTION : CEL__TOKEN_IDENT;
        lx->at += t.kind == CEL__TOKEN_FUNCTION;
    } else {
        t.kind = c == '\\' ? CEL__TOKEN_BAD : CEL__TOKEN_DELIM;
        t.delim = (char)c;
        lx->at++;
    }
    return t;
}
