/* SPDX-License-Identifier: MIT */
/* Older kernels, played to a whole program: preloaded, it stands between libc and whoever calls it,
 * and refuses what the kernel named by CELADON_TEST_KERNEL did not know, the way that kernel does.
 *
 * 1. It only takes away. What is left is answered by the kernel that runs.
 * 2. A request in the ring that came later is made unknown to the real kernel too (opcode 255)
 *    just before it is submitted, so its refusal arrives as a completion, in its order.
 * 3. A name that it does not know ends the program: a suite under no mask must not look like one
 *    under a mask.
 *
 * Numbers are the kernel's own, because the headers at hand may be older than what is refused. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RINGS_MAX 16384 /* in the life of a program; then the oldest are forgotten */

struct release {
    const char *name;
    uint32_t setup_flags, features, enter_flags;
    unsigned requests, registrations; /* how many kinds it numbers */
    uint16_t receive_flags;           /* of a receive's ioprio */
    bool has_epoll_pwait2;            /* 5.11 */
    bool has_poll_multishot;          /* 5.13 */
    bool has_populate;                /* MADV_POPULATE_READ and _WRITE, 5.14 */
    bool has_fchmodat2, has_guards;   /* 6.6; MADV_GUARD_INSTALL, 6.13 */
};

/* Flags and features were only ever added at the top, so a kernel's set is all bits below one. */
#define BELOW(bit) ((UINT32_C(1) << (bit)) - 1)

static const struct release releases[] = {
    {"5.10", BELOW(7), BELOW(7), BELOW(3), 34, 13, 0, false, false, false, false, false},
    {"5.15", BELOW(7), BELOW(11), BELOW(4), 40, 20, 0, true, true, true, false, false},
    {"6.1", BELOW(14), BELOW(13), BELOW(5), 49, 26, 7, true, true, true, false, false},
    {"6.6", BELOW(17), BELOW(14), BELOW(5), 49, 26, 15, true, true, true, true, false},
    {"6.12", BELOW(17), BELOW(16), BELOW(6), 58, 31, 31, true, true, true, true, false},
};

static const struct release *played;

/* The rings that were set up, each used by one thread at a time. No lock: a child of the bare clone
 * may come here while another thread of its parent was here. */
struct ring {
    int fd;
    int registered;  /* its index among the registered ones, or -1 */
    pthread_t owner; /* whose index that is */
    struct io_uring_params params;
    char *queue;
    struct io_uring_sqe *sqes;
};

static struct ring rings[RINGS_MAX];
static atomic_uint ring_next;

static long (*real_syscall)(long number, ...);
static void *(*real_mmap)(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
static int (*real_madvise)(void *addr, size_t len, int advice);
static int (*real_epoll_pwait2)(int ep, struct epoll_event *events, int max,
                                const struct timespec *timeout, const sigset_t *mask);

static void look_up(void *out, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        fprintf(stderr, "kernel mask: no %s behind it\n", name);
        _exit(99);
    }
    memcpy(out, &found, sizeof found);
}

static __attribute__((constructor)) void begin(void)
{
    const char *name = getenv("CELADON_TEST_KERNEL");

    look_up(&real_syscall, "syscall");
    look_up(&real_mmap, "mmap");
    look_up(&real_madvise, "madvise");
    look_up(&real_epoll_pwait2, "epoll_pwait2");
    for (size_t i = 0; name != NULL && i < sizeof releases / sizeof releases[0]; i++)
        if (strcmp(releases[i].name, name) == 0)
            played = &releases[i];
    if (played == NULL) {
        fprintf(stderr, "kernel mask: CELADON_TEST_KERNEL=%s is none of its kernels\n",
                name != NULL ? name : "");
        _exit(99);
    }
}

static long refuse(int code)
{
    errno = code;
    return -1;
}

/* ---- rings ---- */

static long set_up(unsigned entries, struct io_uring_params *params)
{
    long fd;

    if (params->flags & ~played->setup_flags)
        return refuse(EINVAL);
    fd = real_syscall(SYS_io_uring_setup, entries, params);
    if (fd < 0)
        return fd;
    params->features &= played->features;
    rings[atomic_fetch_add(&ring_next, 1) % RINGS_MAX] =
        (struct ring){.fd = (int)fd, .registered = -1, .params = *params};
    return fd;
}

/* The latest of that descriptor; an index is its thread's own. */
static struct ring *find(int fd, bool is_registered)
{
    unsigned next = atomic_load(&ring_next);

    for (unsigned i = 1; i <= RINGS_MAX; i++) {
        struct ring *r = &rings[(next - i) % RINGS_MAX];

        if (r->params.sq_entries == 0)
            continue;
        if (!is_registered && r->fd == fd)
            return r;
        if (is_registered && r->registered == fd && pthread_equal(r->owner, pthread_self()))
            return r;
    }
    return NULL;
}

static bool is_later(const struct io_uring_sqe *sqe)
{
    if (sqe->opcode >= played->requests)
        return true;
    if (sqe->opcode == IORING_OP_POLL_ADD)
        return sqe->len != 0 && !played->has_poll_multishot;
    if (sqe->opcode == IORING_OP_RECV || sqe->opcode == IORING_OP_RECVMSG)
        return (sqe->ioprio & ~played->receive_flags) != 0;
    return false;
}

/* Those between the kernel's head and the submitter's tail. */
static void strip(struct ring *r)
{
    const struct io_sqring_offsets *at = &r->params.sq_off;
    bool has_array = (r->params.flags & (1U << 16)) == 0;
    unsigned head, tail, mask = r->params.sq_entries - 1;

    if (r->queue == NULL || r->sqes == NULL)
        return;
    head = __atomic_load_n((unsigned *)(r->queue + at->head), __ATOMIC_ACQUIRE);
    tail = __atomic_load_n((unsigned *)(r->queue + at->tail), __ATOMIC_ACQUIRE);
    for (; head != tail; head++) {
        unsigned i = has_array ? ((unsigned *)(r->queue + at->array))[head & mask] : head & mask;

        if (is_later(&r->sqes[i & mask]))
            r->sqes[i & mask].opcode = 255;
    }
}

static long enter(int fd, unsigned submit, unsigned wait, unsigned flags, void *arg, size_t size)
{
    struct ring *r;

    if (flags & ~played->enter_flags)
        return refuse(EINVAL);
    r = find(fd, (flags & IORING_ENTER_REGISTERED_RING) != 0);
    if (r != NULL && submit > 0)
        strip(r);
    if (r == NULL) {
        fprintf(stderr, "kernel mask: a ring that it has not seen\n");
        _exit(99);
    }
    return real_syscall(SYS_io_uring_enter, fd, submit, wait, flags, arg, size);
}

static bool names_later(const struct io_uring_restriction *all, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (all[i].opcode == IORING_RESTRICTION_SQE_OP && all[i].sqe_op >= played->requests)
            return true;
        if (all[i].opcode == IORING_RESTRICTION_REGISTER_OP &&
            all[i].register_op >= played->registrations)
            return true;
    }
    return false;
}

static void trim(struct io_uring_probe *probe, unsigned count)
{
    for (unsigned i = played->requests; i < count; i++)
        probe->ops[i] = (struct io_uring_probe_op){0};
    if (probe->last_op >= played->requests)
        probe->last_op = (uint8_t)(played->requests - 1);
    if (probe->ops_len > played->requests)
        probe->ops_len = (uint8_t)played->requests;
}

static void note_index(int fd, const struct io_uring_rsrc_update *update)
{
    struct ring *r = find(fd, false);

    if (r != NULL) {
        r->registered = (int)update->offset;
        r->owner = pthread_self();
    }
}

static long do_register(int fd, unsigned opcode, void *arg, unsigned count)
{
    long r;

    if (opcode >= played->registrations)
        return refuse(EINVAL);
    if (opcode == IORING_REGISTER_RESTRICTIONS && names_later(arg, count))
        return refuse(EINVAL);
    r = real_syscall(SYS_io_uring_register, fd, opcode, arg, count);
    if (r >= 0 && opcode == IORING_REGISTER_PROBE)
        trim(arg, count);
    if (r == 1 && opcode == 20) /* IORING_REGISTER_RING_FDS */
        note_index(fd, arg);
    return r;
}

/* ---- what the program calls ---- */

#define SHOWN __attribute__((visibility("default")))

SHOWN long syscall(long number, ...)
{
    long a[6];
    va_list va;

    va_start(va, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(va, long);
    va_end(va);
    switch (number) {
    case SYS_io_uring_setup:
        return set_up((unsigned)a[0], (struct io_uring_params *)a[1]);
    case SYS_io_uring_enter:
        return enter((int)a[0], (unsigned)a[1], (unsigned)a[2], (unsigned)a[3], (void *)a[4],
                     (size_t)a[5]);
    case SYS_io_uring_register:
        return do_register((int)a[0], (unsigned)a[1], (void *)a[2], (unsigned)a[3]);
    case 452: /* fchmodat2 */
        if (!played->has_fchmodat2)
            return refuse(ENOSYS);
        break;
    }
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

SHOWN void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    void *map;
    struct ring *r;

    if (real_mmap == NULL) /* before our turn to begin */
        look_up(&real_mmap, "mmap");
    map = real_mmap(addr, len, prot, flags, fd, offset);
    if (map == MAP_FAILED || fd < 0 || !(flags & MAP_SHARED))
        return map;
    r = find(fd, false);
    if (r != NULL && offset == IORING_OFF_SQ_RING)
        r->queue = map;
    else if (r != NULL && offset == (off_t)IORING_OFF_SQES)
        r->sqes = map;
    return map;
}

SHOWN int madvise(void *addr, size_t len, int advice)
{
    if (real_madvise == NULL)
        look_up(&real_madvise, "madvise");
    if (played != NULL && ((advice == 102 || advice == 103) && !played->has_guards))
        return (int)refuse(EINVAL);
    if (played != NULL && ((advice == 22 || advice == 23) && !played->has_populate))
        return (int)refuse(EINVAL);
    return real_madvise(addr, len, advice);
}

SHOWN int epoll_pwait2(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                       const sigset_t *mask)
{
    if (!played->has_epoll_pwait2)
        return (int)refuse(ENOSYS);
    return real_epoll_pwait2(ep, events, max, timeout, mask);
}
