/* SPDX-License-Identifier: MIT */
/* What only the io_uring backend has: rings that are too small, kernels that are too old or that
 * refuse, calls that fail, and streams that nobody reads. */
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "loop/world.h"

static const struct cel__uring_sizes usual = {
    .sq_entries = 1024,
    .cq_entries = 4096,
    .buffers_first = 64,
    .buffers_max = 4096,
    .buffer_bytes = 16 * 1024,
    .unread_max = 16,
};

/* Streams that echo what the test says, and check each byte. */
#define STREAMS 40
#define ROUNDS  25

struct echo {
    struct cel__fd *f;
    struct cel__op op;
    struct cel__loan loan;
    struct cel_loop *loop;
    bool by_loan, is_writing;
    char buf[700];
    int64_t moved;
};

static void echo_done(struct cel__op *op);

static void echo_step(struct echo *e, struct cel__op what)
{
    e->op = what;
    e->op.fd = e->f;
    e->op.done = echo_done;
    cel__list_init(&e->op.link);
    if (cel__op_start(e->loop, &e->op) != 0)
        echo_done(&e->op);
}

static void echo_read(struct echo *e)
{
    e->is_writing = false;
    if (e->by_loan)
        echo_step(e, (struct cel__op){.kind = CEL__OP_LOAN});
    else
        echo_step(e, (struct cel__op){.kind = CEL__OP_READ, .buf = e->buf, .len = sizeof e->buf});
}

static void echo_write(struct echo *e, int64_t n)
{
    e->is_writing = true;
    e->moved += n;
    if (e->by_loan)
        e->loan = e->op.loan;
    echo_step(e, (struct cel__op){.kind = CEL__OP_WRITE,
                                  .buf = e->by_loan ? e->loan.data : e->buf,
                                  .len = (size_t)n});
}

static void echo_done(struct cel__op *op)
{
    struct echo *e = cel__container_of(op, struct echo, op);

    if (e->is_writing && e->by_loan)
        e->loop->backend->loan_return(e->loop, &e->loan);
    if (op->result <= 0 && e->f->is_closing)
        return;
    if (op->result <= 0)
        cel__fd_close(e->loop, e->f);
    else if (e->is_writing)
        echo_read(e);
    else
        echo_write(e, op->result);
}

static char letter(int stream, int round, int i)
{
    return (char)('a' + (stream * 7 + round * 3 + i) % 26);
}

static void say_round(int fd, int stream, int round, int size)
{
    char text[600];

    for (int i = 0; i < size; i++)
        text[i] = letter(stream, round, i);
    assert_int_equal(send(fd, text, (size_t)size, 0), size);
}

static void hear_round(struct world *w, int fd, int stream, int round, int size)
{
    int got = 0;

    for (int turn = 0; turn < 4000 && got < size; turn++) {
        char text[600];
        ssize_t n = recv(fd, text, (size_t)(size - got), MSG_DONTWAIT);

        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(text[i], letter(stream, round, got + (int)i));
        got += n > 0 ? (int)n : 0;
        if (got < size)
            assert_true(cel_loop_turn(w->loop, CEL_MILLISECOND) >= 0);
    }
    assert_int_equal(got, size);
}

static void echo_all(struct world *w)
{
    static struct echo echoes[STREAMS];
    int peers[STREAMS];

    for (int s = 0; s < STREAMS; s++) {
        int fds[2];

        make_tcp_pair(fds);
        peers[s] = fds[1];
        echoes[s] = (struct echo){.loop = w->loop, .by_loan = s % 2};
        echoes[s].f = stream(w, fds[0]);
        echo_read(&echoes[s]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int s = 0; s < STREAMS; s++)
            say_round(peers[s], s, round, 1 + (s * 13 + round * 29) % 600);
        for (int s = 0; s < STREAMS; s++)
            hear_round(w, peers[s], s, round, 1 + (s * 13 + round * 29) % 600);
    }
    for (int s = 0; s < STREAMS; s++)
        close(peers[s]);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(w->loop->fds.live, 0);
}

static int again(struct world *w)
{
    struct cel_loop_options options = {.backend = w->backend};

    assert_int_equal(cel_loop_close(w->loop), 0);
    w->loop = NULL;
    return cel_loop_new(&w->loop, &options);
}

static void echo_with_usual_rings_comes_back(void **state)
{
    WORLD(w);

    echo_all(w);
}

static void echo_with_a_queue_of_four_loses_nothing(void **state)
{
    WORLD(w);

    cel__uring_sizes.sq_entries = 4;
    cel__uring_sizes.cq_entries = 8;
    assert_int_equal(again(w), 0);
    cel__uring_sizes = usual;
    assert_int_equal(cel__proactor_of(w->loop)->ring.sq_entries, 4);
    echo_all(w);
}

static void echo_with_two_buffers_loses_nothing(void **state)
{
    WORLD(w);

    cel__uring_sizes.buffers_first = cel__uring_sizes.buffers_max = 2;
    cel__uring_sizes.buffer_bytes = 100;
    assert_int_equal(again(w), 0);
    echo_all(w);
    assert_int_equal(uring_strays(w->loop), 0);
    cel__uring_sizes = usual;
}

static void loans_of_many_make_the_buffers_grow(void **state)
{
    WORLD(w);
    static struct probe loans[300];
    struct cel__proactor *p;
    int peers[300];

    assert_int_equal(again(w), 0);
    p = cel__proactor_of(w->loop);
    if (!p->ring.has_multishot)
        skip();
    for (int s = 0; s < 300; s++) {
        int fds[2];

        make_tcp_pair(fds);
        peers[s] = fds[1];
        loans[s].op.fd = stream(w, fds[0]);
    }
    for (int round = 0; round < 4; round++) {
        for (int s = 0; s < 300; s++) {
            loans[s].op = (struct cel__op){.kind = CEL__OP_LOAN, .fd = loans[s].op.fd};
            probe_start(w, &loans[s]);
            assert_int_equal(send(peers[s], &s, sizeof s, 0), sizeof s);
        }
        for (int s = 0; s < 300; s++)
            assert_int_equal(await(w, &loans[s].outcome), sizeof s);
        for (int s = 0; s < 300; s++) {
            assert_memory_equal(loans[s].op.loan.data, &s, sizeof s);
            w->loop->backend->loan_return(w->loop, &loans[s].op.loan);
        }
    }
    assert_int_equal(p->buffers.count, 512);
    for (int s = 0; s < 300; s++) {
        cel__fd_close(w->loop, loans[s].op.fd);
        close(peers[s]);
    }
}

/* All buffers lent out: reads and loans go on with memory of their own. */
static void loans_that_are_kept_starve_nobody(void **state)
{
    WORLD(w);
    struct cel__loan kept[8];
    int fds[2];
    struct cel__fd *f;

    cel__uring_sizes.buffers_first = cel__uring_sizes.buffers_max = 2;
    assert_int_equal(again(w), 0);
    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < 8; i++) {
        struct probe loan = {.op = {.kind = CEL__OP_LOAN, .fd = f}};

        assert_int_equal(write(fds[1], &i, sizeof i), sizeof i);
        assert_int_equal(probe_run(w, &loan), sizeof i);
        kept[i] = loan.op.loan;
    }
    for (int i = 0; i < 20; i++) {
        int got = -1;
        struct probe read = {.op = {.kind = CEL__OP_READ, .fd = f, .buf = &got, .len = sizeof got}};

        assert_int_equal(write(fds[1], &i, sizeof i), sizeof i);
        assert_int_equal(probe_run(w, &read), sizeof i);
        assert_int_equal(got, i);
    }
    for (int i = 0; i < 8; i++) {
        assert_memory_equal(kept[i].data, &i, sizeof i);
        w->loop->backend->loan_return(w->loop, &kept[i]);
    }
    cel__fd_close(w->loop, f);
    settle(w);
    assert_int_equal(uring_strays(w->loop), 0);
    close(fds[1]);
    cel__uring_sizes = usual;
}

/* A reader that stops reading: what is held for it is bounded, and all is there when it goes on. */
static void stream_that_nobody_reads_is_held_back(void **state)
{
    WORLD(w);
    struct cel__port *port;
    static char chunk[60000], buf[10000];
    size_t sent = 0, got = 0;
    int fds[2], idle = 0;
    struct cel__fd *f;

    cel__uring_sizes.buffers_first = 1024;
    assert_int_equal(again(w), 0);
    cel__uring_sizes = usual;
    if (!cel__proactor_of(w->loop)->ring.has_multishot)
        skip();
    make_tcp_pair(fds);
    setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &(int){4 << 20}, sizeof(int));
    f = stream(w, fds[0]);
    port = cel__port_of(f);
    for (int i = 0; i < 3; i++) {
        struct probe read = {.op = {.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = 1}};

        probe_start(w, &read);
        assert_int_equal(send(fds[1], "x", 1, 0), 1);
        assert_int_equal(await(w, &read.outcome), 1);
    }
    for (size_t i = 0; i < sizeof chunk; i++)
        chunk[i] = (char)(i % 251);
    cel_loop_hold(w->loop);
    while (idle < 20) {
        ssize_t n = send(fds[1], chunk + sent % sizeof chunk, sizeof chunk - sent % sizeof chunk,
                         MSG_DONTWAIT);

        if (n > 0)
            sent += (size_t)n;
        else
            idle++;
        assert_true(cel_loop_turn(w->loop, 0) != -EINVAL);
        assert_true(port->unread <= usual.unread_max + 64);
    }
    assert_true(sent > usual.unread_max * 1000);
    cel_loop_release(w->loop);
    assert_int_equal(port->receive, CEL__SLOT_NONE);
    while (got < sent) {
        struct probe read = {.op = {.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = sizeof buf}};
        int64_t n = probe_run(w, &read);

        assert_true(n > 0);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(buf[i], (char)((got + (size_t)i) % sizeof chunk % 251));
        got += (size_t)n;
    }
    cel__fd_close(w->loop, f);
    settle(w);
    assert_int_equal(uring_strays(w->loop), 0);
    close(fds[1]);
}

/* ---- older kernels, by the seam ---- */

static const struct cel__sys *kernel;
static unsigned refused_flags;
static bool lacks_buffers, lacks_send_zc;

static int old_setup(unsigned entries, struct io_uring_params *params)
{
    if (params->flags & refused_flags) {
        errno = EINVAL;
        return -1;
    }
    return kernel->io_uring_setup(entries, params);
}

static int old_register(int fd, unsigned opcode, const void *arg, unsigned count)
{
    int r;

    if (opcode == IORING_REGISTER_PBUF_RING && lacks_buffers) {
        errno = EINVAL;
        return -1;
    }
    r = kernel->io_uring_register(fd, opcode, arg, count);
    if (opcode == IORING_REGISTER_PROBE && lacks_send_zc)
        ((struct io_uring_probe *)arg)->ops[IORING_OP_SEND_ZC].flags = 0;
    return r;
}

static void be_old(unsigned flags, bool buffers, bool send_zc)
{
    static struct cel__sys before;

    before = cel__sys;
    kernel = &before;
    refused_flags = flags;
    lacks_buffers = buffers;
    lacks_send_zc = send_zc;
    cel__sys.io_uring_setup = old_setup;
    cel__sys.io_uring_register = old_register;
}

static void echo_on_older_kernels_comes_back(void **state)
{
    WORLD(w);
    static const struct {
        unsigned refused;
        bool lacks_buffers, lacks_send_zc;
    } kernels[] = {
        {1U << 16, false, false},                              /* 6.5 */
        {1U << 16 | IORING_SETUP_DEFER_TASKRUN, false, false}, /* 6.0 */
        {1U << 16 | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER, false,
         true}, /* 5.19 */
        {1U << 16 | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
             IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
         true, true}, /* 5.18 */
        {1U << 16 | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
             IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
         true, true}, /* 5.15 */
        {0, true, false},
    };

    for (size_t i = 0; i < cel__countof(kernels); i++) {
        cel__sys_reset();
        be_old(kernels[i].refused, kernels[i].lacks_buffers, kernels[i].lacks_send_zc);
        assert_int_equal(again(w), 0);
        echo_all(w);
    }
    assert_int_equal(cel_loop_close(w->loop), 0);
    w->loop = NULL;
}

/* ---- kernels that refuse ---- */

static int refuse_with;

static int refuse_setup(unsigned entries, struct io_uring_params *params)
{
    errno = refuse_with;
    return -1;
}

static void loop_without_io_uring_falls_back_to_epoll(void **state)
{
    WORLD(w);
    static const int codes[] = {EPERM, ENOSYS, EACCES, ENOMEM};

    assert_int_equal(cel_loop_close(w->loop), 0);
    unsetenv("CELADON_BACKEND");
    for (size_t i = 0; i < cel__countof(codes); i++) {
        const struct cel_loop_options named = {.backend = "uring"};

        refuse_with = codes[i];
        cel__sys.io_uring_setup = refuse_setup;
        assert_int_equal(cel_loop_new(&w->loop, NULL), 0);
        assert_string_equal(cel_loop_backend(w->loop), "epoll");
        assert_int_equal(cel_loop_close(w->loop), 0);
        assert_int_equal(cel_loop_new(&w->loop, &named), -codes[i]);
        assert_non_null(strstr(told, "uring"));
        errors = 0;
        cel__sys_reset();
    }
    w->loop = NULL;
}

/* As containers do it: this process may not set up rings any more. */
static int forbid_rings(unsigned action)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = cel__countof(code), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0 ? -errno : 0;
}

static int loop_under_filter(unsigned action)
{
    struct cel_loop *loop;

    if (forbid_rings(action) < 0)
        return 77;
    if (cel_loop_new(&loop, NULL) != 0)
        return 1;
    if (strcmp(cel_loop_backend(loop), "epoll") != 0)
        return 2;
    return cel_loop_close(loop);
}

static int refusals;

static int refuse_some_rings(unsigned entries, struct io_uring_params *params)
{
    if (refusals-- > 0) {
        errno = ENOMEM;
        return -1;
    }
    return kernel->io_uring_setup(entries, params);
}

/* What a closed ring took comes back to a user's limit some time later. */
static void ring_refused_for_memory_is_tried_again(void **state)
{
    WORLD(w);

    assert_int_equal(cel_loop_close(w->loop), 0);
    refusals = 3;
    cel__sys.io_uring_setup = refuse_some_rings;
    assert_int_equal(cel_loop_new(&w->loop, NULL), 0);
    assert_string_equal(cel_loop_backend(w->loop), "uring");
    assert_true(refusals < 0); /* older kernels refuse some flags besides */
    cel__sys_reset();
}

static int refuse_open(int dir, const char *path, int flags, mode_t mode)
{
    errno = EMFILE;
    return -1;
}

static int waits;

static pid_t wait_interrupted(pid_t pid, int *status, int options)
{
    if (++waits == 1) {
        errno = EINTR;
        return -1;
    }
    return kernel->waitpid(pid, status, options);
}

static int refuse_clone(void)
{
    errno = EAGAIN;
    return -1;
}

static void loop_that_cannot_tell_of_a_filter_tries_in_a_child(void **state)
{
    WORLD(w);

    assert_int_equal(cel_loop_close(w->loop), 0);
    waits = 0;
    cel__sys.openat = refuse_open;
    cel__sys.waitpid = wait_interrupted;
    assert_int_equal(cel_loop_new(&w->loop, NULL), 0);
    assert_int_equal(waits, 2);
    assert_string_equal(cel_loop_backend(w->loop), "uring");
    assert_int_equal(cel_loop_close(w->loop), 0);
    unsetenv("CELADON_BACKEND");
    cel__sys.clone = refuse_clone;
    assert_int_equal(cel_loop_new(&w->loop, NULL), 0);
    assert_string_equal(cel_loop_backend(w->loop), "epoll");
    assert_int_equal(cel_loop_close(w->loop), 0);
    cel__sys_reset();
    w->loop = NULL;
}

static void loop_under_a_filter_falls_back_and_lives(void **state)
{
    WORLD(w);
    static const unsigned actions[] = {SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ERRNO | ENOSYS,
                                       SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW};

    assert_int_equal(cel_loop_close(w->loop), 0);
    w->loop = NULL;
    unsetenv("CELADON_BACKEND");
    for (size_t i = 0; i < cel__countof(actions); i++) {
        pid_t pid = fork();
        int status = -1;

        if (pid == 0)
            _exit(loop_under_filter(actions[i]));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
            skip();
        /* where all is allowed, io_uring it is */
        assert_int_equal(WEXITSTATUS(status), actions[i] == SECCOMP_RET_ALLOW ? 2 : 0);
    }
}

static int poor_probe(int fd, unsigned opcode, const void *arg, unsigned count)
{
    int r = kernel->io_uring_register(fd, opcode, arg, count);

    if (opcode == IORING_REGISTER_PROBE)
        ((struct io_uring_probe *)arg)->ops[IORING_OP_ASYNC_CANCEL].flags = 0;
    return r;
}

static void loop_without_a_request_we_need_falls_back(void **state)
{
    WORLD(w);

    assert_int_equal(cel_loop_close(w->loop), 0);
    unsetenv("CELADON_BACKEND");
    be_old(0, false, false);
    cel__sys.io_uring_register = poor_probe;
    assert_int_equal(cel_loop_new(&w->loop, NULL), 0);
    assert_string_equal(cel_loop_backend(w->loop), "epoll");
}

/* ---- calls that fail ---- */

static int countdown, failing_code;

static bool is_struck(void)
{
    if (countdown <= 0 || --countdown > 0)
        return false;
    errno = failing_code;
    return true;
}

static int struck_setup(unsigned entries, struct io_uring_params *params)
{
    return is_struck() ? -1 : kernel->io_uring_setup(entries, params);
}

static int struck_register(int fd, unsigned opcode, const void *arg, unsigned count)
{
    return is_struck() ? -1 : kernel->io_uring_register(fd, opcode, arg, count);
}

static void *struck_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    return is_struck() ? MAP_FAILED : kernel->mmap(addr, len, prot, flags, fd, offset);
}

static int struck_madvise(void *addr, size_t len, int advice)
{
    return is_struck() ? -1 : kernel->madvise(addr, len, advice);
}

static int struck_eventfd(unsigned initial, int flags)
{
    return is_struck() ? -1 : kernel->eventfd(initial, flags);
}

static void strike_open(void)
{
    be_old(0, false, false);
    cel__sys.io_uring_setup = struck_setup;
    cel__sys.io_uring_register = struck_register;
    cel__sys.mmap = struck_mmap;
    cel__sys.madvise = struck_madvise;
    cel__sys.eventfd = struck_eventfd;
}

/* Whichever call fails while opening: an error and nothing left, or a loop that works. */
static void loop_opened_among_failures_works_or_leaves_nothing(void **state)
{
    WORLD(w);
    const struct cel_loop_options options = {.backend = "uring"};
    int failures = 0;

    assert_int_equal(cel_loop_close(w->loop), 0);
    w->loop = NULL;
    strike_open();
    for (int n = 1; n < 100; n++) {
        long before = blocks;
        int fds = open_fds(), r;

        countdown = n;
        failing_code = ENOMEM;
        r = cel_loop_new(&w->loop, &options);
        if (r == 0) {
            int left = countdown;

            countdown = 0;
            settle(w);
            assert_int_equal(cel_loop_close(w->loop), 0);
            w->loop = NULL;
            if (left > 0)
                break;
        } else {
            failures++;
        }
        assert_int_equal(blocks, before);
        assert_int_equal(open_fds(), fds);
    }
    errors = 0;
    countdown = 0;
    assert_true(failures >= 5);
}

static int every;
static int enters;

static int failing_enter(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                         void *arg, size_t arg_size)
{
    static const int codes[] = {EINTR, EAGAIN, EBUSY, ETIME, ENOMEM};

    if (++enters % every == 0) {
        errno = codes[(enters / every) % 5];
        return -1;
    }
    return kernel->io_uring_enter(fd, to_submit, min_complete, flags, arg, arg_size);
}

static void echo_among_failing_enters_comes_back(void **state)
{
    WORLD(w);

    for (every = 2; every <= 7; every += 5) {
        for (int small = 0; small < 2; small++) {
            cel__uring_sizes.sq_entries = small ? 4 : 64;
            assert_int_equal(again(w), 0);
            be_old(0, false, false);
            cel__sys.io_uring_enter = failing_enter;
            enters = 0;
            echo_all(w);
            assert_true(enters > 20);
            cel__sys_reset();
        }
    }
    cel__uring_sizes = usual;
}

/* Only what waits for completions is taken. */
static int flushless_enter(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                           void *arg, size_t arg_size)
{
    if (!(flags & IORING_ENTER_GETEVENTS)) {
        errno = EAGAIN;
        return -1;
    }
    return kernel->io_uring_enter(fd, to_submit, min_complete, flags, arg, arg_size);
}

/* The loop slept with requests in its backlog, and their answers never came. */
static void requests_left_by_a_refused_flush_are_sent_before_sleeping(void **state)
{
    WORLD(w);
    static struct probe reads[12];
    static char bufs[12][8];
    int peers[12];

    cel__uring_sizes.sq_entries = 4;
    assert_int_equal(again(w), 0);
    cel__uring_sizes = usual;
    be_old(0, false, false);
    cel__sys.io_uring_enter = flushless_enter;
    for (int i = 0; i < 12; i++) {
        int fds[2];

        make_pair(fds);
        peers[i] = fds[1];
        reads[i].op = (struct cel__op){
            .kind = CEL__OP_READ, .fd = stream(w, fds[0]), .buf = bufs[i], .len = 8};
        probe_start(w, &reads[i]);
    }
    assert_int_equal(write(peers[11], "x", 1), 1);
    alarm(30);
    while (reads[11].outcome.calls == 0)
        assert_true(cel_loop_turn(w->loop, CEL_FOREVER) >= 0);
    alarm(0);
    assert_int_equal(reads[11].outcome.result, 1);
    for (int i = 0; i < 12; i++)
        cel__fd_close(w->loop, reads[i].op.fd);
    for (int i = 0; i < 11; i++)
        assert_int_equal(await(w, &reads[i].outcome), -CEL_ECLOSED);
    for (int i = 0; i < 12; i++)
        close(peers[i]);
}

static int broken_enter(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                        void *arg, size_t arg_size)
{
    errno = EBADR;
    return -1;
}

static void enter_that_lost_completions_stops_the_loop(void **state)
{
    WORLD(w);
    struct probe read = {0};
    char buf[8];
    int fds[2];

    make_pair(fds);
    read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = stream(w, fds[0]), .buf = buf, .len = 8};
    probe_start(w, &read);
    be_old(0, false, false);
    cel__sys.io_uring_enter = broken_enter;
    assert_int_equal(cel_loop_run(w->loop), -EBADR);
    cel__sys_reset();
    cel__fd_close(w->loop, read.op.fd);
    assert_int_equal(await(w, &read.outcome), -CEL_ECLOSED);
    close(fds[1]);
}

static void name_of_a_freed_slot_is_nobodys(void **state)
{
    WORLD(w);
    struct cel__slots slots = {0};
    uint32_t slot = cel__slot_new(&slots), second;
    uint64_t name = cel__slot_name(&slots, slot, CEL__SLOT_TARGET);

    assert_ptr_equal(cel__slot_find(&slots, name), &slots.all[slot]);
    cel__slot_free(&slots, slot);
    assert_null(cel__slot_find(&slots, name));
    second = cel__slot_new(&slots);
    assert_int_equal(second, slot);
    assert_null(cel__slot_find(&slots, name));
    assert_null(cel__slot_find(&slots, UINT64_MAX));
    cel__slot_free(&slots, second);
    cel__slots_fini(&slots);
    assert_non_null(w->loop);
}

static void ring_refuses_what_we_never_ask(void **state)
{
    WORLD(w);
    struct cel__ring ring;
    struct io_uring_cqe cqe = {0};
    struct io_uring_sqe *sqe;

    assert_int_equal(cel__ring_open(&ring, 4, 8), 0);
    if (!ring.is_restricted) {
        cel__ring_close(&ring);
        skip();
    }
    sqe = cel__ring_sqe(&ring);
    sqe->opcode = IORING_OP_OPENAT;
    sqe->fd = AT_FDCWD;
    sqe->addr = (uint64_t)(uintptr_t) "/etc/hostname";
    assert_int_equal(cel__ring_enter(&ring, CEL_SECOND), 0);
    assert_true(cel__ring_take(&ring, &cqe));
    assert_int_equal(cqe.res, -EACCES);
    cel__ring_close(&ring);
    assert_non_null(w->loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_URING(echo_with_usual_rings_comes_back),
        ON_URING(echo_with_a_queue_of_four_loses_nothing),
        ON_URING(echo_with_two_buffers_loses_nothing),
        ON_URING(loans_of_many_make_the_buffers_grow),
        ON_URING(loans_that_are_kept_starve_nobody),
        ON_URING(stream_that_nobody_reads_is_held_back),
        ON_URING(echo_on_older_kernels_comes_back),
        ON_URING(loop_without_io_uring_falls_back_to_epoll),
        ON_URING(ring_refused_for_memory_is_tried_again),
        ON_URING(loop_that_cannot_tell_of_a_filter_tries_in_a_child),
        ON_URING(loop_under_a_filter_falls_back_and_lives),
        ON_URING(loop_without_a_request_we_need_falls_back),
        ON_URING(loop_opened_among_failures_works_or_leaves_nothing),
        ON_URING(echo_among_failing_enters_comes_back),
        ON_URING(requests_left_by_a_refused_flush_are_sent_before_sleeping),
        ON_URING(enter_that_lost_completions_stops_the_loop),
        ON_URING(name_of_a_freed_slot_is_nobodys),
        ON_URING(ring_refuses_what_we_never_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
