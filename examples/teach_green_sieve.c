/* SPDX-License-Identifier: MIT */
/* The sieve of primes as a chain of green threads: each passes on what its own prime does not
 * divide. Channels without slots make a send meet a receive, and a limit on time is a scope around
 * the work: gevent's Timeout, for as many tasks as run inside. */
#include <stdio.h>

#include <celadon/chan.h>

struct filter {
    struct cel_chan *in, *out;
    int prime;
};

static void *count_up(void *chan)
{
    for (int n = 2; cel_chan_send(chan, &n) == 0; n++)
        continue;
    return NULL; /* the other end was closed, or the scope cancelled */
}

static void *sieve(void *arg)
{
    struct filter *f = arg;
    int n;

    while (cel_chan_recv(f->in, &n) == 0)
        if (n % f->prime != 0 && cel_chan_send(f->out, &n) < 0)
            break;
    return NULL;
}

#define COUNT 12

static int primes(struct cel_chan **chans, struct filter *filters)
{
    int r = cel_go(count_up, chans[0]);

    for (int i = 0; i < COUNT && r == 0; i++) {
        filters[i] = (struct filter){chans[i], chans[i + 1], 0};
        r = cel_chan_recv(chans[i], &filters[i].prime);
        if (r == 0 && printf("%d\n", filters[i].prime) > 0)
            r = cel_go(sieve, &filters[i]);
    }
    return r;
}

static void *main_task(void *arg)
{
    struct cel_chan *chans[COUNT + 1] = {NULL};
    struct filter filters[COUNT];
    int r = 0;

    for (int i = 0; i <= COUNT && r == 0; i++)
        r = cel_chan_new(&chans[i], sizeof(int), 0);
    CEL_SCOPE (patience, .timeout = CEL_MINUTE) {
        if (r == 0)
            r = primes(chans, filters);
        cel_scope_cancel(&patience); /* enough: the chain would go on for ever */
    }
    for (int i = 0; i <= COUNT; i++)
        cel_chan_free(chans[i]);
    return r < 0 ? cel_fail(r, "sieving") : arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
