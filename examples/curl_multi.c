/* SPDX-License-Identifier: MIT */
/* A library that has sockets of its own, driven by tasks: libcurl's multi interface says which
 * descriptors it waits for and for how long, and one task waits for them all by cel_wait_fds. The
 * pages come from a server in the same thread, so nothing here may block.
 *
 *     curl_multi            fetches 20 pages at once and says how they came */
#include <celadon/celadon.h>

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES   20
#define FDS_MAX 64

struct driver {
    CURLM *multi;
    struct pollfd fds[FDS_MAX]; /* fd -1: free */
    int64_t deadline;           /* of libcurl's own timer */
    int left, good;
};

/* libcurl tells what it waits for on a socket. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct driver *d = arg;
    struct pollfd *place = NULL;

    for (int i = 0; i < FDS_MAX; i++)
        if (d->fds[i].fd == fd || (place == NULL && d->fds[i].fd < 0))
            place = &d->fds[i];
    if (place == NULL)
        return -1;
    place->fd = what == CURL_POLL_REMOVE ? -1 : fd;
    place->events = 0;
    if (what & CURL_POLL_IN)
        place->events |= POLLIN;
    if (what & CURL_POLL_OUT)
        place->events |= POLLOUT;
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct driver *d = arg;

    d->deadline = ms < 0 ? CEL_FOREVER : cel_now() + ms * CEL_MILLISECOND;
    return 0;
}

static void act(struct driver *d, int fd, short revents)
{
    int running, what = 0;

    if (revents & (POLLIN | POLLHUP))
        what |= CURL_CSELECT_IN;
    if (revents & POLLOUT)
        what |= CURL_CSELECT_OUT;
    if (revents & POLLERR)
        what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(d->multi, fd, what, &running);
}

static void take_finished(struct driver *d)
{
    CURLMsg *message;
    int more;

    while ((message = curl_multi_info_read(d->multi, &more)) != NULL) {
        CURL *easy = message->easy_handle;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        d->good += message->data.result == CURLE_OK && status == 200;
        d->left--;
        curl_multi_remove_handle(d->multi, easy);
        curl_easy_cleanup(easy);
    }
}

/* Waits for whichever comes first, a socket or the timer; tells libcurl; again, until all is done.
 */
static int drive(struct driver *d)
{
    while (d->left > 0) {
        struct pollfd ready[FDS_MAX];
        int n = 0;

        memcpy(ready, d->fds, sizeof ready);
        CEL_SCOPE (timer, .deadline = d->deadline)
            n = cel_wait_fds(ready, FDS_MAX);
        if (n == -EINVAL) /* libcurl has no socket yet: only its timer */
            n = cel_sleep_until(d->deadline) < 0 ? -ECANCELED : -ETIMEDOUT;
        if (n < 0 && n != -ETIMEDOUT)
            return n;
        if (n < 0) {
            d->deadline = CEL_FOREVER;
            act(d, CURL_SOCKET_TIMEOUT, 0);
        }
        for (int i = 0; n > 0 && i < FDS_MAX; i++)
            if (ready[i].fd >= 0 && ready[i].revents != 0)
                act(d, ready[i].fd, ready[i].revents);
        take_finished(d);
    }
    return 0;
}

static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
    return size * count;
}

static void add_page(struct driver *d, const char *address, int number)
{
    CURL *easy = curl_easy_init();
    char url[128];

    snprintf(url, sizeof url, "http://%s/page/%d", address, number);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_multi_add_handle(d->multi, easy);
    d->left++;
}

static int say_page(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_sleep(CEL_MILLISECOND);

    return r < 0 ? r : cel_reply_text(reply, 200, "page %s", cel_param(req, "number"));
}

static void *serve(void *arg)
{
    int r = cel_server_run(arg);

    return r < 0 ? cel_fail(r, "serving") : NULL;
}

static void set_up(struct driver *d)
{
    *d = (struct driver){.multi = curl_multi_init(), .deadline = CEL_FOREVER};
    for (int i = 0; i < FDS_MAX; i++)
        d->fds[i].fd = -1;
    curl_multi_setopt(d->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(d->multi, CURLMOPT_SOCKETDATA, d);
    curl_multi_setopt(d->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(d->multi, CURLMOPT_TIMERDATA, d);
}

static void *fetch_all(void *arg)
{
    struct cel_server *server = arg;
    struct driver d;
    int r;

    set_up(&d);
    for (int i = 0; i < PAGES; i++)
        add_page(&d, cel_server_address(server), i);
    r = drive(&d);
    curl_multi_cleanup(d.multi);
    cel_server_stop(server);
    if (r < 0)
        return cel_fail(r, "driving libcurl");
    printf("%d of %d pages, by libcurl, on one thread\n", d.good, PAGES);
    return NULL;
}

static void *main_task(void *arg)
{
    struct cel_server *server = cel_server_new(NULL);
    struct cel_task *tasks[2];
    int r;

    if (server == NULL)
        return cel_fail(-ENOMEM, "a server");
    r = cel_route(server, "GET /page/{number}", say_page, NULL);
    if (r == 0)
        r = cel_server_listen(server, "127.0.0.1:0");
    if (r == 0) {
        tasks[0] = cel_spawn(serve, server);
        tasks[1] = cel_spawn_with(fetch_all, server, .stack_size_bytes = 256 * 1024);
        r = tasks[0] != NULL && tasks[1] != NULL ? cel_gather(tasks, 2, NULL) : -ENOMEM;
    }
    if (r < 0)
        cel_fail(r, "fetching by libcurl");
    cel_server_free(server);
    return NULL;
}

int main(void)
{
    int r;

    curl_global_init(CURL_GLOBAL_ALL);
    r = cel_run(main_task, NULL, NULL);
    curl_global_cleanup();
    return r < 0;
}
