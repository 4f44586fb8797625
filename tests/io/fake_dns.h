/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_FAKE_DNS_H
#define TESTS_IO_FAKE_DNS_H

/* A name server of one task on loopback. The first label of a name says how it answers; whatever
 * stands behind is ignored, so search lists do no harm. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "celadon/net.h"
#include "io/resolve.h"
#include "support/check.h"

struct fake_dns {
    struct cel_socket *socket;
    struct cel_task *task;
    unsigned asked; /* questions for IPv4 addresses */
};

struct fake_answer {
    const char *label;
    int rcode;
    const char *v4[3];
    int64_t delay;
    bool is_mute;
    bool loses_first; /* question; those behind it are answered */
    bool is_forged;   /* three answers of liars come before it */
};

static const struct fake_answer fake_answers[] = {
    {.label = "one", .v4 = {"127.0.0.1"}},
    {.label = "two", .v4 = {"127.0.0.3", "127.0.0.1"}},
    {.label = "slow", .v4 = {"127.0.0.1"}, .delay = 20 * CEL_MILLISECOND},
    {.label = "empty"},
    {.label = "failing", .rcode = 2},
    {.label = "none", .rcode = 3},
    {.label = "refused", .rcode = 5},
    {.label = "mute", .is_mute = true},
    {.label = "forgetful", .v4 = {"127.0.0.1"}, .loses_first = true},
    {.label = "forged", .v4 = {"127.0.0.9"}, .is_forged = true},
};

static inline const struct fake_answer *fake_find(const unsigned char *question)
{
    for (size_t i = 0; i < sizeof fake_answers / sizeof *fake_answers; i++) {
        const char *label = fake_answers[i].label;

        if (question[0] == strlen(label) &&
            strncasecmp((const char *)question + 1, label, question[0]) == 0)
            return &fake_answers[i];
    }
    return &fake_answers[5];
}

/* Turns the query into its answer in place. -> new length; 0: none. */
static inline size_t fake_answer(struct fake_dns *dns, unsigned char *packet, size_t len)
{
    const struct fake_answer *answer = fake_find(packet + 12);
    size_t end = 12;
    unsigned char type;

    while (packet[end] != 0)
        end += packet[end] + 1u;
    type = packet[end + 2];
    end += 5;
    dns->asked += type == 1;
    if (answer->delay > 0 && cel_sleep(answer->delay) < 0)
        return 0;
    packet[2] = 0x81;
    packet[3] = (unsigned char)(0x80 | answer->rcode);
    memset(packet + 6, 0, 6);
    for (int i = 0; type == 1 && i < 3 && answer->v4[i] != NULL; i++) {
        static const unsigned char head[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};

        memcpy(packet + end, head, sizeof head);
        inet_pton(AF_INET, answer->v4[i], packet + end + sizeof head);
        end += sizeof head + 4;
        packet[7]++;
    }
    return answer->is_mute || (answer->loses_first && dns->asked <= 1) ? 0 : end;
}

/* Of somebody who guesses the number, who answers another question, and who is somebody else. All
 * say 127.6.6.6. */
static inline void fake_forge(struct fake_dns *dns, const unsigned char *answer, size_t len,
                              const struct sockaddr_storage *to)
{
    unsigned char lie[1024];
    struct cel_socket *other;

    memcpy(lie, answer, len);
    if (lie[7] > 0)
        memcpy(lie + len - 4, (const unsigned char[]){127, 6, 6, 6}, 4);
    lie[1] ^= 1;
    assert_int_equal(cel_send_to(dns->socket, lie, len, to), len);
    lie[1] ^= 1;
    lie[13] ^= 1; /* the name's first letter */
    assert_int_equal(cel_send_to(dns->socket, lie, len, to), len);
    lie[13] ^= 1;
    assert_int_equal(cel_udp_open(&other, "127.0.0.1:0"), 0);
    assert_int_equal(cel_send_to(other, lie, len, to), len);
    cel_socket_close(other);
}

static inline void *fake_dns_main(void *arg)
{
    struct fake_dns *dns = arg;
    struct sockaddr_storage from;
    unsigned char packet[1024];
    ssize_t n;

    while ((n = cel_recv_from(dns->socket, packet, 512, &from)) > 12) {
        size_t len = fake_answer(dns, packet, (size_t)n);

        if (fake_find(packet + 12)->is_forged)
            fake_forge(dns, packet, len, &from);
        if (len > 0)
            assert_int_equal(cel_send_to(dns->socket, packet, len, &from), len);
    }
    return NULL;
}

/* The loop asks it from now on. */
static inline void fake_dns_start(struct fake_dns *dns)
{
    struct cel__dns_options options = {.timeout_ms = 60, .tries = 1};

    *dns = (struct fake_dns){0};
    assert_int_equal(cel_udp_open(&dns->socket, "127.0.0.1:0"), 0);
    options.servers = cel_socket_address(dns->socket);
    assert_int_equal(cel__resolve_configure(&options), 0);
    dns->task = cel_spawn(fake_dns_main, dns);
    assert_non_null(dns->task);
}

static inline void fake_dns_stop(struct fake_dns *dns)
{
    cel_task_cancel(dns->task);
    assert_int_equal(cel_join(dns->task, NULL), 0);
    cel_socket_close(dns->socket);
}

#endif
