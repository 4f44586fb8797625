/* SPDX-License-Identifier: MIT */
#ifndef CEL__TOKENIZER_STATE_H
#define CEL__TOKENIZER_STATE_H

/* The inside of the tokenizer, shared by its files.
 *
 * A token other than text is read at once from a buffer that holds it whole. When
 * the buffer ends first, reading says so (NULL), and is begun again when at least
 * half as many bytes more have come: never more than three times the work. */

#include "base/buf.h"
#include "html/tokenizer.h"

enum cel__script_state { CEL__SCRIPT_PLAIN, CEL__SCRIPT_ESCAPED, CEL__SCRIPT_DOUBLE };

struct cel__pending_error {
    enum cel__parse_error code;
    uint32_t serial;
    uint64_t at;
    uint32_t name;
};

struct cel__tokenizer {
    struct cel__tokenizer_options options;
    enum cel__token_state state;
    enum cel__script_state script;
    uint32_t dashes; /* in escaped script: how many lead up to here, at most 2 */
    uint32_t last_start;
    bool allow_cdata;
    bool cut_attributes;
    bool cut_length;
    bool cut_names;
    int result; /* negative: the sink's, or out of memory */

    struct cel__token token; /* given to the sink; what its kind does not use is left as it was */

    /* What is read now. */
    const char *begin;
    const char *end;
    uint64_t base; /* offset of begin in the input */
    bool is_final;

    struct cel__buf carry; /* an incomplete token */
    size_t retry;          /* bytes of it that make another try worth while */
    struct cel__buf scratch;
    struct cel__buf name;
    struct cel__token_attr *attrs;
    uint32_t attr_cap;
    uint32_t attr_count;
    uint32_t *seen; /* per name, the tag that had it last; for tags of many attributes */
    uint32_t seen_cap;
    uint32_t tag_serial;

    /* Errors, and where their lines and columns are counted from. */
    struct cel__pending_error *errors;
    uint32_t error_count;
    uint32_t error_cap;
    uint32_t error_serial; /* those that stay for the next portion come before its own */
    bool errors_unsorted;
    uint32_t line;
    uint32_t column;
    uint64_t counted; /* offset up to which lines and columns are */
    bool counted_cr;
};

/* 1: white space of a tag; 2: ends a tag's name; 4: ends an attribute's name. */
#define CEL__CHAR_BLANK    1
#define CEL__CHAR_TAG_END  2
#define CEL__CHAR_ATTR_END 4
#define CEL__CHAR_ALPHA    8
extern const uint8_t cel__html_chars[256];

static inline bool cel__html_is(char c, unsigned kind)
{
    return (cel__html_chars[(uint8_t)c] & kind) != 0;
}

/* Each reads what begins at p and gives it to the sink. -> behind it, or NULL: more bytes are
 * needed. Not NULL when is_final. */
const char *cel__tokenizer_tag(struct cel__tokenizer *t, const char *p);         /* "<a" or "</a" */
const char *cel__tokenizer_declaration(struct cel__tokenizer *t, const char *p); /* "<!" */
const char *cel__tokenizer_bogus(struct cel__tokenizer *t, const char *p, const char *from);
const char *cel__tokenizer_doctype(struct cel__tokenizer *t, const char *p); /* "<!doctype" */

/* Whether bytes at p are `word` (lower case). 1, 0, or -1: cannot be told yet. */
int cel__tokenizer_looking_at(const struct cel__tokenizer *t, const char *p, const char *word,
                              size_t len);
/* Gives t->token to the sink. */
static inline void cel__tokenizer_give(struct cel__tokenizer *t)
{
    int r = t->result < 0 ? 0 : t->options.sink(t->options.arg, &t->token);

    if (cel__unlikely(r < 0))
        t->result = r;
}
/* Appends the bytes with CR normalised and NUL replaced. */
void cel__tokenizer_clean(struct cel__tokenizer *t, struct cel__buf *out, const char *p,
                          const char *end);

void cel__tokenizer_note(struct cel__tokenizer *t, enum cel__parse_error code, const char *at);
/* Tells all errors before the place, in their order. */
void cel__tokenizer_tell(struct cel__tokenizer *t, const char *upto);

/* An error is nothing to a parse that does not ask. */
static inline void cel__tokenizer_error(struct cel__tokenizer *t, enum cel__parse_error code,
                                        const char *at)
{
    if (cel__unlikely(t->options.error != NULL))
        cel__tokenizer_note(t, code, at);
}

#endif
