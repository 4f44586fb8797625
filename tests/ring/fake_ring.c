/* SPDX-License-Identifier: MIT */
/* The rings and the calls: see the header. Their memory is a file in memory, mapped on both sides,
 * so that nothing need stand before mmap.
 *
 * Time passes only here: a little with each look at the clock, and by leaps in an enter that waits
 * and in a sleep. With deferred work what has happened is told by an enter, and a flag says that
 * there is something to be told; without, completions appear whenever the clock is looked at. */
#include "ring/fake_ring.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cc.h"
#include "base/sys.h"
#include "ring/fake_state.h"

#define MARK_ENTER      210 /* in the run's hash */
#define MARK_COMPLETION 211
#define SQ_HEAD         0
#define SQ_TAIL         64
#define SQ_FLAGS        128
#define CQ_HEAD         192
#define CQ_TAIL         256
#define CQES            512
#define LOOK_NS         60 /* that a look at the clock takes, at most */
#define CHILD           424242
#define ENTRIES_MAX     4096

static __thread struct fake_ring *ring; /* NULL: none is installed */
static __thread char broken[160];

static const char *const names[] = {
#define NAME(name) #name,
    FAKE_QUIRKS(NAME)
#undef NAME
};

const char *fake_quirk_name(enum fake_quirk quirk)
{
    return names[quirk];
}

void fake_break(const char *fmt, ...)
{
    char text[sizeof broken];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (broken[0] == '\0')
        memcpy(broken, text, sizeof broken);
}

uint64_t fake_draw(struct fake_ring *f, uint64_t bound)
{
    return cel__rand_below(&f->rand, bound);
}

bool fake_chance(struct fake_ring *f, enum fake_quirk quirk)
{
    if (fake_draw(f, 100) >= f->options.percent[quirk])
        return false;
    f->counts.quirks[quirk]++;
    return true;
}

int64_t fake_later(struct fake_ring *f)
{
    return f->machine->now + 1 + (int64_t)fake_draw(f, (uint64_t)f->options.delay * 2);
}

void fake_options_draw(struct fake_options *out, uint64_t seed)
{
    static const uint8_t often[] = {1, 5, 20, 50};
    struct cel__rand rand;

    cel__rand_seed(&rand, seed ^ UINT64_C(0x51ab1e));
    *out = (struct fake_options){
        .delay = CEL_MICROSECOND << cel__rand_below(&rand, 10),
        .lacks_multishot = cel__rand_below(&rand, 8) == 0,
        .lacks_buffer_rings = cel__rand_below(&rand, 16) == 0,
        .lacks_ring_fds = cel__rand_below(&rand, 4) == 0,
        .lacks_restrictions = cel__rand_below(&rand, 8) == 0,
    };
    for (int i = 0; i < FAKE_QUIRK_COUNT; i++)
        out->percent[i] = cel__rand_below(&rand, 2) ? often[cel__rand_below(&rand, 4)] : 0;
    if (cel__rand_below(&rand, 3) == 0)
        out->refused_setup |= 1U << 16; /* no NO_SQARRAY */
    if (cel__rand_below(&rand, 4) == 0)
        out->refused_setup |= IORING_SETUP_DEFER_TASKRUN;
    if (cel__rand_below(&rand, 8) == 0)
        out->refused_setup |= IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_DEFER_TASKRUN;
}

/* With RING_TRACE in the environment, what passes between the two sides. */
static void __attribute__((format(printf, 2, 3)))
trace(const struct fake_ring *f, const char *fmt, ...)
{
    va_list args;

    if (!f->is_traced)
        return;
    fprintf(stderr, "%lld ", (long long)f->machine->now);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
}

static int told(int64_t r)
{
    if (r >= 0)
        return (int)r;
    errno = (int)-r;
    return -1;
}

/* ---- what is shared ---- */

static unsigned *word(const struct fake_ring *f, size_t at)
{
    return (unsigned *)(f->map + at);
}

static unsigned load(const struct fake_ring *f, size_t at)
{
    return __atomic_load_n(word(f, at), __ATOMIC_ACQUIRE);
}

static void store(const struct fake_ring *f, size_t at, unsigned value)
{
    __atomic_store_n(word(f, at), value, __ATOMIC_RELEASE);
}

static bool is_deferred(const struct fake_ring *f)
{
    return f->params.flags & IORING_SETUP_TASKRUN_FLAG;
}

static unsigned queued(const struct fake_ring *f)
{
    return f->cq_tail - load(f, CQ_HEAD);
}

/* ---- telling ---- */

static void put(struct fake_ring *f, struct fake_completion *c)
{
    struct io_uring_cqe *cqes = (struct io_uring_cqe *)(f->map + CQES);

    fake_land(c);
    trace(f, "completion of %llx (%u): %d, flags %x\n",
          (unsigned long long)c->request->sqe.user_data, c->request->sqe.opcode, c->res, c->flags);
    cel__machine_note(f->machine, MARK_COMPLETION, c->request->sqe.user_data ^ (uint32_t)c->res);
    cqes[f->cq_tail++ & (f->params.cq_entries - 1)] = (struct io_uring_cqe){
        .user_data = c->request->sqe.user_data, .res = c->res, .flags = c->flags};
    store(f, CQ_TAIL, f->cq_tail);
    f->counts.completions++;
    fake_told(c);
}

/* When a slot is used anew, its earlier name must have become nobody's. */
static void note_name(struct fake_ring *f, const struct io_uring_sqe *sqe)
{
    uint64_t *last = &f->last[(sqe->user_data >> 32) % FAKE_SLOTS];

    if (sqe->opcode == IORING_OP_ASYNC_CANCEL)
        return;
    if (*last != 0)
        f->old[f->old_count++ % FAKE_OLD] = *last;
    *last = sqe->user_data;
}

static void put_stale(struct fake_ring *f)
{
    struct io_uring_cqe *cqes = (struct io_uring_cqe *)(f->map + CQES);

    if (f->old_count < FAKE_OLD || queued(f) >= f->params.cq_entries || !fake_chance(f, FAKE_stale))
        return;
    cqes[f->cq_tail++ & (f->params.cq_entries - 1)] =
        (struct io_uring_cqe){.user_data = f->old[fake_draw(f, FAKE_OLD)], .res = -ECANCELED};
    store(f, CQ_TAIL, f->cq_tail);
}

static bool is_tellable(const struct fake_ring *f, const struct fake_completion *c)
{
    uint32_t before = c->request->told;

    CEL__LIST_EACH (node, &f->overflow)
        before += cel__container_of(node, struct fake_completion, link)->request == c->request;
    return c->due <= f->machine->now && c->nth == before;
}

static unsigned tellable(const struct fake_ring *f)
{
    unsigned n = 0;

    CEL__LIST_EACH (node, &f->made)
        n += is_tellable(f, cel__container_of(node, struct fake_completion, link));
    return n;
}

static struct fake_completion *choose(struct fake_ring *f)
{
    unsigned n = tellable(f), nth;

    if (n == 0)
        return NULL;
    nth = fake_chance(f, FAKE_shuffle) ? (unsigned)fake_draw(f, n) : 0;
    CEL__LIST_EACH (node, &f->made) {
        struct fake_completion *c = cel__container_of(node, struct fake_completion, link);

        if (is_tellable(f, c) && nth-- == 0)
            return c;
    }
    return NULL;
}

static void flush_overflow(struct fake_ring *f)
{
    while (!cel__list_is_empty(&f->overflow) && queued(f) < f->params.cq_entries)
        put(f, cel__container_of(cel__list_pop(&f->overflow), struct fake_completion, link));
}

/* What there is, or as much of it as a kernel likes to bring at once. */
static void tell(struct fake_ring *f)
{
    unsigned most = fake_chance(f, FAKE_hoard) ? (unsigned)fake_draw(f, 4) : UINT32_MAX;
    struct fake_completion *c;

    flush_overflow(f);
    while (most-- > 0 && (c = choose(f)) != NULL) {
        cel__list_unlink(&c->link);
        if (queued(f) < f->params.cq_entries && cel__list_is_empty(&f->overflow)) {
            put(f, c);
        } else {
            cel__list_append(&f->overflow, &c->link);
            f->counts.overflows++;
        }
    }
    put_stale(f);
}

static int64_t next_instant(const struct fake_ring *f)
{
    int64_t next = cel__min(cel__machine_next(f->machine), fake_next_start(f));

    if (!cel__list_is_empty(&f->machine->news)) /* somebody may be ready by another's call */
        return f->machine->now;
    CEL__LIST_EACH (node, &f->made)
        next = cel__min(next, cel__container_of(node, struct fake_completion, link)->due);
    return next;
}

/* What a user reads without a call. */
static void show_flags(struct fake_ring *f)
{
    bool has_work = is_deferred(f) && next_instant(f) <= f->machine->now;

    store(f, SQ_FLAGS,
          (cel__list_is_empty(&f->overflow) ? 0 : IORING_SQ_CQ_OVERFLOW) |
              (has_work ? IORING_SQ_TASKRUN : 0));
}

static void catch_up(struct fake_ring *f)
{
    cel__machine_advance(f->machine, f->machine->now);
    fake_progress(f);
}

/* ---- entering ---- */

static unsigned take_requests(struct fake_ring *f, unsigned most)
{
    unsigned head = load(f, SQ_HEAD), n = cel__min(most, load(f, SQ_TAIL) - head);
    const unsigned *array = (unsigned *)(f->map + f->params.sq_off.array);

    if (n > 1 && fake_chance(f, FAKE_part))
        n = 1 + (unsigned)fake_draw(f, n - 1);
    for (unsigned i = 0; i < n; i++) {
        unsigned at = (head + i) & (f->params.sq_entries - 1);

        if (!(f->params.flags & 1U << 16))
            at = array[at];
        trace(f, "request %llx (%u): descriptor %d, %u bytes\n",
              (unsigned long long)f->sqes[at].user_data, f->sqes[at].opcode, f->sqes[at].fd,
              f->sqes[at].len);
        note_name(f, &f->sqes[at]);
        fake_submit(f, &f->sqes[at]);
        memset(&f->sqes[at], 0xee, sizeof f->sqes[at]); /* the entry is its user's again */
    }
    store(f, SQ_HEAD, head + n);
    return n;
}

static int64_t deadline_of(const struct fake_ring *f, unsigned flags, const void *arg)
{
    const struct io_uring_getevents_arg *ext = arg;
    const struct __kernel_timespec *ts;

    if (!(flags & IORING_ENTER_EXT_ARG) || ext->ts == 0)
        return INT64_MAX;
    ts = (const struct __kernel_timespec *)(uintptr_t)ext->ts;
    return f->machine->now + ts->tv_sec * CEL_SECOND + ts->tv_nsec;
}

/* Leaps from instant to instant. -ETIME, -EINTR; -EDEADLK: for ever. */
static int wait_for(struct fake_ring *f, unsigned min, int64_t deadline)
{
    for (;;) {
        int64_t next;

        catch_up(f);
        tell(f);
        if (queued(f) >= min)
            return 0;
        if (fake_chance(f, FAKE_signal))
            return fake_draw(f, 2) ? -EINTR : 0;
        if (deadline <= f->machine->now)
            return -ETIME;
        next = cel__min(next_instant(f), deadline);
        if (next == INT64_MAX) {
            fake_break("the ring is waited for, and nothing can come any more");
            return -EDEADLK;
        }
        cel__machine_advance(f->machine, cel__max(next, f->machine->now));
    }
}

static struct fake_ring *ring_of(int fd, unsigned flags)
{
    if (ring == NULL || ring->fd < 0)
        return NULL;
    if (flags & IORING_ENTER_REGISTERED_RING)
        return ring->has_fd && fd == 0 ? ring : NULL;
    return fd == ring->fd ? ring : NULL;
}

static int my_enter(int fd, unsigned to_submit, unsigned min, unsigned flags, void *arg,
                    size_t size)
{
    static const int refusals[] = {-EAGAIN, -EBUSY, -ENOMEM};
    struct fake_ring *f = ring_of(fd, flags);
    unsigned n;
    int r = 0;

    if (f == NULL)
        return told(-EBADF);
    if (!f->is_enabled)
        return told(-EBADFD);
    f->counts.enters++;
    cel__machine_note(f->machine, MARK_ENTER, (uint64_t)to_submit << 32 | min);
    if (fake_chance(f, FAKE_again))
        return told(refusals[fake_draw(f, 3)]);
    cel__machine_advance(f->machine, f->machine->now);
    n = take_requests(f, to_submit);
    if (flags & IORING_ENTER_GETEVENTS) {
        if (n == to_submit && min > 0)
            r = wait_for(f, min, deadline_of(f, flags, arg));
        else
            catch_up(f);
        tell(f);
    }
    show_flags(f);
    trace(f, "enter of %u, waiting for %u: took %u, %d; %u completions are there\n", to_submit, min,
          n, r, queued(f));
    return n > 0 ? (int)n : told(r);
}

/* ---- setting up ---- */

static unsigned power_of(unsigned n)
{
    unsigned p = 1;

    while (p < n)
        p *= 2;
    return cel__min(p, ENTRIES_MAX);
}

static void fill_params(struct fake_ring *f, unsigned entries, struct io_uring_params *p)
{
    p->sq_entries = power_of(entries);
    p->cq_entries = power_of(p->flags & IORING_SETUP_CQSIZE ? p->cq_entries : 2 * p->sq_entries);
    p->features = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL |
                  IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_SINGLE_MMAP | IORING_FEAT_RSRC_TAGS;
    p->sq_off = (struct io_sqring_offsets){
        .head = SQ_HEAD,
        .tail = SQ_TAIL,
        .flags = SQ_FLAGS,
        .array = (unsigned)(CQES + p->cq_entries * sizeof(struct io_uring_cqe)),
    };
    p->cq_off = (struct io_cqring_offsets){.head = CQ_HEAD, .tail = CQ_TAIL, .cqes = CQES};
    f->params = *p;
}

static void *map(int fd, size_t size, off_t at)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);

    CEL__ASSERT(p != MAP_FAILED);
    return p;
}

static int my_setup(unsigned entries, struct io_uring_params *params)
{
    struct fake_ring *f = ring;

    if (f->fd >= 0)
        return told(-EMFILE);
    if (params->flags & f->options.refused_setup)
        return told(-EINVAL);
    fill_params(f, entries, params);
    f->sqes_size = params->sq_entries * sizeof *f->sqes;
    f->map_size = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    f->fd = memfd_create("ring", MFD_CLOEXEC);
    CEL__ASSERT(f->fd >= 0 && ftruncate(f->fd, IORING_OFF_SQES + (off_t)f->sqes_size) == 0);
    f->map = map(f->fd, f->map_size, IORING_OFF_SQ_RING);
    f->sqes = map(f->fd, f->sqes_size, IORING_OFF_SQES);
    f->is_enabled = !(params->flags & IORING_SETUP_R_DISABLED);
    return f->fd;
}

static void take_down(struct fake_ring *f)
{
    fake_end_requests(f);
    fake_buffers_end(&f->buffers);
    munmap(f->map, f->map_size);
    munmap(f->sqes, f->sqes_size);
    f->fd = -1;
}

static int probe(const struct fake_ring *f, struct io_uring_probe *out, unsigned count)
{
    for (unsigned i = 0; i < count && i < 64; i++) {
        out->ops[i].op = (uint8_t)i;
        out->ops[i].flags = IO_URING_OP_SUPPORTED;
    }
    if (f->options.lacks_multishot)
        out->ops[IORING_OP_SEND_ZC].flags = 0;
    return 0;
}

static int restrict_to(struct fake_ring *f, const struct io_uring_restriction *list, unsigned count)
{
    if (f->is_enabled)
        return -EBADFD;
    if (f->options.lacks_restrictions)
        return -EINVAL;
    for (unsigned i = 0; i < count; i++)
        if (list[i].opcode == IORING_RESTRICTION_SQE_OP)
            f->allowed[list[i].sqe_op] = 1;
    f->is_restricted = true;
    return 0;
}

static int my_register(int fd, unsigned opcode, const void *arg, unsigned count)
{
    struct fake_ring *f = ring_of(fd, 0);

    if (f == NULL)
        return told(-EBADF);
    switch (opcode) {
    case IORING_REGISTER_PROBE:
        return told(probe(f, (void *)arg, count));
    case IORING_REGISTER_RESTRICTIONS:
        return told(restrict_to(f, arg, count));
    case IORING_REGISTER_ENABLE_RINGS:
        f->is_enabled = true;
        return 0;
    case IORING_REGISTER_RING_FDS:
        if (f->options.lacks_ring_fds)
            return told(-EINVAL);
        ((struct io_uring_rsrc_update *)arg)->offset = 0;
        f->has_fd = true;
        return 1;
    case IORING_UNREGISTER_RING_FDS:
        f->has_fd = false;
        return 1;
    case IORING_REGISTER_PBUF_RING:
        if (f->options.lacks_buffer_rings)
            return told(-EINVAL);
        fake_buffers_register(&f->buffers, arg);
        return 0;
    default:
        return told(-EINVAL);
    }
}

/* ---- the calls around ---- */

static int my_close(int fd)
{
    if (ring->fd >= 0 && fd == ring->fd)
        take_down(ring);
    else if (ring->fd >= 0)
        fake_note_close(ring, fd);
    return cel__sys_floor.close(fd);
}

static ssize_t my_write(int fd, const void *buf, size_t len)
{
    ssize_t n = cel__sys_floor.write(fd, buf, len);

    if (n > 0)
        fake_note_write(ring, fd);
    return n;
}

static int my_clock_gettime(clockid_t id, struct timespec *ts)
{
    ring->machine->now += 1 + (int64_t)fake_draw(ring, LOOK_NS);
    if (ring->fd >= 0 && !is_deferred(ring)) {
        catch_up(ring);
        tell(ring);
    }
    if (ring->fd >= 0)
        show_flags(ring);
    return cel__sys_floor.clock_gettime(id, ts);
}

static int my_clock_nanosleep(clockid_t id, int flags, const struct timespec *request,
                              struct timespec *remain)
{
    struct cel__machine *m = ring->machine;
    int64_t until = m->now + request->tv_sec * CEL_SECOND + request->tv_nsec;

    while (cel__machine_next(m) <= until)
        cel__machine_advance(m, cel__max(cel__machine_next(m), m->now));
    cel__machine_advance(m, until);
    return 0;
}

/* The trial in a child process, under a seccomp filter, succeeds. */
static int my_clone(void)
{
    return CHILD;
}

static pid_t my_waitpid(pid_t pid, int *status, int options)
{
    if (pid != CHILD)
        return cel__sys_floor.waitpid(pid, status, options);
    *status = 0;
    return pid;
}

void fake_ring_install(uint64_t seed, const struct fake_options *options)
{
    CEL__ASSERT(ring == NULL && cel__machine_here != NULL);
    ring = cel__machine_alloc(sizeof *ring);
    ring->fd = -1;
    ring->machine = cel__machine_here;
    ring->options = *options;
    ring->last = cel__machine_alloc(FAKE_SLOTS * sizeof *ring->last);
    ring->is_traced = getenv("RING_TRACE") != NULL;
    cel__rand_seed(&ring->rand, seed);
    cel__list_init(&ring->armed);
    cel__list_init(&ring->over);
    cel__list_init(&ring->made);
    cel__list_init(&ring->overflow);
    broken[0] = '\0';
    cel__sys.io_uring_setup = my_setup;
    cel__sys.io_uring_enter = my_enter;
    cel__sys.io_uring_register = my_register;
    cel__sys.close = my_close;
    cel__sys.write = my_write;
    cel__sys.clock_gettime = my_clock_gettime;
    cel__sys.clock_nanosleep = my_clock_nanosleep;
    cel__sys.clone = my_clone;
    cel__sys.waitpid = my_waitpid;
}

const char *fake_ring_remove(struct fake_counts *counts)
{
    cel__sys_reset();
    if (ring->fd >= 0)
        fake_break("the ring was not closed");
    if (counts != NULL)
        *counts = ring->counts;
    cel__machine_release(ring->last);
    cel__machine_release(ring);
    ring = NULL;
    return broken[0] != '\0' ? broken : NULL;
}
