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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define RINGS_MAX 16384 /* in the life of a program; then the oldest are forgotten */

struct release {
    const char *name;
    uint32_t setup_flags, features, enter_flags;
    unsigned requests, registrations; /* how many kinds it numbers */
    uint8_t request_flags;            /* IOSQE_…: that of a quiet success came with 5.17 */
    uint16_t message_flags;           /* ioprio of send and receive; looked at since 5.19 */
    uint16_t accept_flags;            /* ioprio: multishot 5.19, two more 6.10 */
    uint32_t poll_flags;              /* len: multishot 5.13, level 5.19 */
    uint32_t cancel_flags;            /* by descriptor, any, all 5.19; two more 6.6 */
    uint16_t buffer_ring_flags;       /* mapped by the kernel 6.4, in parts 6.12 */
    bool has_epoll_pwait2;            /* 5.11 */
    bool has_populate;                /* MADV_POPULATE_READ and _WRITE, 5.14 */
    bool has_quiet_pipes;             /* RWF_NOWAIT for pipes, 6.4 */
    bool has_fchmodat2, has_guards;   /* 6.6; MADV_GUARD_INSTALL, 6.13 */
};

/* Flags and features were only ever added at the top, so a kernel's set is all bits below one. */
#define BELOW(bit) ((UINT32_C(1) << (bit)) - 1)

static const struct release releases[] = {
    {.name = "5.10",
     .setup_flags = BELOW(7), /* IOPOLL to R_DISABLED */
     .features = BELOW(7),    /* SINGLE_MMAP to POLL_32BITS */
     .enter_flags = BELOW(3), /* GETEVENTS to SQ_WAIT */
     .requests = 34,          /* to TEE */
     .registrations = 13,     /* to ENABLE_RINGS */
     .request_flags = BELOW(6)},
    {.name = "5.15",
     .setup_flags = BELOW(7),
     .features = BELOW(11),   /* to RSRC_TAGS */
     .enter_flags = BELOW(4), /* EXT_ARG */
     .requests = 40,          /* to LINKAT */
     .registrations = 20,     /* to IOWQ_MAX_WORKERS */
     .request_flags = BELOW(6),
     .poll_flags = 1,
     .has_epoll_pwait2 = true,
     .has_populate = true},
    {.name = "6.1",
     .setup_flags = BELOW(14), /* to DEFER_TASKRUN */
     .features = BELOW(13),    /* to LINKED_FILE */
     .enter_flags = BELOW(5),  /* REGISTERED_RING */
     .requests = 49,           /* to SENDMSG_ZC */
     .registrations = 26,      /* to FILE_ALLOC_RANGE */
     .request_flags = BELOW(7),
     .message_flags = BELOW(3), /* POLL_FIRST, MULTISHOT, FIXED_BUF */
     .accept_flags = 1,
     .poll_flags = 1 | 8,
     .cancel_flags = BELOW(4),
     .has_epoll_pwait2 = true,
     .has_populate = true},
    {.name = "6.6",
     .setup_flags = BELOW(17), /* to NO_SQARRAY */
     .features = BELOW(14),    /* to REG_REG_RING */
     .enter_flags = BELOW(5),
     .requests = 49,
     .registrations = 26,
     .request_flags = BELOW(7),
     .message_flags = BELOW(4), /* SEND_ZC_REPORT_USAGE */
     .accept_flags = 1,
     .poll_flags = 1 | 8,
     .cancel_flags = BELOW(6),
     .buffer_ring_flags = 1,
     .has_epoll_pwait2 = true,
     .has_populate = true,
     .has_quiet_pipes = true,
     .has_fchmodat2 = true},
    {.name = "6.12",
     .setup_flags = BELOW(17),
     .features = BELOW(16),   /* to MIN_TIMEOUT */
     .enter_flags = BELOW(6), /* ABS_TIMER */
     .requests = 58,          /* to LISTEN */
     .registrations = 31,     /* to CLONE_BUFFERS */
     .request_flags = BELOW(7),
     .message_flags = BELOW(5), /* BUNDLE */
     .accept_flags = BELOW(3),
     .poll_flags = 1 | 8,
     .cancel_flags = BELOW(6),
     .buffer_ring_flags = BELOW(2),
     .has_epoll_pwait2 = true,
     .has_populate = true,
     .has_quiet_pipes = true,
     .has_fchmodat2 = true},
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
static ssize_t (*real_preadv2)(int fd, const struct iovec *iov, int n, off_t offset, int flags);
static ssize_t (*real_pwritev2)(int fd, const struct iovec *iov, int n, off_t offset, int flags);
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
    look_up(&real_preadv2, "preadv2");
    look_up(&real_pwritev2, "pwritev2");
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
    if (sqe->opcode >= played->requests || (sqe->flags & ~played->request_flags) != 0)
        return true;
    switch (sqe->opcode) {
    case IORING_OP_POLL_ADD:
        return (sqe->len & ~played->poll_flags) != 0;
    case IORING_OP_ASYNC_CANCEL:
        return (sqe->cancel_flags & ~played->cancel_flags) != 0;
    case IORING_OP_ACCEPT:
        return (sqe->ioprio & ~played->accept_flags) != 0;
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
        return (sqe->ioprio & ~played->message_flags) != 0;
    default:
        return false;
    }
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

/* Of a buffer ring's registration: older headers call them padding. */
static uint16_t flags_of(const void *registration)
{
    uint16_t flags;

    memcpy(&flags, (const char *)registration + 14, sizeof flags);
    return flags;
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
    if (opcode == 22 && (flags_of(arg) & ~played->buffer_ring_flags) != 0) /* …_PBUF_RING */
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

static bool is_loud_pipe(int fd, int flags)
{
    struct stat st;

    return (flags & RWF_NOWAIT) && !played->has_quiet_pipes && fstat(fd, &st) == 0 &&
           S_ISFIFO(st.st_mode);
}

SHOWN ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    if (is_loud_pipe(fd, flags))
        return refuse(EOPNOTSUPP);
    return real_preadv2(fd, iov, n, offset, flags);
}

SHOWN ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    if (is_loud_pipe(fd, flags))
        return refuse(EOPNOTSUPP);
    return real_pwritev2(fd, iov, n, offset, flags);
}
