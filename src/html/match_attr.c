/* SPDX-License-Identifier: MIT */
#include "html/match_attr.h"

#include <string.h>

#include "base/str.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool equal(struct cel_str a, struct cel_str b, bool fold)
{
    return fold ? cel__str_ieq(a, b) : cel__str_eq(a, b);
}

bool cel__match_word(struct cel_str value, struct cel_str word, bool fold)
{
    const char *p = value.ptr, *end = p + value.len;

    while (p < end) {
        const char *from;

        while (p < end && is_blank(*p))
            p++;
        from = p;
        while (p < end && !is_blank(*p))
            p++;
        if ((size_t)(p - from) == word.len && word.len != 0 &&
            equal((struct cel_str){from, word.len}, word, fold))
            return true;
    }
    return false;
}

static bool find(struct cel_str value, struct cel_str wanted, bool fold)
{
    if (!fold)
        return memmem(value.ptr, value.len, wanted.ptr, wanted.len) != NULL;
    for (size_t i = 0; i + wanted.len <= value.len; i++)
        if (cel__str_ieq((struct cel_str){value.ptr + i, wanted.len}, wanted))
            return true;
    return false;
}

static bool begins(struct cel_str value, struct cel_str wanted, bool fold)
{
    return value.len >= wanted.len && equal((struct cel_str){value.ptr, wanted.len}, wanted, fold);
}

static bool ends(struct cel_str value, struct cel_str wanted, bool fold)
{
    return value.len >= wanted.len &&
           equal((struct cel_str){value.ptr + value.len - wanted.len, wanted.len}, wanted, fold);
}

bool cel__match_value(struct cel_str value, uint8_t op, struct cel_str wanted, bool fold)
{
    switch ((enum cel__attr_op)op) {
    case CEL__ATTR_EXISTS:
        return true;
    case CEL__ATTR_EQUALS:
        return equal(value, wanted, fold);
    case CEL__ATTR_INCLUDES:
        return cel__match_word(value, wanted, fold);
    case CEL__ATTR_DASH:
        return begins(value, wanted, fold) &&
               (value.len == wanted.len || value.ptr[wanted.len] == '-');
    case CEL__ATTR_PREFIX:
        return wanted.len != 0 && begins(value, wanted, fold);
    case CEL__ATTR_SUFFIX:
        return wanted.len != 0 && ends(value, wanted, fold);
    case CEL__ATTR_CONTAINS:
        return wanted.len != 0 && find(value, wanted, fold);
    }
    return false;
}

static bool own_contains(const struct cel__tree *t, uint32_t i, struct cel_str wanted)
{
    for (uint32_t c = cel__node_first(t, i); c != 0; c = cel__node_next(t, c))
        if (cel__node(t, c)->kind == CEL__NODE_TEXT && find(cel__node_text(t, c), wanted, false))
            return true;
    return false;
}

bool cel__match_contains(const struct cel__tree *t, const struct cel__test *test, uint32_t i)
{
    for (const struct cel__text_list *w = test->texts; w != NULL; w = w->next)
        if (test->own ? own_contains(t, i, w->text) : find(cel__node_text(t, i), w->text, false))
            return true;
    return false;
}

/* Extended filtering: the first subtag must agree or be '*'; a later one of the range may skip
 * subtags of the language, but none of one character, which begins an extension. */
static bool in_range(struct cel_str lang, struct cel_str range)
{
    struct cel_str wanted, tag;
    bool has_tag = cel__str_split(&lang, '-', &tag);

    if (!cel__str_split(&range, '-', &wanted) || !has_tag)
        return false;
    if (!cel__str_eq(wanted, CEL_LIT("*")) && !cel__str_ieq(wanted, tag))
        return false;
    has_tag = cel__str_split(&lang, '-', &tag);
    while (cel__str_split(&range, '-', &wanted)) {
        while (has_tag && !cel__str_ieq(wanted, tag) && tag.len != 1 &&
               !cel__str_eq(wanted, CEL_LIT("*")))
            has_tag = cel__str_split(&lang, '-', &tag);
        if (cel__str_eq(wanted, CEL_LIT("*")))
            continue;
        if (!has_tag || !cel__str_ieq(wanted, tag))
            return false;
        has_tag = cel__str_split(&lang, '-', &tag);
    }
    return true;
}

bool cel__match_lang(const struct cel__tree *t, const struct cel__test *test, uint32_t i)
{
    const struct cel__attr *a = NULL;
    struct cel_str lang;

    for (; i != 0 && a == NULL; i = cel__node_parent_element(t, i)) {
        const struct cel__node *n = cel__node(t, i);

        for (uint32_t k = n->attrs; k < n->attrs + n->attr_count && a == NULL; k++)
            if (t->attrs[k].name == CEL__NAME_LANG &&
                (t->attrs[k].ns == CEL__NS_NONE || t->attrs[k].ns == CEL__NS_XML))
                a = &t->attrs[k];
    }
    if (a == NULL)
        return false;
    lang = cel__attr_value(t, a);
    for (const struct cel__text_list *w = test->texts; w != NULL; w = w->next)
        if (w->text.len == 0 ? lang.len == 0 : lang.len != 0 && in_range(lang, w->text))
            return true;
    return false;
}
