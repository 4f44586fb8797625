/* SPDX-License-Identifier: MIT */
/* A web site with a form: the page, the answer to the form, which leads back to the page, and a
 * cookie by which the guest is known again. Ends at SIGINT or SIGTERM, after the requests under
 * way. teach_client_guest.c is a guest. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <celadon/server.h>
#include <celadon/signal.h>
#include <celadon/task.h>

static char names[20][32];
static unsigned count;

/* "name=Alice" out of the Cookie field. */
static struct cel_str known_as(const struct cel_request *req)
{
    struct cel_str cookie = cel_request_header(req, "Cookie");

    if (cookie.len > 5 && memcmp(cookie.ptr, "name=", 5) == 0)
        return (struct cel_str){cookie.ptr + 5, cookie.len - 5};
    return CEL_LIT("stranger");
}

static int show(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain; charset=utf-8", -1);
    char line[80];

    if (r == 0)
        r = cel_reply_write(reply, line,
                            (size_t)snprintf(line, sizeof line, "Welcome, %.*s.\n",
                                             (int)known_as(req).len % 40, known_as(req).ptr));
    for (unsigned i = 0; i < count && r == 0; i++)
        r = cel_reply_write(reply, line,
                            (size_t)snprintf(line, sizeof line, "%u. %s\n", i + 1, names[i]));
    return r;
}

static int sign(struct cel_request *req, struct cel_reply *reply)
{
    const char *name;
    char cookie[64];
    int r = cel_request_form_param(req, "name", &name);

    if (r < 0 || name == NULL ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
        return cel_reply_text(reply, 400, "a form with a name of letters, please\n");
    if (count == 20)
        return cel_reply_text(reply, 507, "the book is full\n");
    snprintf(names[count++], sizeof names[0], "%s", name);
    snprintf(cookie, sizeof cookie, "name=%s; HttpOnly", names[count - 1]);
    r = cel_reply_header(reply, "Set-Cookie", cookie);
    return r < 0 ? r : cel_reply_redirect(reply, 303, "/");
}

static void *stop_at_signal(void *site)
{
    if (cel_signal_wait((int[]){SIGINT, SIGTERM}, 2) > 0)
        cel_server_stop(site);
    return NULL;
}

static void *serve(void *address)
{
    struct cel_server *site = cel_server_new(NULL);
    CEL_DEFER((void (*)(void *))cel_server_free, site);
    int r = site == NULL ? -ENOMEM : cel_route(site, "GET /", show, NULL);

    if (r == 0)
        r = cel_route(site, "POST /sign", sign, NULL);
    if (r == 0)
        r = cel_server_listen(site, address);
    if (r == 0 && cel_background(stop_at_signal, site) == 0) {
        printf("http://%s/\n", cel_server_address(site));
        fflush(stdout);
        r = cel_server_run(site);
    }
    return r < 0 ? cel_fail(r, "serving") : NULL;
}

int main(int argc, char **argv)
{
    return cel_run(serve, argc > 1 ? argv[1] : "127.0.0.1:8080", NULL) < 0;
}
