/* SPDX-License-Identifier: MIT */
#ifndef CEL__INFLOW_H
#define CEL__INFLOW_H

/* The receiving side of stream sockets on io_uring. */

#include <stdbool.h>
#include <stdint.h>

struct cel_loop;
struct cel__op;
struct cel__port;
struct io_uring_cqe;

/* The result of the oldest READ, LOAN or RECVMSG of its descriptor from what has come, or
 * CEL__NOTHING_YET after seeing to it that something will. */
int64_t cel__inflow_try(struct cel_loop *loop, struct cel__op *op);
/* The op's own receive has completed. -> its result; CEL__NOTHING_YET: try again. */
int64_t cel__inflow_finish(struct cel_loop *loop, struct cel__op *op,
                           const struct io_uring_cqe *cqe);
/* A completion of the multishot receive. */
void cel__inflow_take(struct cel_loop *loop, struct cel__port *port,
                      const struct io_uring_cqe *cqe);
/* After the readers took what they could: stops a stream that nobody reads. */
void cel__inflow_limit(struct cel_loop *loop, struct cel__port *port);
/* The descriptor closes. */
void cel__inflow_drop(struct cel_loop *loop, struct cel__port *port);
/* Something can be read without waiting. */
bool cel__inflow_has_some(const struct cel__port *port);

#endif
