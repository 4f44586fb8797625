/* SPDX-License-Identifier: MIT */
/* A whole client against a server whose every byte is the fuzzer's: each fetch ends, with a
 * response or a code in words, and leaves no connection behind that is not idle.
 *
 * The first byte chooses: 1 HEAD, 2 a streamed body, 4 the server stalls at the end instead of
 * closing, 8 no redirects. The second is where the server's bytes are cut in two writes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "celadon/http.h"
#include "celadon/net.h"
#include "celadon/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
    const char *bytes;
    size_t len, cut;
    uint8_t choice;
    struct cel_listener *door; /* NULL: closed */
};

static void answer(const struct input *in, struct cel_stream *peer)
{
    char request[2048];

    if (cel_read(peer, request, sizeof request) <= 0 || cel_write(peer, in->bytes, in->cut) < 0)
        return;
    if (cel_yield() < 0 || cel_write(peer, in->bytes + in->cut, in->len - in->cut) < 0)
        return;
    if (in->choice & 4)
        while (cel_read(peer, request, sizeof request) > 0)
            continue;
}

static void *serve(void *arg)
{
    struct input *in = arg;
    struct cel_stream *peer;

    while (in->door != NULL && cel_accept(in->door, &peer) == 0) {
        answer(in, peer);
        cel_close(peer);
    }
    return NULL;
}

static void look_at(struct cel_response *page)
{
    struct cel_str name, value;
    char buf[100];

    CEL__ASSERT(page->status >= 200 && page->status <= 999);
    for (size_t i = 0; cel_response_header_at(page, i, &name, &value); i++)
        CEL__ASSERT(name.len > 0 && (value.len == 0 || memchr(value.ptr, '\n', value.len) == NULL));
    while (cel_response_read(page, buf, sizeof buf) > 0)
        continue;
    CEL__ASSERT(cel_text(page).len <= 1 << 20);
    cel_response_free(page);
}

static void fetch(struct cel_session *web, const struct input *in)
{
    struct cel_fetch_options options = {
        .method = in->choice & 1 ? "HEAD" : "GET",
        .is_streaming = (in->choice & 2) != 0,
        .no_redirects = (in->choice & 8) != 0,
    };
    struct cel_session_stats stats;
    struct cel_response *page;
    char url[128];
    int r;

    snprintf(url, sizeof url, "http://%s/", cel_listener_address(in->door));
    r = cel_fetch(web, url, &options, &page);
    if (r == 0)
        look_at(page);
    else
        CEL__ASSERT(cel_last_error()->code == r && cel_last_error()->text[0] != '\0');
    cel_session_stats(web, &stats);
    CEL__ASSERT(stats.open == stats.idle && stats.waiting == 0 && stats.open <= 2);
}

static void *visit(void *arg)
{
    struct cel_session_options options = {
        .timeouts = {.total = 20 * CEL_MILLISECOND, .connect = 5 * CEL_MILLISECOND},
        .body_max = 1 << 20,
        .connections_max = 2,
        .redirects_max = 3,
    };
    struct input *in = arg;
    struct cel_session *web = cel_session_new(&options);
    struct cel_task *server = cel_spawn(serve, in);

    CEL__ASSERT(web != NULL && server != NULL && cel_yield() == 0);
    fetch(web, in);
    fetch(web, in);
    cel_session_free(web);
    cel_task_cancel(server);
    CEL__ASSERT(cel_join(server, NULL) == 0);
    return NULL;
}

static void *begin(void *arg)
{
    struct input *in = arg;

    CEL__ASSERT(cel_listen(&in->door, "127.0.0.1:0", NULL) == 0);
    visit(in);
    cel_listener_close(in->door);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {0};

    if (len < 2)
        return 0;
    in.choice = data[0];
    in.bytes = (const char *)data + 2;
    in.len = len - 2;
    in.cut = data[1] <= in.len ? data[1] : 0;
    CEL__ASSERT(cel_run(begin, &in, NULL) == 0);
    return 0;
}
