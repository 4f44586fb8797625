/* SPDX-License-Identifier: MIT */
/* celadon fetch: the article's scraper as a command. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <celadon/crawl.h>
#include <celadon/loop.h>
#include <celadon/net.h>
#include <celadon/task.h>

#include "command.h"
#include "input.h"
#include "options.h"
#include "output.h"

#define SPECS_MAX   64
#define HEADERS_MAX 32
#define PHASES_MAX  16

struct fetch {
    /* what was asked for */
    const char *input_path, *output_path, *join, *agent, *ca_file;
    const char *specs[SPECS_MAX];
    struct cel_header headers[HEADERS_MAX + 1];
    size_t spec_count, header_count;
    enum output_format format;
    unsigned concurrency, per_host, retries;
    int64_t timeout;
    size_t body_max;
    enum cel_html_parser parser;
    bool is_quiet, is_insecure, accepts_any_status;
    char **urls;
    size_t url_count;
    /* the work */
    struct input *input;
    struct output *output;
    struct cel_fields *fields;
    struct cel_scrape_stats stats;
    struct cel_scope *work;
    bool was_interrupted, shows_progress;
    struct {
        const char *phase;
        size_t count;
    } failures[PHASES_MAX];
};

/* ---- options ---- */

static bool take_input(void *config, const char *value)
{
    ((struct fetch *)config)->input_path = value;
    return true;
}

static bool take_output(void *config, const char *value)
{
    ((struct fetch *)config)->output_path = value;
    return true;
}

static bool take_select(void *config, const char *value)
{
    struct fetch *f = config;

    if (f->spec_count == SPECS_MAX) {
        complain("more than %d fields (-s)", SPECS_MAX);
        return false;
    }
    f->specs[f->spec_count++] = value;
    return true;
}

static bool take_join(void *config, const char *value)
{
    ((struct fetch *)config)->join = value;
    return true;
}

static bool take_format(void *config, const char *value)
{
    static const char *const names[] = {"json", "jsonl", "csv"};

    for (int i = 0; i < 3; i++)
        if (strcmp(value, names[i]) == 0) {
            ((struct fetch *)config)->format = (enum output_format)i;
            return true;
        }
    complain("--format takes json, jsonl or csv, not '%s'", value);
    return false;
}

static bool take_concurrency(void *config, const char *value)
{
    return take_count("--concurrency", value, 1, 10000, &((struct fetch *)config)->concurrency);
}

static bool take_per_host(void *config, const char *value)
{
    return take_count("--per-host", value, 1, 10000, &((struct fetch *)config)->per_host);
}

static bool take_retries(void *config, const char *value)
{
    return take_count("--retries", value, 0, 100, &((struct fetch *)config)->retries);
}

static bool take_timeout(void *config, const char *value)
{
    return take_duration("--timeout", value, &((struct fetch *)config)->timeout);
}

static bool take_max_body(void *config, const char *value)
{
    return take_size("--max-body", value, &((struct fetch *)config)->body_max);
}

static bool take_agent(void *config, const char *value)
{
    ((struct fetch *)config)->agent = value;
    return true;
}

/* "Name: value" is cut in two in place: argv is ours. */
static bool take_header(void *config, const char *value)
{
    struct fetch *f = config;
    char *colon = strchr(value, ':');

    if (colon == NULL || colon == value || f->header_count == HEADERS_MAX) {
        complain("-H takes 'Name: value', at most %d times, not '%s'", HEADERS_MAX, value);
        return false;
    }
    *colon = '\0';
    f->headers[f->header_count++] =
        (struct cel_header){.name = value, .value = colon + 1 + strspn(colon + 1, " ")};
    return true;
}

static bool take_parser(void *config, const char *value)
{
    struct fetch *f = config;

    f->parser = strcmp(value, "lxml") == 0 ? CEL_HTML_LIBXML2 : CEL_HTML_HTML5;
    if (strcmp(value, "lxml") == 0 || strcmp(value, "html5") == 0)
        return true;
    complain("--parser takes html5 or lxml, not '%s'", value);
    return false;
}

static bool take_any_status(void *config, const char *value)
{
    return ((struct fetch *)config)->accepts_any_status = true;
}

static bool take_insecure(void *config, const char *value)
{
    return ((struct fetch *)config)->is_insecure = true;
}

static bool take_ca_file(void *config, const char *value)
{
    ((struct fetch *)config)->ca_file = value;
    return true;
}

static bool take_quiet(void *config, const char *value)
{
    return ((struct fetch *)config)->is_quiet = true;
}

static const struct option_spec fetch_options[] = {
    {'i', "input", "FILE", "read URLs from FILE, one a line; - for standard input", take_input},
    {'s', "select", "NAME=CSS",
     "a field: text of the first match; NAME=CSS@ATTR its attribute; NAME[]=CSS all matches",
     take_select},
    {0, "join", "TEXT", "make each NAME[] one string, with TEXT between the matches", take_join},
    {0, "format", "FORMAT", "json (an object keyed by URL), jsonl or csv; default json",
     take_format},
    {'o', "output", "FILE", "write there, not to standard output", take_output},
    {'c', "concurrency", "N", "pages under way at a time; default 64", take_concurrency},
    {0, "per-host", "N", "of these to one host; default no limit", take_per_host},
    {0, "timeout", "TIME", "for each attempt (30s, 500ms, 2m); default 30s", take_timeout},
    {0, "retries", "N", "further attempts for what may pass; default 2", take_retries},
    {0, "max-body", "SIZE", "larger pages fail (10M, 500k); default 16M", take_max_body},
    {'A', "agent", "TEXT", "the User-Agent field", take_agent},
    {'H', "header", "FIELD", "'Name: value', sent with each request", take_header},
    {0, "parser", "PARSER", "html5 (as browsers) or lxml (libxml2); default html5", take_parser},
    {0, "any-status", NULL, "take fields from error pages too (400 and above)", take_any_status},
    {0, "cacert", "FILE", "certificates to trust, PEM; default the system's", take_ca_file},
    {0, "insecure", NULL, "accept any TLS certificate", take_insecure},
    {'q', "quiet", NULL, "no progress and no summary; failures are still told", take_quiet},
    {0},
};

static const struct command_spec fetch_command = {
    .name = "fetch",
    .arguments = "[OPTION…] URL… | -i FILE | -",
    .summary = "Fetches all URLs concurrently and prints the selected fields of each page.",
    .options = fetch_options,
    .notes = "Data goes to standard output, everything else to standard error. A URL that fails is "
             "told with its\n"
             "phase and cause and does not touch the others; a field that a page lacks is null.\n"
             "Exit status: 0 all done, 1 fatal, 2 usage, 3 some URLs failed, 5 interrupted.",
};

static bool read_arguments(struct fetch *f, int argc, char **argv, int first)
{
    f->urls = argv + first;
    f->url_count = (size_t)(argc - first);
    for (int i = first; i < argc; i++)
        if (strcmp(argv[i], "-") == 0) {
            f->input_path = "-";
            memmove(argv + i, argv + i + 1, (size_t)(argc - i) * sizeof *argv);
            f->url_count--;
            argc--;
            i--;
        }
    if (f->url_count != 0 || f->input_path != NULL)
        return true;
    complain("no URLs: name them, or a list with -i FILE, or - to read them from standard input");
    return false;
}

static bool compile_fields(struct fetch *f)
{
    struct cel_error error = {0};
    int r;

    if (f->spec_count == 0)
        return true;
    r = cel_fields_new(&f->fields, NULL, &error);
    for (size_t i = 0; r == 0 && i < f->spec_count; i++) {
        r = cel_fields_add_spec(f->fields, f->specs[i], f->join, &error);
        if (r < 0)
            complain("-s '%s': %s", f->specs[i],
                     error.text[0] != '\0' ? error.text : cel_strerror(r));
    }
    return r == 0;
}

/* ---- the work ---- */

static void count_failure(struct fetch *f, const char *phase)
{
    for (size_t i = 0; i < PHASES_MAX; i++) {
        if (f->failures[i].phase == NULL)
            f->failures[i].phase = phase;
        if (strcmp(f->failures[i].phase, phase) == 0) {
            f->failures[i].count++;
            return;
        }
    }
}

static void clear_progress(const struct fetch *f)
{
    if (f->shows_progress)
        fputs("\r\033[K", stderr);
}

static void page_done(void *arg, struct cel_scraped *result)
{
    struct fetch *f = arg;

    output_record(f->output, result);
    if (result->code < 0) {
        clear_progress(f);
        complain("%s: %s: %s", result->url, result->phase, result->cause);
        count_failure(f, result->phase);
    } else if (result->truncated != NULL) {
        clear_progress(f);
        complain("%s: note: the document was cut at its limit of %s", result->url,
                 result->truncated);
    }
    if (output_is_broken(f->output))
        cel_scope_cancel(f->work);
}

static double rate(uint64_t count, int64_t ns)
{
    return ns > 0 ? (double)count * 1e9 / (double)ns : 0;
}

static void *progress_main(void *arg)
{
    struct fetch *f = arg;
    int64_t start = cel_now();

    while (cel_sleep(200 * CEL_MILLISECOND) == 0) {
        size_t done = f->stats.succeeded + f->stats.failed;
        int64_t elapsed = cel_now() - start;

        fprintf(stderr, "\r\033[K%zu pages  %.0f/s  %.1f MB/s | run %zu | failed %zu", done,
                rate(done, elapsed), rate(f->stats.body_bytes, elapsed) / 1e6, f->stats.active,
                f->stats.failed);
        fflush(stderr);
    }
    return NULL;
}

static void on_signal(void *arg, int signo)
{
    struct fetch *f = arg;

    f->was_interrupted = true;
    cel_scope_cancel(f->work);
}

static void print_summary(const struct fetch *f)
{
    const struct cel_scrape_stats *s = &f->stats;

    fprintf(stderr, "celadon: %zu of %zu pages in %.2f s, %.0f/s, %.1f MB", s->succeeded,
            s->succeeded + s->failed, (double)s->elapsed / 1e9,
            rate(s->succeeded + s->failed, s->elapsed), (double)s->body_bytes / 1e6);
    if (s->retried != 0)
        fprintf(stderr, ", %zu retries", s->retried);
    if (s->failed != 0)
        fprintf(stderr, ", %zu failed", s->failed);
    for (size_t i = 0; i < PHASES_MAX && f->failures[i].phase != NULL; i++)
        fprintf(stderr, "%s%s %zu", i == 0 ? " (" : ", ", f->failures[i].phase,
                f->failures[i].count);
    fprintf(stderr, "%s\n", s->failed != 0 ? ")" : "");
}

static int make_tls(struct fetch *f, struct cel_tls **tls)
{
    if (f->ca_file == NULL && !f->is_insecure)
        return 0;
    return cel_tls_new(tls, &(struct cel_tls_options){.ca_file = f->ca_file,
                                                      .alpn = "http/1.1",
                                                      .insecure_no_verify = f->is_insecure});
}

static int next_url(void *arg, const char **url)
{
    return input_next(((struct fetch *)arg)->input, url);
}

/* (parks) */
static int scrape(struct fetch *f, struct cel_tls *tls)
{
    const struct cel_scrape_options options = {
        .session_options =
            {
                .connections_max = f->concurrency,
                .per_host_max = f->per_host,
                .body_max = f->body_max,
                .user_agent = f->agent,
                .headers = f->header_count != 0 ? f->headers : NULL,
                .tls = tls,
            },
        .fields = f->fields,
        .html.parser = f->parser,
        .concurrency = f->concurrency,
        .per_host = f->per_host,
        .retries = f->retries,
        .timeout = f->timeout,
        .accepts_any_status = f->accepts_any_status,
        .next = next_url,
        .done = page_done,
        .arg = f,
    };
    int r = 0;

    CEL_SCOPE (work) {
        struct cel_task *progress = NULL;

        f->work = &work;
        if (f->shows_progress)
            progress = cel_spawn(progress_main, f);
        r = cel_scrape(&options, &f->stats); /* parks */
        if (progress != NULL)
            cel_task_cancel(progress);
    }
    clear_progress(f);
    return r;
}

static void *fetch_main(void *arg)
{
    struct fetch *f = arg;
    struct cel_loop *loop = cel_loop_current();
    struct cel_signal *interrupt = NULL, *terminate = NULL;
    struct cel_tls *tls = NULL;
    int r = make_tls(f, &tls);

    if (r == 0)
        r = cel_signal_start(loop, &interrupt, SIGINT, on_signal, f);
    if (r == 0)
        r = cel_signal_start(loop, &terminate, SIGTERM, on_signal, f);
    if (r == 0)
        r = scrape(f, tls); /* parks */
    cel_signal_stop(interrupt);
    cel_signal_stop(terminate);
    cel_tls_free(tls);
    if (r == -ECANCELED)
        return NULL; /* interrupted, or nobody reads us: told elsewhere */
    return r < 0 ? cel_fail(r, "fetching") : NULL;
}

static int run(struct fetch *f)
{
    int r, result = EXIT_ALL_DONE;

    f->output = output_open(f->output_path, f->format, f->fields);
    if (f->output == NULL)
        return EXIT_FATAL;
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL); /* a write says EPIPE */
    r = cel_run(fetch_main, f, NULL);
    if (r == 0)
        output_begin(f->output);
    if (!output_close(f->output) || r < 0)
        result = EXIT_FATAL;
    else if (f->was_interrupted)
        result = EXIT_INTERRUPTED;
    else if (f->stats.failed != 0)
        result = EXIT_SOME_FAILED;
    if (!f->is_quiet && r == 0)
        print_summary(f);
    return result;
}

int command_fetch(int argc, char **argv)
{
    struct fetch f = {
        .concurrency = 64, .retries = 2, .timeout = 30 * CEL_SECOND, .body_max = 16 << 20};
    int first = options_parse(&fetch_command, argc, argv, &f), result = EXIT_USAGE;

    if (first < 0)
        return first == -2 ? EXIT_ALL_DONE : EXIT_USAGE;
    f.shows_progress = !f.is_quiet && isatty(STDERR_FILENO);
    if (read_arguments(&f, argc, argv, first) && compile_fields(&f)) {
        f.input = input_open(f.urls, f.url_count, f.input_path);
        result = f.input != NULL ? run(&f) : EXIT_FATAL;
    }
    input_close(f.input);
    cel_fields_free(f.fields);
    return result;
}
