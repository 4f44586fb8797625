/* SPDX-License-Identifier: MIT */
#ifndef CEL__ACCEPT_H
#define CEL__ACCEPT_H

/* Choosing a content coding by the client's weights. */

#include "proto/coding.h"

/* The coding to answer with: of those in `offered` (ended by CEL__CODING_IDENTITY, best first) the
 * one with the highest weight. header.ptr NULL: the client sent none. -> enum cel__coding, or -1
 * when not even identity is acceptable. */
int cel__accept_coding(struct cel_str header, const enum cel__coding *offered);

#endif
