/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LOOP_WORLD_H
#define TESTS_LOOP_WORLD_H

/* A loop on each backend in turn, and what must hold when it closes: nothing was left open, no
 * descriptor and no memory more than before. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "celadon/loop.h"
#include "loop/core.h"
#include "loop/proactor.h"
#include "support/check.h"

struct world {
    const char *backend;
    struct cel_loop *loop;
    int fds; /* open before */
};

static long blocks; /* of memory, alive */

static void *count_alloc(size_t size, void *arg)
{
    void *ptr = malloc(size);

    if (ptr != NULL)
        __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
    return ptr;
}

static void *count_realloc(void *old, size_t size, void *arg)
{
    void *ptr = realloc(old, size);

    if (old == NULL && ptr != NULL)
        __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
    return ptr;
}

static void count_free(void *ptr, void *arg)
{
    if (ptr != NULL)
        __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
    free(ptr);
}

static int errors; /* lines of level error in the log */
static char told[512];

static void hear_log(enum cel_log_level level, const char *line, void *arg)
{
    errors += level == CEL_LOG_ERROR;
    snprintf(told, sizeof told, "%s", line);
}

static inline int open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static inline bool kernel_has_uring(void)
{
    struct cel__ring ring;
    int r = cel__ring_open(&ring, 4, 8);

    if (r == 0)
        cel__ring_close(&ring);
    return r == 0;
}

static inline int world_open(void **state)
{
    static const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};
    struct world *w = calloc(1, sizeof *w);
    struct cel_loop_options options = {0};

    w->backend = options.backend = *state;
    w->fds = open_fds();
    cel_set_allocator(&counting);
    cel_set_log(hear_log, NULL);
    blocks = errors = 0;
    *state = w;
    if (strcmp(w->backend, "uring") == 0 && !kernel_has_uring()) {
        print_message("skipped: this kernel refuses io_uring\n");
        return 0;
    }
    return cel_loop_new(&w->loop, &options);
}

/* Nothing of what was lent to the kernel or named to it may be astray. */
static inline int uring_strays(struct cel_loop *loop)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    for (int i = 0; i < 100 && loop->fds.closing != 0; i++)
        if (cel_loop_turn(loop, CEL_MILLISECOND) < 0)
            break;
    if (loop->fds.live != 0)
        return 0; /* told by cel_loop_close */
    return (int)(p->buffers.count - p->buffers.with_kernel) + (int)p->slots.live - 1 +
           (int)p->receivers;
}

static inline int world_close(void **state)
{
    struct world *w = *state;
    bool is_uring = w->loop != NULL && strcmp(cel_loop_backend(w->loop), "uring") == 0;
    int strays, left, r = 0;

    strays = is_uring ? uring_strays(w->loop) : 0;
    left = cel_loop_close(w->loop);
    cel__sys_reset(); /* after the pool's threads have gone */
    if (left != 0 || strays != 0 || errors != 0 || blocks != 0 || open_fds() != w->fds) {
        print_error("left behind: %d handles, %d strays, %ld blocks of memory, %d descriptors; %d "
                    "errors logged: %s\n",
                    left, strays, blocks, open_fds() - w->fds, errors, told);
        r = -1;
    }
    cel_set_allocator(NULL);
    cel_set_log(NULL, NULL);
    free(w);
    return r;
}

/* The scenario once per backend. */
#define ON_EACH(fn)                                                  \
    {#fn " (epoll)", fn, world_open, world_close, (void *)"epoll"},  \
    {                                                                \
#fn " (uring)", fn, world_open, world_close, (void *)"uring" \
    }
#define ON_URING(fn)                                                 \
    {                                                                \
#fn " (uring)", fn, world_open, world_close, (void *)"uring" \
    }

/* At the head of each scenario. */
#define WORLD(w)              \
    struct world *w = *state; \
    if ((w)->loop == NULL)    \
    skip()

struct outcome {
    int calls;
    int64_t result;
};

static inline void note(void *arg, int64_t result)
{
    struct outcome *o = arg;

    o->calls++;
    o->result = result;
}

/* Turns until it has come; bounded. */
static inline int64_t await(struct world *w, const struct outcome *o)
{
    for (int i = 0; i < 2000 && o->calls == 0; i++)
        assert_true(cel_loop_turn(w->loop, 5 * CEL_MILLISECOND) >= 0);
    assert_int_equal(o->calls, 1);
    return o->result;
}

/* A few turns in which nothing more need happen. */
static inline void settle(struct world *w)
{
    for (int i = 0; i < 5; i++) {
        int r = cel_loop_turn(w->loop, CEL_MILLISECOND);

        assert_true(r >= 0 || r == -EDEADLK);
    }
}

static inline void make_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
}

static inline int make_listener(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* else each one would use up a port for as long as its connections are remembered */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
    assert_int_equal(listen(fd, 256), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

/* Both ends of a TCP connection over loopback. */
static inline void make_tcp_pair(int fds[2])
{
    struct sockaddr_in at;
    int listener = make_listener(&at);

    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&at, sizeof at), 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fds[1] >= 0);
    close(listener);
}

static inline struct cel_handle *handle(struct world *w, int fd)
{
    struct cel_handle *h = NULL;

    assert_int_equal(cel_handle_open(w->loop, &h, fd, true), 0);
    return h;
}

/* Ops as the floors above use them. */
struct probe {
    struct cel__op op;
    struct outcome outcome;
};

static inline void probe_done(struct cel__op *op)
{
    struct probe *probe = cel__container_of(op, struct probe, op);

    note(&probe->outcome, op->result);
}

static inline void probe_start(struct world *w, struct probe *probe)
{
    int r;

    probe->outcome = (struct outcome){0};
    probe->op.done = probe_done;
    cel__list_init(&probe->op.link);
    r = cel__op_start(w->loop, &probe->op);
    if (r < 0)
        note(&probe->outcome, r);
    else if (r == 1)
        note(&probe->outcome, probe->op.result);
}

static inline int64_t probe_run(struct world *w, struct probe *probe)
{
    probe_start(w, probe);
    return await(w, &probe->outcome);
}

static inline struct cel__fd *stream(struct world *w, int fd)
{
    struct cel__fd *f = NULL;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    assert_int_equal(cel__fd_open(w->loop, &f, fd, true), 0);
    f->is_stream = 1;
    return f;
}

#endif
