/* SPDX-License-Identifier: MIT */
/* celadon html: what the parser makes of a page, as text to be read and compared. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/html.h>

#include "command.h"
#include "options.h"
#include "source.h"

struct html {
    const char *path;
    struct cel_html_options options;
    size_t error_count;
    struct cel_html_error first; /* of a run of errors that is not printed yet */
    struct cel_html_error last;
    size_t run; /* how many are in it */
};

static bool take_fragment(void *config, const char *value)
{
    ((struct html *)config)->options.fragment = value;
    return true;
}

static bool take_charset(void *config, const char *value)
{
    ((struct html *)config)->options.charset = value;
    return true;
}

static bool take_scripting(void *config, const char *value)
{
    return ((struct html *)config)->options.scripting = true;
}

static bool take_positions(void *config, const char *value)
{
    return ((struct html *)config)->options.positions = true;
}

/* In the form of a compiler's messages, which editors know how to follow. */
static void print_run(struct html *h)
{
    const struct cel_html_error *e = &h->first;

    if (h->run > 1)
        fprintf(stderr, "%s:%u:%u: %s, %zu characters up to %u:%u: %s\n", h->path, e->line,
                e->column, e->code, h->run, h->last.line, h->last.column, e->meaning);
    else if (h->run == 1)
        fprintf(stderr, "%s:%u:%u: %s: %s\n", h->path, e->line, e->column, e->code, e->meaning);
    h->run = 0;
}

static bool is_next_character(const struct cel_html_error *last, const struct cel_html_error *error)
{
    uint32_t columns = error->column - last->column;

    if (error->line != last->line)
        return error->line == last->line + 1 && error->column == 1;
    /* Beyond the first plane a character is four bytes and two columns. */
    return columns <= 1 || (columns == 2 && error->offset == last->offset + 4);
}

/* Errors of text are told for each character: what stands together is one line. */
static void take_error(void *arg, const struct cel_html_error *error)
{
    struct html *h = arg;

    h->error_count++;
    if (error->element.len != 0) {
        print_run(h);
        fprintf(stderr, "%s:%u:%u: %s (%.*s): %s\n", h->path, error->line, error->column,
                error->code, CEL_STR(error->element), error->meaning);
        return;
    }
    if (h->run == 0 || error->code != h->last.code || !is_next_character(&h->last, error)) {
        print_run(h);
        h->first = *error;
    }
    h->last = *error;
    h->run++;
}

static bool take_errors(void *config, const char *value)
{
    struct html *h = config;

    h->options.error = take_error;
    h->options.error_arg = h;
    return true;
}

static const struct option_spec html_options[] = {
    {'f', "fragment", "CONTEXT", "the input stands inside this element: body, tr, 'svg path'",
     take_fragment},
    {0, "scripting", NULL, "as where scripts run: <noscript> is text", take_scripting},
    {0, "charset", "NAME", "what the transport says of the encoding", take_charset},
    {'p', "positions", NULL, "in front of each node the byte at which it began", take_positions},
    {'e', "errors", NULL,
     "tell mistakes on standard error, as FILE:LINE:COLUMN: CODE (ELEMENT): MEANING", take_errors},
    {0},
};

static const struct command_spec html_command = {
    .name = "html",
    .arguments = "[OPTION…] FILE|-",
    .summary = "Parses a page and prints its tree in the notation of the html5lib tests.",
    .options = html_options,
    .notes =
        "Positions count the bytes of the page as UTF-8, without a byte order mark.\n"
        "Exit status: 0 printed, 1 fatal, 2 usage, 3 printed, but --errors told some or a limit "
        "cut the page.",
};

static bool print_tree(const struct cel_html *doc)
{
    size_t len;
    char *text = cel_html_dump(doc, &len);
    bool is_written;

    if (text == NULL) {
        complain("memory is out");
        return false;
    }
    is_written = fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0;
    cel_html_text_free(text);
    if (!is_written)
        complain("cannot write: %s", cel_strerror(-errno));
    return is_written;
}

static int parse_and_print(struct html *h)
{
    struct cel_html *doc;
    size_t len;
    char *bytes = source_read(h->path, &len);
    int r, code = EXIT_ALL_DONE;

    if (bytes == NULL)
        return EXIT_FATAL;
    r = cel_html_parse(&doc, bytes, len, &h->options);
    print_run(h);
    free(bytes);
    if (r < 0) {
        complain("cannot parse %s: %s", h->path, cel_strerror(r));
        return EXIT_FATAL;
    }
    if (cel_html_truncated(doc) != NULL)
        complain("%s: cut off by the limit of %s", h->path, cel_html_truncated(doc));
    if (cel_html_truncated(doc) != NULL || h->error_count != 0)
        code = EXIT_SOME_FAILED;
    if (!print_tree(doc))
        code = EXIT_FATAL;
    cel_html_free(doc);
    return code;
}

int command_html(int argc, char **argv)
{
    struct html h = {.options = {.max_bytes = SOURCE_MAX}};
    int first = options_parse(&html_command, argc, argv, &h);

    if (first < 0)
        return first == -2 ? EXIT_ALL_DONE : EXIT_USAGE;
    if (argc - first != 1) {
        complain("html takes one file, or - for standard input; 'celadon html --help' tells more");
        return EXIT_USAGE;
    }
    h.path = argv[first];
    return parse_and_print(&h);
}
