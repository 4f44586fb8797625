/* SPDX-License-Identifier: MIT */
/* Libc's clocks, randomness, sleeps and threads, for programs that are simulated and call them past
 * Celadon: while a run of cel_sim_run goes on in the calling thread they are the machine's, so that
 * its seed decides them too. Elsewhere libc's own answer.
 *
 * 1. What Celadon itself asks of libc comes here as well, and never inside of a run: there its
 *    machine has answered before.
 * 2. A sleep parks the task that sleeps. Outside of tasks nobody could go on meanwhile: libc's own.
 * 3. A thread would run beside the machine, at no moment of its seed: creating one aborts, and says
 *    so. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <celadon/base.h>
#include <celadon/sim.h>
#include <celadon/task.h>

/* Whoever comes next, libc mostly. Looked up when first needed: with two threads at it, both find
 * the same. */
#define NEXT(name)                                                            \
    __extension__({                                                           \
        static __typeof__(&name) next_;                                       \
        __typeof__(&name) found_ = __atomic_load_n(&next_, __ATOMIC_RELAXED); \
        if (found_ == NULL) {                                                 \
            *(void **)&found_ = dlsym(RTLD_NEXT, #name);                      \
            __atomic_store_n(&next_, found_, __ATOMIC_RELAXED);               \
        }                                                                     \
        found_;                                                               \
    })

static struct timespec as_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / CEL_SECOND, .tv_nsec = ns % CEL_SECOND};
}

/* ---- clocks ---- */

static bool is_wall(clockid_t id)
{
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI ||
           id == CLOCK_REALTIME_ALARM;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    if (!cel_sim_is_running())
        return NEXT(clock_gettime)(id, ts);
    *ts = as_timespec(is_wall(id) ? cel_sim_wall() : cel_now());
    return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    int64_t now;

    if (!cel_sim_is_running())
        return NEXT(gettimeofday)(tv, zone);
    now = cel_sim_wall();
    *tv =
        (struct timeval){.tv_sec = now / CEL_SECOND, .tv_usec = now % CEL_SECOND / CEL_MICROSECOND};
    return 0;
}

time_t time(time_t *out)
{
    time_t now;

    if (!cel_sim_is_running())
        return NEXT(time)(out);
    now = cel_sim_wall() / CEL_SECOND;
    if (out != NULL)
        *out = now;
    return now;
}

int timespec_get(struct timespec *ts, int base)
{
    if (!cel_sim_is_running() || base != TIME_UTC)
        return NEXT(timespec_get)(ts, base);
    *ts = as_timespec(cel_sim_wall());
    return base;
}

clock_t clock(void)
{
    if (!cel_sim_is_running())
        return NEXT(clock)();
    return (clock_t)(cel_sim_now() / (CEL_SECOND / CLOCKS_PER_SEC));
}

/* ---- randomness ---- */

int rand(void)
{
    return cel_sim_is_running() ? (int)cel_sim_draw((uint64_t)RAND_MAX + 1) : NEXT(rand)();
}

long random(void)
{
    return cel_sim_is_running() ? (long)cel_sim_draw(UINT64_C(1) << 31) : NEXT(random)();
}

long lrand48(void)
{
    return cel_sim_is_running() ? (long)cel_sim_draw(UINT64_C(1) << 31) : NEXT(lrand48)();
}

double drand48(void)
{
    return cel_sim_is_running() ? (double)cel_sim_draw(UINT64_C(1) << 48) / 0x1p48
                                : NEXT(drand48)();
}

/* A run has a seed already. */

void srand(unsigned seed)
{
    if (!cel_sim_is_running())
        NEXT(srand)(seed);
}

void srandom(unsigned seed)
{
    if (!cel_sim_is_running())
        NEXT(srandom)(seed);
}

void srand48(long seed)
{
    if (!cel_sim_is_running())
        NEXT(srand48)(seed);
}

static void draw_bytes(void *buf, size_t len)
{
    unsigned char *at = buf;

    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)cel_sim_draw(256);
}

ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
    if (!cel_sim_is_running())
        return NEXT(getrandom)(buf, len, flags);
    draw_bytes(buf, len);
    return (ssize_t)len;
}

int getentropy(void *buf, size_t len)
{
    if (!cel_sim_is_running())
        return NEXT(getentropy)(buf, len);
    draw_bytes(buf, len);
    return 0;
}

/* These are younger than some libcs. */

uint32_t arc4random(void);
void arc4random_buf(void *buf, size_t len);
uint32_t arc4random_uniform(uint32_t bound);

void arc4random_buf(void *buf, size_t len)
{
    if (cel_sim_is_running())
        draw_bytes(buf, len);
    else if (NEXT(arc4random_buf) != NULL)
        NEXT(arc4random_buf)(buf, len);
    else
        abort();
}

uint32_t arc4random(void)
{
    uint32_t drawn;

    arc4random_buf(&drawn, sizeof drawn);
    return drawn;
}

uint32_t arc4random_uniform(uint32_t bound)
{
    if (bound < 2)
        return 0;
    return cel_sim_is_running() ? (uint32_t)cel_sim_draw(bound) : NEXT(arc4random_uniform)(bound);
}

/* ---- sleeps ---- */

static bool parks(void)
{
    return cel_sim_is_running() && cel_task_current() != NULL;
}

/* (parks) -> 0, or an error code: cancelled is told as interrupted. */
static int sleep_until(int64_t deadline)
{
    int saved = errno, r = cel_sleep_until(deadline); /* parks */

    errno = saved;
    return r == 0 ? 0 : EINTR;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *request,
                    struct timespec *remain)
{
    int64_t wanted = (int64_t)request->tv_sec * CEL_SECOND + request->tv_nsec, deadline, left;
    int r;

    if (!parks())
        return NEXT(clock_nanosleep)(id, flags, request, remain);
    deadline = cel_now() + wanted;
    if (flags & TIMER_ABSTIME)
        deadline = is_wall(id) ? cel_now() + wanted - cel_sim_wall() : wanted;
    r = sleep_until(deadline); /* parks */
    left = deadline - cel_now();
    if (r != 0 && remain != NULL && !(flags & TIMER_ABSTIME))
        *remain = as_timespec(left > 0 ? left : 0);
    return r;
}

int nanosleep(const struct timespec *request, struct timespec *remain)
{
    int r;

    if (!parks())
        return NEXT(nanosleep)(request, remain);
    r = clock_nanosleep(CLOCK_MONOTONIC, 0, request, remain); /* parks */
    if (r == 0)
        return 0;
    errno = r;
    return -1;
}

unsigned sleep(unsigned seconds)
{
    struct timespec wanted = {.tv_sec = seconds}, left = {0};

    if (!parks())
        return NEXT(sleep)(seconds);
    return nanosleep(&wanted, &left) == 0 ? 0 : (unsigned)left.tv_sec; /* parks */
}

int usleep(useconds_t us)
{
    struct timespec wanted = as_timespec((int64_t)us * CEL_MICROSECOND);

    return parks() ? nanosleep(&wanted, NULL) : NEXT(usleep)(us); /* parks */
}

/* ---- threads ---- */

int pthread_create(pthread_t *restrict out, const pthread_attr_t *restrict attr,
                   void *(*fn)(void *), void *restrict arg)
{
    if (!cel_sim_is_running())
        return NEXT(pthread_create)(out, attr, fn, arg);
    fprintf(stderr, "celadon-sim: a simulated program has created a thread, which would run beside "
                    "the machine: take cel_spawn for what waits, cel_offload for what computes\n");
    abort();
}
