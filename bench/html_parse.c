/* SPDX-License-Identifier: MIT */
/* MB/s of the tokenizer and of the whole parser over pages, beside myhtml where that is built in
 * (its parse alone, with one parser kept for all pages). The best of many rounds, in CPU time, the
 * three by turns: others share this machine. Usage: html_parse [-n ROUNDS] FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cc.h"
#include "html/parse.h"

#ifdef HAVE_MYHTML
#include <myhtml/myhtml.h>
#endif

#define MAX_PAGES 4096

static struct cel_str pages[MAX_PAGES];
static size_t page_count;
static size_t total_bytes;
static uint64_t kept_bytes; /* what the trees of the last round took */

static void check(int ok)
{
    if (!ok)
        abort();
}

static int count_token(void *arg, const struct cel__token *token)
{
    *(long *)arg += token->kind;
    return 0;
}

static void run_tokenizer(struct cel_str page)
{
    struct cel__names names;
    struct cel__tokenizer *t;
    long count = 0;
    struct cel__tokenizer_options options = {.sink = count_token, .arg = &count, .names = &names};

    cel__names_init(&names);
    check(cel__tokenizer_new(&t, &options) == 0);
    check(cel__tokenizer_feed(t, page.ptr, page.len) == 0 && cel__tokenizer_end(t) == 0);
    cel__tokenizer_free(t);
    cel__names_fini(&names);
}

static void run_parser(struct cel_str page)
{
    struct cel__parse_options options = {.limits = {.depth = 512,
                                                    .nodes = 1000000,
                                                    .attributes = 256,
                                                    .bytes = 3 * page.len + 65536},
                                         .preview = page};
    struct cel__parser *p;
    struct cel__tree t;

    check(cel__parser_new(&p, &options) == 0);
    check(cel__parser_feed(p, page.ptr, page.len) == 0);
    check(cel__parser_end(p, &t, NULL) == 0);
    cel__parser_free(p);
    kept_bytes += (t.total + 1u) * (sizeof *t.nodes + sizeof *t.marks) +
                  t.attr_count * sizeof *t.attrs + t.text.cap + t.values.cap;
    cel__tree_fini(&t);
}

static void run_myhtml(struct cel_str page)
{
#ifdef HAVE_MYHTML
    static myhtml_tree_t *tree;

    if (tree == NULL) {
        myhtml_t *parser = myhtml_create();

        check(myhtml_init(parser, MyHTML_OPTIONS_PARSE_MODE_SINGLE, 1, 0) == MyHTML_STATUS_OK);
        tree = myhtml_tree_create();
        check(myhtml_tree_init(tree, parser) == MyHTML_STATUS_OK);
    }
    myhtml_tree_clean(tree);
    check(myhtml_parse_single(tree, MyENCODING_UTF_8, page.ptr, page.len) == MyHTML_STATUS_OK);
#endif
}

static const struct {
    const char *name;
    void (*run)(struct cel_str page);
} systems[] = {{"tokenizer", run_tokenizer}, {"parser", run_parser}, {"myhtml", run_myhtml}};

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(int rounds)
{
    double best[cel__countof(systems)];

    for (int r = 0; r < rounds; r++)
        for (size_t s = 0; s < cel__countof(systems); s++) {
            double begin = cpu_seconds(), took;

            kept_bytes = s == 1 ? 0 : kept_bytes;
            for (size_t i = 0; i < page_count; i++)
                systems[s].run(pages[i]);
            took = cpu_seconds() - begin;
            best[s] = r == 0 || took < best[s] ? took : best[s];
        }
    printf("%zu pages of %zu bytes; a tree keeps %.2f bytes for each\n", page_count,
           total_bytes / page_count, (double)kept_bytes / (double)total_bytes);
    for (size_t s = 0; s < cel__countof(systems); s++)
        if (systems[s].run != run_myhtml || best[s] > best[0])
            printf("%-10s %8.1f MB/s %9.4f ms a page\n", systems[s].name,
                   (double)total_bytes / best[s] / 1e6, best[s] * 1e3 / (double)page_count);
}

static void read_page(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *bytes;
    long len;

    check(f != NULL && page_count < MAX_PAGES && fseek(f, 0, SEEK_END) == 0);
    len = ftell(f);
    rewind(f);
    bytes = malloc((size_t)len + 1);
    check(bytes != NULL && fread(bytes, 1, (size_t)len, f) == (size_t)len);
    fclose(f);
    pages[page_count++] = (struct cel_str){bytes, (size_t)len};
    total_bytes += (size_t)len;
}

int main(int argc, char **argv)
{
    int rounds = 20, first = 1;

    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        rounds = (int)strtol(argv[2], NULL, 10);
        first = 3;
    }
    if (first >= argc || rounds < 1) {
        fprintf(stderr, "usage: html_parse [-n ROUNDS] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++)
        read_page(argv[i]);
    measure(rounds);
    return 0;
}
