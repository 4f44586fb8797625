/* SPDX-License-Identifier: MIT */
/* A program for `make oracle`: compares what parsers make of files.
 *
 *     html_oracle FILE...                 ours against myhtml
 *     html_oracle --as LABEL [UTF8 BYTES]...
 *                                         of each two files the second, in that encoding, must give
 *                                         the tree of the first
 *
 * Prints the first line in which two trees differ, and how many files were compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/charset.h"
#include "html/decode.h"
#include "html/tree_dump.h"
#include "oracle.h"

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "html_oracle: %s\n", what);
    exit(2);
}

static void read_file(const char *path, struct cel__buf *out)
{
    FILE *f = fopen(path, "rb");
    char block[65536];
    size_t n;

    check(f != NULL, path);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        check(cel__buf_add(out, block, n) == 0, "no memory");
    fclose(f);
}

/* The file as UTF-8; `label` NULL: in what it says of itself. */
static void read_page(const char *path, const char *label, struct cel__buf *out)
{
    struct cel__buf bytes = {0};
    struct cel__charset charset;
    struct cel_str page;

    read_file(path, &bytes);
    page = cel__buf_str(&bytes);
    charset = cel__charset_sniff(page, cel__str(label));
    page.ptr += charset.skip;
    page.len -= charset.skip;
    check(cel__decode(charset.encoding, page, out) == 0, "no memory");
    cel__buf_fini(&bytes);
}

static struct cel_str line_at(struct cel_str s, size_t at)
{
    const char *from = s.ptr + at, *end;

    while (from > s.ptr && from[-1] != '\n')
        from--;
    end = memchr(from, '\n', (size_t)(s.ptr + s.len - from));
    return (struct cel_str){
        from, cel__min((size_t)((end != NULL ? end : s.ptr + s.len) - from), (size_t)120)};
}

/* -> whether they are the same. */
static bool compare(const char *path, struct cel_str ours, struct cel_str theirs)
{
    size_t at = 0;

    while (at < ours.len && at < theirs.len && ours.ptr[at] == theirs.ptr[at])
        at++;
    if (at == ours.len && at == theirs.len)
        return true;
    printf("%s\n  - %.*s\n  + %.*s\n", path, CEL_STR(line_at(theirs, at)),
           CEL_STR(line_at(ours, at)));
    return false;
}

static bool is_same_as_myhtml(const char *path)
{
    struct cel__buf page = {0}, ours = {0}, theirs = {0};
    struct cel__tree a, b;
    bool is_same;

    read_page(path, NULL, &page);
    oracle_ours(cel__buf_str(&page), &a);
    oracle_dump(&a, &ours);
    oracle_myhtml(cel__buf_str(&page), &b);
    oracle_dump(&b, &theirs);
    is_same = compare(path, cel__buf_str(&ours), cel__buf_str(&theirs));
    cel__tree_fini(&a);
    cel__tree_fini(&b);
    cel__buf_fini(&page);
    cel__buf_fini(&ours);
    cel__buf_fini(&theirs);
    return is_same;
}

static bool is_same_as_utf8(const char *label, const char *utf8, const char *bytes)
{
    struct cel__buf page[2] = {0}, dump[2] = {0};
    bool is_same;

    read_page(utf8, "utf-8", &page[0]);
    read_page(bytes, label, &page[1]);
    for (int i = 0; i < 2; i++) {
        struct cel__tree t;

        oracle_ours(cel__buf_str(&page[i]), &t);
        oracle_dump(&t, &dump[i]);
        cel__tree_fini(&t);
    }
    is_same = compare(bytes, cel__buf_str(&dump[1]), cel__buf_str(&dump[0]));
    for (int i = 0; i < 2; i++) {
        cel__buf_fini(&page[i]);
        cel__buf_fini(&dump[i]);
    }
    return is_same;
}

int main(int argc, char **argv)
{
    bool is_as = argc > 2 && strcmp(argv[1], "--as") == 0;
    int same = 0, differ = 0;

    check(argc > 1 && (!is_as || argc % 2 == 1), "give files");
    for (int i = is_as ? 3 : 1; i < argc; i += is_as ? 2 : 1) {
        bool is_same =
            is_as ? is_same_as_utf8(argv[2], argv[i], argv[i + 1]) : is_same_as_myhtml(argv[i]);

        same += is_same;
        differ += !is_same;
    }
    printf("%d same, %d differ\n", same, differ);
    return differ != 0;
}
