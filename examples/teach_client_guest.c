/* SPDX-License-Identifier: MIT */
/* A client session: it sends a form, follows the redirect, keeps the cookie that came with it, and
 * reuses its connection. Signs the book of teach_server_guestbook.c:
 *
 *     teach_client_guest http://127.0.0.1:8080/ Alice */
#include <stdio.h>

#include <celadon/http.h>
#include <celadon/task.h>

static int visit(struct cel_session *web, const char *site, const char *name)
{
    struct cel_session_stats stats;
    struct cel_response *page;
    char url[256];
    int r;

    snprintf(url, sizeof url, "%ssign", site);
    r = cel_post_form(web, url, (struct cel_pair[]){{"name", name}, {0}}, &page);
    if (r < 0)
        return r;
    printf("%d after %zu redirect\n%.*s", page->status, page->history_count,
           CEL_STR(cel_text(page)));
    cel_response_free(page);

    cel_session_stats(web, &stats);
    printf("%u requests over %u connection\n", (unsigned)stats.requests,
           (unsigned)stats.connections);
    return 0;
}

static void *main_task(void *arg)
{
    char **argv = arg;
    struct cel_session *web = cel_session_new(
        &(struct cel_session_options){.timeouts.total = 10 * CEL_SECOND, .redirects_max = 3});
    int r = web == NULL ? -ENOMEM : visit(web, argv[1], argv[2]);

    cel_session_free(web);
    return r < 0 ? cel_fail(r, "visiting %s", argv[1]) : NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SITE NAME\n", argv[0]);
        return 2;
    }
    return cel_run(main_task, argv, NULL) < 0;
}
