/* SPDX-License-Identifier: MIT */
/* What a dump says of a task that is parked, for each way of parking there is; and the circles that
 * run through locks. */
#include <celadon/celadon.h>
#include <celadon/debug.h>

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/check.h"
#include "support/intask.h"

static char text[1 << 18];

/* What the tasks of the table wait for, so that nobody can give it to them. */
static struct world {
    struct cel_future *future;
    struct cel_task *keeper;
    struct cel_lock lock;
    struct cel_rlock rlock;
    struct cel_rwlock written, read;
    struct cel_cond cond;
    struct cel_lock cond_lock;
    struct cel_sem sem;
    struct cel_event event;
    struct cel_countdown countdown;
    struct cel_barrier barrier;
    struct cel_once once;
    struct cel_chan *full, *empty;
    struct cel_queue *full_queue, *empty_queue, *busy_queue;
    struct cel_pool *pool;
    struct cel_port *full_port, *empty_port;
    struct cel_stream *stream, *far;
    int fds[2];
    int foreign[2];
} w;

static void *forever(void *arg)
{
    (void)cel_sleep(1000 * CEL_SECOND);
    return arg;
}

static int is_at_it(void *arg)
{
    return cel_sleep(1000 * CEL_SECOND);
}

/* Holds whatever can be held. */
static void *keep(void *arg)
{
    assert_int_equal(cel_lock_acquire(&w.lock), 0);
    assert_int_equal(cel_rlock_acquire(&w.rlock), 0);
    assert_int_equal(cel_rwlock_write(&w.written), 0);
    assert_int_equal(cel_rwlock_read(&w.read), 0);
    assert_true(cel_once_run(&w.once, is_at_it, NULL) < 0);
    cel_rwlock_read_release(&w.read);
    cel_rwlock_write_release(&w.written);
    cel_rlock_release(&w.rlock);
    cel_lock_release(&w.lock);
    return arg;
}

static int to_sleep(void)
{
    return cel_sleep(500 * CEL_SECOND);
}

static int to_await(void)
{
    return cel_await(w.future, NULL);
}

static int to_join(void)
{
    return cel_await(w.keeper, NULL);
}

static int to_gather(void)
{
    struct cel_future *both[] = {w.future, cel_ensure(w.keeper)};

    return cel_gather(both, 2, NULL);
}

static int to_race(void)
{
    struct cel_future *both[] = {w.future, w.future};

    return cel_race(both, 2, NULL);
}

static int to_select(void)
{
    int value;

    return cel_select((struct cel_case[]){CEL_RECV(w.empty, &value), CEL_AFTER(900 * CEL_SECOND)},
                      2);
}

static int to_lock(void)
{
    return cel_lock_acquire(&w.lock);
}

static int to_lock_again(void)
{
    return cel_rlock_acquire(&w.rlock);
}

static int to_read_written(void)
{
    return cel_rwlock_read(&w.written);
}

static int to_write_read(void)
{
    return cel_rwlock_write(&w.read);
}

static int to_wait_cond(void)
{
    int r = cel_lock_acquire(&w.cond_lock);

    assert_int_equal(r, 0);
    r = cel_cond_wait(&w.cond, &w.cond_lock);
    cel_lock_release(&w.cond_lock);
    return r;
}

static int to_acquire(void)
{
    return cel_sem_acquire(&w.sem);
}

static int to_wait_event(void)
{
    return cel_event_wait(&w.event);
}

static int to_count_down(void)
{
    return cel_countdown_wait(&w.countdown);
}

static int to_meet(void)
{
    return cel_barrier_wait(&w.barrier);
}

static int to_do_once(void)
{
    return cel_once_run(&w.once, is_at_it, NULL);
}

static int to_send(void)
{
    int value = 1;

    return cel_chan_send(w.full, &value);
}

static int to_receive(void)
{
    int value;

    return cel_chan_recv(w.empty, &value);
}

static int to_put(void)
{
    return cel_queue_put(w.full_queue, NULL);
}

static int to_get(void)
{
    void *item;

    return cel_queue_get(w.empty_queue, &item);
}

static int to_finish(void)
{
    return cel_queue_join(w.busy_queue);
}

static int to_spawn(void)
{
    return cel_pool_spawn(w.pool, forever, NULL, NULL);
}

static int to_find_room(void)
{
    return cel_pool_wait_available(w.pool);
}

static int to_empty_pool(void)
{
    return cel_pool_join(w.pool);
}

static int to_post(void)
{
    int message = 1;

    return cel_port_send(w.full_port, &message);
}

static int to_hear(void)
{
    int message;

    return cel_port_receive(w.empty_port, &message);
}

static int to_leave(void)
{
    CEL_SCOPE (scope)
        assert_non_null(cel_spawn_with(forever, NULL, .name = "left behind"));
    return -1;
}

static int to_read(void)
{
    char c;

    return (int)cel_read(w.stream, &c, 1) - 1;
}

static int to_wait_fd(void)
{
    return cel_wait_fd(w.foreign[0], POLLIN);
}

static int to_wait_fds(void)
{
    struct pollfd fds[] = {{w.foreign[0], POLLIN, 0}, {w.foreign[1], POLLIN, 0}};

    return cel_wait_fds(fds, 2);
}

#define IN_LINE ", number 1 of 1 in line at 0x*; for *"

static const struct wait {
    const char *name;
    int (*park)(void);
    const char *says; /* a pattern */
} waits[] = {
    {"sleep", to_sleep, "sleeping, * s left; *"},
    {"await", to_await, "awaiting a future at 0x*; *"},
    {"join", to_join, "awaiting \"keeper\" (spawned at *test_waits.c:*); *"},
    {"gather", to_gather, "for several: 2 of 2 are pending, such as \"keeper\" (*); *"},
    {"race", to_race, "in line for the next that is done; *"},
    {"select", to_select, "selecting the first of 2 cases, in line at 0x*; *"},
    {"lock", to_lock, "waiting for a lock held by \"keeper\" (*); *"},
    {"rlock", to_lock_again, "waiting for a lock held by \"keeper\" (*); *"},
    {"reader", to_read_written,
     "waiting for a read-write lock, to read, held by \"keeper\" (*)" IN_LINE},
    {"writer", to_write_read,
     "waiting for a read-write lock, to write, held by readers: 1" IN_LINE},
    {"cond", to_wait_cond, "waiting for a condition" IN_LINE},
    {"sem", to_acquire, "waiting for a semaphore" IN_LINE},
    {"event", to_wait_event, "waiting for an event" IN_LINE},
    {"countdown", to_count_down, "waiting for a countdown" IN_LINE},
    {"barrier", to_meet, "waiting at a barrier" IN_LINE},
    {"once", to_do_once, "waiting for what is done once, by \"keeper\" (*); *"},
    {"sender", to_send, "sending to a channel" IN_LINE},
    {"receiver", to_receive, "receiving from a channel, number 2 of 2 in line at 0x*; *"},
    {"putter", to_put, "putting into a queue" IN_LINE},
    {"getter", to_get, "getting from a queue" IN_LINE},
    {"finisher", to_finish, "joining a queue" IN_LINE},
    {"spawner", to_spawn, "waiting for a slot of a pool" IN_LINE},
    {"watcher", to_find_room, "waiting for a pool to have a free slot" IN_LINE},
    {"emptier", to_empty_pool, "waiting for a pool to be empty" IN_LINE},
    {"poster", to_post, "for room in the port at 0x*; *"},
    {"hearer", to_hear, "in line for a message; *"},
    {"leaver", to_leave, "for 1 tasks of a scope to end, such as \"left behind\" (*); *"},
    {"read", to_read, "in the kernel: read on descriptor *; *"},
    {"wait_fd", to_wait_fd, "in the kernel: readiness on descriptor *; *"},
    {"wait_fds", to_wait_fds, "for the first of the descriptors * *; *"},
};

static void *park_as_told(void *arg)
{
    const struct wait *wait = arg;

    assert_true(wait->park() < 0);
    return arg;
}

static void make_world(void)
{
    struct cel_queue_options one = {.max = 1};
    int message = 1;

    w = (struct world){.lock = CEL_LOCK_INIT, .future = cel_future_new()};
    cel_sem_init(&w.sem, 0, 0);
    cel_barrier_init(&w.barrier, 2);
    cel_countdown_add(&w.countdown, 1);
    assert_non_null(w.future);
    assert_int_equal(cel_chan_new(&w.full, sizeof(int), 0), 0);
    assert_int_equal(cel_chan_new(&w.empty, sizeof(int), 0), 0);
    assert_int_equal(cel_queue_new(&w.full_queue, &one), 0);
    assert_int_equal(cel_queue_new(&w.busy_queue, NULL), 0);
    assert_int_equal(cel_queue_new(&w.empty_queue, NULL), 0);
    assert_int_equal(cel_queue_try_put(w.full_queue, NULL), 0);
    assert_int_equal(cel_queue_try_put(w.busy_queue, NULL), 0);
    assert_int_equal(cel_pool_new(&w.pool, 1), 0);
    assert_int_equal(cel_port_new(&w.full_port, sizeof(int), 2), 0);
    assert_int_equal(cel_port_new(&w.empty_port, sizeof(int), 2), 0);
    while (cel_port_try_send(w.full_port, &message) == 0)
        continue;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w.fds), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w.foreign), 0);
    assert_int_equal(cel_stream_open(&w.stream, w.fds[0], true), 0);
    assert_int_equal(cel_stream_open(&w.far, w.fds[1], true), 0);
}

static void end_world(void)
{
    cel_close(w.stream);
    cel_close(w.far);
    close(w.foreign[0]);
    close(w.foreign[1]);
    cel_port_free(w.full_port);
    cel_port_free(w.empty_port);
    cel_pool_free(w.pool);
    cel_queue_free(w.full_queue);
    cel_queue_free(w.empty_queue);
    cel_queue_free(w.busy_queue);
    cel_chan_free(w.full);
    cel_chan_free(w.empty);
    cel_future_free(w.future);
}

static void dump_here(void)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(cel_dump(fd), 0);
    n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

/* Some line of the text is like the pattern. */
static void has_line(const char *pattern)
{
    static char copy[sizeof text];
    char *at = copy, *line;

    memcpy(copy, text, sizeof copy);
    while ((line = strsep(&at, "\n")) != NULL)
        if (fnmatch(pattern, line, 0) == 0)
            return;
    fail_msg("no line is like: %s\n%s", pattern, text);
}

IN_TASK(dump_says_what_each_way_of_parking_waits_for)
{
    char pattern[512];

    make_world();
    CEL_SCOPE (scope) {
        assert_int_equal(cel_pool_spawn(w.pool, forever, NULL, NULL), 0);
        w.keeper = cel_spawn_with(keep, NULL, .name = "keeper");
        assert_non_null(w.keeper);
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
            assert_non_null(cel_spawn_with(park_as_told, (void *)&waits[i], .name = waits[i].name));
        for (int i = 0; i < 3; i++)
            assert_int_equal(cel_yield(), 0);
        dump_here();
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
            snprintf(pattern, sizeof pattern, "task 0x* \"%s\" (spawned at *): parked %s",
                     waits[i].name, waits[i].says);
            has_line(pattern);
        }
        cel_scope_cancel(&scope);
    }
    end_world();
}

/* ---- circles ---- */

static char logged[1 << 16];

static void keep_log(enum cel_log_level level, const char *line, void *arg)
{
    size_t at = strlen(logged);

    snprintf(logged + at, sizeof logged - at, "%s\n", line);
}

static void check_circle(cel_task_fn *fn, const char *first, const char *second)
{
    const char *circle;

    logged[0] = '\0';
    cel_set_log(keep_log, NULL);
    assert_int_equal(cel_run(fn, NULL, NULL), -EDEADLK);
    cel_set_log(NULL, NULL);
    circle = strstr(logged, "these wait for each other:");
    assert_non_null(circle);
    if (strstr(circle, first) == NULL || strstr(circle, second) == NULL)
        fail_msg("neither %s nor %s may be missing in %s", first, second, circle);
    assert_null(strstr(circle, "\"main\""));
}

static struct cel_lock forks_[2];
static struct cel_rwlock book;

static void *take_both(void *arg)
{
    struct cel_lock *mine = arg, *other = &forks_[mine == forks_];

    if (cel_lock_acquire(mine) < 0)
        return NULL;
    if (cel_yield() == 0 && cel_lock_acquire(other) == 0)
        cel_lock_release(other);
    cel_lock_release(mine);
    return arg;
}

static void *dine(void *arg)
{
    CEL_SCOPE (table) {
        assert_non_null(cel_spawn_with(take_both, &forks_[0], .name = "Plato"));
        assert_non_null(cel_spawn_with(take_both, &forks_[1], .name = "Kant"));
    }
    return arg;
}

static void deadlock_report_marks_a_circle_of_locks(void **state)
{
    check_circle(dine, "is waiting for a lock held by \"Plato\"",
                 "is waiting for a lock held by \"Kant\"");
}

static void *write_book(void *arg)
{
    if (cel_rwlock_write(&book) < 0)
        return NULL;
    if (cel_yield() == 0 && cel_lock_acquire(&forks_[0]) == 0)
        cel_lock_release(&forks_[0]);
    cel_rwlock_write_release(&book);
    return arg;
}

static void *read_book(void *arg)
{
    if (cel_lock_acquire(&forks_[0]) < 0)
        return NULL;
    if (cel_yield() == 0 && cel_rwlock_read(&book) == 0)
        cel_rwlock_read_release(&book);
    cel_lock_release(&forks_[0]);
    return arg;
}

static void *study(void *arg)
{
    CEL_SCOPE (room) {
        assert_non_null(cel_spawn_with(write_book, NULL, .name = "author"));
        assert_non_null(cel_spawn_with(read_book, NULL, .name = "critic"));
    }
    return arg;
}

static void deadlock_report_marks_a_circle_through_a_read_write_lock(void **state)
{
    check_circle(study, "is waiting for a read-write lock, to read, held by \"author\"",
                 "is waiting for a lock held by \"critic\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump_says_what_each_way_of_parking_waits_for),
        cmocka_unit_test(deadlock_report_marks_a_circle_of_locks),
        cmocka_unit_test(deadlock_report_marks_a_circle_through_a_read_write_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
