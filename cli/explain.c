/* SPDX-License-Identifier: MIT */
/* A selector is read as text, once more: the library says how often a piece of it matches, and this
 * chooses the pieces. For each alternative of a comma list, from the left: the longest run of
 * compounds that matches anything; then, of the compound behind it, what each of its parts alone
 * would match; then names on the page that are spelled nearly so. */
#include "explain.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MAX 1024
#define NEAR_MAX  3 /* names told, and letters that they may differ in */

struct piece {
    const char *from, *to;
};

/* Behind what stands at p: a bracket with its contents, a string, an escape, or one byte. */
static const char *skip(const char *p)
{
    char close = *p == '[' ? ']' : *p == '(' ? ')' : *p == '"' || *p == '\'' ? *p : 0;
    bool is_string = close == '"' || close == '\'';

    if (*p == '\\' && p[1] != '\0')
        return p + 2;
    if (close == 0)
        return p + 1;
    for (p++; *p != '\0' && *p != close;)
        p = is_string && *p != '\\' ? p + 1 : skip(p);
    return *p != '\0' ? p + 1 : p;
}

static const char *end_of_alternative(const char *p)
{
    while (*p != '\0' && *p != ',')
        p = skip(p);
    return p;
}

static bool is_between(char c)
{
    return isspace((unsigned char)c) || c == '>' || c == '+' || c == '~';
}

/* The next compound of an alternative; false at its end. */
static bool next_compound(struct piece *rest, struct piece *out)
{
    while (rest->from < rest->to && is_between(*rest->from))
        rest->from++;
    out->from = rest->from;
    while (rest->from < rest->to && !is_between(*rest->from))
        rest->from = skip(rest->from);
    out->to = rest->from;
    return out->to > out->from;
}

/* The next part of a compound: a type, .class, #id, [attribute], :pseudo(…). */
static bool next_part(struct piece *rest, struct piece *out)
{
    const char *p = rest->from;

    if (p >= rest->to)
        return false;
    out->from = p;
    if (p[0] == ':' && p[1] == ':')
        return false; /* what is taken of a match, not what matches */
    p = skip(p);
    if (*out->from != '[')
        while (p < rest->to && strchr(".#[:", *p) == NULL)
            p = skip(p);
    out->to = rest->from = p;
    return true;
}

/* What the text matches, to be freed when there is no error; negative: it is no selector. */
static int find_all(const struct cel_html *doc, const char *css, struct cel_node **nodes)
{
    struct cel_selector *selector;
    int n = cel_selector_new(&selector, css, NULL);

    if (n < 0)
        return n;
    n = cel_select_all(selector, cel_html_root(doc), nodes);
    cel_selector_free(selector);
    return n;
}

/* How often a piece of text matches. */
static int count(const struct cel_html *doc, const char *from, const char *to)
{
    char css[PIECE_MAX];
    struct cel_node *nodes;
    int n;

    if ((size_t)(to - from) >= sizeof css)
        return -EINVAL;
    memcpy(css, from, (size_t)(to - from));
    css[to - from] = '\0';
    n = find_all(doc, css, &nodes);
    if (n >= 0)
        cel_nodes_free(nodes);
    return n;
}

/* ---- names that are spelled nearly so ---- */

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Letters to change, put in or take out; more than NEAR_MAX is as good as any. */
static size_t distance(struct cel_str a, struct cel_str b)
{
    size_t row[64] = {0}, diagonal, up;

    if (a.len >= 63 || b.len >= 63 || a.len > b.len + NEAR_MAX || b.len > a.len + NEAR_MAX)
        return NEAR_MAX + 1;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            up = row[j];
            row[j] = smallest(row[j] + 1, row[j - 1] + 1,
                              diagonal + (tolower((unsigned char)a.ptr[i - 1]) !=
                                          tolower((unsigned char)b.ptr[j - 1])));
            diagonal = up;
        }
    }
    return row[b.len];
}

struct near {
    struct cel_str names[NEAR_MAX];
    size_t distances[NEAR_MAX];
    size_t count;
};

static void keep_near(struct near *near, struct cel_str name, size_t d)
{
    size_t at;

    for (size_t i = 0; i < near->count; i++)
        if (near->names[i].len == name.len && memcmp(near->names[i].ptr, name.ptr, name.len) == 0)
            return;
    for (at = near->count; at > 0 && near->distances[at - 1] > d; at--)
        continue;
    if (at == NEAR_MAX)
        return;
    near->count += near->count < NEAR_MAX;
    for (size_t i = near->count - 1; i > at; i--) {
        near->names[i] = near->names[i - 1];
        near->distances[i] = near->distances[i - 1];
    }
    near->names[at] = name;
    near->distances[at] = d;
}

/* One name of a list in an attribute, as often as there is one. */
static void look_at(struct near *near, struct cel_str wanted, struct cel_str list)
{
    const char *p = list.ptr, *end = p + list.len;

    while (p < end) {
        const char *from;
        size_t d;

        while (p < end && isspace((unsigned char)*p))
            p++;
        for (from = p; p < end && !isspace((unsigned char)*p);)
            p++;
        d = distance(wanted, (struct cel_str){from, (size_t)(p - from)});
        if (p > from && d <= NEAR_MAX && d * 2 <= wanted.len)
            keep_near(near, (struct cel_str){from, (size_t)(p - from)}, d);
    }
}

static int find_near(struct near *near, const struct cel_html *doc, struct piece part)
{
    char kind = *part.from;
    bool is_name = kind != '.' && kind != '#';
    struct cel_str wanted = {part.from + !is_name, (size_t)(part.to - part.from - !is_name)};
    struct cel_node *nodes;
    int n;

    if (strchr("[:*", kind) != NULL)
        return 0;
    n = find_all(doc, "*", &nodes);
    for (int i = 0; i < n; i++)
        look_at(near, wanted,
                is_name ? cel_node_name(nodes[i])
                        : cel_node_attr(nodes[i], kind == '.' ? "class" : "id"));
    if (n >= 0)
        cel_nodes_free(nodes);
    return n < 0 ? n : 0;
}

static int tell_near(const struct cel_html *doc, struct piece part)
{
    struct near near = {.count = 0};
    int r = find_near(&near, doc, part);

    for (size_t i = 0; i < near.count; i++)
        fprintf(stderr, "%s%s%.*s%s", i == 0 ? "; the page has " : ", ",
                strchr(".#", *part.from) != NULL ? (char[]){*part.from, '\0'} : "",
                CEL_STR(near.names[i]), "");
    return r;
}

/* ---- how far it comes ---- */

static const char *elements(int n)
{
    return n == 1 ? "element" : "elements";
}

static int tell_parts(const struct cel_html *doc, struct piece compound)
{
    struct piece rest = compound, part;
    int r = 0;

    while (r >= 0 && next_part(&rest, &part)) {
        int n = count(doc, part.from, part.to);

        if (n < 0)
            continue;
        fprintf(stderr, "      %.*s alone matches %d %s", (int)(part.to - part.from), part.from, n,
                elements(n));
        if (n == 0)
            r = tell_near(doc, part);
        fputc('\n', stderr);
    }
    return r;
}

/* Whether it would match if the compound stood anywhere inside what is before it, or behind it. */
static void tell_looser(const struct cel_html *doc, const char *from, const char *last,
                        struct piece compound)
{
    char css[PIECE_MAX], between = ' ';
    int n, len;

    for (const char *p = last; p < compound.from; p++)
        between = isspace((unsigned char)*p) ? between : *p;
    if (between != '>' && between != '+')
        return;
    len = snprintf(css, sizeof css, "%.*s%s%.*s", (int)(last - from), from,
                   between == '>' ? " " : " ~ ", (int)(compound.to - compound.from), compound.from);
    n = len < (int)sizeof css ? count(doc, css, css + len) : 0;
    if (n > 0)
        fprintf(stderr, "      '%s' would match %d %s\n", css, n, elements(n));
}

/* `alternative` matches nothing: where does it stop? */
static int tell_miss(const struct cel_html *doc, struct piece alternative)
{
    struct piece rest = alternative, compound;
    const char *last = NULL;
    int before = 0;

    while (next_compound(&rest, &compound)) {
        int n = count(doc, alternative.from, compound.to);

        if (n > 0) {
            before = n;
            last = compound.to;
            continue;
        }
        if (last != NULL)
            fprintf(stderr, "      '%.*s' matches %d %s, and\n", (int)(last - alternative.from),
                    alternative.from, before, elements(before));
        fprintf(stderr, "      '%.*s' matches none:\n", (int)(compound.to - alternative.from),
                alternative.from);
        if (last != NULL)
            tell_looser(doc, alternative.from, last, compound);
        return tell_parts(doc, compound);
    }
    return 0;
}

/* Elements match, and the value is an attribute: do they have it? */
static void tell_attr(const struct cel_node *nodes, int n, const char *attr)
{
    struct cel_str name, value;
    int with = 0, without = 0;

    for (int i = 0; i < n; i++) {
        bool has = cel_node_attr(nodes[i], attr).ptr != NULL;

        with += has;
        without = has ? without : i;
    }
    if (with == n)
        return;
    fprintf(stderr, "      %d of them %s the attribute %s; ", with, with == 1 ? "has" : "have",
            attr);
    fprintf(stderr, "one without has");
    for (size_t i = 0; cel_node_attr_at(nodes[without], i, &name, &value) == 1; i++)
        fprintf(stderr, "%s %.*s", i == 0 ? "" : ",", CEL_STR(name));
    fputs(cel_node_attr_at(nodes[without], 0, &name, &value) == 1 ? "\n" : " none\n", stderr);
}

/* The x of ::attr(x). */
static bool taken_attr(const char *css, char *out, size_t size)
{
    const char *at = strstr(css, "::attr(");
    size_t len = at != NULL ? strcspn(at + 7, ")") : 0;

    if (len == 0 || len >= size)
        return false;
    memcpy(out, at + 7, len);
    out[len] = '\0';
    return true;
}

static int explain_one(const struct cel_html *doc, const char *name, const char *css,
                       const char *attr)
{
    struct cel_node *nodes;
    char own[64];
    int n = find_all(doc, css, &nodes), r = 0;

    if (n < 0)
        return n;
    fprintf(stderr, "  %s: '%s' matches %d %s\n", name, css, n, elements(n));
    if (attr == NULL && taken_attr(css, own, sizeof own))
        attr = own;
    if (attr != NULL)
        tell_attr(nodes, n, attr);
    cel_nodes_free(nodes);
    while (n == 0 && r >= 0 && *css != '\0') {
        struct piece alternative = {css, end_of_alternative(css)};

        while (alternative.from < alternative.to && isspace((unsigned char)*alternative.from))
            alternative.from++;
        r = tell_miss(doc, alternative);
        css = alternative.to + (*alternative.to == ',');
    }
    return r;
}

int explain_fields(const struct cel_fields *fields, const struct cel_html *doc)
{
    int r = 0;

    for (size_t i = 0; i < cel_fields_count(fields) && r >= 0; i++)
        r = explain_one(doc, cel_fields_name(fields, i), cel_fields_css(fields, i),
                        cel_fields_attr(fields, i));
    return r;
}
