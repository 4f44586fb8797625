/* SPDX-License-Identifier: MIT */
/* The links of one page: a selector compiled once, its matches one by one, text and attributes as
 * slices of the document, nothing copied. */
#include <stdio.h>

#include <celadon/crawl.h>
#include <celadon/task.h>

static int print_links(const struct cel_html *doc)
{
    struct cel_selector *links;
    struct cel_matches *matches;
    struct cel_node a;
    int r = cel_selector_new(&links, "a[href]:not([rel~=nofollow])", NULL);

    if (r < 0)
        return r;
    r = cel_matches_new(&matches, links, cel_html_root(doc));
    if (r == 0) {
        while ((r = cel_matches_next(matches, &a)) == 1)
            printf("%.*s: %.*s\n", CEL_STR(cel_node_attr(a, "href")), CEL_STR(cel_node_text(a)));
        cel_matches_free(matches);
    }
    cel_selector_free(links);
    return r;
}

static void *main_task(void *url)
{
    struct cel_session *web = cel_session_new(NULL);
    CEL_DEFER((void (*)(void *))cel_session_free, web);
    struct cel_response *page;
    int r = web == NULL ? -ENOMEM : cel_get(web, url, &page);

    if (r < 0)
        return cel_fail(r, "%s", (char *)url);
    struct cel_html *doc = cel_html(page);

    r = doc == NULL ? -ENOMEM : print_links(doc);
    cel_html_free(doc);
    cel_response_free(page);
    return r < 0 ? cel_fail(r, "looking for links") : NULL;
}

int main(int argc, char **argv)
{
    return argc != 2 || cel_run(main_task, argv[1], NULL) < 0;
}
