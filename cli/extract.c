/* SPDX-License-Identifier: MIT */
/* celadon extract: selectors tried on one page, from a file, standard input or a URL. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/html.h>
#include <celadon/http.h>
#include <celadon/task.h>

#include "command.h"
#include "explain.h"
#include "options.h"
#include "source.h"

#define SPECS_MAX 64

struct extract {
    const char *source, *join;
    const char *specs[SPECS_MAX];
    size_t spec_count;
    struct cel_html_options html;
    bool explains;
    struct cel_fields *fields;
    char charset[128]; /* of the answer */
    char *page;
    size_t len;
};

static bool take_select(void *config, const char *value)
{
    struct extract *x = config;

    if (x->spec_count == SPECS_MAX) {
        complain("more than %d fields (-s)", SPECS_MAX);
        return false;
    }
    x->specs[x->spec_count++] = value;
    return true;
}

static bool take_join(void *config, const char *value)
{
    ((struct extract *)config)->join = value;
    return true;
}

static bool take_explain(void *config, const char *value)
{
    return ((struct extract *)config)->explains = true;
}

static bool take_charset(void *config, const char *value)
{
    ((struct extract *)config)->html.charset = value;
    return true;
}

static bool take_parser(void *config, const char *value)
{
    bool is_lxml = strcmp(value, "lxml") == 0;

    if (!is_lxml && strcmp(value, "html5") != 0) {
        complain("--parser takes html5 or lxml, not '%s'", value);
        return false;
    }
    ((struct extract *)config)->html.parser = is_lxml ? CEL_HTML_LIBXML2 : CEL_HTML_HTML5;
    return true;
}

static const struct option_spec extract_options[] = {
    {'s', "select", "NAME=CSS",
     "a field: text of the first match; NAME=CSS@ATTR its attribute; NAME[]=CSS all matches",
     take_select},
    {0, "join", "TEXT", "make each NAME[] one string, with TEXT between the matches", take_join},
    {'e', "explain", NULL,
     "tell how often each matches, and what comes nearest to one that does not", take_explain},
    {0, "charset", "NAME", "what the transport says of the encoding", take_charset},
    {0, "parser", "PARSER", "html5 (as browsers) or lxml (libxml2); default html5", take_parser},
    {0},
};

static const struct command_spec extract_command = {
    .name = "extract",
    .arguments = "[OPTION…] FILE|URL|-",
    .summary = "Takes fields from one page and prints them as JSON.",
    .options = extract_options,
    .notes = "The JSON goes to standard output, explanations to standard error.\n"
             "Exit status: 0 all fields were found, 1 fatal, 2 usage, 3 a field is missing.",
};

static bool compile(struct extract *x)
{
    struct cel_error error = {0};
    int r = cel_fields_new(&x->fields, NULL, &error);

    for (size_t i = 0; r == 0 && i < x->spec_count; i++) {
        r = cel_fields_add_spec(x->fields, x->specs[i], x->join, &error);
        if (r < 0)
            complain("-s '%s': %s", x->specs[i],
                     error.text[0] != '\0' ? error.text : cel_strerror(r));
    }
    return r == 0;
}

/* ---- the page ---- */

static bool is_url(const char *source)
{
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

static int keep(struct extract *x, const struct cel_response *page)
{
    struct cel_str text = cel_text(page), type = cel_response_header(page, "Content-Type");

    if (x->html.charset == NULL && type.ptr != NULL && type.len < sizeof x->charset) {
        memcpy(x->charset, type.ptr, type.len);
        x->html.charset = x->charset;
    }
    x->page = malloc(text.len + 1);
    if (x->page == NULL)
        return -ENOMEM;
    memcpy(x->page, text.ptr, text.len);
    x->len = text.len;
    return 0;
}

static void *fetch(void *arg)
{
    struct extract *x = arg;
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page = NULL;
    int r = web != NULL ? cel_get(web, x->source, &page) : -ENOMEM; /* parks */

    if (r == 0 && page->status >= 400)
        complain("%s: the server answered %d", x->source, page->status);
    if (r == 0)
        r = keep(x, page);
    cel_response_free(page);
    cel_session_free(web);
    return r < 0 ? cel_fail(r, "fetching %s", x->source) : NULL;
}

static bool get_page(struct extract *x)
{
    if (is_url(x->source))
        return cel_run(fetch, x, NULL) == 0; /* told in the log */
    x->page = source_read(x->source, &x->len);
    return x->page != NULL;
}

/* ---- the work ---- */

static bool lacks_one(const struct cel_item *item)
{
    for (size_t i = 0; i < cel_item_count(item); i++)
        if (cel_item_values(item, i) == 0)
            return true;
    return false;
}

static int print_item(struct cel_item *item)
{
    size_t len;
    const char *json = cel_item_json(item, &len);

    if (json == NULL) {
        complain("memory is out");
        return EXIT_FATAL;
    }
    if (fwrite(json, 1, len, stdout) != len || fputc('\n', stdout) == EOF || fflush(stdout) != 0) {
        complain("cannot write: %s", cel_strerror(-errno));
        return EXIT_FATAL;
    }
    return lacks_one(item) ? EXIT_SOME_FAILED : EXIT_ALL_DONE;
}

static int explain(const struct extract *x)
{
    struct cel_html *doc;
    int r = cel_html_parse(&doc, x->page, x->len, &x->html);

    if (r < 0)
        return r;
    r = explain_fields(x->fields, doc);
    cel_html_free(doc);
    return r;
}

static int run(struct extract *x)
{
    const char *truncated = NULL;
    struct cel_item *item;
    int code, r;

    if (!get_page(x))
        return EXIT_FATAL;
    r = cel_fields_scan(x->fields, x->page, x->len, &x->html, &item, &truncated);
    if (r < 0) {
        complain("cannot extract from %s: %s", x->source, cel_strerror(r));
        return EXIT_FATAL;
    }
    if (truncated != NULL)
        complain("%s: cut off by the limit of %s", x->source, truncated);
    code = print_item(item);
    cel_item_free(item);
    if (x->explains && code != EXIT_FATAL) {
        r = explain(x);
        if (r < 0) {
            complain("cannot explain: %s", cel_strerror(r));
            return EXIT_FATAL;
        }
    }
    return code;
}

int command_extract(int argc, char **argv)
{
    struct extract x = {.html.max_bytes = SOURCE_MAX};
    int first = options_parse(&extract_command, argc, argv, &x), code = EXIT_USAGE;

    if (first < 0)
        return first == -2 ? EXIT_ALL_DONE : EXIT_USAGE;
    if (argc - first != 1 || x.spec_count == 0) {
        complain("extract takes at least one -s NAME=CSS, and one FILE, URL or - for standard "
                 "input; 'celadon extract --help' tells more");
        return EXIT_USAGE;
    }
    x.source = argv[first];
    if (compile(&x))
        code = run(&x);
    cel_fields_free(x.fields);
    free(x.page);
    return code;
}
