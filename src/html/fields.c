/* SPDX-License-Identifier: MIT */
/* Field sets: compile, and read the command line's spelling. */
#include "html/fields.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "html/selector.h"

static int fail(struct cel_error *error, int code, const char *name, const char *why)
{
    struct cel_error unread;

    if (error == NULL)
        error = &unread;
    *error = (struct cel_error){.code = code};
    snprintf(error->text, sizeof error->text, "field '%.60s': %.160s", name, why);
    return code;
}

static void drop_field(struct cel__field *f)
{
    cel__mem_free(f->name);
    cel__mem_free(f->attr);
    cel__mem_free(f->join);
    cel_selector_free(f->selector);
}

static char *copy_of(const char *text, bool *failed)
{
    char *copy = text != NULL ? cel__mem_strdup(text) : NULL;

    if (text != NULL && copy == NULL)
        *failed = true;
    return copy;
}

/* Takes over f, and drops it on failure. */
static int append(struct cel_fields *fields, struct cel__field *f)
{
    if (fields->count == fields->cap) {
        size_t cap = fields->cap != 0 ? fields->cap * 2 : 8;
        struct cel__field *grown = cel__mem_realloc(fields->list, cap * sizeof *grown);

        if (grown == NULL) {
            drop_field(f);
            return -ENOMEM;
        }
        fields->list = grown;
        fields->cap = cap;
    }
    fields->list[fields->count++] = *f;
    return 0;
}

int cel_fields_add(struct cel_fields *fields, const struct cel_field *field,
                   struct cel_error *error)
{
    struct cel__field f = {.is_list = field->is_list && field->join == NULL};
    struct cel_error cause;
    bool failed = false;
    int r;

    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->list[i].name, field->name) == 0)
            return fail(error, -EEXIST, field->name, "the name is there already");
    r = cel_selector_new(&f.selector, field->css != NULL ? field->css : "", &cause);
    if (r < 0)
        return fail(error, r, field->name, r == -ENOMEM ? cel_strerror(r) : cause.text);
    f.name = copy_of(field->name, &failed);
    f.attr = copy_of(field->attr, &failed);
    f.join = copy_of(field->join, &failed);
    if (failed) {
        drop_field(&f);
        return fail(error, -ENOMEM, field->name, cel_strerror(-ENOMEM));
    }
    r = append(fields, &f);
    return r < 0 ? fail(error, r, field->name, cel_strerror(r)) : 0;
}

int cel_fields_new(struct cel_fields **out, const struct cel_field *fields, struct cel_error *error)
{
    struct cel_fields *set = cel__mem_zalloc(sizeof *set);
    int r;

    if (set == NULL)
        return fail(error, -ENOMEM, "", cel_strerror(-ENOMEM));
    for (; fields != NULL && fields->name != NULL; fields++) {
        r = cel_fields_add(set, fields, error);
        if (r < 0) {
            cel_fields_free(set);
            return r;
        }
    }
    *out = set;
    return 0;
}

void cel_fields_free(struct cel_fields *fields)
{
    if (fields == NULL)
        return;
    for (size_t i = 0; i < fields->count; i++)
        drop_field(&fields->list[i]);
    cel__mem_free(fields->list);
    cel__mem_free(fields);
}

size_t cel_fields_count(const struct cel_fields *fields)
{
    return fields->count;
}

const char *cel_fields_name(const struct cel_fields *fields, size_t i)
{
    return fields->list[i].name;
}

const char *cel_fields_css(const struct cel_fields *fields, size_t i)
{
    return fields->list[i].selector->source;
}

const char *cel_fields_attr(const struct cel_fields *fields, size_t i)
{
    return fields->list[i].attr;
}

/* ---- NAME=CSS@attr ---- */

/* The last '@' that is not inside brackets, parentheses or quotes, nor escaped; or NULL. */
static char *find_at(char *css)
{
    char *found = NULL, quote = 0;
    int depth = 0;

    for (char *p = css; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (quote != 0)
            quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '[' || *p == '(')
            depth++;
        else if (*p == ']' || *p == ')')
            depth--;
        else if (*p == '@' && depth == 0)
            found = p;
    }
    return found;
}

static bool is_attr_name(const char *name)
{
    return *name != '\0' && name[strcspn(name, " \t\r\n\f\"'<>/=@")] == '\0';
}

static char *strip(char *text)
{
    struct cel_str s = cel__str_trim(cel__str(text));

    text = (char *)(uintptr_t)s.ptr;
    text[s.len] = '\0';
    return text;
}

static int read_spec(struct cel_fields *fields, char *spec, const char *join,
                     struct cel_error *error)
{
    char *equals = strchr(spec, '='), *at;
    struct cel_field f = {0};
    size_t len;

    if (equals == NULL)
        return fail(error, -EINVAL, spec,
                    "a field is written NAME=CSS, NAME=CSS@attr or NAME[]=CSS");
    *equals = '\0';
    f.name = strip(spec);
    len = strlen(f.name);
    if (len >= 2 && strcmp(f.name + len - 2, "[]") == 0) {
        f.is_list = true;
        f.join = join;
        spec[(size_t)(f.name - spec) + len - 2] = '\0';
    }
    if (f.name[0] == '\0')
        return fail(error, -EINVAL, "", "the name before '=' is missing");
    at = find_at(equals + 1);
    if (at != NULL) {
        *at = '\0';
        f.attr = strip(at + 1);
        if (!is_attr_name(f.attr))
            return fail(error, -EINVAL, f.name, "the name of an attribute must follow '@'");
    }
    f.css = strip(equals + 1);
    return cel_fields_add(fields, &f, error);
}

int cel_fields_add_spec(struct cel_fields *fields, const char *spec, const char *join,
                        struct cel_error *error)
{
    char *copy = cel__mem_strdup(spec);
    int r;

    if (copy == NULL)
        return fail(error, -ENOMEM, "", cel_strerror(-ENOMEM));
    r = read_spec(fields, copy, join, error);
    cel__mem_free(copy);
    return r;
}
