/* SPDX-License-Identifier: MIT */
/* Pseudo-classes and pseudo-elements, from one table each: name, kind of
 * argument, test. */
#include "html/selector_pseudo.h"

#include <errno.h>

#include "base/cc.h"
#include "base/str.h"

#define MAX_NESTING 12
#define NTH_MAX     1000000000

struct nth_form {
    bool from_end;
    bool of_type;
};

static int add_nth(struct cel__parser *p, struct cel__compound *c, struct nth_form form,
                   struct cel__test **out)
{
    struct cel__test *t = cel__parser_add(p, c, CEL__TEST_NTH);

    if (t == NULL)
        return -ENOMEM;
    t->from_end = form.from_end;
    t->of_type = form.of_type;
    t->b = 1;
    t->memo = p->s->memos++;
    if (out != NULL)
        *out = t;
    return 0;
}

static const struct {
    struct cel_str name;
    enum cel__test_op op;
} plain[] = {
    {CEL_LIT("root"), CEL__TEST_ROOT},
    {CEL_LIT("empty"), CEL__TEST_EMPTY},
    {CEL_LIT("scope"), CEL__TEST_SCOPE},
    {CEL_LIT("link"), CEL__TEST_LINK},
    {CEL_LIT("any-link"), CEL__TEST_LINK},
    {CEL_LIT("enabled"), CEL__TEST_ENABLED},
    {CEL_LIT("disabled"), CEL__TEST_DISABLED},
    {CEL_LIT("checked"), CEL__TEST_CHECKED},
    {CEL_LIT("required"), CEL__TEST_REQUIRED},
    {CEL_LIT("optional"), CEL__TEST_OPTIONAL},
    {CEL_LIT("read-only"), CEL__TEST_READ_ONLY},
    {CEL_LIT("read-write"), CEL__TEST_READ_WRITE},
    {CEL_LIT("default"), CEL__TEST_DEFAULT},
    {CEL_LIT("placeholder-shown"), CEL__TEST_PLACEHOLDER},
};

/* True only of a page that somebody looks at. */
static const struct cel_str live[] = {
    CEL_LIT("hover"),        CEL_LIT("active"),        CEL_LIT("focus"),
    CEL_LIT("focus-within"), CEL_LIT("focus-visible"), CEL_LIT("visited"),
    CEL_LIT("target"),       CEL_LIT("target-within"), CEL_LIT("fullscreen"),
    CEL_LIT("modal"),        CEL_LIT("autofill"),      CEL_LIT("indeterminate"),
    CEL_LIT("valid"),        CEL_LIT("invalid"),       CEL_LIT("in-range"),
    CEL_LIT("out-of-range"), CEL_LIT("user-valid"),    CEL_LIT("user-invalid"),
    CEL_LIT("playing"),      CEL_LIT("paused"),        CEL_LIT("muted"),
    CEL_LIT("current"),      CEL_LIT("past"),          CEL_LIT("future"),
    CEL_LIT("popover-open"), CEL_LIT("local-link"),
};

static const struct {
    struct cel_str name;
    struct nth_form form;
    bool and_last; /* :only-…: from the other end as well */
} counted[] = {
    {CEL_LIT("first-child"), {false, false}, false},
    {CEL_LIT("last-child"), {true, false}, false},
    {CEL_LIT("only-child"), {false, false}, true},
    {CEL_LIT("first-of-type"), {false, true}, false},
    {CEL_LIT("last-of-type"), {true, true}, false},
    {CEL_LIT("only-of-type"), {false, true}, true},
};

/* Elements that only a renderer makes; the first four also with one colon, as of old. */
static const struct cel_str rendered[] = {
    CEL_LIT("before"),    CEL_LIT("after"),       CEL_LIT("first-line"), CEL_LIT("first-letter"),
    CEL_LIT("selection"), CEL_LIT("placeholder"), CEL_LIT("marker"),     CEL_LIT("backdrop"),
};

static int add_plain(struct cel__parser *p, struct cel__compound *c, enum cel__test_op op)
{
    return cel__parser_add(p, c, op) != NULL ? 0 : -ENOMEM;
}

static int add_counted(struct cel__parser *p, struct cel__compound *c, size_t i)
{
    struct nth_form form = counted[i].form;
    int r = add_nth(p, c, form, NULL);

    form.from_end = true;
    return r == 0 && counted[i].and_last ? add_nth(p, c, form, NULL) : r;
}

static int parse_keyword(struct cel__parser *p, struct cel__compound *c)
{
    struct cel_str name = p->token.text;

    for (size_t i = 0; i < cel__countof(plain); i++)
        if (cel__str_ieq(name, plain[i].name))
            return add_plain(p, c, plain[i].op);
    for (size_t i = 0; i < cel__countof(counted); i++)
        if (cel__str_ieq(name, counted[i].name))
            return add_counted(p, c, i);
    for (size_t i = 0; i < cel__countof(live); i++)
        if (cel__str_ieq(name, live[i]))
            return add_plain(p, c, CEL__TEST_NEVER);
    for (size_t i = 0; i < 4; i++)
        if (cel__str_ieq(name, rendered[i])) {
            p->has_take = true;
            return add_plain(p, c, CEL__TEST_NEVER);
        }
    return cel__parser_fail(p, p->token.at, "the pseudo-class :%.*s is not known", CEL_STR(name));
}

/* ---- an+b, read from the source directly: its tokens cut across the grammar ---- */

static int peek(const struct cel__parser *p)
{
    return p->lx.at < p->lx.css.len ? (uint8_t)p->lx.css.ptr[p->lx.at] : -1;
}

static void skip_blanks(struct cel__parser *p)
{
    while (peek(p) == ' ' || (peek(p) >= '\t' && peek(p) <= '\r' && peek(p) != '\v'))
        p->lx.at++;
}

static bool take_char(struct cel__parser *p, char c)
{
    if (peek(p) < 0 || cel__char_lower((char)peek(p)) != c)
        return false;
    p->lx.at++;
    return true;
}

static bool take_word(struct cel__parser *p, struct cel_str word)
{
    struct cel_str here = {p->lx.css.ptr + p->lx.at, word.len};

    if (p->lx.css.len - p->lx.at < word.len || !cel__str_ieq(here, word))
        return false;
    p->lx.at += word.len;
    return true;
}

/* Saturates: a page has fewer siblings. -> false when there is no digit. */
static bool take_digits(struct cel__parser *p, int32_t *out)
{
    int32_t n = 0;
    bool any = false;

    while (peek(p) >= '0' && peek(p) <= '9') {
        n = n < NTH_MAX / 10 ? n * 10 + (peek(p) - '0') : NTH_MAX;
        p->lx.at++;
        any = true;
    }
    *out = n;
    return any;
}

static int take_sign(struct cel__parser *p)
{
    if (take_char(p, '-'))
        return -1;
    return take_char(p, '+') ? 1 : 0;
}

static bool take_nth(struct cel__parser *p, struct cel__test *t)
{
    int sign, tail;
    int32_t n;
    bool has_digits;

    if (take_word(p, CEL_LIT("odd")) || take_word(p, CEL_LIT("even"))) {
        t->a = 2;
        t->b = cel__char_lower(p->lx.css.ptr[p->lx.at - 1]) == 'd';
        return true;
    }
    sign = take_sign(p);
    has_digits = take_digits(p, &n);
    sign = sign != 0 ? sign : 1;
    if (!take_char(p, 'n')) {
        t->a = 0;
        t->b = sign * n;
        return has_digits;
    }
    t->a = sign * (has_digits ? n : 1);
    t->b = 0;
    skip_blanks(p);
    tail = take_sign(p);
    if (tail == 0)
        return true;
    skip_blanks(p);
    has_digits = take_digits(p, &n);
    t->b = tail * n;
    return has_digits;
}

static int parse_nth(struct cel__parser *p, struct cel__compound *c, struct nth_form form)
{
    struct cel__test *t;
    int r = add_nth(p, c, form, &t);

    if (r < 0)
        return r;
    skip_blanks(p);
    if (!take_nth(p, t))
        return cel__parser_fail(p, p->lx.at, "a number, odd, even or an+b is expected");
    cel__parser_next(p);
    cel__parser_skip_space(p);
    if (form.of_type || p->token.kind != CEL__TOKEN_IDENT ||
        !cel__str_ieq(p->token.text, CEL_LIT("of")))
        return 0;
    t->list = cel__selector_alloc(p->s, sizeof *t->list);
    if (t->list == NULL)
        return -ENOMEM;
    cel__parser_next(p);
    if (p->token.kind != CEL__TOKEN_SPACE)
        return cel__parser_unexpected(p, "a blank behind 'of'");
    return p->parse_list(p, t->list, false);
}

/* ---- the other arguments ---- */

static int parse_sub_list(struct cel__parser *p, struct cel__compound *c, enum cel__test_op op,
                          bool may_be_empty)
{
    struct cel__test *t = cel__parser_add(p, c, op);
    bool was_in_has = p->in_has;
    int r;

    if (t == NULL)
        return -ENOMEM;
    t->list = cel__selector_alloc(p->s, sizeof *t->list);
    if (t->list == NULL)
        return -ENOMEM;
    if (op == CEL__TEST_HAS && p->in_has)
        return cel__parser_fail(p, p->token.at, ":has() cannot stand inside :has()");
    cel__parser_next(p);
    cel__parser_skip_space(p);
    if (may_be_empty && cel__parser_at(p, ')'))
        return 0;
    p->in_has |= op == CEL__TEST_HAS;
    r = p->parse_list(p, t->list, op == CEL__TEST_HAS);
    p->in_has = was_in_has;
    return r;
}

static int parse_texts(struct cel__parser *p, struct cel__compound *c, enum cel__test_op op,
                       bool is_own, bool allows_ident)
{
    struct cel__test *t = cel__parser_add(p, c, op);
    struct cel__text_list **last;

    if (t == NULL)
        return -ENOMEM;
    t->own = is_own;
    for (last = &t->texts;; last = &(*last)->next) {
        cel__parser_next(p);
        cel__parser_skip_space(p);
        if (p->token.kind != CEL__TOKEN_STRING &&
            !(allows_ident && p->token.kind == CEL__TOKEN_IDENT))
            return cel__parser_unexpected(p, allows_ident ? "a name or string" : "a string");
        *last = cel__selector_alloc(p->s, sizeof **last);
        if (*last == NULL)
            return -ENOMEM;
        (*last)->text = p->token.text;
        cel__parser_next(p);
        cel__parser_skip_space(p);
        if (!cel__parser_at(p, ','))
            return 0;
    }
}

static int parse_arguments(struct cel__parser *p, struct cel__compound *c)
{
    struct cel_str name = p->token.text;

    if (cel__str_ieq(name, CEL_LIT("not")))
        return parse_sub_list(p, c, CEL__TEST_NOT, false);
    if (cel__str_ieq(name, CEL_LIT("is")) || cel__str_ieq(name, CEL_LIT("where")) ||
        cel__str_ieq(name, CEL_LIT("matches")) || cel__str_ieq(name, CEL_LIT("any")))
        return parse_sub_list(p, c, CEL__TEST_IS, true);
    if (cel__str_ieq(name, CEL_LIT("has")))
        return parse_sub_list(p, c, CEL__TEST_HAS, false);
    if (cel__str_ieq(name, CEL_LIT("nth-child")))
        return parse_nth(p, c, (struct nth_form){false, false});
    if (cel__str_ieq(name, CEL_LIT("nth-last-child")))
        return parse_nth(p, c, (struct nth_form){true, false});
    if (cel__str_ieq(name, CEL_LIT("nth-of-type")))
        return parse_nth(p, c, (struct nth_form){false, true});
    if (cel__str_ieq(name, CEL_LIT("nth-last-of-type")))
        return parse_nth(p, c, (struct nth_form){true, true});
    if (cel__str_ieq(name, CEL_LIT("lang")))
        return parse_texts(p, c, CEL__TEST_LANG, false, true);
    if (cel__str_ieq(name, CEL_LIT("-soup-contains")) || cel__str_ieq(name, CEL_LIT("contains")))
        return parse_texts(p, c, CEL__TEST_CONTAINS, false, true);
    if (cel__str_ieq(name, CEL_LIT("-soup-contains-own")))
        return parse_texts(p, c, CEL__TEST_CONTAINS, true, true);
    return cel__parser_fail(p, p->token.at, "the pseudo-class :%.*s() is not known", CEL_STR(name));
}

/* The end of the source closes what is open, except behind nothing at all. */
static int close_function(struct cel__parser *p)
{
    cel__parser_skip_space(p);
    if (!cel__parser_at(p, ')'))
        return cel__parser_unexpected(p, "')'");
    cel__parser_next(p);
    return 0;
}

static int parse_function(struct cel__parser *p, struct cel__compound *c)
{
    struct cel__complex *complex = p->complex;
    size_t at = p->token.at;
    int r;

    p->path += 4;
    if (++p->nesting > MAX_NESTING || p->path > CEL__SELECTOR_PATH)
        return cel__parser_fail(p, at, "the selector is too deeply nested");
    r = parse_arguments(p, c);
    if (r == 0)
        r = close_function(p);
    p->nesting--;
    p->path -= 4;
    p->complex = complex;
    p->has_take = false;
    return r;
}

/* ---- pseudo-elements ---- */

static int take(struct cel__parser *p, enum cel__take what, struct cel_str attr)
{
    if (p->nesting != 0)
        return cel__parser_fail(p, p->token.at, "a pseudo-element cannot stand in parentheses");
    p->complex->take = (uint8_t)what;
    p->complex->attr = attr;
    p->has_take = p->s->has_take = true;
    return 0;
}

static int parse_element_keyword(struct cel__parser *p, struct cel__compound *c)
{
    struct cel_str name = p->token.text;

    if (cel__str_ieq(name, CEL_LIT("text")))
        return take(p, CEL__TAKE_TEXT, name);
    if (cel__str_ieq(name, CEL_LIT("html")))
        return take(p, CEL__TAKE_HTML, name);
    if (cel__str_ieq(name, CEL_LIT("inner-html")))
        return take(p, CEL__TAKE_INNER, name);
    for (size_t i = 0; i < cel__countof(rendered); i++)
        if (cel__str_ieq(name, rendered[i])) {
            p->has_take = true;
            return add_plain(p, c, CEL__TEST_NEVER);
        }
    return cel__parser_fail(p, p->token.at,
                            "the pseudo-element ::%.*s is not known (::text, ::attr(name), ::html)",
                            CEL_STR(name));
}

static int parse_element_function(struct cel__parser *p)
{
    int r;

    if (!cel__str_ieq(p->token.text, CEL_LIT("attr")))
        return cel__parser_fail(p, p->token.at, "the pseudo-element ::%.*s() is not known",
                                CEL_STR(p->token.text));
    cel__parser_next(p);
    cel__parser_skip_space(p);
    if (p->token.kind != CEL__TOKEN_IDENT)
        return cel__parser_unexpected(p, "the name of an attribute");
    r = take(p, CEL__TAKE_ATTR, p->token.text);
    if (r < 0)
        return r;
    cel__parser_next(p);
    return close_function(p);
}

static int parse_element(struct cel__parser *p, struct cel__compound *c)
{
    int r;

    cel__parser_next(p);
    if (p->token.kind == CEL__TOKEN_FUNCTION)
        return parse_element_function(p);
    if (p->token.kind != CEL__TOKEN_IDENT)
        return cel__parser_unexpected(p, "the name of a pseudo-element");
    r = parse_element_keyword(p, c);
    if (r == 0)
        cel__parser_next(p);
    return r;
}

int cel__parse_pseudo(struct cel__parser *p, struct cel__compound *c)
{
    int r;

    cel__parser_next(p);
    if (cel__parser_at(p, ':'))
        return parse_element(p, c);
    if (p->token.kind == CEL__TOKEN_FUNCTION)
        return parse_function(p, c);
    if (p->token.kind != CEL__TOKEN_IDENT)
        return cel__parser_unexpected(p, "the name of a pseudo-class");
    r = parse_keyword(p, c);
    if (r == 0)
        cel__parser_next(p);
    return r;
}
