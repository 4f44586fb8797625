/* SPDX-License-Identifier: MIT */
/* The body of one SIMD variant of h1_scan.c, which includes this file once for each instruction
 * set with these set: ISA(name) to name things, ISA_TARGET for the compiler, and the three
 * primitives ISA(token), ISA(text), ISA(target): the mask of the bytes among 32 that are NOT of
 * that class.
 *
 * No load reaches outside [begin, end): the last bytes are loaded together with bytes before
 * them, whose bits are shifted out. */

/* A class's mask for the 1 to 63 bytes of [at, end); bits behind the end are set. */
#define TAIL(class)                                                                        \
    ISA_TARGET static inline uint64_t ISA(class##_tail)(const char *begin, const char *at, \
                                                        const char *end)                   \
    {                                                                                      \
        unsigned n = (unsigned)(end - at);                                                 \
        uint64_t mask;                                                                     \
                                                                                           \
        if (n >= 32) {                                                                     \
            mask = ISA(class)(at) | (uint64_t)ISA(class)(end - 32) << (n - 32);            \
        } else if (end - begin >= 32) {                                                    \
            mask = (uint64_t)ISA(class)(end - 32) >> (32 - n);                             \
        } else {                                                                           \
            char copy[32] = {0};                                                           \
                                                                                           \
            memcpy(copy, at, n);                                                           \
            mask = ISA(class)(copy);                                                       \
        }                                                                                  \
        return mask | UINT64_MAX << n;                                                     \
    }

TAIL(token)
TAIL(text)
TAIL(target)
#undef TAIL

ISA_TARGET static CEL__NOINLINE void ISA(classify_tail)(struct cel__h1_cursor *c, const char *at)
{
    c->not_token = ISA(token_tail)(c->begin, at, c->end);
    c->not_text = ISA(text_tail)(c->begin, at, c->end);
}

ISA_TARGET static inline void ISA(classify)(struct cel__h1_cursor *c, const char *at)
{
    c->block = at;
    if (cel__likely(c->end - at >= 64)) {
        c->not_token = ISA(token)(at) | (uint64_t)ISA(token)(at + 32) << 32;
        c->not_text = ISA(text)(at) | (uint64_t)ISA(text)(at + 32) << 32;
    } else {
        ISA(classify_tail)(c, at);
    }
}

/* A block that reaches the end has the bit behind it set, so a search stops there. */
#define NEXT(class)                                                                   \
    ISA_TARGET static inline const char *ISA(next_##class)(struct cel__h1_cursor * c, \
                                                           const char *p)             \
    {                                                                                 \
        if (cel__unlikely(p == c->end))                                               \
            return p;                                                                 \
        if (c->block == NULL || p - c->block >= 64)                                   \
            ISA(classify)(c, p);                                                      \
        for (;;) {                                                                    \
            uint64_t mask = c->not_##class >> (p - c->block);                         \
                                                                                      \
            if (cel__likely(mask != 0))                                               \
                return p + __builtin_ctzll(mask);                                     \
            p = c->block + 64;                                                        \
            if (p == c->end)                                                          \
                return p;                                                             \
            ISA(classify)(c, p);                                                      \
        }                                                                             \
    }

NEXT(token)
NEXT(text)
#undef NEXT

ISA_TARGET static const char *ISA(line)(struct cel__h1_cursor *c, const char *p,
                                        const char **name_end)
{
    p = ISA(next_token)(c, p);
    *name_end = p;
    return cel__likely(p != c->end && *p == ':') ? ISA(next_text)(c, p + 1) : NULL;
}

#define FIRST(class)                                                                   \
    ISA_TARGET static const char *ISA(first_##class)(const char *begin, const char *p, \
                                                     const char *end)                  \
    {                                                                                  \
        for (; end - p >= 32; p += 32) {                                               \
            uint32_t mask = ISA(class)(p);                                             \
                                                                                       \
            if (mask != 0)                                                             \
                return p + __builtin_ctz(mask);                                        \
        }                                                                              \
        return p == end ? p : p + __builtin_ctzll(ISA(class##_tail)(begin, p, end));   \
    }

FIRST(text)
FIRST(target)
#undef FIRST
