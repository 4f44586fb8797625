/* SPDX-License-Identifier: MIT */
#ifndef GREEN_TRANSFER_H
#define GREEN_TRANSFER_H

/* Moving bytes as a blocking call does, on a descriptor that stays what it is. All of them park;
 * results are libc's: a count, or -1 and errno. */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Can a transfer on fd wait, and is it a socket? */
enum cel__green_kind {
    CEL__GREEN_OTHER, /* files: not ours */
    CEL__GREEN_SOCKET,
    CEL__GREEN_PIPE,     /* and event counters, timers, and their like */
    CEL__GREEN_TERMINAL, /* read when a poll says so; written to as by libc */
};
enum cel__green_kind cel__green_kind(int fd);

ssize_t cel__green_receive(int fd, struct msghdr *msg, int flags);
ssize_t cel__green_send(int fd, const struct msghdr *msg, int flags);
ssize_t cel__green_pipe_read(int fd, const struct iovec *iov, int count);
ssize_t cel__green_pipe_write(int fd, const struct iovec *iov, int count);

#endif
