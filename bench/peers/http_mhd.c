/* SPDX-License-Identifier: MIT */
/* The plaintext server on libmicrohttpd: one epoll thread, one shared response object. */
#include "../floor/listen.h"
#include "../report.h"

#include <microhttpd.h>

static enum MHD_Result hello(void *arg, struct MHD_Connection *c, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **state)
{
    static int heard;

    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*state != &heard) { /* the head; an answer now would close the connection */
        *state = &heard;
        return MHD_YES;
    }
    return MHD_queue_response(c, MHD_HTTP_OK, arg);
}

int main(int argc, char **argv)
{
    static char body[] = "Hello, World!";
    long port = bench_arg(argc, argv, 1, 8080);
    struct sockaddr_in at = bench_loopback(port);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);

    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
    if (MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port, NULL, NULL, hello, r,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT, 4096u,
                         MHD_OPTION_END) == NULL)
        bench_die("MHD_start_daemon");
    for (;;)
        pause();
}
