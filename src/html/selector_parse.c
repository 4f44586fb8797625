/* SPDX-License-Identifier: MIT */
/* Recursive descent over the tokens: list, complex, compound, and the simple
 * selectors; pseudo-classes stand in selector_pseudo.c. What does not parse is
 * refused with its column: a selector with a slip in it that silently matched
 * nothing would cost somebody a crawl. For that reason :is() and :where() do not
 * forgive what they do not know either. */
#include "html/selector.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/names.h"
#include "html/node.h"
#include "html/selector_parser.h"
#include "html/selector_pseudo.h"

/* Both spellings of a name of the source: in lower case and as it stands. */
static int add_name(struct cel__parser *p, struct cel__test *t, struct cel_str name)
{
    char *lower = cel__selector_alloc(p->s, name.len + 1);
    int r;

    if (lower == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = cel__char_lower(name.ptr[i]);
    t->text = (struct cel_str){lower, name.len};
    r = cel__selector_name(p->s, t->text);
    if (r < 0)
        return r;
    t->name = (uint16_t)r;
    r = cel__selector_name(p->s, name);
    if (r < 0)
        return r;
    t->exact = (uint16_t)r;
    return 0;
}

static int find_ns(struct cel__parser *p, const struct cel__token *prefix)
{
    static const struct {
        struct cel_str prefix;
        enum cel__ns ns;
    } known[] = {{CEL_LIT("html"), CEL__NS_HTML},   {CEL_LIT("svg"), CEL__NS_SVG},
                 {CEL_LIT("math"), CEL__NS_MATHML}, {CEL_LIT("mathml"), CEL__NS_MATHML},
                 {CEL_LIT("xlink"), CEL__NS_XLINK}, {CEL_LIT("xml"), CEL__NS_XML},
                 {CEL_LIT("xmlns"), CEL__NS_XMLNS}};

    for (size_t i = 0; i < cel__countof(known); i++)
        if (cel__str_eq(known[i].prefix, prefix->text))
            return known[i].ns;
    return cel__parser_fail(p, prefix->at,
                            "namespace prefix '%.*s' is not known (html, svg, math, xlink, xml)",
                            CEL_STR(prefix->text));
}

/* At [prefix] '|' of a qualified name when the '|' is not that of '|=' or '||'. */
static bool at_bar(const struct cel__parser *p)
{
    size_t at = p->lx.at;

    return cel__parser_at(p, '|') &&
           (at >= p->lx.css.len || (p->lx.css.ptr[at] != '=' && p->lx.css.ptr[at] != '|'));
}

/* A name that may have a prefix: `a`, `*`, `ns|a`, `*|a`, `|a`, and with '*' for the name where
 * that is allowed. The token is the name afterwards, or the '*'. -> ns or an error. */
static int read_qualified(struct cel__parser *p, bool star_is_name, int bare_ns)
{
    struct cel__token first = p->token;
    int ns;

    if (at_bar(p)) {
        ns = CEL__NS_NONE;
        cel__parser_next(p);
    } else {
        struct cel__lexer after = p->lx;

        cel__parser_next(p);
        if (!at_bar(p)) {
            p->lx = after;
            p->token = first;
            if (first.kind == CEL__TOKEN_IDENT || star_is_name)
                return bare_ns;
            return cel__parser_unexpected(p, "a name");
        }
        ns = first.kind == CEL__TOKEN_IDENT ? find_ns(p, &first) : CEL__NS_ANY;
        if (ns < 0)
            return ns;
        cel__parser_next(p);
    }
    if (p->token.kind != CEL__TOKEN_IDENT && !(star_is_name && cel__parser_at(p, '*')))
        return cel__parser_unexpected(p, "a name behind '|'");
    return ns;
}

static int parse_type(struct cel__parser *p, struct cel__compound *c)
{
    int ns = read_qualified(p, true, CEL__NS_ANY), r = 0;
    struct cel__test *t;

    if (ns < 0)
        return ns;
    if (p->token.kind == CEL__TOKEN_IDENT) {
        t = cel__parser_add(p, c, CEL__TEST_TYPE);
        r = t != NULL ? add_name(p, t, p->token.text) : -ENOMEM;
    } else {
        t = ns != CEL__NS_ANY ? cel__parser_add(p, c, CEL__TEST_NS) : NULL;
        r = ns != CEL__NS_ANY && t == NULL ? -ENOMEM : 0;
    }
    if (r == 0 && t != NULL)
        t->ns = (uint8_t)ns;
    cel__parser_next(p);
    return r;
}

/* Attributes whose values HTML itself compares without regard to case. */
static bool folds_in_html(struct cel_str name)
{
    static const char *const names[] = {
        "accept",     "accept-charset", "align",     "alink",    "axis",     "bgcolor", "charset",
        "checked",    "clear",          "codetype",  "color",    "compact",  "declare", "defer",
        "dir",        "direction",      "disabled",  "enctype",  "face",     "frame",   "hreflang",
        "http-equiv", "lang",           "language",  "link",     "media",    "method",  "multiple",
        "nohref",     "noresize",       "noshade",   "nowrap",   "readonly", "rel",     "rev",
        "rules",      "scope",          "scrolling", "selected", "shape",    "target",  "text",
        "type",       "valign",         "valuetype", "vlink"};

    for (size_t i = 0; i < cel__countof(names); i++)
        if (cel__str_eq(name, cel__str(names[i])))
            return true;
    return false;
}

static int read_attr_op(struct cel__parser *p, struct cel__test *t)
{
    static const char ops[] = "~|^$*";
    static const uint8_t codes[] = {CEL__ATTR_INCLUDES, CEL__ATTR_DASH, CEL__ATTR_PREFIX,
                                    CEL__ATTR_SUFFIX, CEL__ATTR_CONTAINS};
    const char *at = p->token.delim != 0 ? strchr(ops, p->token.delim) : NULL;

    if (p->token.kind != CEL__TOKEN_DELIM)
        return cel__parser_unexpected(p, "']' or a comparison");
    t->attr_op = CEL__ATTR_EQUALS;
    if (at != NULL) {
        t->attr_op = codes[at - ops];
        cel__parser_next(p);
    }
    if (!cel__parser_at(p, '='))
        return cel__parser_unexpected(p, at != NULL ? "'='" : "']' or a comparison");
    cel__parser_next(p);
    return 0;
}

static int read_attr_flag(struct cel__parser *p, struct cel__test *t)
{
    if (p->token.kind != CEL__TOKEN_IDENT)
        return 0;
    if (cel__str_ieq(p->token.text, CEL_LIT("i")))
        t->case_rule = CEL__CASE_FOLD;
    else if (cel__str_ieq(p->token.text, CEL_LIT("s")))
        t->case_rule = CEL__CASE_EXACT;
    else
        return cel__parser_unexpected(p, "']', 'i' or 's'");
    cel__parser_next(p);
    cel__parser_skip_space(p);
    return 0;
}

static int parse_attr(struct cel__parser *p, struct cel__compound *c)
{
    struct cel__test *t = cel__parser_add(p, c, CEL__TEST_ATTR);
    int ns, r;

    if (t == NULL)
        return -ENOMEM;
    cel__parser_next(p);
    cel__parser_skip_space(p);
    ns = read_qualified(p, false, CEL__NS_NONE);
    if (ns < 0)
        return ns;
    t->ns = (uint8_t)ns;
    r = add_name(p, t, p->token.text);
    if (r < 0)
        return r;
    t->case_rule = folds_in_html(t->text) ? CEL__CASE_FOLD_HTML : CEL__CASE_EXACT;
    cel__parser_next(p);
    cel__parser_skip_space(p);
    if (!cel__parser_at(p, ']')) {
        r = read_attr_op(p, t);
        if (r < 0)
            return r;
        cel__parser_skip_space(p);
        if (p->token.kind != CEL__TOKEN_IDENT && p->token.kind != CEL__TOKEN_STRING)
            return cel__parser_unexpected(p, "a value (quote it unless it is a name)");
        t->text = p->token.text;
        cel__parser_next(p);
        cel__parser_skip_space(p);
        r = read_attr_flag(p, t);
        if (r < 0)
            return r;
    }
    /* Like an open string, an open bracket is closed by the end of the source. */
    if (p->token.kind == CEL__TOKEN_END && t->attr_op != CEL__ATTR_EXISTS)
        return 0;
    if (!cel__parser_at(p, ']'))
        return cel__parser_unexpected(p, "']'");
    cel__parser_next(p);
    return 0;
}

static int parse_named(struct cel__parser *p, struct cel__compound *c, enum cel__test_op op)
{
    struct cel__test *t = cel__parser_add(p, c, op);

    if (t == NULL)
        return -ENOMEM;
    t->text = p->token.text;
    cel__parser_next(p);
    return 0;
}

/* -> 1 when a simple selector was read, 0 when none stands here. */
static int parse_simple(struct cel__parser *p, struct cel__compound *c)
{
    int r;

    if (p->token.kind == CEL__TOKEN_HASH) {
        if (!p->token.is_id)
            return cel__parser_fail(p, p->token.at,
                                    "an id cannot begin with a digit (write [id=…])");
        r = parse_named(p, c, CEL__TEST_ID);
    } else if (cel__parser_at(p, '.')) {
        cel__parser_next(p);
        if (p->token.kind != CEL__TOKEN_IDENT)
            return cel__parser_unexpected(p, "a class name");
        r = parse_named(p, c, CEL__TEST_CLASS);
    } else if (cel__parser_at(p, '[')) {
        r = parse_attr(p, c);
    } else if (cel__parser_at(p, ':')) {
        r = cel__parse_pseudo(p, c);
    } else if (p->token.kind == CEL__TOKEN_NUMBER && p->lx.css.ptr[p->token.at] == '.') {
        return cel__parser_fail(p, p->token.at, "a class name cannot begin with a digit");
    } else {
        return 0;
    }
    return r < 0 ? r : 1;
}

static bool at_type(const struct cel__parser *p)
{
    return p->token.kind == CEL__TOKEN_IDENT || cel__parser_at(p, '*') || at_bar(p);
}

static int parse_compound(struct cel__parser *p, struct cel__compound *c)
{
    bool is_empty = true;
    int r;

    if (at_type(p)) {
        r = parse_type(p, c);
        if (r < 0)
            return r;
        is_empty = false;
    }
    while ((r = parse_simple(p, c)) == 1) {
        is_empty = false;
        if (p->has_take) /* a pseudo-element ends the compound */
            break;
    }
    if (r < 0)
        return r;
    if (is_empty)
        return cel__parser_unexpected(p, "a selector");
    if (p->lx.out_of_memory)
        return -ENOMEM;
    return 0;
}

/* -> enum cel__comb, CEL__COMB_NONE at the end of the complex selector. */
static enum cel__comb read_comb(struct cel__parser *p)
{
    static const char marks[] = ">+~";
    bool had_space = p->token.kind == CEL__TOKEN_SPACE;
    const char *at;

    cel__parser_skip_space(p);
    if (p->token.kind == CEL__TOKEN_END || cel__parser_at(p, ',') || cel__parser_at(p, ')'))
        return CEL__COMB_NONE;
    at = p->token.kind == CEL__TOKEN_DELIM && p->token.delim != 0 ? strchr(marks, p->token.delim)
                                                                  : NULL;
    if (at != NULL) {
        cel__parser_next(p);
        cel__parser_skip_space(p);
        return (enum cel__comb)(CEL__COMB_CHILD + (at - marks));
    }
    return had_space ? CEL__COMB_DESC : CEL__COMB_NONE;
}

static uint64_t marks_of(const struct cel__compound *c)
{
    uint64_t marks = 0;

    for (const struct cel__test *t = c->tests; t != NULL; t = t->next)
        if (t->op == CEL__TEST_TYPE || t->op == CEL__TEST_ID || t->op == CEL__TEST_CLASS)
            marks |= cel__mark(cel__names_hash(t->text));
    return marks;
}

/* A sibling's ancestors are this element's as well; the sibling itself is not. */
static void find_needs(struct cel__complex *x)
{
    x->need = CEL__MARK_ELEMENT | marks_of(x->last);
    for (const struct cel__compound *c = x->last; c->left != NULL; c = c->left)
        if (c->comb == CEL__COMB_DESC || c->comb == CEL__COMB_CHILD)
            x->need_above |= marks_of(c->left);
}

static struct cel__compound *push_compound(struct cel__parser *p, struct cel__complex *x,
                                           enum cel__comb comb)
{
    struct cel__compound *c = cel__selector_alloc(p->s, sizeof *c);

    if (c == NULL)
        return NULL;
    c->left = x->last;
    c->comb = (uint8_t)comb;
    x->last = c;
    return c;
}

/* Puts the anchor of :has() leftmost, so that `:has(> p)` reads `anchor > p`. */
static int push_anchor(struct cel__parser *p, struct cel__complex *x, enum cel__comb *comb)
{
    struct cel__compound *c = push_compound(p, x, CEL__COMB_NONE);

    if (c == NULL || cel__parser_add(p, c, CEL__TEST_ANCHOR) == NULL)
        return -ENOMEM;
    *comb = read_comb(p);
    if (*comb == CEL__COMB_NONE)
        *comb = CEL__COMB_DESC;
    x->reach = (uint8_t)*comb;
    return 0;
}

static int parse_complex(struct cel__parser *p, struct cel__complex *x, bool is_relative)
{
    enum cel__comb comb = CEL__COMB_NONE;
    unsigned path = p->path, compounds = 0;
    int r = is_relative ? push_anchor(p, x, &comb) : 0;

    while (r == 0) {
        struct cel__compound *c = push_compound(p, x, comb);

        if (c == NULL)
            return -ENOMEM;
        if (++p->path > CEL__SELECTOR_PATH)
            return cel__parser_fail(p, p->token.at,
                                    "the selector is too long or too deeply nested");
        compounds++;
        p->has_take = false;
        p->complex = x;
        r = parse_compound(p, c);
        if (r < 0)
            return r;
        comb = read_comb(p);
        if (comb == CEL__COMB_NONE)
            break;
        if (p->has_take)
            return cel__parser_fail(p, p->token.at, "nothing may follow a pseudo-element");
    }
    p->path = path;
    x->is_short = compounds == 1;
    if (r == 0)
        find_needs(x);
    return r;
}

static int parse_list(struct cel__parser *p, struct cel__sel_list *list, bool is_relative)
{
    struct cel__complex **last = &list->first;
    int r;

    for (;;) {
        cel__parser_skip_space(p);
        *last = cel__selector_alloc(p->s, sizeof **last);
        if (*last == NULL)
            return -ENOMEM;
        r = parse_complex(p, *last, is_relative);
        if (r < 0)
            return r;
        last = &(*last)->next;
        if (!cel__parser_at(p, ','))
            return 0;
        cel__parser_next(p);
    }
}

int cel__selector_parse(struct cel_selector *s, struct cel_str css, struct cel_error *error)
{
    struct cel__parser p = {
        .s = s, .error = error, .lx = {.owner = s, .css = css}, .parse_list = parse_list};
    int r;

    if (css.len > CEL__SELECTOR_BYTES)
        return cel__parser_fail(&p, 0, "the selector is too long");
    cel__parser_next(&p);
    r = parse_list(&p, &s->list, false);
    if (r == 0 && p.token.kind != CEL__TOKEN_END)
        r = cel__parser_unexpected(&p, "a combinator, ',' or the end");
    return p.lx.out_of_memory ? -ENOMEM : r;
}
