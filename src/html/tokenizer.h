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

/* name constant, the standard's code */
#define CEL__PARSE_ERRORS(X)                                                                      \
    X(ABRUPT_CLOSING_OF_EMPTY_COMMENT, "abrupt-closing-of-empty-comment")                         \
    X(ABRUPT_DOCTYPE_PUBLIC_IDENTIFIER, "abrupt-doctype-public-identifier")                       \
    X(ABRUPT_DOCTYPE_SYSTEM_IDENTIFIER, "abrupt-doctype-system-identifier")                       \
    X(ABSENCE_OF_DIGITS, "absence-of-digits-in-numeric-character-reference")                      \
    X(CDATA_IN_HTML_CONTENT, "cdata-in-html-content")                                             \
    X(REFERENCE_OUTSIDE_UNICODE_RANGE, "character-reference-outside-unicode-range")               \
    X(CONTROL_CHARACTER_IN_INPUT_STREAM, "control-character-in-input-stream")                     \
    X(CONTROL_CHARACTER_REFERENCE, "control-character-reference")                                 \
    X(DUPLICATE_ATTRIBUTE, "duplicate-attribute")                                                 \
    X(END_TAG_WITH_ATTRIBUTES, "end-tag-with-attributes")                                         \
    X(END_TAG_WITH_TRAILING_SOLIDUS, "end-tag-with-trailing-solidus")                             \
    X(EOF_BEFORE_TAG_NAME, "eof-before-tag-name")                                                 \
    X(EOF_IN_CDATA, "eof-in-cdata")                                                               \
    X(EOF_IN_COMMENT, "eof-in-comment")                                                           \
    X(EOF_IN_DOCTYPE, "eof-in-doctype")                                                           \
    X(EOF_IN_SCRIPT_HTML_COMMENT_LIKE_TEXT, "eof-in-script-html-comment-like-text")               \
    X(EOF_IN_TAG, "eof-in-tag")                                                                   \
    X(INCORRECTLY_CLOSED_COMMENT, "incorrectly-closed-comment")                                   \
    X(INCORRECTLY_OPENED_COMMENT, "incorrectly-opened-comment")                                   \
    X(INVALID_CHARACTER_SEQUENCE_AFTER_DOCTYPE_NAME,                                              \
      "invalid-character-sequence-after-doctype-name")                                            \
    X(INVALID_FIRST_CHARACTER_OF_TAG_NAME, "invalid-first-character-of-tag-name")                 \
    X(MISSING_ATTRIBUTE_VALUE, "missing-attribute-value")                                         \
    X(MISSING_DOCTYPE_NAME, "missing-doctype-name")                                               \
    X(MISSING_DOCTYPE_PUBLIC_IDENTIFIER, "missing-doctype-public-identifier")                     \
    X(MISSING_DOCTYPE_SYSTEM_IDENTIFIER, "missing-doctype-system-identifier")                     \
    X(MISSING_END_TAG_NAME, "missing-end-tag-name")                                               \
    X(MISSING_QUOTE_BEFORE_PUBLIC, "missing-quote-before-doctype-public-identifier")              \
    X(MISSING_QUOTE_BEFORE_SYSTEM, "missing-quote-before-doctype-system-identifier")              \
    X(MISSING_SEMICOLON, "missing-semicolon-after-character-reference")                           \
    X(MISSING_WHITESPACE_AFTER_PUBLIC, "missing-whitespace-after-doctype-public-keyword")         \
    X(MISSING_WHITESPACE_AFTER_SYSTEM, "missing-whitespace-after-doctype-system-keyword")         \
    X(MISSING_WHITESPACE_BEFORE_DOCTYPE_NAME, "missing-whitespace-before-doctype-name")           \
    X(MISSING_WHITESPACE_BETWEEN_ATTRIBUTES, "missing-whitespace-between-attributes")             \
    X(MISSING_WHITESPACE_BETWEEN_IDENTIFIERS,                                                     \
      "missing-whitespace-between-doctype-public-and-system-identifiers")                         \
    X(NESTED_COMMENT, "nested-comment")                                                           \
    X(NONCHARACTER_CHARACTER_REFERENCE, "noncharacter-character-reference")                       \
    X(NONCHARACTER_IN_INPUT_STREAM, "noncharacter-in-input-stream")                               \
    X(NULL_CHARACTER_REFERENCE, "null-character-reference")                                       \
    X(SURROGATE_CHARACTER_REFERENCE, "surrogate-character-reference")                             \
    X(SURROGATE_IN_INPUT_STREAM, "surrogate-in-input-stream")                                     \
    X(UNEXPECTED_CHARACTER_AFTER_SYSTEM, "unexpected-character-after-doctype-system-identifier")  \
    X(UNEXPECTED_CHARACTER_IN_ATTRIBUTE_NAME, "unexpected-character-in-attribute-name")           \
    X(UNEXPECTED_CHARACTER_IN_UNQUOTED_VALUE, "unexpected-character-in-unquoted-attribute-value") \
    X(UNEXPECTED_EQUALS_SIGN, "unexpected-equals-sign-before-attribute-name")                     \
    X(UNEXPECTED_NULL_CHARACTER, "unexpected-null-character")                                     \
    X(UNEXPECTED_QUESTION_MARK, "unexpected-question-mark-instead-of-tag-name")                   \
    X(UNEXPECTED_SOLIDUS_IN_TAG, "unexpected-solidus-in-tag")                                     \
    X(UNKNOWN_NAMED_CHARACTER_REFERENCE, "unknown-named-character-reference")

enum cel__parse_error {
#define X(constant, code) CEL__ERROR_##constant,
    CEL__PARSE_ERRORS(X)
#undef X
        CEL__PARSE_ERROR_COUNT
};

/* Lines and columns count from 1, columns in units of UTF-16. */
struct cel__error {
    enum cel__parse_error code;
    uint32_t line;
    uint32_t column;
    uint64_t at; /* byte offset in the input */
};

/* The standard's name of an error, static. */
const char *cel__parse_error_text(enum cel__parse_error code);

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

/* Which limits dropped something since the start. */
bool cel__tokenizer_cut_attributes(const struct cel__tokenizer *t);
bool cel__tokenizer_cut_length(const struct cel__tokenizer *t);
bool cel__tokenizer_cut_names(const struct cel__tokenizer *t);

#endif
