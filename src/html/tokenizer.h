/* SPDX-License-Identifier: MIT */
#ifndef CEL__TOKENIZER_H
#define CEL__TOKENIZER_H

/* The tokenizer of the HTML standard: UTF-8 in, tokens out.
 *
 * Bytes come in any portions; the tokens and the errors are the same however
 * they are cut, but for text, which comes in pieces of any length. Input that is
 * no UTF-8 passes through. CR and CRLF come out as LF; NULs as the standard has
 * it (in the data and CDATA states as themselves, in a text token of their own).
 * Slices of a token live until the sink returns. */

#include <stdbool.h>

#include "base/cc.h"
#include "html/names.h"
#include "html/parse_error.h"

enum cel__token_kind {
    CEL__TOKEN_TEXT,
    CEL__TOKEN_START,
    CEL__TOKEN_END,
    CEL__TOKEN_COMMENT,
    CEL__TOKEN_DOCTYPE,
    CEL__TOKEN_EOF
};

struct cel__token_attr {
    uint32_t name; /* in the tokenizer's names */
    struct cel_str value;
};

struct cel__token {
    enum cel__token_kind kind;
    uint32_t name; /* of a tag, in the tokenizer's names; lower case */
    bool is_self_closing;
    bool force_quirks;
    bool is_null;        /* a text token of NULs and nothing else */
    struct cel_str text; /* of text and comment; of a doctype its name, ptr NULL when missing */
    struct cel_str public_id; /* of a doctype; ptr NULL when missing */
    struct cel_str system_id;
    const struct cel__token_attr *attrs; /* of a start tag; no two of one name */
    uint32_t attr_count;
    uint64_t at; /* offset of its first byte in the input */
};

enum cel__token_state {
    CEL__STATE_DATA,
    CEL__STATE_RCDATA,
    CEL__STATE_RAWTEXT,
    CEL__STATE_SCRIPT,
    CEL__STATE_PLAINTEXT,
    CEL__STATE_CDATA
};

struct cel__tokenizer_options {
    /* Both are asked for their answer, which ends tokenizing when negative. */
    int (*sink)(void *arg, const struct cel__token *token);
    void (*error)(void *arg, const struct cel__error *error); /* NULL: errors are not looked for */
    void *arg;
    struct cel__names *names; /* names are added to it; outlives the tokenizer */
    uint32_t max_attributes;  /* of one tag, further ones are dropped; 0: no limit */
    uint32_t max_names;       /* that are not fixed; tags and attributes of more are dropped */
    size_t max_name;          /* bytes of a name, the rest is dropped; 0: no limit */
    size_t max_value;         /* bytes of a value, a comment, an identifier; 0: no limit */
};

struct cel__tokenizer;

/* -ENOMEM. Owner: the caller, until cel__tokenizer_free. */
CEL_NODISCARD int cel__tokenizer_new(struct cel__tokenizer **out,
                                     const struct cel__tokenizer_options *options);
/* NULL is fine. */
void cel__tokenizer_free(struct cel__tokenizer *t);

/* What comes next is read in that state. In the sink, or before the first bytes. */
void cel__tokenizer_set_state(struct cel__tokenizer *t, enum cel__token_state state);
/* The name that an end tag must have to end RCDATA, RAWTEXT or script; set by each start tag. */
void cel__tokenizer_set_last_start(struct cel__tokenizer *t, uint32_t name);
/* Whether "<![CDATA[" opens a CDATA section: the adjusted current node is not HTML's. */
void cel__tokenizer_allow_cdata(struct cel__tokenizer *t, bool allowed);

/* Gives the sink every token that is complete. 0, -ENOMEM, or the sink's error; after an error only
 * free. Bytes are not needed afterwards. */
CEL_NODISCARD int cel__tokenizer_feed(struct cel__tokenizer *t, const void *bytes, size_t len);
/* The rest, and the EOF token. */
CEL_NODISCARD int cel__tokenizer_end(struct cel__tokenizer *t);

/* An error of whoever takes the tokens, at an offset not before the token that is taken, about an
 * element of that name (CEL__NAME_NONE: none). */
void cel__tokenizer_note_at(struct cel__tokenizer *t, enum cel__parse_error code, uint64_t at,
                            uint32_t name);

/* Which limits dropped something since the start. */
bool cel__tokenizer_cut_attributes(const struct cel__tokenizer *t);
bool cel__tokenizer_cut_length(const struct cel__tokenizer *t);
bool cel__tokenizer_cut_names(const struct cel__tokenizer *t);

#endif
