/* SPDX-License-Identifier: MIT */
/* xoshiro256** by Blackman and Vigna, seeded through splitmix64 as they advise. */
#include "base/rand.h"

#include <errno.h>

#include "base/sys.h"

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void cel__rand_seed(struct cel__rand *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        r->s[i] = z ^ (z >> 31);
    }
}

uint64_t cel__rand_next(struct cel__rand *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t cel__rand_below(struct cel__rand *r, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)cel__rand_next(r) * bound) >> 64);
}

int cel__rand_secure(void *out, size_t len)
{
    char *at = out;

    while (len != 0) {
        ssize_t n = cel__sys.getrandom(at, len, 0);

        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}
