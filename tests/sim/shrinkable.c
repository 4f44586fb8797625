/* SPDX-License-Identifier: MIT */
/* A program that fails when one certain datagram of many is lost: for test_shrink.py. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <celadon/net.h>
#include <celadon/sim.h>
#include <celadon/task.h>

#define DATAGRAMS 60
#define PRECIOUS  40

static bool has_come;

static void *receive(void *arg)
{
    struct cel_socket *socket;
    unsigned char number;

    if (cel_udp_open(&socket, "0.0.0.0:9") < 0)
        return NULL;
    while (cel_recv_from(socket, &number, 1, NULL) == 1)
        has_come |= number == PRECIOUS;
    cel_socket_close(socket);
    return NULL;
}

static void *play(void *arg)
{
    struct sockaddr_storage to[4];
    struct cel_sim_host *far;
    struct cel_socket *socket;
    size_t count = 4;

    has_come = false;
    if (cel_sim_host_new(&far, "far", receive, NULL) < 0 || cel_sim_settle() < 0 ||
        cel_resolve("far", 9, to, &count) < 0 || cel_udp_open(&socket, NULL) < 0)
        return cel_fail(-ENOMEM, "no beginning");
    for (unsigned char i = 0; i < DATAGRAMS; i++)
        if (cel_send_to(socket, &i, 1, to) < 0)
            break;
    cel_socket_close(socket);
    if (cel_sleep(CEL_SECOND) < 0)
        return NULL;
    return has_come ? NULL : cel_fail(-EPROTO, "number %d is lost", PRECIOUS);
}

int main(void)
{
    struct cel_sim_options options;

    cel_sim_options_calm(&options);
    options.loss = 500000;
    options.cut = 500000;
    options.faults_for = 10 * CEL_SECOND;
    return cel_sim_sweep(1, 100, &options, play, NULL, NULL) == 0 ? 0 : 1;
}
