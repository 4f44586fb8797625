/* SPDX-License-Identifier: MIT */
/* Entries stand in one array in the order they came; the index over it is
 * rebuilt when the array fills. Invariants: slots >= 2 * used, so a probe
 * always meets a free slot; a removed entry stays as a tombstone until the
 * next rebuild, so walking and removing mix. */
#include "base/map.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

static uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotl(v[1], 13), v[1] ^= v[0], v[0] = rotl(v[0], 32);
    v[2] += v[3], v[3] = rotl(v[3], 16), v[3] ^= v[2];
    v[0] += v[3], v[3] = rotl(v[3], 21), v[3] ^= v[0];
    v[2] += v[1], v[1] = rotl(v[1], 17), v[1] ^= v[2], v[2] = rotl(v[2], 32);
}

static uint64_t siphash13(const uint64_t k[2], const unsigned char *in, size_t len)
{
    uint64_t v[4] = {k[0] ^ 0x736f6d6570736575u, k[1] ^ 0x646f72616e646f6du,
                     k[0] ^ 0x6c7967656e657261u, k[1] ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)len << 56, word;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        memcpy(&word, in + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t j = 0; i + j < len; j++)
        last |= (uint64_t)in[i + j] << (8 * j);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int j = 0; j < 3; j++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Drawn by whoever comes first; two threads that race agree on the one that was published. */
static const uint64_t *hash_key(void)
{
    static uint64_t key[2];
    static int state; /* 0 none, 1 being drawn, 2 there */
    int expected = 0;

    if (cel__likely(__atomic_load_n(&state, __ATOMIC_ACQUIRE) == 2))
        return key;
    if (__atomic_compare_exchange_n(&state, &expected, 1, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        if (cel__rand_secure(key, sizeof key) < 0)
            key[0] = (uintptr_t)&key, key[1] = (uintptr_t)&expected; /* at least ASLR's */
        __atomic_store_n(&state, 2, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != 2)
        continue;
    return key;
}

static uint64_t hash_of(struct cel_str key)
{
    return siphash13(hash_key(), (const unsigned char *)key.ptr, key.len);
}

static size_t probe(const struct cel__map *m, struct cel_str key, uint64_t hash)
{
    size_t at = hash & (m->slots - 1);

    for (; m->index[at] != 0; at = (at + 1) & (m->slots - 1)) {
        const struct cel__map_entry *e = &m->entries[m->index[at] - 1];

        if (e->is_live && e->hash == hash && cel__str_eq(e->key, key))
            break;
    }
    return at;
}

static struct cel__map_entry *find(const struct cel__map *m, struct cel_str key)
{
    size_t at;

    if (m->live == 0)
        return NULL;
    at = probe(m, key, hash_of(key));
    return m->index[at] != 0 ? &m->entries[m->index[at] - 1] : NULL;
}

void *cel__map_get(const struct cel__map *m, struct cel_str key)
{
    struct cel__map_entry *e = find(m, key);

    return e != NULL ? e->value : NULL;
}

/* Room for one more entry: compacts the array and makes an index twice as large as needed. */
static int rebuild(struct cel__map *m)
{
    size_t room = cel__max(m->live * 2, (size_t)8), n = 0;
    size_t slots = 16;
    struct cel__map_entry *entries;
    uint32_t *index;

    while (slots < room * 2)
        slots *= 2;
    entries = cel__mem_array(slots / 2, sizeof *entries);
    index = cel__mem_array(slots, sizeof *index);
    if (entries == NULL || index == NULL) {
        cel__mem_free(entries);
        cel__mem_free(index);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->used; i++) {
        size_t at;

        if (!m->entries[i].is_live)
            continue;
        entries[n++] = m->entries[i];
        at = m->entries[i].hash & (slots - 1);
        while (index[at] != 0)
            at = (at + 1) & (slots - 1);
        index[at] = (uint32_t)n;
    }
    cel__mem_free(m->entries);
    cel__mem_free(m->index);
    *m =
        (struct cel__map){.entries = entries, .used = n, .live = n, .index = index, .slots = slots};
    return 0;
}

int cel__map_put(struct cel__map *m, struct cel_str key, void *value, void **old)
{
    struct cel__map_entry *e = find(m, key);
    uint64_t hash;
    char *copy;
    int r;

    if (old != NULL)
        *old = e != NULL ? e->value : NULL;
    if (e != NULL) {
        e->value = value;
        return 0;
    }
    if (m->slots == 0 || m->used + 1 > m->slots / 2) {
        r = rebuild(m);
        if (r < 0)
            return r;
    }
    copy = cel__mem_strndup(key.ptr != NULL ? key.ptr : "", key.len);
    if (copy == NULL)
        return -ENOMEM;
    hash = hash_of(key);
    m->entries[m->used] = (struct cel__map_entry){{copy, key.len}, value, hash, true};
    m->index[probe(m, key, hash)] = (uint32_t)++m->used;
    m->live++;
    return 0;
}

void *cel__map_remove(struct cel__map *m, struct cel_str key)
{
    struct cel__map_entry *e = find(m, key);

    if (e == NULL)
        return NULL;
    e->is_live = false;
    m->live--;
    cel__mem_free((char *)e->key.ptr);
    e->key = (struct cel_str){NULL, 0};
    return e->value;
}

struct cel__map_entry *cel__map_next(const struct cel__map *m, size_t *at)
{
    while (*at < m->used) {
        struct cel__map_entry *e = &m->entries[(*at)++];

        if (e->is_live)
            return e;
    }
    return NULL;
}

void cel__map_fini(struct cel__map *m)
{
    for (size_t i = 0; i < m->used; i++)
        if (m->entries[i].is_live)
            cel__mem_free((char *)m->entries[i].key.ptr);
    cel__mem_free(m->entries);
    cel__mem_free(m->index);
    *m = (struct cel__map){0};
}
