/* SPDX-License-Identifier: MIT */
#ifndef CEL__SQE_H
#define CEL__SQE_H

/* How each op is put to the kernel. */

#include <stdint.h>

struct cel__op;
struct io_uring_sqe;
struct msghdr;

/* The op's own request. `msg` is room for a WRITEV and stays until the completion. */
void cel__sqe_op(struct io_uring_sqe *sqe, struct cel__op *op, struct msghdr *msg);
/* Waits for the descriptor to be ready for the op. */
void cel__sqe_ready(struct io_uring_sqe *sqe, const struct cel__op *op);
/* One receive into a buffer of the kernel's choice, or one after the other. */
void cel__sqe_select(struct io_uring_sqe *sqe, int fd);
void cel__sqe_multishot(struct io_uring_sqe *sqe, int fd);
/* One completion for each write to the eventfd. */
void cel__sqe_wake(struct io_uring_sqe *sqe, int fd);
void cel__sqe_cancel(struct io_uring_sqe *sqe, uint64_t name);

#endif
