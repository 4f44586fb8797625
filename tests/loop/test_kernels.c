/* SPDX-License-Identifier: MIT */
/* What the backends make of each older kernel, and that the mask that plays it is really there: run
 * beneath support/kernel.c, once for each. */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/cc.h"
#include "fiber/guard.h"
#include "loop/world.h"

/* What is to be expected of each. */
struct release {
    const char *name;
    bool has_uring; /* enough of it for the backend */
    bool has_multishot;
    unsigned setup_flags; /* what of the best set is left */
};

#define SUBMIT_ALL IORING_SETUP_SUBMIT_ALL
#define BEST                                                                               \
    (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN | \
     IORING_SETUP_TASKRUN_FLAG | SUBMIT_ALL)
#define NO_SQARRAY (1U << 16)

static const struct release releases[] = {
    {"5.10", false, false, 0},
    {"5.15", true, false, 0},
    {"6.1", true, true, BEST},
    {"6.6", true, true, BEST | NO_SQARRAY},
    {"6.12", true, true, BEST | NO_SQARRAY},
};

static const struct release *played(void)
{
    const char *name = getenv("CELADON_TEST_KERNEL");

    for (size_t i = 0; name != NULL && i < cel__countof(releases); i++)
        if (strcmp(releases[i].name, name) == 0)
            return &releases[i];
    fail_msg("not under a mask");
    return NULL;
}

/* Whether there is io_uring at all where this runs. */
static bool is_forbidden(void)
{
    struct cel__ring ring;
    int r = cel__ring_open(&ring, 4, 8);

    if (r == 0)
        cel__ring_close(&ring);
    return r == -EPERM;
}

static void ring_has_what_that_kernel_has(void **state)
{
    const struct release *k = played();
    struct cel__ring ring;
    int r;

    if (is_forbidden())
        skip();
    r = cel__ring_open(&ring, 8, 16);
    assert_int_equal(r, k->has_uring ? 0 : -ENOSYS);
    if (r < 0)
        return;
    assert_int_equal(ring.setup_flags, k->setup_flags);
    assert_int_equal(ring.has_multishot, k->has_multishot);
    cel__ring_close(&ring);
}

/* Requests of files would be a way round a seccomp filter, whatever the kernel's age. */
static void ring_is_restricted_on_every_kernel(void **state)
{
    struct cel__ring ring;

    if (is_forbidden() || !played()->has_uring)
        skip();
    assert_int_equal(cel__ring_open(&ring, 8, 16), 0);
    assert_true(ring.is_restricted);
    cel__ring_close(&ring);
}

/* What one request comes to. */
static int ask(void (*prepare)(struct io_uring_sqe *sqe))
{
    struct cel__ring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe cqe = {0};

    assert_int_equal(cel__ring_open(&ring, 8, 16), 0);
    sqe = cel__ring_sqe(&ring);
    assert_non_null(sqe);
    prepare(sqe);
    while (!cel__ring_take(&ring, &cqe))
        assert_true(cel__ring_enter(&ring, CEL_FOREVER) >= 0);
    cel__ring_close(&ring);
    return cqe.res;
}

static void prepare_cancel_of_all(struct io_uring_sqe *sqe)
{
    *sqe = (struct io_uring_sqe){.opcode = IORING_OP_ASYNC_CANCEL, .addr = 77, .cancel_flags = 1};
}

static void prepare_multishot_accept(struct io_uring_sqe *sqe)
{
    *sqe = (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = -1, .ioprio = 1};
}

static void prepare_poll(struct io_uring_sqe *sqe)
{
    *sqe = (struct io_uring_sqe){.opcode = IORING_OP_POLL_ADD, .fd = -1, .len = 1};
}

/* Flags that a request has learnt since, where the request itself is known. */
static void request_with_a_later_flag_is_refused(void **state)
{
    const struct release *k = played();

    if (is_forbidden() || !k->has_uring)
        skip();
    assert_int_equal(ask(prepare_poll), -EBADF); /* since 5.13 */
    if (k->has_multishot) {
        assert_int_not_equal(ask(prepare_cancel_of_all), -EINVAL);
        assert_int_equal(ask(prepare_multishot_accept), -EBADF);
    } else {
        assert_int_equal(ask(prepare_cancel_of_all), -EINVAL);
        assert_int_equal(ask(prepare_multishot_accept), -EINVAL);
    }
}

static void read_of_a_pipe_without_waiting_came_late(void **state)
{
    const char *name = played()->name;
    bool has_it = strcmp(name, "6.6") == 0 || strcmp(name, "6.12") == 0;
    char byte;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(preadv2(fds[0], &(struct iovec){&byte, 1}, 1, -1, RWF_NOWAIT), -1);
    assert_int_equal(errno, has_it ? EAGAIN : EOPNOTSUPP);
    close(fds[0]);
    close(fds[1]);
}

static void loop_takes_the_best_backend_there_is(void **state)
{
    const struct release *k = played();
    struct cel_loop *loop;

    if (is_forbidden())
        skip();
    unsetenv("CELADON_BACKEND");
    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_string_equal(cel_loop_backend(loop), k->has_uring ? "uring" : "epoll");
    assert_int_equal(cel_loop_close(loop), 0);
}

static void guard_without_markers_is_a_protected_page(void **state)
{
    struct cel__guards guards = {0};
    char *room = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    played();
    assert_ptr_not_equal(room, MAP_FAILED);
    assert_int_equal(cel__guard_install(&guards, room, 4096), CEL__GUARD_PROTECT);
    munmap(room, 2 * 4096);
}

/* Timers are no earlier than asked where the kernel counts milliseconds. */
static void wait_of_half_a_millisecond_is_not_cut_short(void **state)
{
    struct timespec half = {.tv_nsec = 500000};
    int ep = cel__sys.epoll_create1(EPOLL_CLOEXEC), r;
    struct epoll_event event;
    int64_t begin = cel_now();

    played();
    do /* a ring that was closed before may interrupt it once */
        r = cel__sys.epoll_pwait2(ep, &event, 1, &half, NULL);
    while (r < 0 && errno == EINTR);
    assert_int_equal(r, 0);
    assert_true(cel_now() - begin >= 500000);
    close(ep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_has_what_that_kernel_has),
        cmocka_unit_test(ring_is_restricted_on_every_kernel),
        cmocka_unit_test(request_with_a_later_flag_is_refused),
        cmocka_unit_test(read_of_a_pipe_without_waiting_came_late),
        cmocka_unit_test(loop_takes_the_best_backend_there_is),
        cmocka_unit_test(guard_without_markers_is_a_protected_page),
        cmocka_unit_test(wait_of_half_a_millisecond_is_not_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
