/* SPDX-License-Identifier: MIT */
/* Opening goes: set up disabled (if it can be), restrict, enable, map, register the descriptor.
 * The restriction keeps our ring from becoming a way round a seccomp filter of the program:
 * requests that we never make, such as opening files, are refused by the kernel for its life. */
#include "loop/ring.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cc.h"
#include "base/clock.h"
#include "base/sys.h"
#include "celadon/base.h"
#include "fiber/annotate.h"

/* Newer than the header at hand. */
#define SETUP_NO_SQARRAY (1U << 16)
#define FEAT_NO_IOWAIT   (1U << 17)
#define ENTER_NO_IOWAIT  (1U << 7)

#define TRIES_MAX 7 /* 127 ms in all */

/* Completions that are never dropped, a timed wait, polling for readiness, records that need not
 * outlive their submission, one map, multishot polls (RSRC_TAGS came with them: 5.13). */
#define FEATURES_NEEDED                                                 \
    (IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL | \
     IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_SINGLE_MMAP | IORING_FEAT_RSRC_TAGS)

static const uint8_t requests[] = {
    IORING_OP_READ,    IORING_OP_WRITE,   IORING_OP_FSYNC,        IORING_OP_POLL_ADD,
    IORING_OP_SENDMSG, IORING_OP_RECVMSG, IORING_OP_SEND,         IORING_OP_RECV,
    IORING_OP_ACCEPT,  IORING_OP_CONNECT, IORING_OP_ASYNC_CANCEL, IORING_OP_READV,
    IORING_OP_WRITEV,
};

/* What is still to be registered once the ring runs, in the pairs and order in which it came. */
static const uint8_t registrations[] = {
    IORING_REGISTER_RING_FDS,
    IORING_UNREGISTER_RING_FDS,
    IORING_REGISTER_PBUF_RING,
    IORING_UNREGISTER_PBUF_RING,
};

static int raw_setup(unsigned entries, struct io_uring_params *params)
{
    int fd = cel__sys.io_uring_setup(entries, params);

    return fd >= 0 ? fd : -errno;
}

static int raw_register(const struct cel__ring *ring, unsigned opcode, void *arg, unsigned count)
{
    int r = cel__sys.io_uring_register(ring->fd, opcode, arg, count);

    return r >= 0 ? r : -errno;
}

/* From the newest kernel's set down to what 5.13 knows. */
static const unsigned ladder[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | SETUP_NO_SQARRAY,
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_SUBMIT_ALL,
    0,
};

bool cel__ring_tries_again(int result, unsigned *tries)
{
    struct timespec pause = {.tv_nsec = (long)CEL_MILLISECOND << *tries};

    if (result != -ENOMEM || *tries >= TRIES_MAX)
        return false;
    ++*tries;
    cel__sys.clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    return true;
}

static int setup(struct cel__ring *ring, struct io_uring_params *params, unsigned sq_entries,
                 unsigned cq_entries)
{
    int r = -EINVAL;
    unsigned tries = 0;

    for (size_t i = 0; i < cel__countof(ladder) && r == -EINVAL; i++) {
        *params = (struct io_uring_params){
            .flags = ladder[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED,
            .cq_entries = cq_entries,
        };
        do
            r = raw_setup(sq_entries, params);
        while (cel__ring_tries_again(r, &tries));
        ring->setup_flags = ladder[i];
    }
    return r;
}

static int map_queues(struct cel__ring *ring, const struct io_uring_params *params)
{
    size_t sq_size = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    size_t cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    char *map;

    ring->map_size = cel__max(sq_size, cq_size);
    map = cel__sys.mmap(NULL, ring->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                        ring->fd, IORING_OFF_SQ_RING);
    if (map == MAP_FAILED)
        return -errno;
    ring->map = map;
    ring->sqes_size = params->sq_entries * sizeof *ring->sqes;
    ring->sqes = cel__sys.mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
    if (ring->sqes == MAP_FAILED) {
        ring->sqes = NULL;
        return -errno;
    }
    if (cel__sys.madvise(map, ring->map_size, MADV_DONTFORK) < 0 ||
        cel__sys.madvise(ring->sqes, ring->sqes_size, MADV_DONTFORK) < 0)
        return -errno;
    ring->sq_khead = (unsigned *)(map + params->sq_off.head);
    ring->sq_ktail = (unsigned *)(map + params->sq_off.tail);
    ring->sq_kflags = (unsigned *)(map + params->sq_off.flags);
    ring->sq_entries = params->sq_entries;
    ring->sq_mask = params->sq_entries - 1;
    ring->sq_tail = *ring->sq_ktail;
    ring->cq_khead = (unsigned *)(map + params->cq_off.head);
    ring->cq_ktail = (unsigned *)(map + params->cq_off.tail);
    ring->cq_mask = params->cq_entries - 1;
    ring->cqes = (struct io_uring_cqe *)(map + params->cq_off.cqes);
    if (!(ring->setup_flags & SETUP_NO_SQARRAY))
        for (unsigned i = 0; i < params->sq_entries; i++)
            ((unsigned *)(map + params->sq_off.array))[i] = i;
    return 0;
}

/* -ENOSYS unless every request we live by is there. Multishot receive has no sign of its own;
 * zero-copy send came with the same kernel. */
static int probe(struct cel__ring *ring)
{
    union {
        struct io_uring_probe head;
        char room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
    } probe;
    int r;

    memset(&probe, 0, sizeof probe);
    r = raw_register(ring, IORING_REGISTER_PROBE, &probe, 256);
    if (r < 0)
        return r == -EINVAL ? -ENOSYS : r;
    for (size_t i = 0; i < cel__countof(requests); i++)
        if (!(probe.head.ops[requests[i]].flags & IO_URING_OP_SUPPORTED))
            return -ENOSYS;
    ring->has_multishot = probe.head.ops[IORING_OP_SEND_ZC].flags & IO_URING_OP_SUPPORTED;
    return 0;
}

/* Holds the ring to what we use, the first `known` registrations among it. */
static int restrict_to(const struct cel__ring *ring, size_t known)
{
    struct io_uring_restriction allowed[cel__countof(requests) + cel__countof(registrations) + 1];
    unsigned n = 0;

    memset(allowed, 0, sizeof allowed);
    for (size_t i = 0; i < cel__countof(requests); i++) {
        allowed[n].opcode = IORING_RESTRICTION_SQE_OP;
        allowed[n++].sqe_op = requests[i];
    }
    for (size_t i = 0; i < known; i++) {
        allowed[n].opcode = IORING_RESTRICTION_REGISTER_OP;
        allowed[n++].register_op = registrations[i];
    }
    allowed[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    allowed[n++].sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_ASYNC;
    return raw_register(ring, IORING_REGISTER_RESTRICTIONS, allowed, n);
}

/* The kernel takes no list with a registration in it that it does not know: buffer rings came in
 * 5.19, ring descriptors in 5.18. One that cannot be restricted serves us all the same. */
static int restrict_and_enable(struct cel__ring *ring)
{
    size_t known = cel__countof(registrations);
    int r = restrict_to(ring, known);

    while (r == -EINVAL && known > 0) {
        known -= 2;
        r = restrict_to(ring, known);
    }
    ring->is_restricted = r >= 0;
    return raw_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/* Spares the kernel a lookup at each enter; fine without. */
static void register_fd(struct cel__ring *ring)
{
    struct io_uring_rsrc_update update = {.offset = UINT32_MAX, .data = (uint64_t)ring->fd};

    ring->enter_fd = ring->fd;
    if (raw_register(ring, IORING_REGISTER_RING_FDS, &update, 1) == 1) {
        ring->enter_fd = (int)update.offset;
        ring->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
}

static bool is_under_seccomp(void)
{
    static const char key[] = "\nSeccomp:\t";
    char text[4096]; /* the kernel tells it within the first half of that */
    const char *mode;
    ssize_t n = -1;
    int fd = cel__sys.openat(AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);

    if (fd >= 0) {
        n = cel__sys.read(fd, text, sizeof text);
        cel__sys.close(fd);
    }
    mode = n > 0 ? memmem(text, (size_t)n, key, sizeof key - 1) : NULL;
    return mode == NULL || mode[sizeof key - 1] != '0'; /* who cannot tell had better try */
}

/* A filter may kill instead of refusing: a child of the bare clone, which runs no fork handlers
 * and raises no SIGCHLD, tries first. */
static int try_in_child(void)
{
    struct io_uring_params params = {0};
    int status;
    int pid = cel__sys.clone();

    if (pid < 0)
        return -errno;
    if (pid == 0)
        _exit(raw_setup(1, &params) < 0);
    while (cel__sys.waitpid(pid, &status, __WCLONE) < 0)
        if (errno != EINTR)
            return -EPERM;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

int cel__ring_open(struct cel__ring *ring, unsigned sq_entries, unsigned cq_entries)
{
    struct io_uring_params params;
    int r;

    *ring = (struct cel__ring){.fd = -1};
    r = is_under_seccomp() ? try_in_child() : 0;
    if (r < 0)
        return r;
    r = setup(ring, &params, sq_entries, cq_entries);
    if (r < 0)
        return r;
    ring->fd = r;
    r = (params.features & FEATURES_NEEDED) == FEATURES_NEEDED ? 0 : -ENOSYS;
    if (r == 0)
        r = probe(ring);
    if (r == 0)
        r = restrict_and_enable(ring);
    if (r >= 0)
        r = map_queues(ring, &params);
    if (r < 0) {
        cel__ring_close(ring);
        return r;
    }
    register_fd(ring);
    ring->is_watched = cel__annotate_is_watched();
    /* lint: seam: it cannot fail */
    ring->slack = cel__max(prctl(PR_GET_TIMERSLACK), 0);
    if (params.features & FEAT_NO_IOWAIT) /* a loop that sleeps is idle, not waiting for a disk */
        ring->enter_flags |= ENTER_NO_IOWAIT;
    return 0;
}

void cel__ring_close(struct cel__ring *ring)
{
    struct io_uring_rsrc_update update = {.offset = (unsigned)ring->enter_fd};

    if (ring->fd < 0)
        return;
    if (ring->enter_flags & IORING_ENTER_REGISTERED_RING)
        raw_register(ring, IORING_UNREGISTER_RING_FDS, &update, 1);
    if (ring->sqes != NULL)
        cel__sys.munmap(ring->sqes, ring->sqes_size);
    if (ring->map != NULL)
        cel__sys.munmap(ring->map, ring->map_size);
    cel__sys.close(ring->fd);
    ring->fd = -1;
}

struct io_uring_sqe *cel__ring_sqe(struct cel__ring *ring)
{
    struct io_uring_sqe *sqe;

    if (cel__ring_unsubmitted(ring) >= ring->sq_entries)
        return NULL;
    sqe = &ring->sqes[ring->sq_tail++ & ring->sq_mask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static int enter(struct cel__ring *ring, unsigned min_complete, unsigned flags, void *arg,
                 size_t arg_size)
{
    int n;

    __atomic_store_n(ring->sq_ktail, ring->sq_tail, __ATOMIC_RELEASE);
    n = cel__sys.io_uring_enter(ring->enter_fd, cel__ring_unsubmitted(ring), min_complete,
                                flags | ring->enter_flags, arg, arg_size);
    if (n >= 0 || errno == EINTR || errno == ETIME)
        return 0;
    return -errno;
}

/* This wait of the kernel's has none of the slack that epoll's has: with timers a microsecond apart
 * it would set its own timer for each, which costs many times what firing one does. */
/* Valgrind lets one thread run at a time, and takes this call for one that does not wait: the
 * threads whose work is waited for would stand still. It knows better of poll(2), which is not
 * woken by deferred work: that is run every millisecond. */
static int enter_watched(struct cel__ring *ring)
{
    struct pollfd completions = {.fd = ring->fd, .events = POLLIN};
    int r = enter(ring, 0, IORING_ENTER_GETEVENTS, NULL, 0);

    if (r < 0 || cel__ring_has_completion(ring))
        return r;
    if (cel__sys.poll(&completions, 1, 1) < 0 && errno != EINTR)
        return -errno;
    return enter(ring, 0, IORING_ENTER_GETEVENTS, NULL, 0);
}

int cel__ring_enter(struct cel__ring *ring, int64_t timeout)
{
    int64_t until = cel__clock_add(timeout, ring->slack);
    struct __kernel_timespec ts = {until / CEL_SECOND, until % CEL_SECOND};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&ts};

    if (timeout == 0)
        return enter(ring, 0, IORING_ENTER_GETEVENTS, NULL, 0);
    if (cel__unlikely(ring->is_watched))
        return enter_watched(ring);
    if (timeout == INT64_MAX)
        return enter(ring, 1, IORING_ENTER_GETEVENTS, NULL, 0);
    return enter(ring, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg);
}

int cel__ring_flush(struct cel__ring *ring)
{
    return enter(ring, 0, 0, NULL, 0);
}
