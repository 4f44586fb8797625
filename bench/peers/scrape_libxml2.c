/* SPDX-License-Identifier: MIT */
/* The scrape on a plain epoll client and libxml2's tree: scrape_libxml2 PORT PAGES COUNT
 * CONNECTIONS. One walk over the tree picks the four fields by hand, the fastest way libxml2
 * offers. */
#include "../floor/fetch_epoll.h"
#include "../report.h"

#include <libxml/HTMLparser.h>

static long pages;
static size_t title, content, author, date;

static int page_path(char *out, size_t size, long i)
{
    return snprintf(out, size, "/pages/%04ld.html", i % pages);
}

/* The attribute's text in the tree itself; no copy. */
static const char *attr(const xmlNode *node, const char *key)
{
    for (const xmlAttr *a = node->properties; a != NULL; a = a->next)
        if (strcmp((const char *)a->name, key) == 0)
            return a->children != NULL ? (const char *)a->children->content : "";
    return NULL;
}

static int has_class(const char *all, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = all; (at = strstr(at, name)) != NULL; at++)
        if ((at == all || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
            return 1;
    return 0;
}

static size_t text_len(const xmlNode *node)
{
    xmlChar *text = xmlNodeGetContent(node);
    const char *from = (const char *)text, *end;

    if (text == NULL)
        return 0;
    end = from + strlen(from);
    while (from < end && strchr(" \t\r\n", *from) != NULL)
        from++;
    while (from < end && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    xmlFree(text);
    return (size_t)(end - from);
}

static size_t paragraphs_len(const xmlNode *node)
{
    size_t sum = 0;
    int count = 0;

    for (const xmlNode *c = node->children; c != NULL; c = c->next)
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, "p") == 0)
            sum += text_len(c) + (count++ > 0);
    return sum;
}

static void pick(const xmlNode *node, size_t *found)
{
    const char *all = attr(node, "class");

    if (all == NULL)
        return;
    if (has_class(all, "post-content"))
        found[1] += paragraphs_len(node);
    if (found[0] == 0 && has_class(all, "post-title"))
        found[0] = text_len(node);
    if (found[2] == 0 && has_class(all, "author-name"))
        found[2] = text_len(node);
    if (found[3] == 0 && has_class(all, "post-date"))
        found[3] = strlen(attr(node, "datetime"));
}

static void walk(const xmlNode *node, size_t *found)
{
    for (; node != NULL; node = node->next)
        if (node->type == XML_ELEMENT_NODE) {
            pick(node, found);
            walk(node->children, found);
        }
}

static void extract(const char *bytes, size_t len)
{
    size_t found[4] = {0};
    htmlDocPtr doc = htmlReadMemory(bytes, (int)len, NULL, "utf-8",
                                    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                        HTML_PARSE_RECOVER | HTML_PARSE_COMPACT);

    if (doc == NULL)
        bench_die("htmlReadMemory");
    walk(xmlDocGetRootElement(doc), found);
    xmlFreeDoc(doc);
    title += found[0];
    content += found[1];
    author += found[2];
    date += found[3];
}

int main(int argc, char **argv)
{
    struct fetch f = {.port = bench_arg(argc, argv, 1, 8080),
                      .total = bench_arg(argc, argv, 3, 1000),
                      .conns = (int)bench_arg(argc, argv, 4, 100),
                      .path = page_path,
                      .body = extract};
    struct bench_span s;

    pages = bench_arg(argc, argv, 2, 1);
    s = bench_start();
    fetch_run(&f);
    s = bench_stop(s);
    printf("{\"done\":%ld,\"title\":%zu,\"content\":%zu,\"author\":%zu,\"date\":%zu,"
           "\"cpu_ns\":%lld,\"wall_ns\":%lld,\"peak_kib\":%ld}\n",
           f.done, title, content, author, date, (long long)s.cpu, (long long)s.wall,
           bench_peak_kib());
}
