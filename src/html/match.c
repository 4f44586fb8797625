/* SPDX-License-Identifier: MIT */
/* Matching from right to left.
 *
 * 1. A failed attempt says how much it rules out: this element only, all its
 *    earlier siblings too, or all its ancestors too. The loops over ancestors and
 *    siblings stop on that, so `a b c d` costs no more than the path to the root.
 * 2. Recursion is bounded by the parser's limit on the path through a selector.
 * 3. Every element looked at is a step of the budget. It exists for :has() and
 *    for sibling counts on pages made to be slow; no sane page comes near it. */
#include "html/match.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "html/match_attr.h"
#include "html/match_state.h"

enum verdict {
    MATCHES,
    FAILS_HERE,     /* another candidate may do */
    FAILS_SIBLINGS, /* no earlier sibling will do */
    FAILS_ABOVE     /* no ancestor will do either */
};

static void find_needs(struct cel__match *m, const struct cel__sel_list *list)
{
    m->need = (struct cel__match_need){UINT64_MAX, UINT64_MAX};
    for (const struct cel__complex *x = list->first; x != NULL; x = x->next) {
        m->need.own &= x->need;
        m->need.above &= x->need_above;
    }
}

static int init(struct cel__match *m, const struct cel_selector *s, const struct cel__tree *t,
                uint32_t within)
{
    size_t memos = (size_t)s->memos * CEL__MATCH_MEMOS * sizeof *m->memos;
    size_t need = memos + s->name_count * sizeof *m->names;
    char *room = m->small;

    m->room = NULL;
    if (need > sizeof m->small) {
        room = m->room = cel__mem_alloc(need);
        if (room == NULL)
            return -ENOMEM;
    }
    m->tree = t;
    m->selector = s;
    m->scope = within;
    m->anchor = m->asked = 0;
    find_needs(m, &s->list);
    m->budget = CEL__MATCH_BUDGET;
    m->memos = memset(room, 0, memos);
    m->names = (uint32_t *)(void *)(room + memos);
    return 0;
}

int cel__match_init(struct cel__match *m, const struct cel_selector *s, const struct cel__tree *t,
                    uint32_t within)
{
    int r = init(m, s, t, within);

    for (int i = 0; r == 0 && i < s->name_count; i++)
        m->names[i] = cel__names_find(&t->names, s->names[i]);
    return r;
}

int cel__match_init_early(struct cel__match *m, const struct cel_selector *s,
                          const struct cel__tree *t, struct cel__names *names)
{
    int r = init(m, s, t, 0);

    for (int i = 0; r == 0 && i < s->name_count; i++) {
        m->names[i] = cel__names_add(names, s->names[i]);
        if (m->names[i] == CEL__NAME_NONE && s->names[i].len != 0)
            r = -ENOMEM;
    }
    return r;
}

void cel__match_forget(struct cel__match *m, uint32_t from)
{
    for (size_t i = 0; i < (size_t)m->selector->memos * CEL__MATCH_MEMOS; i++)
        if (m->memos[i].node >= from)
            m->memos[i].node = 0;
}

void cel__match_fini(struct cel__match *m)
{
    cel__mem_free(m->room);
}

static bool is_html(const struct cel__match *m, uint32_t i)
{
    return m->tree->nodes[i].ns == CEL__NS_HTML;
}

static bool test_type(const struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    const struct cel__node *n = cel__node(m->tree, i);

    return n->name == m->names[n->ns == CEL__NS_HTML ? t->name : t->exact] &&
           (t->ns == CEL__NS_ANY || t->ns == n->ns);
}

static bool test_id(const struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    const struct cel__attr *a = cel__node_attr(m->tree, i, CEL__NAME_ID);

    return a != NULL && a->len == t->text.len &&
           memcmp(m->tree->values.ptr + a->at, t->text.ptr, a->len) == 0;
}

static bool test_class(const struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    const struct cel__attr *a = cel__node_attr(m->tree, i, CEL__NAME_CLASS);

    return a != NULL && cel__match_word(cel__attr_value(m->tree, a), t->text, false);
}

static bool test_attr(const struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    const struct cel__node *n = cel__node(m->tree, i);
    bool fold =
        t->case_rule == CEL__CASE_FOLD || (t->case_rule == CEL__CASE_FOLD_HTML && is_html(m, i));
    uint32_t name = m->names[is_html(m, i) ? t->name : t->exact];

    if (name == CEL__NAME_NONE)
        return false;
    for (uint32_t k = n->attrs; k < n->attrs + n->attr_count; k++) {
        const struct cel__attr *a = &m->tree->attrs[k];

        if (a->name == name && (t->ns == CEL__NS_ANY || t->ns == a->ns) &&
            cel__match_value(cel__attr_value(m->tree, a), t->attr_op, t->text, fold))
            return true;
    }
    return false;
}

static bool test_empty(const struct cel__match *m, uint32_t i)
{
    for (uint32_t c = cel__node_first(m->tree, i); c != 0; c = cel__node_next(m->tree, c))
        if (cel__node(m->tree, c)->kind != CEL__NODE_COMMENT)
            return false;
    return true;
}

static bool test_scope(const struct cel__match *m, uint32_t i)
{
    return m->scope != 0 ? i == m->scope : cel__node_parent(m->tree, i) == 0;
}

static const struct cel__complex *match_list(struct cel__match *m, const struct cel__sel_list *list,
                                             uint32_t i);

static bool counts(struct cel__match *m, const struct cel__test *t, uint32_t of, uint32_t i)
{
    const struct cel__node *a = cel__node(m->tree, of), *b = cel__node(m->tree, i);

    cel__match_step(m, 1);
    if (t->of_type)
        return a->name == b->name && a->ns == b->ns;
    return t->list == NULL || match_list(m, t->list, i) != NULL;
}

/* Siblings that count, from behind `from` (0: the first) up to i itself. */
static uint32_t count_back(struct cel__match *m, const struct cel__test *t, uint32_t i,
                           uint32_t from)
{
    uint32_t n = 1;

    for (uint32_t k = cel__node_prev_element(m->tree, i); k != from && k != 0;
         k = cel__node_prev_element(m->tree, k))
        n += counts(m, t, i, k);
    return n;
}

static uint32_t count_ahead(struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    uint32_t n = 1;

    for (uint32_t k = cel__node_next_element(m->tree, i); k != 0;
         k = cel__node_next_element(m->tree, k))
        n += counts(m, t, i, k);
    return n;
}

/* Which of its siblings i is, from 1. The last answer for an earlier sibling saves the rest. */
static uint32_t position(struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    const struct cel__node *n = cel__node(m->tree, i);
    struct cel__match_memo *memo =
        &m->memos[t->memo * CEL__MATCH_MEMOS + (t->of_type ? n->name % CEL__MATCH_MEMOS : 0)];
    const struct cel__node *known = cel__node(m->tree, memo->node);
    bool is_useful = memo->node != 0 && memo->node <= i && known->parent == n->parent &&
                     (!t->of_type || (known->name == n->name && known->ns == n->ns));
    uint32_t answer;

    if (is_useful && memo->node == i)
        return memo->position;
    if (t->from_end)
        answer =
            is_useful ? memo->position - count_back(m, t, i, memo->node) : count_ahead(m, t, i);
    else
        answer = count_back(m, t, i, is_useful ? memo->node : 0) + (is_useful ? memo->position : 0);
    *memo = (struct cel__match_memo){i, answer};
    return answer;
}

static bool test_nth(struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    int64_t rest;

    if (t->list != NULL && match_list(m, t->list, i) == NULL)
        return false;
    if (t->a == 0 && t->b <= 0)
        return false;
    if (t->a == 0 && t->b == 1 && t->list == NULL && !t->of_type) /* :first-child and :last-child */
        return (t->from_end ? cel__node_next_element(m->tree, i)
                            : cel__node_prev_element(m->tree, i)) == 0;
    rest = (int64_t)position(m, t, i) - t->b;
    return t->a == 0 ? rest == 0 : rest % t->a == 0 && rest / t->a >= 0;
}

static enum verdict run(struct cel__match *m, const struct cel__compound *c, uint32_t i);

/* Asks first whether the element bears the marks, and its ancestors theirs. */
static bool matches(struct cel__match *m, const struct cel__complex *x, uint32_t i)
{
    uint64_t above = i == m->asked ? m->above : UINT64_MAX;

    return (m->tree->marks[i] & x->need) == x->need && (above & x->need_above) == x->need_above &&
           run(m, x->last, i) == MATCHES && !cel__match_is_exhausted(m);
}

/* Where a match for :has() can lie: inside the anchor, or in and below its later siblings. */
static bool test_has_one(struct cel__match *m, const struct cel__complex *x, uint32_t anchor)
{
    const struct cel__tree *t = m->tree;
    bool is_aside = x->reach == CEL__COMB_NEXT || x->reach == CEL__COMB_LATER;
    uint32_t i = is_aside ? cel__node_next_element(t, anchor) : cel__node_first(t, anchor);
    uint32_t end = cel__node_end(t, is_aside ? cel__node_parent(t, anchor) : anchor);
    bool is_flat = x->is_short && x->reach != CEL__COMB_DESC;

    while (i != 0 && i < end && cel__match_step(m, 1)) {
        if (matches(m, x, i))
            return true;
        if (is_flat && x->reach == CEL__COMB_NEXT && cel__node_is_element(t, i))
            return false;
        i = is_flat ? cel__node_end(t, i) : i + 1;
    }
    return false;
}

static bool test_has(struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    uint32_t outer = m->anchor;
    bool found = false;

    m->anchor = i;
    for (const struct cel__complex *x = t->list->first; x != NULL && !found; x = x->next)
        found = test_has_one(m, x, i);
    m->anchor = outer;
    return found;
}

static bool run_test(struct cel__match *m, const struct cel__test *t, uint32_t i)
{
    switch ((enum cel__test_op)t->op) {
    case CEL__TEST_TYPE:
        return test_type(m, t, i);
    case CEL__TEST_NS:
        return t->ns == cel__node(m->tree, i)->ns;
    case CEL__TEST_ID:
        return test_id(m, t, i);
    case CEL__TEST_CLASS:
        return test_class(m, t, i);
    case CEL__TEST_ATTR:
        return test_attr(m, t, i);
    case CEL__TEST_NEVER:
        return false;
    case CEL__TEST_ANCHOR:
        return i == m->anchor;
    case CEL__TEST_SCOPE:
        return test_scope(m, i);
    case CEL__TEST_ROOT:
        return cel__node_parent(m->tree, i) == 0;
    case CEL__TEST_EMPTY:
        return test_empty(m, i);
    case CEL__TEST_NTH:
        return test_nth(m, t, i);
    case CEL__TEST_IS:
        return match_list(m, t->list, i) != NULL;
    case CEL__TEST_NOT:
        return match_list(m, t->list, i) == NULL;
    case CEL__TEST_HAS:
        return test_has(m, t, i);
    case CEL__TEST_CONTAINS:
        cel__match_step(m, (int64_t)(cel__node_text(m->tree, i).len / 16));
        return cel__match_contains(m->tree, t, i);
    case CEL__TEST_LANG:
        return cel__match_lang(m->tree, t, i);
    case CEL__TEST_DEFAULT: /* may look through a whole form for an earlier button */
        if (cel__node(m->tree, i)->name == CEL__NAME_INPUT ||
            cel__node(m->tree, i)->name == CEL__NAME_BUTTON)
            cel__match_step(m, m->tree->count / 8);
        return cel__match_state(m->tree, CEL__TEST_DEFAULT, i);
    default:
        return cel__match_state(m->tree, (enum cel__test_op)t->op, i);
    }
}

static bool run_compound(struct cel__match *m, const struct cel__compound *c, uint32_t i)
{
    if (!cel__match_step(m, 1))
        return false;
    for (const struct cel__test *t = c->tests; t != NULL; t = t->next)
        if (!run_test(m, t, i))
            return false;
    return true;
}

static enum verdict run_ancestors(struct cel__match *m, const struct cel__compound *left,
                                  uint32_t i)
{
    while ((i = cel__node_parent_element(m->tree, i)) != 0) {
        enum verdict v = run(m, left, i);

        if (v == MATCHES || v == FAILS_ABOVE)
            return v;
    }
    return FAILS_ABOVE;
}

static enum verdict run_siblings(struct cel__match *m, const struct cel__compound *left, uint32_t i)
{
    while ((i = cel__node_prev_element(m->tree, i)) != 0) {
        enum verdict v = run(m, left, i);

        if (v != FAILS_HERE)
            return v;
    }
    return FAILS_SIBLINGS;
}

static enum verdict run(struct cel__match *m, const struct cel__compound *c, uint32_t i)
{
    for (;;) {
        if (!run_compound(m, c, i))
            return FAILS_HERE;
        switch ((enum cel__comb)c->comb) {
        case CEL__COMB_NONE:
            return MATCHES;
        case CEL__COMB_DESC:
            return run_ancestors(m, c->left, i);
        case CEL__COMB_LATER:
            return run_siblings(m, c->left, i);
        case CEL__COMB_CHILD:
            i = cel__node_parent_element(m->tree, i);
            if (i == 0)
                return FAILS_ABOVE;
            break;
        case CEL__COMB_NEXT:
            i = cel__node_prev_element(m->tree, i);
            if (i == 0)
                return FAILS_SIBLINGS;
            break;
        }
        c = c->left;
    }
}

static const struct cel__complex *match_list(struct cel__match *m, const struct cel__sel_list *list,
                                             uint32_t i)
{
    for (const struct cel__complex *x = list->first; x != NULL; x = x->next)
        if (matches(m, x, i))
            return x;
    return NULL;
}

const struct cel__complex *cel__match_element(struct cel__match *m, uint32_t i)
{
    return match_list(m, &m->selector->list, i);
}
