/* SPDX-License-Identifier: MIT */
/* Echo on libuv: uv_try_write, its faster way, with uv_write for what did not fit. */
#include "../report.h"

#include <uv.h>

struct rest {
    uv_write_t req;
    char bytes[];
};

static char scratch[65536];

static void lend(uv_handle_t *h, size_t wish, uv_buf_t *buf)
{
    (void)h;
    (void)wish;
    *buf = uv_buf_init(scratch, sizeof scratch);
}

static void on_closed(uv_handle_t *h)
{
    free(h);
}

static void on_written(uv_write_t *req, int status)
{
    (void)status;
    free(req);
}

static void write_rest(uv_stream_t *s, const char *bytes, size_t len)
{
    struct rest *r = malloc(sizeof *r + len);
    uv_buf_t buf;

    memcpy(r->bytes, bytes, len);
    buf = uv_buf_init(r->bytes, (unsigned)len);
    uv_write(&r->req, s, &buf, 1, on_written);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *got)
{
    uv_buf_t buf;
    int sent;

    if (n < 0) {
        uv_close((uv_handle_t *)s, on_closed);
        return;
    }
    buf = uv_buf_init(got->base, (unsigned)n);
    sent = uv_try_write(s, &buf, 1);
    if (sent < 0)
        sent = 0;
    if (sent < n)
        write_rest(s, got->base + sent, (size_t)(n - sent));
}

static void on_door(uv_stream_t *door, int status)
{
    uv_tcp_t *peer = malloc(sizeof *peer);

    if (status < 0)
        return;
    uv_tcp_init(door->loop, peer);
    uv_accept(door, (uv_stream_t *)peer);
    uv_tcp_nodelay(peer, 1);
    uv_read_start((uv_stream_t *)peer, lend, on_read);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in at;
    uv_tcp_t door;

    uv_ip4_addr("127.0.0.1", (int)bench_arg(argc, argv, 1, 7000), &at);
    uv_tcp_init(loop, &door);
    uv_tcp_bind(&door, (struct sockaddr *)&at, 0);
    if (uv_listen((uv_stream_t *)&door, 4096, on_door) < 0)
        return 1;
    uv_run(loop, UV_RUN_DEFAULT);
}
