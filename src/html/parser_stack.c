/* SPDX-License-Identifier: MIT */
/* The stack of open elements, its scopes, and the mode that it stands for. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "html/parser_state.h"

static void count(struct cel__parser *p, const struct cel__open *o, int by)
{
    if (o->ns == CEL__NS_HTML)
        p->open_count[o->name] = (uint16_t)(p->open_count[o->name] + by);
}

void cel__parser_pop(struct cel__parser *p)
{
    const struct cel__open *o = cel__parser_current(p);

    if (cel__unlikely(p->stack_len == 1))
        return;
    count(p, o, -1);
    if (o->format != 0)
        p->formats[o->format - 1].open = 0;
    p->stack_len--;
    cel__parser_closed(p, o->node);
}

void cel__parser_pop_to_length(struct cel__parser *p, uint32_t len)
{
    while (p->stack_len > len && p->stack_len > 1)
        cel__parser_pop(p);
}

void cel__parser_pop_until(struct cel__parser *p, uint32_t name)
{
    while (p->stack_len > 1) {
        bool is_it = cel__parser_current_is(p, name);

        cel__parser_pop(p);
        if (is_it)
            return;
    }
}

void cel__parser_pop_until_flag(struct cel__parser *p, unsigned flag)
{
    while (p->stack_len > 1) {
        bool is_it = (cel__parser_current(p)->flags & flag) != 0;

        cel__parser_pop(p);
        if (is_it)
            return;
    }
}

void cel__parser_clear_to(struct cel__parser *p, unsigned flag)
{
    while (p->stack_len > 1 && (cel__parser_current(p)->flags & flag) == 0)
        cel__parser_pop(p);
}

/* The entries of the list learn where their elements are now. */
static void renumber(struct cel__parser *p, uint32_t from)
{
    for (uint32_t i = from; i < p->stack_len; i++)
        if (p->stack[i].format != 0)
            p->formats[p->stack[i].format - 1].open = i + 1;
}

void cel__parser_remove_open(struct cel__parser *p, uint32_t index)
{
    struct cel__open *o = &p->stack[index];

    if (index + 1 == p->stack_len) { /* as nearly every form: nothing is out of order */
        cel__parser_pop(p);
        return;
    }
    count(p, o, -1);
    if (o->format != 0)
        p->formats[o->format - 1].open = 0;
    if (p->options.sieve != NULL)
        p->options.sieve->is_lost = true;
    memmove(o, o + 1, (p->stack_len - index - 1) * sizeof *o);
    p->stack_len--;
    renumber(p, index);
}

#define FORMATS_FEW 32

bool cel__parser_knows(const struct cel__parser *p, uint32_t node)
{
    if (p->form == node || p->format_len > FORMATS_FEW)
        return true;
    for (uint32_t i = 0; i < p->format_len; i++)
        if (p->formats[i].node >= node)
            return true;
    return false;
}

static bool make_countable(struct cel__parser *p, uint32_t name)
{
    uint32_t cap = CEL__NAME_FIXED + p->build.tree.names.count * 2 + 64;
    uint16_t *grown;

    if (name < p->open_count_cap)
        return true;
    grown = cel__mem_realloc(p->open_count, cap * sizeof *grown);
    if (grown == NULL) {
        p->build.failed = p->build.is_full = true;
        return false;
    }
    memset(grown + p->open_count_cap, 0, (cap - p->open_count_cap) * sizeof *grown);
    p->open_count = grown;
    p->open_count_cap = cap;
    return true;
}

static bool grow_stack(struct cel__parser *p)
{
    struct cel__open *grown = cel__mem_realloc(p->stack, 2 * p->stack_cap * sizeof *grown);

    if (grown == NULL) {
        p->build.failed = p->build.is_full = true;
        return false;
    }
    p->stack = grown;
    p->stack_cap *= 2;
    return true;
}

/* What put a marker into the list of formatting elements when it began. */
static bool has_marker(const struct cel__open *o)
{
    if (o->ns != CEL__NS_HTML || (o->flags & CEL__TAG_SCOPE) == 0)
        return false;
    return o->name != CEL__NAME_TABLE && o->name != CEL__NAME_SELECT && o->name != CEL__NAME_HTML;
}

uint32_t cel__parser_end_innermost(struct cel__parser *p)
{
    const struct cel__open *o = cel__parser_current(p);
    uint32_t format = o->format;

    cel__build_note_cut(&p->build, CEL__CUT_DEPTH);
    if (format != 0)
        cel__parser_format_remove(p, format - 1);
    if (has_marker(o))
        cel__parser_format_clear(p);
    if (cel__open_is(o, CEL__NAME_TEMPLATE) && p->template_len > 0)
        p->template_len--;
    cel__parser_pop(p);
    return format;
}

void cel__parser_push(struct cel__parser *p, struct cel__open open)
{
    cel__parser_make_way(p);
    if (cel__unlikely(open.name >= p->open_count_cap) && !make_countable(p, open.name))
        return;
    if (cel__unlikely(p->stack_len == p->stack_cap) && !grow_stack(p))
        return;
    p->stack[p->stack_len] = open;
    count(p, &open, 1);
    p->stack_len++;
    if (open.format != 0)
        p->formats[open.format - 1].open = p->stack_len;
}

void cel__parser_insert_open(struct cel__parser *p, uint32_t index, struct cel__open open)
{
    memmove(p->stack + index + 1, p->stack + index, (p->stack_len - index) * sizeof *p->stack);
    p->stack[index] = open;
    count(p, &open, 1);
    p->stack_len++;
    renumber(p, index);
}

bool cel__parser_is_open(const struct cel__parser *p, uint32_t name)
{
    return name < p->open_count_cap && p->open_count[name] != 0;
}

bool cel__parser_has(struct cel__parser *p, uint32_t name, unsigned ends)
{
    if (!cel__parser_is_open(p, name))
        return false;
    for (uint32_t i = p->stack_len; i-- > 0;) {
        if (cel__open_is(&p->stack[i], name))
            return true;
        if ((p->stack[i].flags & ends) != 0)
            return false;
    }
    return false;
}

bool cel__parser_has_heading(struct cel__parser *p)
{
    for (uint32_t i = p->stack_len; i-- > 0;) {
        if ((p->stack[i].flags & CEL__TAG_HEADING) != 0)
            return true;
        if ((p->stack[i].flags & CEL__SCOPE_ANY) != 0)
            return false;
    }
    return false;
}

uint32_t cel__parser_find_node(const struct cel__parser *p, uint32_t node)
{
    for (uint32_t i = p->stack_len; i-- > 0;)
        if (p->stack[i].node == node)
            return i + 1;
    return 0;
}

uint32_t cel__parser_find_open(const struct cel__parser *p, uint32_t name)
{
    if (!cel__parser_is_open(p, name))
        return 0;
    for (uint32_t i = p->stack_len; i-- > 0;)
        if (cel__open_is(&p->stack[i], name))
            return i + 1;
    return 0;
}

void cel__parser_imply_ends(struct cel__parser *p, uint32_t but)
{
    while ((cel__parser_current(p)->flags & CEL__TAG_IMPLIED) != 0 &&
           cel__parser_current(p)->name != but)
        cel__parser_pop(p);
}

void cel__parser_imply_all_ends(struct cel__parser *p)
{
    while ((cel__parser_current(p)->flags & CEL__TAG_IMPLIED_ALL) != 0)
        cel__parser_pop(p);
}

void cel__parser_close_p(struct cel__parser *p)
{
    cel__parser_imply_ends(p, CEL__NAME_P);
    cel__parser_error_unless(p, CEL__NAME_P, CEL__ERROR_MISSING_END_TAG);
    cel__parser_pop_until(p, CEL__NAME_P);
}

/* The mode that an open element alone decides, or COUNT. */
static enum cel__mode mode_of(struct cel__parser *p, const struct cel__open *o, bool is_last)
{
    if (o->ns != CEL__NS_HTML)
        return CEL__MODE_COUNT;
    switch (o->name) {
    case CEL__NAME_TD:
    case CEL__NAME_TH:
        return is_last ? CEL__MODE_COUNT : CEL__MODE_IN_CELL;
    case CEL__NAME_TR:
        return CEL__MODE_IN_ROW;
    case CEL__NAME_TBODY:
    case CEL__NAME_THEAD:
    case CEL__NAME_TFOOT:
        return CEL__MODE_IN_TABLE_BODY;
    case CEL__NAME_CAPTION:
        return CEL__MODE_IN_CAPTION;
    case CEL__NAME_COLGROUP:
        return CEL__MODE_IN_COLUMN_GROUP;
    case CEL__NAME_TABLE:
        return CEL__MODE_IN_TABLE;
    case CEL__NAME_TEMPLATE:
        return p->template_len != 0 ? (enum cel__mode)p->template_modes[p->template_len - 1]
                                    : CEL__MODE_IN_BODY;
    case CEL__NAME_HEAD:
        return is_last ? CEL__MODE_COUNT : CEL__MODE_IN_HEAD;
    case CEL__NAME_BODY:
        return CEL__MODE_IN_BODY;
    case CEL__NAME_FRAMESET:
        return CEL__MODE_IN_FRAMESET;
    case CEL__NAME_HTML:
        return p->head == 0 ? CEL__MODE_BEFORE_HEAD : CEL__MODE_AFTER_HEAD;
    default:
        return CEL__MODE_COUNT;
    }
}

void cel__parser_reset_mode(struct cel__parser *p)
{
    for (uint32_t i = p->stack_len; i-- > 0;) {
        const struct cel__open *o = i == 0 && p->is_fragment ? &p->context : &p->stack[i];
        enum cel__mode mode = mode_of(p, o, i == 0);

        if (mode != CEL__MODE_COUNT) {
            p->mode = mode;
            return;
        }
    }
    p->mode = CEL__MODE_IN_BODY;
}
