/* SPDX-License-Identifier: MIT */
/* The sleep family, as one function upon clock_nanosleep's terms. */
#include <errno.h>
#include <sched.h>

#include <celadon/base.h>
#include <celadon/task.h>

#include "real.h"
#include "pause.h"

/* A wall clock may be set: nobody sleeps for longer without looking at it. */
#define SLICE CEL_SECOND

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < CEL_SECOND;
}

/* (parks) For at least so long; *left gets what is left when it ends early. */
static int sleep_for(int64_t seconds, int64_t ns, int64_t *left)
{
    int64_t deadline = cel__green_deadline(seconds, ns), now;
    int saved = errno, r;

    if (seconds == 0 && ns == 0)
        r = cel__green_is_home() ? cel_yield() : 0; /* parks */
    else
        r = cel__green_sleep_until(deadline); /* parks */
    errno = saved;
    now = cel_now();
    *left = deadline > now ? deadline - now : 0;
    return r;
}

/* (parks) Until the clock says so. */
static int sleep_until(clockid_t clock, const struct timespec *time)
{
    struct timespec now;
    int64_t left, unused;
    int r = 0;

    while (r == 0) {
        if (clock_gettime(clock, &now) < 0)
            return -errno;
        if (time->tv_sec > now.tv_sec + 3600)
            left = SLICE;
        else
            left = (time->tv_sec - now.tv_sec) * CEL_SECOND + time->tv_nsec - now.tv_nsec;
        if (left <= 0)
            return 0;
        r = sleep_for(0, left < SLICE ? left : SLICE, &unused); /* parks */
    }
    return r;
}

static bool is_of_time(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_TAI;
}

static struct timespec as_time(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / CEL_SECOND, .tv_nsec = ns % CEL_SECOND};
}

/* (parks) -errno, as all in here. */
static int rest(clockid_t clock, int flags, const struct timespec *time, struct timespec *remain)
{
    int64_t left;
    int r;

    if (flags & TIMER_ABSTIME)
        return sleep_until(clock, time);               /* parks */
    r = sleep_for(time->tv_sec, time->tv_nsec, &left); /* parks */
    if (r < 0 && remain != NULL)
        *remain = as_time(left);
    return r;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                    struct timespec *remain)
{
    if (!GREEN_MAY_PARK() || !is_of_time(clock) || !is_time(time))
        return cel__green_real()->clock_nanosleep(clock, flags, time, remain);
    return -rest(clock, flags, time, remain); /* parks */
}

/* libc's own, by clock_nanosleep, which differs in how it tells errors. */
static int real_nanosleep(const struct timespec *time, struct timespec *remain)
{
    return cel__green_result(-cel__green_real()->clock_nanosleep(CLOCK_REALTIME, 0, time, remain));
}

int nanosleep(const struct timespec *time, struct timespec *remain)
{
    if (!GREEN_MAY_PARK() || !is_time(time))
        return real_nanosleep(time, remain);
    return cel__green_result(rest(CLOCK_MONOTONIC, 0, time, remain)); /* parks */
}

int usleep(useconds_t us)
{
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    if (!GREEN_MAY_PARK())
        return real_nanosleep(&time, NULL);
    return cel__green_result(rest(CLOCK_MONOTONIC, 0, &time, NULL)); /* parks */
}

unsigned sleep(unsigned seconds)
{
    struct timespec time = {.tv_sec = seconds}, left = {0};
    int r;

    if (!GREEN_MAY_PARK())
        r = real_nanosleep(&time, &left);
    else
        r = cel__green_result(rest(CLOCK_MONOTONIC, 0, &time, &left)); /* parks */
    return r == 0 ? 0 : (unsigned)(left.tv_sec + (left.tv_nsec > 0));
}

/* A task that waits for another one by looking again lets it run. */
int sched_yield(void)
{
    int saved = errno;

    if (!GREEN_MAY_PARK() || !cel__green_is_home())
        return cel__green_real()->sched_yield();
    (void)cel_yield(); /* parks */
    errno = saved;
    return 0;
}

int __sched_yield(void) __THROW __attribute__((alias("sched_yield")));
int __nanosleep(const struct timespec *time, struct timespec *remain)
    __attribute__((alias("nanosleep")));
