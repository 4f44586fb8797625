/* SPDX-License-Identifier: MIT */
/* Templates: their content, and the modes that they are read in. */
#include "base/mem.h"
#include "html/parser_state.h"

static bool push_template_mode(struct cel__parser *p, enum cel__mode mode)
{
    if (p->template_len == p->template_cap) {
        uint32_t cap = p->template_cap != 0 ? p->template_cap * 2 : 16;
        uint8_t *grown = cel__mem_realloc(p->template_modes, cap);

        if (grown == NULL) {
            p->build.failed = p->build.is_full = true;
            return false;
        }
        p->template_modes = grown;
        p->template_cap = cap;
    }
    p->template_modes[p->template_len++] = (uint8_t)mode;
    return true;
}

void cel__parser_begin_template(struct cel__parser *p, const struct cel__token *token)
{
    uint32_t content;

    if (!cel__parser_insert(p, token))
        return;
    content = cel__build_content(&p->build, cel__parser_current(p)->node);
    if (content == 0)
        return;
    cel__parser_current(p)->inside = content;
    cel__parser_format_marker(p);
    p->frameset_ok = false;
    p->mode = CEL__MODE_IN_TEMPLATE;
    push_template_mode(p, CEL__MODE_IN_TEMPLATE);
}

void cel__parser_close_template(struct cel__parser *p)
{
    cel__parser_pop_until(p, CEL__NAME_TEMPLATE);
    cel__parser_format_clear(p);
    if (p->template_len > 0)
        p->template_len--;
    cel__parser_reset_mode(p);
}

void cel__parser_end_template(struct cel__parser *p)
{
    if (!cel__parser_is_open(p, CEL__NAME_TEMPLATE)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return;
    }
    cel__parser_imply_all_ends(p);
    cel__parser_error_unless(p, CEL__NAME_TEMPLATE, CEL__ERROR_END_TAG_TOO_EARLY);
    cel__parser_close_template(p);
}
