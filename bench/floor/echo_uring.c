/* SPDX-License-Identifier: MIT */
/* The io_uring floor of the echo workload: one multishot accept, one multishot receive with
 * provided buffers per connection, one send per message straight out of the provided buffer,
 * one io_uring_enter per turn.
 *
 * A buffer goes back to the ring when its send has completed. When the ring runs dry the kernel
 * ends the multishot receive with ENOBUFS and it is armed again. */
#include "../report.h"
#include "listen.h"

#include <errno.h>
#include <liburing.h>

enum { ENTRIES = 4096, BUFFERS = 4096, CHUNK = 2048, GROUP = 0 };
enum { ACCEPT, RECV, SEND };

static struct io_uring ring;
static struct io_uring_buf_ring *pool;
static char *chunks;
static int door;

static uint64_t tag(int kind, int fd, int buffer)
{
    return (uint64_t)kind << 56 | (uint64_t)buffer << 32 | (uint32_t)fd;
}

static struct io_uring_sqe *next_sqe(void)
{
    struct io_uring_sqe *sqe;

    while ((sqe = io_uring_get_sqe(&ring)) == NULL)
        io_uring_submit(&ring);
    return sqe;
}

static void arm_accept(void)
{
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_multishot_accept(sqe, door, NULL, NULL, 0);
    io_uring_sqe_set_data64(sqe, tag(ACCEPT, door, 0));
}

static void arm_recv(int fd)
{
    struct io_uring_sqe *sqe = next_sqe();

    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, tag(RECV, fd, 0));
}

static void give_back(int buffer)
{
    io_uring_buf_ring_add(pool, chunks + (size_t)buffer * CHUNK, CHUNK, (unsigned short)buffer,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(pool, 1);
}

static void on_accept(const struct io_uring_cqe *cqe)
{
    if (cqe->res >= 0) {
        bench_nodelay(cqe->res);
        arm_recv(cqe->res);
    }
    if (!(cqe->flags & IORING_CQE_F_MORE))
        arm_accept();
}

static void on_recv(const struct io_uring_cqe *cqe, int fd)
{
    if (cqe->res > 0) {
        int buffer = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        struct io_uring_sqe *sqe = next_sqe();

        io_uring_prep_send(sqe, fd, chunks + (size_t)buffer * CHUNK, (size_t)cqe->res,
                           MSG_NOSIGNAL);
        io_uring_sqe_set_data64(sqe, tag(SEND, fd, buffer));
        if (!(cqe->flags & IORING_CQE_F_MORE))
            arm_recv(fd);
        return;
    }
    if (cqe->res == -ENOBUFS)
        arm_recv(fd);
    else
        close(fd);
}

static void on_cqe(const struct io_uring_cqe *cqe)
{
    int kind = (int)(cqe->user_data >> 56);
    int buffer = (int)(cqe->user_data >> 32 & 0xffffff);
    int fd = (int)(uint32_t)cqe->user_data;

    if (kind == ACCEPT)
        on_accept(cqe);
    else if (kind == RECV)
        on_recv(cqe, fd);
    else
        give_back(buffer);
}

static void open_ring(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE,
        .cq_entries = 4 * ENTRIES,
    };
    int r = io_uring_queue_init_params(ENTRIES, &ring, &params);

    if (r < 0) {
        errno = -r;
        bench_die("io_uring");
    }
    io_uring_register_ring_fd(&ring);
}

static void open_pool(void)
{
    struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};

    if (posix_memalign((void **)&pool, 4096, BUFFERS * sizeof(struct io_uring_buf)) != 0 ||
        posix_memalign((void **)&chunks, 4096, (size_t)BUFFERS * CHUNK) != 0)
        bench_die("memory");
    reg.ring_addr = (uint64_t)(uintptr_t)pool;
    if (io_uring_register_buf_ring(&ring, &reg, 0) < 0)
        bench_die("buffer ring");
    io_uring_buf_ring_init(pool);
    for (int i = 0; i < BUFFERS; i++)
        give_back(i);
}

int main(int argc, char **argv)
{
    door = bench_listen(bench_arg(argc, argv, 1, 7000), 0);
    open_ring();
    open_pool();
    arm_accept();

    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            on_cqe(cqe);
            seen++;
        }
        io_uring_cq_advance(&ring, seen);
    }
}
