/* SPDX-License-Identifier: MIT */
/* The first byte chooses the state to begin in, the second how the rest is cut: tokens and errors
 * of the pieces must be those of the whole. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "html/tokenizer.h"
#include "html/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct listener {
    struct cel__names names;
    struct cel__buf tokens;
    struct cel__buf errors;
    bool was_text;
};

static void check(int holds)
{
    if (!holds)
        abort();
}

static void add(struct cel__buf *out, struct cel_str s)
{
    cel__buf_printf(out, "%zu:", s.ptr != NULL ? s.len : (size_t)99);
    cel__buf_add_str(out, s);
}

/* Text comes in pieces of any length, so only the bytes of a run count. */
static int hear(void *arg, const struct cel__token *t)
{
    struct listener *l = arg;

    if (t->kind == CEL__TOKEN_TEXT) {
        check(t->text.len != 0);
        if (!l->was_text)
            cel__buf_printf(&l->tokens, "\n%llu text ", (unsigned long long)t->at);
        l->was_text = true;
        return cel__buf_add_str(&l->tokens, t->text);
    }
    l->was_text = false;
    cel__buf_printf(&l->tokens, "\n%llu %d %d %d ", (unsigned long long)t->at, (int)t->kind,
                    t->is_self_closing, t->force_quirks);
    if (t->kind == CEL__TOKEN_START || t->kind == CEL__TOKEN_END) {
        add(&l->tokens, cel__names_text(&l->names, t->name));
        for (uint32_t i = 0; i < t->attr_count; i++) {
            add(&l->tokens, cel__names_text(&l->names, t->attrs[i].name));
            add(&l->tokens, t->attrs[i].value);
        }
    } else if (t->kind == CEL__TOKEN_COMMENT) {
        add(&l->tokens, t->text);
    } else if (t->kind == CEL__TOKEN_DOCTYPE) {
        add(&l->tokens, t->text);
        add(&l->tokens, t->public_id);
        add(&l->tokens, t->system_id);
    }
    return 0;
}

static void hear_error(void *arg, const struct cel__error *error)
{
    struct listener *l = arg;

    cel__buf_printf(&l->errors, "%u:%u %llu %s\n", error->line, error->column,
                    (unsigned long long)error->at, cel__parse_error_text(error->code));
}

/* Pieces of 1 to `longest` bytes, each in a block of its own; 0: all at once. */
static void feed(struct cel__tokenizer *t, struct cel_str bytes, size_t longest)
{
    for (size_t at = 0, len; at < bytes.len; at += len) {
        char *piece;

        len = longest != 0 ? 1 + at * 7 % longest : bytes.len;
        len = len < bytes.len - at ? len : bytes.len - at;
        piece = malloc(len);
        memcpy(piece, bytes.ptr + at, len);
        check(cel__tokenizer_feed(t, piece, len) == 0);
        free(piece);
    }
    check(cel__tokenizer_end(t) == 0);
}

static void tokenize(struct listener *l, struct cel_str bytes, uint8_t how, size_t longest)
{
    static const char *const last[] = {"title", "style", "script", "x"};
    struct cel__tokenizer_options options = {
        .sink = hear, .error = hear_error, .arg = l, .names = &l->names};
    struct cel_str name = {last[how / 8 % 4], strlen(last[how / 8 % 4])};
    struct cel__tokenizer *t;

    if (how & 128 && bytes.len != 0) {
        uint8_t limits = (uint8_t)bytes.ptr[bytes.len - 1];

        options.max_attributes = limits % 4;
        options.max_name = limits / 4 % 4 * 7;
        options.max_value = limits / 16 % 4 * 5;
        options.max_names = limits / 64 * 2;
    }
    cel__names_init(&l->names);
    check(cel__tokenizer_new(&t, &options) == 0);
    cel__tokenizer_set_state(t, (enum cel__token_state)(how % 8 % 6));
    cel__tokenizer_set_last_start(t, cel__names_add(&l->names, name));
    cel__tokenizer_allow_cdata(t, how & 64);
    feed(t, bytes, longest);
    cel__tokenizer_free(t);
}

static void check_same(const struct cel__buf *a, const struct cel__buf *b)
{
    if (a->len == b->len && (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0))
        return;
    fprintf(stderr, "whole:\n%.*s\npieces:\n%.*s\n", CEL_STR(cel__buf_str(a)),
            CEL_STR(cel__buf_str(b)));
    abort();
}

static void fini(struct listener *l)
{
    cel__buf_fini(&l->tokens);
    cel__buf_fini(&l->errors);
    cel__names_fini(&l->names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct listener whole = {0}, pieces = {0};
    struct cel_str rest;

    if (len < 2)
        return 0;
    rest = (struct cel_str){(const char *)data + 2, len - 2};
    cel__names_ready();
    tokenize(&whole, rest, data[0], 0);
    tokenize(&pieces, rest, data[0], 1 + data[1] % 32);
    check_same(&whole.tokens, &pieces.tokens);
    /* Columns count characters, which other bytes are not. */
    if (cel__utf8_valid(rest) == rest.len)
        check_same(&whole.errors, &pieces.errors);
    fini(&whole);
    fini(&pieces);
    return 0;
}
