/* SPDX-License-Identifier: MIT */
#ifndef CEL__PROMISE_H
#define CEL__PROMISE_H

/* Futures that any thread may complete; for who ends futures. */

#include "task/state.h"

/* The owner wants it no more: whoever is to keep the promise may learn so. */
void cel__promise_unwanted(struct cel_future *f);
/* Given up by its owner. */
void cel__promise_free(struct cel_future *f);

#endif
