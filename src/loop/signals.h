/* SPDX-License-Identifier: MIT */
#ifndef CEL__SIGNALS_H
#define CEL__SIGNALS_H

struct cel__signals;

/* Closes the loop's signalfd and puts the thread's mask back. NULL is fine. */
void cel__signals_free(struct cel__signals *signals);

#endif
