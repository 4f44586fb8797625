/* SPDX-License-Identifier: MIT */
#ifndef CEL__ACCEPT_H
#define CEL__ACCEPT_H

/* Choosing by the client's weights: Accept-Encoding, and other lists of tokens with q-values. */

#include <stdbool.h>

#include "proto/coding.h"

/* Takes the next "token;q=0.5" off a list; *weight in thousandths, 1000 without one. Members that
 * are malformed are passed over. false when there is none. */
bool cel__accept_next(struct cel_str *list, struct cel_str *token, int *weight);

/* The coding to answer with: of those in `offered` (ended by CEL__CODING_IDENTITY, best first) the
 * one with the highest weight. header.ptr NULL: the client sent none. -> enum cel__coding, or -1
 * when not even identity is acceptable. */
int cel__accept_coding(struct cel_str header, const enum cel__coding *offered);

#endif
