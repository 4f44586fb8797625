/* SPDX-License-Identifier: MIT */
/* Mutexes, conditions, joins and semaphores, for tasks of one thread: what would have been the end
 * of the thread is a wait. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"

static pthread_mutex_t mutex;
static int inside, entries;

static void begin_mutex(int type)
{
    pthread_mutexattr_t how;

    pthread_mutexattr_init(&how);
    pthread_mutexattr_settype(&how, type);
    assert_int_equal(pthread_mutex_init(&mutex, &how), 0);
    pthread_mutexattr_destroy(&how);
    inside = entries = 0;
}

static void pass(bool is_twice)
{
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    if (is_twice)
        assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(inside++, 0);
    assert_int_equal(usleep(100), 0); /* parks, and holds it */
    assert_int_equal(--inside, 0);
    entries++;
    if (is_twice)
        assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
}

static void *pass_ten_times(void *arg)
{
    for (int i = 0; i < 10; i++)
        pass(arg != NULL);
    return NULL;
}

static void crowd(int type, bool is_twice)
{
    begin_mutex(type);
    CEL_SCOPE (s)
        for (int i = 0; i < 20; i++)
            assert_int_equal(cel_go(pass_ten_times, is_twice ? &mutex : NULL), 0);
    assert_int_equal(entries, 200);
    pthread_mutex_destroy(&mutex);
}

IN_TASK(mutex_held_by_a_parked_task_is_waited_for)
{
    crowd(PTHREAD_MUTEX_NORMAL, false);
    crowd(PTHREAD_MUTEX_ERRORCHECK, false);
    crowd(PTHREAD_MUTEX_ADAPTIVE_NP, false);
}

IN_TASK(recursive_mutex_keeps_other_tasks_out)
{
    crowd(PTHREAD_MUTEX_RECURSIVE, true);
}

static void *hold_a_while(void *arg)
{
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(usleep(5000), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

static struct timespec soon(clockid_t clock, int64_t ns)
{
    struct timespec at;

    clock_gettime(clock, &at);
    at.tv_sec += (at.tv_nsec + ns) / CEL_SECOND;
    at.tv_nsec = (at.tv_nsec + ns) % CEL_SECOND;
    return at;
}

static void try_all(int type)
{
    struct timespec few, minute = soon(CLOCK_REALTIME, 60 * CEL_SECOND);

    begin_mutex(type);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(hold_a_while, NULL), 0);
        assert_int_equal(cel_sleep(CEL_MICROSECOND), 0);
        assert_int_equal(pthread_mutex_trylock(&mutex), EBUSY);
        few = soon(CLOCK_REALTIME, 100000);
        assert_int_equal(pthread_mutex_timedlock(&mutex, &few), ETIMEDOUT);
        few = soon(CLOCK_MONOTONIC, 100000);
        assert_int_equal(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &few), ETIMEDOUT);
        assert_int_equal(pthread_mutex_timedlock(&mutex, &minute), 0);
        assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    }
    pthread_mutex_destroy(&mutex);
}

IN_TASK(tries_and_limits_see_another_tasks_mutex)
{
    try_all(PTHREAD_MUTEX_NORMAL);
    try_all(PTHREAD_MUTEX_RECURSIVE);
    try_all(PTHREAD_MUTEX_ERRORCHECK);
}

IN_TASK(own_mutexes_are_as_libc_has_them)
{
    begin_mutex(PTHREAD_MUTEX_ERRORCHECK);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_lock(&mutex), EDEADLK);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), EPERM);
    pthread_mutex_destroy(&mutex);
    begin_mutex(PTHREAD_MUTEX_RECURSIVE);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_trylock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    pthread_mutex_destroy(&mutex);
}

static void *lock_cancelled(void *arg)
{
    assert_int_equal(pthread_mutex_lock(&mutex), 0); /* has no error for it */
    assert_int_equal(cel_checkpoint(), -ECANCELED);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

IN_TASK(cancel_does_not_let_into_a_mutex)
{
    struct cel_task *task;

    begin_mutex(PTHREAD_MUTEX_NORMAL);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    task = cel_spawn(lock_cancelled, NULL);
    assert_int_equal(cel_sleep(CEL_MICROSECOND), 0);
    cel_task_cancel(task);
    assert_int_equal(cel_sleep(CEL_MICROSECOND), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(cel_join(task, NULL), 0);
    pthread_mutex_destroy(&mutex);
}

/* ---- conditions: a pool of one connection, as many libraries have it ---- */

static pthread_cond_t given_back = PTHREAD_COND_INITIALIZER;
static bool is_lent;
static int used;

static void *use_connection(void *arg)
{
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    while (is_lent)
        assert_int_equal(pthread_cond_wait(&given_back, &mutex), 0);
    is_lent = true;
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(usleep(100), 0);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    is_lent = false;
    used++;
    assert_int_equal(pthread_cond_signal(&given_back), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

IN_TASK(condition_is_waited_for_by_the_task)
{
    begin_mutex(PTHREAD_MUTEX_NORMAL);
    is_lent = false;
    used = 0;
    CEL_SCOPE (s)
        for (int i = 0; i < 50; i++)
            assert_int_equal(cel_go(use_connection, NULL), 0);
    assert_int_equal(used, 50);
    pthread_mutex_destroy(&mutex);
}

static int waiting;

static void *await_lent(void *arg)
{
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    waiting++;
    while (!is_lent)
        assert_int_equal(pthread_cond_wait(&given_back, &mutex), 0);
    waiting--;
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

static void *lend(void *arg)
{
    pthread_mutex_lock(&mutex);
    is_lent = true;
    pthread_cond_broadcast(&given_back);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

IN_TASK(broadcasts_of_tasks_and_threads_are_heard)
{
    pthread_t thread;

    begin_mutex(PTHREAD_MUTEX_NORMAL);
    for (int i = 0; i < 2; i++) {
        is_lent = false;
        waiting = 0;
        CEL_SCOPE (s) {
            for (int k = 0; k < 10; k++)
                assert_int_equal(cel_go(await_lent, NULL), 0);
            while (waiting < 10)
                assert_int_equal(cel_sleep(CEL_MICROSECOND), 0);
            if (i == 0) {
                (void)lend(NULL);
            } else {
                assert_int_equal(pthread_create(&thread, NULL, lend, NULL), 0);
                assert_int_equal(pthread_join(thread, NULL), 0); /* parks */
            }
        }
        assert_int_equal(waiting, 0);
    }
    pthread_mutex_destroy(&mutex);
}

IN_TASK(condition_limits_pass_by_their_clock)
{
    struct timespec at = soon(CLOCK_REALTIME, 2 * CEL_MILLISECOND);
    pthread_cond_t monotonic;
    pthread_condattr_t how;

    begin_mutex(PTHREAD_MUTEX_NORMAL);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_cond_timedwait(&given_back, &mutex, &at), ETIMEDOUT);
    at = soon(CLOCK_MONOTONIC, 2 * CEL_MILLISECOND);
    assert_int_equal(pthread_cond_clockwait(&given_back, &mutex, CLOCK_MONOTONIC, &at), ETIMEDOUT);
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(&monotonic, &how);
    at = soon(CLOCK_MONOTONIC, 2 * CEL_MILLISECOND);
    assert_int_equal(pthread_cond_timedwait(&monotonic, &mutex, &at), ETIMEDOUT);
    assert_int_equal(pthread_mutex_trylock(&mutex), EBUSY); /* it is ours again */
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    pthread_cond_destroy(&monotonic);
    pthread_condattr_destroy(&how);
    pthread_mutex_destroy(&mutex);
}

/* ---- read-write locks ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int reading, writing, passes, most_readers;

static void *read_it(void *arg)
{
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pthread_rwlock_rdlock(&rwlock), 0);
        reading++;
        most_readers = reading > most_readers ? reading : most_readers;
        assert_int_equal(writing, 0);
        assert_int_equal(usleep(100), 0);
        reading--;
        passes++;
        assert_int_equal(pthread_rwlock_unlock(&rwlock), 0);
    }
    return NULL;
}

static void *write_it(void *arg)
{
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pthread_rwlock_wrlock(&rwlock), 0);
        assert_int_equal(writing++ + reading, 0);
        assert_int_equal(usleep(100), 0);
        writing--;
        passes++;
        assert_int_equal(pthread_rwlock_unlock(&rwlock), 0);
    }
    return NULL;
}

IN_TASK(read_write_locks_of_parked_tasks_are_waited_for)
{
    passes = most_readers = 0;
    CEL_SCOPE (s)
        for (int i = 0; i < 10; i++)
            assert_int_equal(cel_go(i % 2 == 0 ? read_it : write_it, NULL), 0);
    assert_int_equal(passes, 50);
    assert_true(most_readers > 1);
}

/* ---- threads and semaphores ---- */

static int ends[2];
static sem_t sem;

static void *answer(void *arg)
{
    char c = 0;

    assert_int_equal(read(ends[0], &c, 1), 1); /* blocks: it is not a task's */
    return (void *)(intptr_t)c;
}

static void say_x(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

IN_TASK(join_parks)
{
    pthread_t thread;
    void *result;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, answer, NULL), 0);
    LATER (say_x, ends[1])
        assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((intptr_t)result, 'x');
    assert_int_equal(pthread_join(pthread_self(), NULL), EDEADLK);
    close(ends[0]);
    close(ends[1]);
}

static void post(int unused)
{
    sem_post(&sem);
}

IN_TASK(semaphores_park)
{
    struct timespec at = soon(CLOCK_REALTIME, CEL_MILLISECOND);

    assert_int_equal(sem_init(&sem, 0, 0), 0);
    LATER (post, 0)
        assert_int_equal(sem_wait(&sem), 0);
    assert_int_equal(sem_timedwait(&sem, &at), -1);
    assert_int_equal(errno, ETIMEDOUT);
    at = soon(CLOCK_REALTIME, 60 * CEL_SECOND);
    LATER (post, 0)
        assert_int_equal(sem_timedwait(&sem, &at), 0);
    sem_destroy(&sem);
}

/* Outside of tasks and in other threads libc has them. */
static void other_threads_lock_as_ever(void **state)
{
    struct timespec at = soon(CLOCK_REALTIME, CEL_MILLISECOND);
    pthread_t thread;

    begin_mutex(PTHREAD_MUTEX_RECURSIVE);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_mutex_timedlock(&mutex, &at), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    at = soon(CLOCK_REALTIME, CEL_MILLISECOND);
    assert_int_equal(pthread_cond_timedwait(&given_back, &mutex, &at), ETIMEDOUT);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    is_lent = false;
    assert_int_equal(pthread_create(&thread, NULL, lend, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(is_lent);
    pthread_mutex_destroy(&mutex);
    sem_init(&sem, 0, 1);
    assert_int_equal(sem_wait(&sem), 0);
    sem_destroy(&sem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutex_held_by_a_parked_task_is_waited_for),
        cmocka_unit_test(recursive_mutex_keeps_other_tasks_out),
        cmocka_unit_test(tries_and_limits_see_another_tasks_mutex),
        cmocka_unit_test(own_mutexes_are_as_libc_has_them),
        cmocka_unit_test(cancel_does_not_let_into_a_mutex),
        cmocka_unit_test(condition_is_waited_for_by_the_task),
        cmocka_unit_test(broadcasts_of_tasks_and_threads_are_heard),
        cmocka_unit_test(condition_limits_pass_by_their_clock),
        cmocka_unit_test(read_write_locks_of_parked_tasks_are_waited_for),
        cmocka_unit_test(join_parks),
        cmocka_unit_test(semaphores_park),
        cmocka_unit_test(other_threads_lock_as_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
