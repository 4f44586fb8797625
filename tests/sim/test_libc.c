/* SPDX-License-Identifier: MIT */
/* Programs that ask libc for the time, for randomness and for sleep, past Celadon: with
 * libceladon-sim before libc a seed decides all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <celadon/sim.h>
#include <celadon/task.h>
#include "support/check.h"
#include "support/holds.h"

struct seen {
    struct timespec real, monotonic, got;
    struct timeval day;
    time_t seconds;
    long drawn[4];
    unsigned char bytes[8], entropy[8];
};

static void *ask_all(void *arg)
{
    struct seen *s = arg;

    (void)cel_sleep((int64_t)cel_sim_draw(1000000));
    clock_gettime(CLOCK_REALTIME, &s->real);
    clock_gettime(CLOCK_MONOTONIC, &s->monotonic);
    timespec_get(&s->got, TIME_UTC);
    gettimeofday(&s->day, NULL);
    s->seconds = time(NULL);
    srand(77);
    srandom(77);
    s->drawn[0] = rand();
    s->drawn[1] = random();
    s->drawn[2] = lrand48();
    s->drawn[3] = (long)(drand48() * 1000000);
    HOLDS(getrandom(s->bytes, sizeof s->bytes, 0) == sizeof s->bytes);
    HOLDS(getentropy(s->entropy, sizeof s->entropy) == 0);
    HOLDS(s->real.tv_sec == s->seconds && s->day.tv_sec == s->seconds);
    HOLDS(s->got.tv_sec == s->seconds && clock() < 10000);
    HOLDS(s->monotonic.tv_sec * CEL_SECOND + s->monotonic.tv_nsec == cel_now());
    return NULL;
}

static void libc_answers_by_the_seed_in_a_run_and_by_itself_elsewhere(void **state)
{
    struct seen a, b, c;

    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    memset(&c, 0, sizeof c);
    assert_int_equal(cel_sim_run(5, NULL, ask_all, &a, NULL), 0);
    assert_int_equal(cel_sim_run(5, NULL, ask_all, &b, NULL), 0);
    assert_int_equal(cel_sim_run(6, NULL, ask_all, &c, NULL), 0);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(memcmp(&a, &c, sizeof a) != 0);
    assert_false(cel_sim_is_running());
    assert_true(time(NULL) > a.seconds + 86400); /* today is later than the machine's day */
}

static void *sleep_by_libc(void *arg)
{
    struct timespec year = {.tv_sec = 365 * 86400}, at;
    int64_t began = cel_sim_now();

    HOLDS(nanosleep(&year, NULL) == 0);
    HOLDS(sleep(1000) == 0 && usleep(1000) == 0);
    HOLDS(cel_sim_now() - began >= (365 * 86400 + 1000) * CEL_SECOND);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += 5;
    HOLDS(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == 0);
    HOLDS(time(NULL) >= at.tv_sec);
    CEL_SCOPE (gone) {
        cel_scope_cancel(&gone);
        HOLDS(sleep(7) == 7 || cel_sim_now() < 0);
    }
    return NULL;
}

static void sleeps_of_libc_take_no_time(void **state)
{
    struct cel_sim_options calm;

    cel_sim_options_calm(&calm);
    assert_int_equal(cel_sim_run(1, &calm, sleep_by_libc, NULL, NULL), 0);
}

static void *nothing(void *arg)
{
    return arg;
}

static void *create_a_thread(void *arg)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, nothing, NULL) == 0 ? NULL : arg;
}

static void thread_in_a_run_aborts(void **state)
{
#if defined(__SANITIZE_THREAD__)
    skip(); /* its view of fibers does not survive the fork */
#endif
    int status;
    pid_t child = fork();

    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        (void)!cel_sim_run(1, NULL, create_a_thread, NULL, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_null(create_a_thread(NULL)); /* elsewhere it is created */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libc_answers_by_the_seed_in_a_run_and_by_itself_elsewhere),
        cmocka_unit_test(sleeps_of_libc_take_no_time),
        cmocka_unit_test(thread_in_a_run_aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
