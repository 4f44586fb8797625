/* SPDX-License-Identifier: MIT */
#ifndef CEL__BACKEND_H
#define CEL__BACKEND_H

/* What a loop asks of a way to reach the kernel (or of a simulation of one).
 * All calls come from the loop's thread, but for `wake`. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct cel_loop;
struct cel__fd;
struct cel__post;
struct cel__loan;
struct cel__op;

/* Called exactly once, in a turn: 0, -CEL_EDNS with the cause in words (static). The addresses are
 * gone afterwards; their port is 0. */
typedef void cel__names_fn(void *arg, int code, const char *cause,
                           const struct sockaddr_storage *at, size_t count);

/* As `until` of a wait that does not wait: there is work besides, so a backend that would need a
 * system call to look may leave it out, if it has looked within the last microseconds. */
#define CEL__GLANCE INT64_MIN

struct cel__backend {
    const char *name;

    /* Sets loop->backend_data. 0 or -errno; after an error nothing is left behind. */
    int (*open)(struct cel_loop *loop);
    /* Every fd is closed and every op has ended. */
    void (*close)(struct cel_loop *loop);

    /* A descriptor comes under the loop's care; it is non-blocking. 0 or -errno. */
    int (*attach)(struct cel_loop *loop, struct cel__fd *fd);
    /* Ends the ops still on it with -CEL_ECLOSED (results win), and when the last has
     * had its terminal event closes the descriptor, if fd->owns, and calls cel__fd_release.
     * May do all of it at once. */
    void (*detach)(struct cel_loop *loop, struct cel__fd *fd);

    /* 1: ended at once, op->result is set, done is not called. 0: in flight.
     * -ENOSYS: this backend does not do the kind (regular files): use the thread pool.
     * Any other failure is the op's result. */
    int (*start)(struct cel_loop *loop, struct cel__op *op);
    /* Asks an op in flight to end with op->cancel_code; its terminal event follows, soon, from a
     * turn. */
    void (*cancel)(struct cel_loop *loop, struct cel__op *op);
    /* Has the backend taken something in, bytes or an end, that a peek at the socket does not show
     * any more? NULL: it never does. */
    bool (*has_input)(struct cel_loop *loop, struct cel__fd *fd);
    /* Gives back what a LOAN op lent. */
    void (*loan_return)(struct cel_loop *loop, const struct cel__loan *loan);

    /* Submits what is pending, takes in what has completed, and ends those ops. Waits for the
     * first event until `until` (absolute; <= now: does not wait; INT64_MAX: for ever).
     * 0 or -errno for what cannot be mended. */
    int (*wait)(struct cel_loop *loop, int64_t until);
    /* Any thread: makes a `wait` in progress return. */
    void (*wake)(struct cel_loop *loop);

    /* Time as this loop sees it. */
    int64_t (*now)(struct cel_loop *loop);

    /* What a simulation takes over besides; NULL: it is done as ever. */

    /* Runs ready tasks, in an order of its own. */
    void (*run)(struct cel_loop *loop, int budget);
    /* Calls post->run in a turn to come, in place of a thread of the pool. */
    void (*later)(struct cel_loop *loop, struct cel__post *post);
    /* Answers for the name servers. name NULL: ends what is being asked. */
    void (*resolve)(struct cel_loop *loop, const char *name, cel__names_fn *fn, void *arg);
};

extern const struct cel__backend cel__epoll_backend;
extern const struct cel__backend cel__uring_backend;
extern const struct cel__backend cel__sim_backend;
/* Takes the place of any of them in the child of a fork; not to be opened. */
extern const struct cel__backend cel__forked_backend;

#endif
