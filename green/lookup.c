/* SPDX-License-Identifier: MIT */
/* getaddrinfo: libc's own, on a thread of the loop's pool, because its answer depends on all that
 * nsswitch.conf names, and is libc's to free. A question whose asker is cancelled is abandoned, not
 * awaited: a dead name server takes its time. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "real.h"

struct question {
    char *node, *service;
    bool has_hints;
    struct addrinfo hints, *answer;
    int code, error; /* getaddrinfo's result, and errno beside EAI_SYSTEM */
};

static void end_question(struct question *q)
{
    free(q->node);
    free(q->service);
    free(q);
}

static struct question *begin_question(const char *node, const char *service,
                                       const struct addrinfo *hints)
{
    struct question *q = calloc(1, sizeof *q);

    if (q == NULL)
        return NULL;
    q->code = EAI_AGAIN;
    q->node = strdup(node);
    q->service = service != NULL ? strdup(service) : NULL;
    if (hints != NULL) {
        q->has_hints = true;
        q->hints = *hints;
    }
    if (q->node != NULL && (service == NULL || q->service != NULL))
        return q;
    end_question(q);
    return NULL;
}

static void *ask(void *arg)
{
    struct question *q = arg;

    q->code = cel__green_real()->getaddrinfo(q->node, q->service, q->has_hints ? &q->hints : NULL,
                                             &q->answer);
    q->error = errno;
    return q;
}

static void drop(void *arg, void *result)
{
    struct question *q = arg;

    if (result != NULL && q->code == 0)
        freeaddrinfo(q->answer);
    end_question(q);
}

/* (parks) */
static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out)
{
    struct question *q = begin_question(node, service, hints);
    int code, r;

    if (q == NULL)
        return EAI_MEMORY;
    r = cel__green_ask(ask, q, drop); /* parks */
    if (r < 0 && r != -ECANCELED && r != -ETIMEDOUT)
        end_question(q);
    if (r == -ENOMEM)
        return EAI_MEMORY;
    if (r < 0) {
        errno = -r;
        return EAI_SYSTEM;
    }
    code = q->code;
    if (code == 0)
        *out = q->answer;
    else if (code == EAI_SYSTEM)
        errno = q->error;
    end_question(q);
    return code;
}

static bool is_numeric(const char *node, const struct addrinfo *hints)
{
    struct in6_addr unused;

    return node == NULL || (hints != NULL && hints->ai_flags & AI_NUMERICHOST) ||
           inet_pton(AF_INET, node, &unused) == 1 || inet_pton(AF_INET6, node, &unused) == 1;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    if (!GREEN_MAY_PARK() || is_numeric(node, hints))
        return cel__green_real()->getaddrinfo(node, service, hints, out);
    return look_up(node, service, hints, out); /* parks */
}
