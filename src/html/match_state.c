/* SPDX-License-Identifier: MIT */
/* What HTML says of links and form controls, by name and attribute. */
#include "html/match_state.h"

#include "base/cc.h"
#include "base/str.h"

static bool has(const struct cel__tree *t, uint32_t i, uint32_t name)
{
    return cel__node_attr(t, i, name) != NULL;
}

static uint32_t name_of(const struct cel__tree *t, uint32_t i)
{
    return cel__node(t, i)->ns == CEL__NS_HTML ? cel__node(t, i)->name : CEL__NAME_NONE;
}

static struct cel_str value_of(const struct cel__tree *t, uint32_t i, uint32_t name)
{
    const struct cel__attr *a = cel__node_attr(t, i, name);

    return a != NULL ? cel__attr_value(t, a) : (struct cel_str){"", 0};
}

static bool has_type(const struct cel__tree *t, uint32_t i, const struct cel_str *types, size_t n)
{
    struct cel_str type = value_of(t, i, CEL__NAME_TYPE);

    for (size_t k = 0; k < n; k++)
        if (cel__str_ieq(type, types[k]))
            return true;
    return false;
}

static bool is_checkable(const struct cel__tree *t, uint32_t i)
{
    static const struct cel_str types[] = {CEL_LIT("checkbox"), CEL_LIT("radio")};

    return name_of(t, i) == CEL__NAME_INPUT && has_type(t, i, types, cel__countof(types));
}

static bool is_checked(const struct cel__tree *t, uint32_t i)
{
    if (name_of(t, i) == CEL__NAME_OPTION)
        return has(t, i, CEL__NAME_SELECTED);
    return is_checkable(t, i) && has(t, i, CEL__NAME_CHECKED);
}

static bool is_control(uint32_t name)
{
    return name == CEL__NAME_BUTTON || name == CEL__NAME_INPUT || name == CEL__NAME_SELECT ||
           name == CEL__NAME_TEXTAREA;
}

static bool can_be_disabled(uint32_t name)
{
    return is_control(name) || name == CEL__NAME_OPTGROUP || name == CEL__NAME_OPTION ||
           name == CEL__NAME_FIELDSET;
}

/* A disabled fieldset disables what is inside, but for what its first legend holds. */
static bool is_in_disabled_fieldset(const struct cel__tree *t, uint32_t i)
{
    uint32_t below = i;

    for (i = cel__node_parent_element(t, i); i != 0;
         below = i, i = cel__node_parent_element(t, i)) {
        uint32_t legend = cel__node_first(t, i);

        if (name_of(t, i) != CEL__NAME_FIELDSET || !has(t, i, CEL__NAME_DISABLED))
            continue;
        while (legend != 0 && name_of(t, legend) != CEL__NAME_LEGEND)
            legend = cel__node_next_element(t, legend);
        if (legend == 0 || legend != below)
            return true;
    }
    return false;
}

static bool is_disabled(const struct cel__tree *t, uint32_t i)
{
    uint32_t name = name_of(t, i), parent = cel__node_parent(t, i);

    if (!can_be_disabled(name))
        return false;
    if (has(t, i, CEL__NAME_DISABLED))
        return true;
    if (name == CEL__NAME_OPTION)
        return name_of(t, parent) == CEL__NAME_OPTGROUP && has(t, parent, CEL__NAME_DISABLED);
    return (is_control(name) || name == CEL__NAME_FIELDSET) && is_in_disabled_fieldset(t, i);
}

static bool is_entry(uint32_t name)
{
    return name == CEL__NAME_INPUT || name == CEL__NAME_SELECT || name == CEL__NAME_TEXTAREA;
}

static bool is_required(const struct cel__tree *t, uint32_t i)
{
    static const struct cel_str never[] = {CEL_LIT("hidden"), CEL_LIT("range"), CEL_LIT("color"),
                                           CEL_LIT("submit"), CEL_LIT("image"), CEL_LIT("reset"),
                                           CEL_LIT("button")};

    if (!is_entry(name_of(t, i)) || !has(t, i, CEL__NAME_REQUIRED))
        return false;
    return name_of(t, i) != CEL__NAME_INPUT || !has_type(t, i, never, cel__countof(never));
}

static bool is_editable(const struct cel__tree *t, uint32_t i)
{
    for (; i != 0; i = cel__node_parent_element(t, i))
        if (has(t, i, CEL__NAME_CONTENTEDITABLE))
            return !cel__str_ieq(value_of(t, i, CEL__NAME_CONTENTEDITABLE), CEL_LIT("false"));
    return false;
}

static bool is_read_write(const struct cel__tree *t, uint32_t i)
{
    static const struct cel_str fixed[] = {CEL_LIT("hidden"),   CEL_LIT("range"), CEL_LIT("color"),
                                           CEL_LIT("checkbox"), CEL_LIT("radio"), CEL_LIT("file"),
                                           CEL_LIT("submit"),   CEL_LIT("image"), CEL_LIT("reset"),
                                           CEL_LIT("button")};
    uint32_t name = name_of(t, i);

    if (name == CEL__NAME_INPUT && has_type(t, i, fixed, cel__countof(fixed)))
        return false;
    if (name == CEL__NAME_INPUT || name == CEL__NAME_TEXTAREA)
        return !has(t, i, CEL__NAME_READONLY) && !is_disabled(t, i);
    return is_editable(t, i);
}

static bool is_submit(const struct cel__tree *t, uint32_t i)
{
    static const struct cel_str input[] = {CEL_LIT("submit"), CEL_LIT("image")};
    static const struct cel_str other[] = {CEL_LIT("button"), CEL_LIT("reset")};

    if (name_of(t, i) == CEL__NAME_INPUT)
        return has_type(t, i, input, cel__countof(input));
    return name_of(t, i) == CEL__NAME_BUTTON && !has_type(t, i, other, cel__countof(other));
}

/* Checked boxes, selected options, and the button that submits a form by itself. */
static bool is_default(const struct cel__tree *t, uint32_t i)
{
    uint32_t form = i;

    if (is_checked(t, i))
        return true;
    if (!is_submit(t, i))
        return false;
    while (form != 0 && name_of(t, form) != CEL__NAME_FORM)
        form = cel__node_parent_element(t, form);
    if (form == 0)
        return false;
    for (uint32_t k = form + 1; k < i; k++)
        if (cel__node_is_element(t, k) && is_submit(t, k))
            return false;
    return true;
}

static bool shows_placeholder(const struct cel__tree *t, uint32_t i)
{
    if (!has(t, i, CEL__NAME_PLACEHOLDER))
        return false;
    if (name_of(t, i) == CEL__NAME_INPUT)
        return value_of(t, i, CEL__NAME_VALUE).len == 0;
    return name_of(t, i) == CEL__NAME_TEXTAREA && cel__node_text(t, i).len == 0;
}

bool cel__match_state(const struct cel__tree *t, enum cel__test_op op, uint32_t i)
{
    uint32_t name = name_of(t, i);

    switch (op) {
    case CEL__TEST_LINK:
        return (name == CEL__NAME_A || name == CEL__NAME_AREA) && has(t, i, CEL__NAME_HREF);
    case CEL__TEST_ENABLED:
        return can_be_disabled(name) && !is_disabled(t, i);
    case CEL__TEST_DISABLED:
        return is_disabled(t, i);
    case CEL__TEST_CHECKED:
        return is_checked(t, i);
    case CEL__TEST_REQUIRED:
        return is_required(t, i);
    case CEL__TEST_OPTIONAL:
        return is_entry(name) && !is_required(t, i);
    case CEL__TEST_READ_ONLY:
        return !is_read_write(t, i);
    case CEL__TEST_READ_WRITE:
        return is_read_write(t, i);
    case CEL__TEST_DEFAULT:
        return is_default(t, i);
    case CEL__TEST_PLACEHOLDER:
        return shows_placeholder(t, i);
    default:
        return false;
    }
}
