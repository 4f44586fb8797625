/* SPDX-License-Identifier: MIT */
/* A perfect hash over length, first and last letter leads to the one candidate; words of eight
 * bytes with the case bit set then say whether it is that one. The multipliers were found by
 * search; a test holds that each name finds itself. */
#include "proto/field.h"

#include <stdint.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"

#define SLOT(len, first, last) (((len) + 24 * (first) + 25 * (last)) & 255)

#define NAME(id, name, first, last) [CEL__FIELD_##id] = {name, sizeof(name) - 1},
static const struct cel_str names[CEL__FIELD_COUNT] = {[CEL__FIELD_OTHER] = {"", 0},
                                                       CEL__FIELDS(NAME)};

#define PLACE(id, name, first, last) [SLOT(sizeof(name) - 1, first, last)] = CEL__FIELD_##id,
static const uint8_t slots[256] = {CEL__FIELDS(PLACE)};

/* The same names in rows, to be found without following a pointer. */
#define LONGEST                    25
#define ROW(id, name, first, last) [CEL__FIELD_##id] = name,
static const char rows[CEL__FIELD_COUNT][LONGEST + 7] = {CEL__FIELDS(ROW)};

#define LENGTH(id, name, first, last) [CEL__FIELD_##id] = sizeof(name) - 1,
static const uint8_t lengths[CEL__FIELD_COUNT] = {CEL__FIELDS(LENGTH)};

static inline uint64_t load8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, 8);
    return word | UINT64_C(0x2020202020202020);
}

static inline uint32_t load4(const char *p)
{
    uint32_t word;

    memcpy(&word, p, 4);
    return word | 0x20202020;
}

/* Words that overlap at the end, so that no byte outside is read. */
static inline bool is_same(const char *a, const char *b, size_t len)
{
    if (len >= 8) {
        uint64_t difference = load8(a) ^ load8(b);

        for (size_t i = 8; i + 8 < len; i += 8)
            difference |= load8(a + i) ^ load8(b + i);
        return (difference | (load8(a + len - 8) ^ load8(b + len - 8))) == 0;
    }
    if (len >= 4)
        return load4(a) == load4(b) && load4(a + len - 4) == load4(b + len - 4);
    for (size_t i = 0; i < len; i++)
        if ((a[i] | 0x20) != (b[i] | 0x20))
            return false;
    return true;
}

enum cel__field_id cel__field_find(struct cel_str name)
{
    unsigned id;

    if (name.len - 1 >= LONGEST)
        return CEL__FIELD_OTHER;
    id = slots[SLOT((unsigned)name.len, (uint8_t)(name.ptr[0] | 0x20),
                    (uint8_t)(name.ptr[name.len - 1] | 0x20))];
    if (lengths[id] == name.len && is_same(name.ptr, rows[id], name.len))
        return (enum cel__field_id)id;
    return CEL__FIELD_OTHER;
}

struct cel_str cel__field_name(enum cel__field_id id)
{
    return names[id];
}

bool cel__field_is_forbidden_in_trailer(enum cel__field_id id)
{
    switch (id) {
    case CEL__FIELD_HOST:
    case CEL__FIELD_CONNECTION:
    case CEL__FIELD_CONTENT_LENGTH:
    case CEL__FIELD_TRANSFER_ENCODING:
    case CEL__FIELD_EXPECT:
    case CEL__FIELD_UPGRADE:
    case CEL__FIELD_CONTENT_TYPE:
    case CEL__FIELD_CONTENT_ENCODING:
    case CEL__FIELD_CONTENT_RANGE:
    case CEL__FIELD_LOCATION:
    case CEL__FIELD_SET_COOKIE:
    case CEL__FIELD_COOKIE:
    case CEL__FIELD_KEEP_ALIVE:
    case CEL__FIELD_AUTHORIZATION:
    case CEL__FIELD_WWW_AUTHENTICATE:
    case CEL__FIELD_PROXY_AUTHENTICATE:
    case CEL__FIELD_PROXY_AUTHORIZATION:
    case CEL__FIELD_PROXY_CONNECTION:
    case CEL__FIELD_TE:
    case CEL__FIELD_TRAILER:
    case CEL__FIELD_IF_MATCH:
    case CEL__FIELD_IF_NONE_MATCH:
    case CEL__FIELD_IF_MODIFIED_SINCE:
    case CEL__FIELD_IF_UNMODIFIED_SINCE:
    case CEL__FIELD_IF_RANGE:
    case CEL__FIELD_RANGE:
    case CEL__FIELD_CACHE_CONTROL:
    case CEL__FIELD_PRAGMA:
    case CEL__FIELD_MAX_FORWARDS:
    case CEL__FIELD_X_FORWARDED_FOR:
    case CEL__FIELD_FORWARDED:
        return true;
    default:
        return false;
    }
}

bool cel__field_has_token(struct cel_str list, struct cel_str token)
{
    struct cel_str part;

    while (cel__str_split(&list, ',', &part))
        if (cel__str_ieq(cel__str_trim(part), token))
            return true;
    return false;
}
