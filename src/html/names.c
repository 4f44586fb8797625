/* SPDX-License-Identifier: MIT */
/* Interning by open addressing with linear probes, half full at most.
 *
 * The hash folds 16 bytes a round by a 64x64->128 multiplication with a secret
 * of the process. It is not a MAC; it has to make collisions unpredictable for
 * somebody who sees none of its output. */
#include "html/names.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

#define FIRST_SLOTS 32

static uint64_t secret[2] = {0x9e3779b97f4a7c15, 0xd6e8feb86659fd93};

static void draw_secret(void)
{
    uint64_t drawn[2];

    if (cel__rand_secure(drawn, sizeof drawn) == 0) {
        secret[0] = drawn[0];
        secret[1] = drawn[1] | 1;
    }
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t wide = (__uint128_t)a * b;

    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint64_t load(const char *p, size_t len)
{
    uint64_t v = 0;
    uint32_t low, high;

    if (len >= 8) {
        memcpy(&v, p, 8);
    } else if (len >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + len - 4, 4);
        v = low | (uint64_t)high << 32;
    } else if (len != 0) {
        v = (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[len / 2] << 8 |
            (uint8_t)p[len - 1];
    }
    return v;
}

uint64_t cel__names_hash(struct cel_str s)
{
    uint64_t h = secret[1] ^ s.len;
    const char *p = s.ptr;
    size_t left = s.len;

    for (; left > 16; left -= 16, p += 16)
        h = fold(load(p, 8) ^ secret[0], load(p + 8, 8) ^ h);
    if (left > 8)
        return fold(load(p, 8) ^ secret[0], load(p + left - 8, 8) ^ h);
    return fold(load(p, left) ^ secret[0], h ^ secret[1] >> 7);
}

struct cel__name_words cel__name_words[CEL__NAME_FIXED];
uint64_t cel__name_hashes[CEL__NAME_FIXED];
uint16_t cel__name_slots[1 << CEL__NAME_SLOTS_BITS];

static const struct cel_str fixed_names[CEL__NAME_FIXED] = {CEL_LIT(""),
#define X(constant, text) CEL_LIT(text),
                                                            CEL__NAMES(X)
#undef X
};

static struct cel__name_words words_of(struct cel_str s)
{
    struct cel__name_words w = {0};

    memcpy(&w.low, s.ptr, cel__min(s.len, (size_t)8));
    if (s.len > 8)
        memcpy(&w.high, s.ptr + 8, s.len - 8);
    return w;
}

static void place_fixed(uint32_t name)
{
    struct cel__name_words w = words_of(fixed_names[name]);
    uint32_t at = cel__name_slot(w.low, w.high);

    CEL__ASSERT(cel__name_slots[at] == CEL__NAME_NONE);
    cel__name_slots[at] = (uint16_t)name;
    cel__name_words[name] = w;
    cel__name_hashes[name] = cel__names_hash(fixed_names[name]);
}

static void make_ready(void)
{
    draw_secret();
    for (uint32_t name = 1; name < CEL__NAME_FIXED; name++)
        place_fixed(name);
}

void cel__names_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_ready);
}

void cel__names_init(struct cel__names *n)
{
    cel__names_ready();
    *n = (struct cel__names){0};
}

void cel__names_fini(struct cel__names *n)
{
    cel__mem_free(n->entries);
    cel__mem_free(n->slots);
    cel__buf_fini(&n->bytes);
    *n = (struct cel__names){0};
}

struct cel_str cel__names_text(const struct cel__names *n, uint32_t name)
{
    const struct cel__name_entry *e;

    if (name < CEL__NAME_FIXED)
        return fixed_names[name];
    e = &n->entries[name - CEL__NAME_FIXED];
    return (struct cel_str){n->bytes.ptr + e->at, e->len};
}

uint64_t cel__names_hash_of(const struct cel__names *n, uint32_t name)
{
    return name < CEL__NAME_FIXED ? cel__name_hashes[name]
                                  : cel__names_hash(cel__names_text(n, name));
}

/* -> the slot that holds the name, or the free one where it belongs. */
static uint32_t probe(const struct cel__names *n, struct cel_str name, uint32_t hash)
{
    uint32_t at = hash & n->slot_mask;

    for (;; at = (at + 1) & n->slot_mask) {
        uint32_t number = n->slots[at];

        if (number == 0)
            return at;
        if (n->entries[number - CEL__NAME_FIXED].hash == hash &&
            cel__str_eq(cel__names_text(n, number), name))
            return at;
    }
}

static int grow(struct cel__names *n)
{
    uint32_t cap = n->cap != 0 ? n->cap * 2 : FIRST_SLOTS / 2, mask = cap * 2 - 1;
    struct cel__name_entry *entries = cel__mem_realloc(n->entries, cap * sizeof *entries);
    uint32_t *slots;

    if (entries == NULL)
        return -ENOMEM;
    n->entries = entries;
    slots = cel__mem_array((size_t)mask + 1, sizeof *slots);
    if (slots == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n->count; i++) {
        uint32_t at = entries[i].hash & mask;

        while (slots[at] != 0)
            at = (at + 1) & mask;
        slots[at] = CEL__NAME_FIXED + i;
    }
    cel__mem_free(n->slots);
    n->slots = slots;
    n->slot_mask = mask;
    n->cap = cap;
    return 0;
}

static uint32_t add_own(struct cel__names *n, struct cel_str name)
{
    uint32_t hash = (uint32_t)cel__names_hash(name), at;

    if (n->count == n->cap && grow(n) < 0)
        return CEL__NAME_NONE;
    at = probe(n, name, hash);
    if (n->slots[at] != 0)
        return n->slots[at];
    n->entries[n->count] = (struct cel__name_entry){
        .hash = hash, .at = (uint32_t)n->bytes.len, .len = (uint32_t)name.len};
    if (cel__buf_add_str(&n->bytes, name) < 0)
        return CEL__NAME_NONE;
    n->slots[at] = CEL__NAME_FIXED + n->count;
    return CEL__NAME_FIXED + n->count++;
}

uint32_t cel__names_find_fixed(struct cel_str name)
{
    struct cel__name_words w;

    if (name.len > 16)
        return CEL__NAME_NONE;
    w = words_of(name);
    return cel__names_fixed(w.low, w.high);
}

uint32_t cel__names_add(struct cel__names *n, struct cel_str name)
{
    uint32_t known = cel__names_find_fixed(name);

    return known != CEL__NAME_NONE ? known : add_own(n, name);
}

uint32_t cel__names_find(const struct cel__names *n, struct cel_str name)
{
    uint32_t known = cel__names_find_fixed(name);

    if (known != CEL__NAME_NONE || n->count == 0)
        return known;
    return n->slots[probe(n, name, (uint32_t)cel__names_hash(name))];
}
