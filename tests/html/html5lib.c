/* SPDX-License-Identifier: MIT */
#include "html5lib.h"

#include "support/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static char **found;
static size_t found_count;
static const char *wanted_suffix = "";

static int take(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    struct cel_str suffix = cel__str(wanted_suffix);

    if (kind != FTW_F || !cel__str_ends(cel__str(path), suffix))
        return 0;
    found = realloc(found, (found_count + 1) * sizeof *found);
    assert_non_null(found);
    found[found_count++] = strdup(path);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t suite_files(const char *folder, const char *suffix, char ***out)
{
    const char *source = getenv("CELADON_SOURCE");
    char root[4096];

    snprintf(root, sizeof root, "%s/tests/data/html5lib/%s", source != NULL ? source : ".", folder);
    found = NULL;
    found_count = 0;
    wanted_suffix = suffix;
    if (nftw(root, take, 8, FTW_PHYS) != 0 || found_count == 0)
        fail_msg("no *%s in %s (set CELADON_SOURCE)", suffix, root);
    if (found != NULL)
        qsort(found, found_count, sizeof *found, by_name);
    *out = found;
    return found_count;
}

void suite_files_free(char **files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(files[i]);
    free(files);
}

void suite_read(const char *path, struct cel__buf *out)
{
    FILE *f = fopen(path, "rb");
    char block[65536];
    size_t n;

    if (f == NULL)
        fail_msg("cannot read %s", path);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        assert_int_equal(cel__buf_add(out, block, n), 0);
    fclose(f);
}

static struct cel_str without_newline(struct cel_str s)
{
    if (s.len != 0 && s.ptr[s.len - 1] == '\n')
        s.len--;
    return s;
}

static bool is_heading(struct cel_str text)
{
    static const char *const names[] = {"#data",      "#errors",     "#new-errors",
                                        "#document",  "#script-off", "#document-fragment",
                                        "#script-on", "#encoding"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cel__str_eq(text, cel__str(names[i])))
            return true;
    return false;
}

/* Takes one line off *rest, its newline included. */
static struct cel_str next_line(struct cel_str *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct cel_str text = {rest->ptr, end != NULL ? (size_t)(end + 1 - rest->ptr) : rest->len};

    rest->ptr += text.len;
    rest->len -= text.len;
    return text;
}

static void add_section(struct dat_case *out, struct cel_str name, const char *body)
{
    assert_true(out->count < sizeof out->sections / sizeof *out->sections);
    out->sections[out->count++] = (struct dat_section){name, {body, 0}};
}

bool dat_next(struct cel_str *rest, int *line, struct dat_case *out)
{
    *out = (struct dat_case){0};
    while (rest->len != 0) {
        struct cel_str ahead = *rest, text = next_line(&ahead), bare = without_newline(text);
        bool begins = cel__str_eq(bare, CEL_LIT("#data"));

        if (begins && out->count != 0)
            break;
        if (begins)
            out->line = *line;
        if (is_heading(bare))
            add_section(out, bare, ahead.ptr);
        else if (out->count != 0)
            out->sections[out->count - 1].body.len += text.len;
        *rest = ahead;
        ++*line;
    }
    for (size_t i = 0; i < out->count; i++)
        out->sections[i].body = without_newline(out->sections[i].body);
    return out->count != 0;
}

const struct cel_str *dat_section(const struct dat_case *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (cel__str_eq(c->sections[i].name, cel__str(name)))
            return &c->sections[i].body;
    return NULL;
}

void suite_context(struct cel__parse_options *options, struct cel_str context)
{
    options->context_ns = CEL__NS_HTML;
    if (cel__str_starts(context, CEL_LIT("svg ")))
        options->context_ns = CEL__NS_SVG;
    else if (cel__str_starts(context, CEL_LIT("math ")))
        options->context_ns = CEL__NS_MATHML;
    if (options->context_ns != CEL__NS_HTML) {
        const char *blank = memchr(context.ptr, ' ', context.len);

        context.len -= (size_t)(blank + 1 - context.ptr);
        context.ptr = blank + 1;
    }
    options->context = context;
}

void suite_feed(struct cel__parser *p, struct cel_str input, size_t cut)
{
    /* Pieces have blocks of their own, so that reading past one is seen. */
    for (size_t at = 0, len; at < input.len; at += len) {
        char *piece;

        len = cut > input.len ? 1 : at < cut ? cut : input.len - at;
        piece = malloc(len);
        memcpy(piece, input.ptr + at, len);
        assert_int_equal(cel__parser_feed(p, piece, len), 0);
        free(piece);
    }
}
