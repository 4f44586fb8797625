/* SPDX-License-Identifier: MIT */
#ifndef CEL__CURSOR_H
#define CEL__CURSOR_H

/* Reading bytes of a table that may be broken: beyond the end there are zeros, and it is noted. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cel__cursor {
    const uint8_t *from, *at, *to;
    bool is_over;
};

static inline struct cel__cursor cel__cursor_make(const void *from, size_t size, size_t at)
{
    const uint8_t *p = from;

    return (struct cel__cursor){p, p + (at < size ? at : size), p + size, at > size};
}

/* Integers of this machine. */
static inline uint64_t cel__cursor_take(struct cel__cursor *c, size_t bytes)
{
    uint64_t n = 0;

    if ((size_t)(c->to - c->at) < bytes) {
        c->is_over = true;
        c->at = c->to;
        return 0;
    }
    memcpy(&n, c->at, bytes);
    c->at += bytes;
    return n;
}

static inline int64_t cel__cursor_take_signed(struct cel__cursor *c, size_t bytes)
{
    uint64_t n = cel__cursor_take(c, bytes);
    unsigned spare = 64 - 8 * (unsigned)bytes;

    return (int64_t)(n << spare) >> spare;
}

static inline uint64_t cel__cursor_uleb(struct cel__cursor *c)
{
    uint64_t n = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = (uint8_t)cel__cursor_take(c, 1);
        if (shift < 64)
            n |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return n;
}

static inline int64_t cel__cursor_sleb(struct cel__cursor *c)
{
    uint64_t n = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = (uint8_t)cel__cursor_take(c, 1);
        if (shift < 64)
            n |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && byte & 0x40)
        n |= ~UINT64_C(0) << shift;
    return (int64_t)n;
}

static inline void cel__cursor_skip(struct cel__cursor *c, uint64_t bytes)
{
    if ((uint64_t)(c->to - c->at) < bytes) {
        c->is_over = true;
        c->at = c->to;
        return;
    }
    c->at += bytes;
}

#endif
