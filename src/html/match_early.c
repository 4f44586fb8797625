/* SPDX-License-Identifier: MIT */
/* Which selectors can be answered while the page is parsed: those that ask for nothing behind the
 * element's start tag; and which attributes they look at. The path through a selector is bounded
 * when it is compiled, and so is the recursion here. */
#include "base/cc.h"
#include "html/match.h"

static bool list_is_early(const struct cel__sel_list *list, bool *asks_siblings);

static bool test_is_early(const struct cel__test *t, bool *asks_siblings)
{
    switch ((enum cel__test_op)t->op) {
    case CEL__TEST_TYPE:
    case CEL__TEST_NS:
    case CEL__TEST_ID:
    case CEL__TEST_CLASS:
    case CEL__TEST_ATTR:
    case CEL__TEST_NEVER:
    case CEL__TEST_SCOPE:
    case CEL__TEST_ROOT:
    case CEL__TEST_LINK:
        return true;
    case CEL__TEST_NTH:
        *asks_siblings = true;
        return !t->from_end && (t->list == NULL || list_is_early(t->list, asks_siblings));
    case CEL__TEST_IS:
    case CEL__TEST_NOT:
        return list_is_early(t->list, asks_siblings);
    default:
        return false;
    }
}

static bool complex_is_early(const struct cel__complex *x, bool *asks_siblings)
{
    for (const struct cel__compound *c = x->last; c != NULL; c = c->left) {
        if (c->comb == CEL__COMB_NEXT || c->comb == CEL__COMB_LATER)
            *asks_siblings = true;
        for (const struct cel__test *t = c->tests; t != NULL; t = t->next)
            if (!test_is_early(t, asks_siblings))
                return false;
    }
    return true;
}

static bool list_is_early(const struct cel__sel_list *list, bool *asks_siblings)
{
    for (const struct cel__complex *x = list->first; x != NULL; x = x->next)
        if (!complex_is_early(x, asks_siblings))
            return false;
    return true;
}

bool cel__match_is_early(const struct cel_selector *s, bool *asks_siblings)
{
    return list_is_early(&s->list, asks_siblings);
}

void cel__attr_set_add(struct cel__attr_set *set, uint32_t name)
{
    if (name < CEL__ATTR_SET_NAMES)
        set->names[name / 64] |= UINT64_C(1) << (name % 64);
    else
        set->has_all = true;
}

static void add_list(const struct cel__match *m, const struct cel__sel_list *list,
                     struct cel__match_looks *looks);

static void add_name(struct cel__match_looks *looks, uint32_t name)
{
    cel__attr_set_add(&looks->attrs, name);
    cel__attr_set_add(&looks->tested, name);
}

static void add_test(const struct cel__match *m, const struct cel__test *t,
                     struct cel__match_looks *looks)
{
    switch ((enum cel__test_op)t->op) {
    case CEL__TEST_ID:
    case CEL__TEST_CLASS:
        cel__attr_set_add(&looks->attrs, t->op == CEL__TEST_ID ? CEL__NAME_ID : CEL__NAME_CLASS);
        looks->marks |= cel__mark(cel__names_hash(t->text));
        break;
    case CEL__TEST_ATTR:
        add_name(looks, m->names[t->name]);
        add_name(looks, m->names[t->exact]);
        break;
    case CEL__TEST_LINK:
        add_name(looks, CEL__NAME_HREF);
        break;
    default:
        if (t->list != NULL)
            add_list(m, t->list, looks);
        break;
    }
}

static void add_list(const struct cel__match *m, const struct cel__sel_list *list,
                     struct cel__match_looks *looks)
{
    for (const struct cel__complex *x = list->first; x != NULL; x = x->next)
        for (const struct cel__compound *c = x->last; c != NULL; c = c->left)
            for (const struct cel__test *t = c->tests; t != NULL; t = t->next)
                add_test(m, t, looks);
}

void cel__match_add_looks(const struct cel__match *m, struct cel__match_looks *looks)
{
    add_list(m, &m->selector->list, looks);
}
