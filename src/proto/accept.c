/* SPDX-License-Identifier: MIT */
#include "proto/accept.h"

#include <stdbool.h>

#include "base/str.h"

/* "0", "1", "0.123", "1.000" -> thousandths, -1 when it is none of these. */
static int read_weight(struct cel_str s)
{
    int weight, place = 100;

    if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1') ||
        (s.len > 1 && s.ptr[1] != '.'))
        return -1;
    weight = (s.ptr[0] - '0') * 1000;
    for (size_t i = 2; i < s.len; i++, place /= 10) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        weight += (s.ptr[i] - '0') * place;
    }
    return weight <= 1000 ? weight : -1;
}

static int weight_of(struct cel_str params)
{
    struct cel_str param;

    while (cel__str_split(&params, ';', &param)) {
        param = cel__str_trim(param);
        if (param.len >= 2 && (param.ptr[0] | 0x20) == 'q' && param.ptr[1] == '=')
            return read_weight((struct cel_str){param.ptr + 2, param.len - 2});
    }
    return 1000;
}

/* Takes the next "token;q=0.5" off the list; members that are malformed are passed over. */
static bool next_member(struct cel_str *list, struct cel_str *token, int *weight)
{
    struct cel_str member;

    while (cel__str_split(list, ',', &member)) {
        struct cel_str name;

        cel__str_split(&member, ';', &name);
        *token = cel__str_trim(name);
        *weight = weight_of(member);
        if (token->len != 0 && *weight >= 0)
            return true;
    }
    return false;
}

/* -1: the list says nothing of it, not even by "*". */
static int weight_for(struct cel_str header, enum cel__coding coding)
{
    int weight, any = -1;
    struct cel_str token;

    while (next_member(&header, &token, &weight)) {
        if (cel__coding_find(token) == (int)coding)
            return weight;
        if (cel__str_eq(token, CEL_LIT("*")))
            any = weight;
    }
    return any;
}

int cel__accept_coding(struct cel_str header, const enum cel__coding *offered)
{
    int best = CEL__CODING_IDENTITY, best_weight = 0, identity;

    if (header.ptr == NULL)
        return CEL__CODING_IDENTITY;
    for (; *offered != CEL__CODING_IDENTITY; offered++) {
        int weight = weight_for(header, *offered);

        if (weight > best_weight) {
            best = *offered;
            best_weight = weight;
        }
    }
    identity = weight_for(header, CEL__CODING_IDENTITY);
    if (best_weight > 0)
        return identity > best_weight ? CEL__CODING_IDENTITY : best;
    return identity == 0 ? -1 : CEL__CODING_IDENTITY;
}
