/* SPDX-License-Identifier: MIT */
/* Questions and answers by datagrams, asked again when nothing comes: each question is answered in
 * the end, by its own answer, with its borders kept. */
#include <errno.h>
#include <string.h>

#include "celadon/net.h"
#include "plays.h"

#define QUESTIONS 12
#define SIZE_MAX_ 600

struct question {
    uint32_t id, size;
    unsigned char bytes[SIZE_MAX_];
};

#define HEAD offsetof(struct question, bytes)

static void *answer_all(void *arg)
{
    struct cel_socket *socket;
    struct sockaddr_storage from;
    struct question q;
    ssize_t n;

    while (cel_udp_open(&socket, "0.0.0.0:53") < 0)
        if (cel_sleep(100 * CEL_MILLISECOND) < 0) /* no descriptors: later */
            return NULL;
    while ((n = cel_recv_from(socket, &q, sizeof q, &from)) >= 0) {
        for (size_t k = 0; k < (size_t)n - HEAD; k++)
            q.bytes[k] ^= 0x5a;
        if (cel_send_to(socket, &q, (size_t)n, &from) < 0)
            break;
    }
    cel_socket_close(socket);
    return NULL;
}

static struct question question(uint32_t id)
{
    struct question q = {.id = id, .size = (uint32_t)cel_sim_draw(SIZE_MAX_)};

    for (uint32_t k = 0; k < q.size; k++)
        q.bytes[k] = (unsigned char)(id + k);
    return q;
}

static const char *flaw_of(const struct question *q, const struct question *a, ssize_t n)
{
    if (n < (ssize_t)HEAD || (size_t)n != HEAD + a->size)
        return "borders";
    if (a->id > q->id)
        return "an answer before its question";
    if (a->id < q->id)
        return NULL; /* late, to an earlier one */
    if (a->size != q->size)
        return "another size";
    for (uint32_t k = 0; k < q->size; k++)
        if (a->bytes[k] != (q->bytes[k] ^ 0x5a))
            return "other bytes";
    return NULL;
}

/* -> 0: answered. */
static int ask(struct cel_socket *socket, const struct sockaddr_storage *to,
               const struct question *q, const char **flaw)
{
    ssize_t n = cel_send_to(socket, q, HEAD + q->size, to);
    size_t room = cel_sim_draw(5) == 0 ? HEAD + cel_sim_draw(SIZE_MAX_) : sizeof(struct question);
    struct question a = {0};
    int r = -ETIMEDOUT;

    if (n < 0)
        return (int)n;
    CEL_SCOPE (patience, .timeout = CEL_SECOND) {
        do {
            n = cel_recv_from(socket, &a, room, NULL);
            if (n >= 0 && *flaw == NULL)
                *flaw = flaw_of(q, &a, n);
        } while (n >= 0 && a.id != q->id);
        r = n < 0 ? (int)n : 0;
    }
    return r == -EMSGSIZE && room < sizeof a ? -ETIMEDOUT : r; /* as good as lost, and said so */
}

void *play_datagrams(void *arg)
{
    struct sockaddr_storage to[4];
    struct cel_socket *socket;
    struct cel_sim_host *host;
    const char *flaw = NULL;
    int r = 0;

    HOLDS(cel_sim_host_new(&host, "oracle", answer_all, NULL) == 0);
    while ((r = cel_udp_open(&socket, NULL)) == -EMFILE)
        HOLDS(cel_sleep(CEL_MILLISECOND) == 0);
    HOLDS(r == 0);
    for (uint32_t id = 1; id <= QUESTIONS; id++) {
        struct question q = question(id);

        do {
            size_t count = 4;

            while (cel_resolve("oracle", 53, to, &count) < 0) /* the name server errs */
                HOLDS(cel_sleep(CEL_MILLISECOND) == 0);
            r = ask(socket, &to[0], &q, &flaw);
        } while (r == -ETIMEDOUT);
        HOLDS(r == 0);
    }
    cel_socket_close(socket);
    if (flaw != NULL)
        return cel_fail(-EPROTO, "%s", flaw);
    return NULL;
}
