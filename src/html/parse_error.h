/* SPDX-License-Identifier: MIT */
#ifndef CEL__PARSE_ERROR_H
#define CEL__PARSE_ERROR_H

/* What can be wrong in a page: the parse errors of the HTML standard.
 *
 * Those of the tokenizer have codes in the standard itself. Those of tree construction, but for
 * one, have none there; they bear the names that the html5lib test suite uses. Each name is
 * explained in docs/html-errors.md. */

#include <stdint.h>

#include "base/buf.h"

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

/* name constant, the usual code */
#define CEL__TREE_ERRORS(X)                                                             \
    X(EXPECTED_DOCTYPE_BUT_GOT_CHARS, "expected-doctype-but-got-chars")                 \
    X(EXPECTED_DOCTYPE_BUT_GOT_START_TAG, "expected-doctype-but-got-start-tag")         \
    X(EXPECTED_DOCTYPE_BUT_GOT_END_TAG, "expected-doctype-but-got-end-tag")             \
    X(EXPECTED_DOCTYPE_BUT_GOT_EOF, "expected-doctype-but-got-eof")                     \
    X(UNKNOWN_DOCTYPE, "unknown-doctype")                                               \
    X(UNEXPECTED_DOCTYPE, "unexpected-doctype")                                         \
    X(NON_HTML_ROOT, "non-html-root")                                                   \
    X(TWO_HEADS, "two-heads-are-not-better-than-one")                                   \
    X(UNEXPECTED_END_TAG_BEFORE_HTML, "unexpected-end-tag-before-html")                 \
    X(END_TAG_AFTER_IMPLIED_ROOT, "end-tag-after-implied-root")                         \
    X(OUT_OF_MY_HEAD, "unexpected-start-tag-out-of-my-head")                            \
    X(CHAR_IN_HEAD_NOSCRIPT, "char-in-head-noscript")                                   \
    X(UNEXPECTED_TAG_IN_HEAD_NOSCRIPT, "unexpected-inhead-noscript-tag")                \
    X(EOF_IN_HEAD_NOSCRIPT, "eof-in-head-noscript")                                     \
    X(UNEXPECTED_START_TAG, "unexpected-start-tag")                                     \
    X(UNEXPECTED_END_TAG, "unexpected-end-tag")                                         \
    X(START_TAG_IGNORED, "unexpected-start-tag-ignored")                                \
    X(START_TAG_IMPLIES_END_TAG, "unexpected-start-tag-implies-end-tag")                \
    X(START_TAG_TREATED_AS, "unexpected-start-tag-treated-as")                          \
    X(END_TAG_TREATED_AS, "unexpected-end-tag-treated-as")                              \
    X(END_TAG_TOO_EARLY, "end-tag-too-early")                                           \
    X(MISSING_END_TAG, "missing-end-tag")                                               \
    X(EXPECTED_ONE_END_TAG, "expected-one-end-tag-but-got-another")                     \
    X(TRAILING_SOLIDUS, "non-void-html-element-start-tag-with-trailing-solidus")        \
    X(FORMATTING_NOT_OPEN, "adoption-agency-1.2")                                       \
    X(FORMATTING_NOT_IN_SCOPE, "formatting-element-not-in-scope")                       \
    X(FORMATTING_NOT_CURRENT, "adoption-agency-1.3")                                    \
    X(INPUT_IN_SELECT, "unexpected-input-in-select")                                    \
    X(SELECT_IN_SELECT, "unexpected-select-in-select")                                  \
    X(START_TAG_IN_SELECT, "unexpected-start-tag-in-select")                            \
    X(NULL_IN_BODY, "invalid-codepoint-in-body")                                        \
    X(NULL_IN_TABLE_TEXT, "invalid-codepoint-in-table-text")                            \
    X(NULL_IN_FOREIGN_CONTENT, "invalid-codepoint-in-foreign-content")                  \
    X(HTML_ELEMENT_IN_FOREIGN_CONTENT, "unexpected-html-element-in-foreign-content")    \
    X(FOSTER_PARENTING_CHARACTER, "foster-parenting-character")                         \
    X(FOSTER_PARENTING_START_TAG, "foster-parenting-start-tag")                         \
    X(FOSTER_PARENTING_END_TAG, "foster-parenting-end-tag")                             \
    X(HIDDEN_INPUT_IN_TABLE, "unexpected-hidden-input-in-table")                        \
    X(FORM_IN_TABLE, "unexpected-form-in-table")                                        \
    X(CHARACTER_IN_COLGROUP, "unexpected-character-in-colgroup")                        \
    X(CELL_IN_TABLE_BODY, "unexpected-cell-in-table-body")                              \
    X(CELL_END_TAG, "unexpected-cell-end-tag")                                          \
    X(END_TAG_IN_TABLE_BODY, "unexpected-end-tag-in-table-body")                        \
    X(END_TAG_IN_TABLE_ROW, "unexpected-end-tag-in-table-row")                          \
    X(CHAR_AFTER_BODY, "unexpected-char-after-body")                                    \
    X(START_TAG_AFTER_BODY, "unexpected-start-tag-after-body")                          \
    X(END_TAG_AFTER_BODY, "unexpected-end-tag-after-body")                              \
    X(CHAR_IN_FRAMESET, "unexpected-char-in-frameset")                                  \
    X(START_TAG_IN_FRAMESET, "unexpected-start-tag-in-frameset")                        \
    X(END_TAG_IN_FRAMESET, "unexpected-end-tag-in-frameset")                            \
    X(CHAR_AFTER_FRAMESET, "unexpected-char-after-frameset")                            \
    X(START_TAG_AFTER_FRAMESET, "unexpected-start-tag-after-frameset")                  \
    X(END_TAG_AFTER_FRAMESET, "unexpected-end-tag-after-frameset")                      \
    X(EXPECTED_EOF_BUT_GOT_CHAR, "expected-eof-but-got-char")                           \
    X(EXPECTED_EOF_BUT_GOT_START_TAG, "expected-eof-but-got-start-tag")                 \
    X(EXPECTED_EOF_BUT_GOT_END_TAG, "expected-eof-but-got-end-tag")                     \
    X(EXPECTED_CLOSING_TAG_BUT_GOT_EOF, "expected-closing-tag-but-got-eof")             \
    X(EXPECTED_NAMED_CLOSING_TAG_BUT_GOT_EOF, "expected-named-closing-tag-but-got-eof") \
    X(EOF_IN_TABLE, "eof-in-table")                                                     \
    X(EOF_IN_TEMPLATE, "eof-in-template")                                               \
    X(EOF_IN_FRAMESET, "eof-in-frameset")

enum cel__parse_error {
#define X(constant, code) CEL__ERROR_##constant,
    CEL__PARSE_ERRORS(X) CEL__TREE_ERRORS(X)
#undef X
        CEL__PARSE_ERROR_COUNT
};

/* Lines and columns count from 1, columns in units of UTF-16. */
struct cel__error {
    enum cel__parse_error code;
    uint32_t line;
    uint32_t column;
    uint64_t at;            /* byte offset in the input */
    struct cel_str element; /* that it is about, or empty; lives until the call returns */
};

/* The name of an error, and what it says; static. */
const char *cel__parse_error_text(enum cel__parse_error code);
const char *cel__parse_error_meaning(enum cel__parse_error code);

#endif
