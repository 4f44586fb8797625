/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_PAIRS_H
#define TESTS_IO_PAIRS_H

/* Two joined streams of each kind, for tests that run over all of them. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "celadon/net.h"
#include "support/check.h"
#include "support/intask.h"

enum pair_kind { PAIR_SOCKETS, PAIR_TCP, PAIR_UNIX, PAIR_KINDS };

struct joined {
    struct cel_stream *a, *b;
};

static inline void *accept_one(void *arg)
{
    struct cel_stream *s = NULL;

    assert_int_equal(cel_accept(arg, &s), 0);
    return s;
}

/* Joins through a listener at the address. */
static inline struct joined join_at(const char *address, const struct cel_listen_options *listen,
                                    const struct cel_connect_options *connect)
{
    struct cel_listener *door;
    struct joined j = {0};
    struct cel_task *task;
    void *accepted;

    assert_int_equal(cel_listen(&door, address, listen), 0);
    task = cel_spawn(accept_one, door);
    assert_non_null(task);
    assert_int_equal(cel_connect(&j.a, cel_listener_address(door), connect), 0);
    assert_int_equal(cel_join(task, &accepted), 0);
    j.b = accepted;
    cel_listener_close(door);
    return j;
}

static inline struct joined join(enum pair_kind kind)
{
    struct joined j = {0};
    char path[64];

    switch (kind) {
    case PAIR_TCP:
        return join_at("127.0.0.1:0", NULL, NULL);
    case PAIR_UNIX:
        snprintf(path, sizeof path, "unix:@celadon-test-%d", (int)getpid());
        return join_at(path, NULL, NULL);
    default:
        assert_int_equal(cel_stream_pair(&j.a, &j.b), 0);
        return j;
    }
}

static inline void part(struct joined j)
{
    cel_close(j.a);
    cel_close(j.b);
}

/* The k-th byte of every transfer. */
static inline unsigned char byte_at(size_t k)
{
    return (unsigned char)(k * 31 + (k >> 8) * 7 + (k >> 16));
}

#endif
