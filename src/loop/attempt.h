/* SPDX-License-Identifier: MIT */
#ifndef CEL__ATTEMPT_H
#define CEL__ATTEMPT_H

/* The plain non-blocking system call of each op, and heap buffers to lend: what a backend
 * does when it is told, or hopes, that a descriptor is ready. */

#include <stdbool.h>
#include <stdint.h>

#include "loop/op.h"

#define CEL__NOTHING_YET INT64_MIN  /* the attempt would block */
#define CEL__LOAN_HEAP   UINT32_MAX /* loan.id of a buffer of these */
#define CEL__LOAN_SIZE   (16 * 1024)

/* Heap buffers kept for the next loan; zero-initialised is empty. */
struct cel__loans {
    void *free; /* linked through their first word */
    unsigned free_count;
};

/* -> NULL when memory is out. */
void *cel__loan_take(struct cel__loans *loans);
void cel__loan_give(struct cel__loans *loans, void *loan);
void cel__loans_fini(struct cel__loans *loans);

/* The result of the op, or CEL__NOTHING_YET after a true EAGAIN: EINTR and aborted connections
 * are tried again. What was moved in part is in op->moved. Not for regular files. */
int64_t cel__attempt(struct cel__op *op, struct cel__loans *loans);

/* Steps over `n` bytes that were moved and over empty pieces. */
void cel__op_advance(struct cel__op *op, size_t n);

#endif
