/* SPDX-License-Identifier: MIT */
#ifndef CEL__PAIR_PARTS_H
#define CEL__PAIR_PARTS_H

/* What the two halves of a pair need of each other: pair.c makes and ends pairs and has their
 * packets, pair_bytes.c has the bytes that its ends write and read. `side` is who acts. */

#include "machine/pair.h"

enum cel__packet_kind {
    CEL__PACKET_SYN,
    CEL__PACKET_SYN_ACK,
    CEL__PACKET_ESTABLISHED,
    CEL__PACKET_DATA,
    CEL__PACKET_ACK,
    CEL__PACKET_FIN,
    CEL__PACKET_RESET,
};

/* One for the other side, behind those under way. */
void cel__pair_send(struct cel__pair *p, int side, enum cel__packet_kind kind, size_t len);
/* The writer learns what the reader has; once for all that is under way. */
void cel__pair_acknowledge(struct cel__pair *p, int reader);
/* Sends what is written and fits. */
void cel__pair_transmit(struct cel__pair *p, int side);
/* Wakes who waits at that side. */
void cel__pair_tell(struct cel__pair *p, int side);
/* It is over for that side, with that error. */
void cel__pair_fail_end(struct cel__pair *p, int side, int error);
/* Nothing travels any more. */
void cel__pair_die(struct cel__pair *p);

#endif
