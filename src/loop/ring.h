/* SPDX-License-Identifier: MIT */
#ifndef CEL__RING_H
#define CEL__RING_H

/* The two queues shared with the kernel, mapped by ourselves so that each of the three io_uring
 * system calls goes through the seam. Knows nothing of ops. */

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cel__ring {
    int fd;
    int enter_fd;         /* fd, or its index among the registered rings */
    unsigned enter_flags; /* always given to enter */
    int64_t slack; /* how much later than asked the thread's waits may end, as for its other ones */
    unsigned setup_flags; /* those that the kernel took */
    bool has_multishot;   /* receive, with rings of provided buffers (kernel 6.0) */
    bool is_restricted;   /* to the requests that we use */
    bool is_watched;      /* by Valgrind */
    struct io_uring_sqe *sqes;
    unsigned sq_entries, sq_mask;
    unsigned sq_tail; /* ours; published by enter */
    unsigned *sq_khead, *sq_ktail, *sq_kflags;
    struct io_uring_cqe *cqes;
    unsigned cq_mask;
    unsigned *cq_khead, *cq_ktail;
    void *map; /* both queues */
    size_t map_size, sqes_size;
};

/* Climbs down from the best set of flags to the one that this kernel takes. -ENOSYS: no io_uring,
 * or one too old; -EPERM: forbidden; -errno. After an error nothing is left behind. */
int cel__ring_open(struct cel__ring *ring, unsigned sq_entries, unsigned cq_entries);
/* What a ring takes is counted against the user's limit of locked memory until the kernel has taken
 * the ring down, which it does some time after the close. So a user who opens one after the other
 * may be refused for want of memory that is about to come back: true, after a pause, if `result`
 * is such a refusal and it was not tried (`*tries`, from 0) too often. */
bool cel__ring_tries_again(int result, unsigned *tries);
/* A ring that was never opened must have fd -1. */
void cel__ring_close(struct cel__ring *ring);

/* A cleared entry to fill in; NULL when the queue is full. */
struct io_uring_sqe *cel__ring_sqe(struct cel__ring *ring);

/* Submits all, runs deferred work, and if timeout is not 0 waits that many ns (INT64_MAX: for
 * ever) for the first completion. 0, also after a time-out or a signal; -EAGAIN, -EBUSY: some was
 * not submitted; -errno. */
int cel__ring_enter(struct cel__ring *ring, int64_t timeout);
/* Submits only: makes room in the queue. The same errors. */
int cel__ring_flush(struct cel__ring *ring);

/* Takes the oldest completion. -> false when there is none. */
static inline bool cel__ring_take(struct cel__ring *ring, struct io_uring_cqe *out)
{
    unsigned head = *ring->cq_khead;
    const struct io_uring_cqe *cqe;

    if (head == __atomic_load_n(ring->cq_ktail, __ATOMIC_ACQUIRE))
        return false;
    cqe = &ring->cqes[head & ring->cq_mask];
    out->user_data = cqe->user_data;
    out->res = cqe->res;
    out->flags = cqe->flags;
    __atomic_store_n(ring->cq_khead, head + 1, __ATOMIC_RELEASE);
    return true;
}

static inline unsigned cel__ring_unsubmitted(const struct cel__ring *ring)
{
    return ring->sq_tail - __atomic_load_n(ring->sq_khead, __ATOMIC_ACQUIRE);
}

static inline bool cel__ring_has_completion(const struct cel__ring *ring)
{
    return *ring->cq_khead != __atomic_load_n(ring->cq_ktail, __ATOMIC_ACQUIRE);
}

/* The kernel has work that only an enter will run, or completions that did not fit. */
static inline bool cel__ring_wants_enter(const struct cel__ring *ring)
{
    return (__atomic_load_n(ring->sq_kflags, __ATOMIC_RELAXED) &
            (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
}

#endif
