/* SPDX-License-Identifier: MIT */
#ifndef CEL__PARSER_STATE_H
#define CEL__PARSER_STATE_H

/* The inside of the parser, shared by its files: the stack of open elements, the list
 * of active formatting elements, and one function per insertion mode.
 *
 * 1. The stack is never empty once the html element is there, and never higher than
 *    limits.depth: beyond it, what opens takes the place of the innermost.
 * 2. open_count[] says of each name how many of its HTML elements are open, so that
 *    most questions about scope are answered without a walk.
 * 3. A formatting element that is open and its entry in the list know each other. */

#include "base/buf.h"
#include "html/build.h"
#include "html/parse.h"
#include "html/tags.h"

enum cel__mode {
    CEL__MODE_INITIAL,
    CEL__MODE_BEFORE_HTML,
    CEL__MODE_BEFORE_HEAD,
    CEL__MODE_IN_HEAD,
    CEL__MODE_IN_HEAD_NOSCRIPT,
    CEL__MODE_AFTER_HEAD,
    CEL__MODE_IN_BODY,
    CEL__MODE_TEXT,
    CEL__MODE_IN_TABLE,
    CEL__MODE_IN_TABLE_TEXT,
    CEL__MODE_IN_CAPTION,
    CEL__MODE_IN_COLUMN_GROUP,
    CEL__MODE_IN_TABLE_BODY,
    CEL__MODE_IN_ROW,
    CEL__MODE_IN_CELL,
    CEL__MODE_IN_TEMPLATE,
    CEL__MODE_AFTER_BODY,
    CEL__MODE_IN_FRAMESET,
    CEL__MODE_AFTER_FRAMESET,
    CEL__MODE_AFTER_AFTER_BODY,
    CEL__MODE_AFTER_AFTER_FRAMESET,
    CEL__MODE_COUNT
};

struct cel__open {
    uint32_t node;
    uint32_t inside; /* where its children go: the node, or a template's content */
    uint32_t name;   /* as in the tree */
    uint32_t lower;  /* as the tokenizer says it */
    uint32_t format; /* index + 1 of its entry in the list, or 0 */
    uint16_t flags;  /* CEL__TAG_* */
    uint8_t ns;
};

struct cel__format {
    uint32_t node;
    uint32_t name;  /* CEL__NAME_NONE: a marker */
    uint32_t open;  /* index + 1 of its element in the stack, or 0 */
    uint32_t print; /* of its attributes: equal ones have equal prints */
};

/* Takes a token. true: it is to be taken again, in the mode that is now. */
struct cel__parser;
typedef bool cel__mode_fn(struct cel__parser *p, const struct cel__token *token);

struct cel__parser {
    cel__mode_fn *const *modes; /* by mode: they call each other through here */
    struct cel__tokenizer *tokenizer;
    struct cel__build build;
    struct cel__parse_options options;
    enum cel__mode mode;
    enum cel__mode original_mode;
    struct cel__open *stack;
    uint32_t stack_len;
    uint32_t stack_cap;
    struct cel__format *formats;
    uint32_t format_len;
    uint32_t format_cap;
    uint16_t *open_count; /* per name */
    uint32_t open_count_cap;
    uint8_t *template_modes;
    uint32_t template_len;
    uint32_t template_cap;
    uint64_t clones; /* of formatting elements, so far */
    uint32_t head;   /* node, or 0 */
    uint32_t form;
    struct cel__open context; /* of a fragment */
    uint32_t told;            /* what errors are about now: the tag's name */
    struct cel__token rest;   /* of a token, without its first byte */
    struct cel__buf pending;  /* characters in a table */
    uint64_t pending_at;      /* where they began */
    bool pending_is_blank;
    bool is_fragment;
    bool frameset_ok;
    bool fosters; /* foster parenting is enabled */
    bool skip_lf; /* a LF right behind <pre> is none */
    bool allows_cdata;
    bool is_acknowledged; /* the solidus of this start tag */
    bool is_stopped;      /* the rest of the input changes nothing */
};

cel__mode_fn cel__mode_initial, cel__mode_before_html, cel__mode_before_head, cel__mode_in_head,
    cel__mode_in_head_noscript, cel__mode_after_head, cel__mode_in_body, cel__mode_text,
    cel__mode_in_table, cel__mode_in_table_text, cel__mode_in_caption, cel__mode_in_column_group,
    cel__mode_in_table_body, cel__mode_in_row, cel__mode_in_cell, cel__mode_in_template,
    cel__mode_after_body, cel__mode_in_frameset, cel__mode_after_frameset,
    cel__mode_after_after_body, cel__mode_after_after_frameset, cel__mode_foreign;

/* By the rules of another mode. */
static inline bool cel__parser_by(struct cel__parser *p, enum cel__mode mode,
                                  const struct cel__token *token)
{
    return p->modes[mode](p, token);
}

/* ---- The stack (parser_stack.c) ---- */

static inline struct cel__open *cel__parser_current(struct cel__parser *p)
{
    return &p->stack[p->stack_len - 1];
}

/* The adjusted current node: in a fragment the context stands for the root. */
static inline const struct cel__open *cel__parser_adjusted(const struct cel__parser *p)
{
    return p->is_fragment && p->stack_len == 1 ? &p->context : &p->stack[p->stack_len - 1];
}

/* Whether the element, or one inside it, may be asked for by number when it has ended. */
bool cel__parser_knows(const struct cel__parser *p, uint32_t node);

/* For the sieve, if there is one: the element at the end of the path is there; it ends. */
static inline void cel__parser_opened(struct cel__parser *p, uint32_t node)
{
    if (cel__unlikely(p->options.sieve != NULL))
        cel__sieve_opened(p->options.sieve, &p->build, node);
}

static inline void cel__parser_closed(struct cel__parser *p, uint32_t node)
{
    if (cel__unlikely(p->options.sieve != NULL))
        cel__sieve_closed(p->options.sieve, &p->build, node, !cel__parser_knows(p, node));
}

static inline bool cel__open_is(const struct cel__open *o, uint32_t name)
{
    return o->name == name && o->ns == CEL__NS_HTML;
}

static inline bool cel__parser_current_is(struct cel__parser *p, uint32_t name)
{
    return cel__open_is(cel__parser_current(p), name);
}

void cel__parser_pop(struct cel__parser *p);
/* Down to and with the innermost of that name; the root stays. */
void cel__parser_pop_until(struct cel__parser *p, uint32_t name);
void cel__parser_pop_until_flag(struct cel__parser *p, unsigned flag);
void cel__parser_pop_to_length(struct cel__parser *p, uint32_t len);
/* Out of the middle. */
void cel__parser_remove_open(struct cel__parser *p, uint32_t index);
/* Down to an element with the flag, which stays. */
void cel__parser_clear_to(struct cel__parser *p, unsigned flag);
void cel__parser_push(struct cel__parser *p, struct cel__open open);
/* The innermost element ends for good. -> index + 1 of what that took from the list, or 0. */
uint32_t cel__parser_end_innermost(struct cel__parser *p);
/* So that what is put in next comes beside the innermost element when that is as deep as may be. */
static inline uint32_t cel__parser_make_way(struct cel__parser *p)
{
    if (cel__likely(p->stack_len < p->options.limits.depth))
        return 0;
    return cel__parser_end_innermost(p);
}
void cel__parser_insert_open(struct cel__parser *p, uint32_t index, struct cel__open open);

/* Whether an element is open in the scope whose ends have a flag of `ends`. */
bool cel__parser_has(struct cel__parser *p, uint32_t name, unsigned ends);
bool cel__parser_has_heading(struct cel__parser *p);
#define CEL__SCOPE_ANY    CEL__TAG_SCOPE
#define CEL__SCOPE_LIST   (CEL__TAG_SCOPE | CEL__TAG_LIST)
#define CEL__SCOPE_BUTTON (CEL__TAG_SCOPE | CEL__TAG_BUTTON)
#define CEL__SCOPE_TABLE  CEL__TAG_TABLE_SCOPE
/* Open at all, with whatever in between. */
bool cel__parser_is_open(const struct cel__parser *p, uint32_t name);
/* Index + 1 in the stack, or 0. */
uint32_t cel__parser_find_node(const struct cel__parser *p, uint32_t node);
/* Index + 1 of the innermost, or 0. */
uint32_t cel__parser_find_open(const struct cel__parser *p, uint32_t name);
/* Pops what may end by itself, but for that name. */
void cel__parser_imply_ends(struct cel__parser *p, uint32_t but);
void cel__parser_imply_all_ends(struct cel__parser *p);
void cel__parser_close_p(struct cel__parser *p);
static inline void cel__parser_close_p_in_button(struct cel__parser *p)
{
    if (p->open_count[CEL__NAME_P] != 0 && cel__parser_has(p, CEL__NAME_P, CEL__SCOPE_BUTTON))
        cel__parser_close_p(p);
}
void cel__parser_reset_mode(struct cel__parser *p);

/* ---- Putting in (parser_insert.c) ---- */

/* Where a child of `target` goes, before the table when it does not belong into one. */
struct cel__build_place cel__parser_place(struct cel__parser *p, const struct cel__open *target);
/* NULL without attributes. -> false when nothing more is taken. */
bool cel__parser_insert(struct cel__parser *p, const struct cel__token *token);
bool cel__parser_insert_name(struct cel__parser *p, uint32_t name);
void cel__parser_insert_void(struct cel__parser *p, const struct cel__token *token);
void cel__parser_insert_foreign(struct cel__parser *p, const struct cel__token *token,
                                enum cel__ns ns);
void cel__parser_insert_text(struct cel__parser *p, struct cel_str text);
void cel__parser_insert_comment(struct cel__parser *p, const struct cel__token *token);
void cel__parser_insert_comment_in(struct cel__parser *p, uint32_t node,
                                   const struct cel__token *token);
/* The element, and its text up to its end tag. */
void cel__parser_insert_raw(struct cel__parser *p, const struct cel__token *token,
                            enum cel__token_state state);
/* Adds the attributes that it lacks. */
void cel__parser_merge(struct cel__parser *p, uint32_t index, const struct cel__token *token);
/* Bytes of blanks that the text begins with. */
size_t cel__parser_blanks(struct cel_str text);

/* ---- Active formatting elements (parser_format.c) ---- */

void cel__parser_format_push(struct cel__parser *p); /* the current element */
void cel__parser_format_marker(struct cel__parser *p);
void cel__parser_format_clear(struct cel__parser *p); /* up to the last marker */
void cel__parser_format_remove(struct cel__parser *p, uint32_t index);
void cel__parser_format_insert(struct cel__parser *p, uint32_t index, struct cel__format format);
/* Index + 1 of the last of that name behind the last marker, or 0. */
uint32_t cel__parser_format_find(const struct cel__parser *p, uint32_t name);
void cel__parser_format_reopen(struct cel__parser *p);
static inline void cel__parser_reconstruct(struct cel__parser *p)
{
    if (p->format_len != 0) {
        const struct cel__format *last = &p->formats[p->format_len - 1];

        if (last->name != CEL__NAME_NONE && last->open == 0)
            cel__parser_format_reopen(p);
    }
}
/* The adoption agency (parser_adopt.c). */
void cel__parser_adopt(struct cel__parser *p, uint32_t name);
/* An end tag that nothing more is said about. */
void cel__parser_end_ordinary(struct cel__parser *p, uint32_t name);

/* The entry's element has this node now. */
void cel__parser_format_own(struct cel__parser *p, uint32_t index, uint32_t node);

/* ---- The sieve's short way (skim.c) ---- */

/* -> whether the token is done with. */
bool cel__parser_skim(struct cel__parser *p, const struct cel__token *token);
/* Gives nodes to all elements that are open without one. */
void cel__parser_unskim(struct cel__parser *p);

/* ---- Foreign content (parser_foreign.c) ---- */

/* Whether a token is for that element of SVG or MathML, and not for the mode. */
bool cel__parser_is_for_foreign(const struct cel__open *o, const struct cel__token *token);
static inline bool cel__parser_is_foreign(const struct cel__parser *p,
                                          const struct cel__token *token)
{
    const struct cel__open *o = cel__parser_adjusted(p);

    return cel__unlikely(o->ns != CEL__NS_HTML) && cel__parser_is_for_foreign(o, token);
}
/* Of a fragment's context. */
unsigned cel__parser_foreign_flags(uint32_t lower, enum cel__ns ns);

/* ---- Errors (parser_error.c). A parse that does not ask loses a test on rare paths. ---- */

void cel__parser_note(struct cel__parser *p, enum cel__parse_error code);
void cel__parser_note_each(struct cel__parser *p, enum cel__parse_error code, struct cel_str text);
/* Where the token began, about its tag. */
static inline void cel__parser_error(struct cel__parser *p, enum cel__parse_error code)
{
    if (cel__unlikely(p->options.error != NULL))
        cel__parser_note(p, code);
}
/* Of each character of a text that begins there. */
static inline void cel__parser_error_each(struct cel__parser *p, enum cel__parse_error code,
                                          struct cel_str text)
{
    if (cel__unlikely(p->options.error != NULL))
        cel__parser_note_each(p, code, text);
}
/* By the kind of the token; nothing for others. */
void cel__parser_error_by_kind(struct cel__parser *p, const struct cel__token *token,
                               enum cel__parse_error text, enum cel__parse_error start,
                               enum cel__parse_error end);
/* Text that is pending in a table, before it goes there; it begins with so many blanks. */
void cel__parser_error_pending(struct cel__parser *p, const struct cel__token *token,
                               size_t blanks);
/* Unless the innermost element is of that name; a missing end tag is about that element. */
static inline void cel__parser_error_unless(struct cel__parser *p, uint32_t name,
                                            enum cel__parse_error code)
{
    if (cel__unlikely(p->options.error != NULL) && !cel__parser_current_is(p, name))
        cel__parser_note(p, code);
}
/* When an element is open whose end tag may not be left out. */
void cel__parser_error_if_open(struct cel__parser *p, enum cel__parse_error code);

/* ---- Others ---- */

enum cel__quirks cel__quirks_of(const struct cel__token *doctype);
/* Templates (parser_template.c). The second closes one whose end tag did not come. */
void cel__parser_end_template(struct cel__parser *p);
void cel__parser_close_template(struct cel__parser *p);
void cel__parser_begin_template(struct cel__parser *p, const struct cel__token *token);

#endif
