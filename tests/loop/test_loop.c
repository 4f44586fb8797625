/* SPDX-License-Identifier: MIT */
/* Messages between threads, the pool, signals, fork, and whose thread is whose. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "loop/pool.h"
#include "loop/world.h"

#define THREADS 3
#define POSTS   20000

struct sender {
    struct cel_loop *loop;
    pthread_t id;
    int *turn; /* what the loop saw last of each thread */
    int index;
};

struct letter {
    struct sender *from;
    int serial;
};

static int arrived, out_of_order;

static void on_letter(void *arg)
{
    struct letter *letter = arg;

    if (letter->from->turn[letter->from->index] + 1 != letter->serial)
        out_of_order++;
    letter->from->turn[letter->from->index] = letter->serial;
    arrived++;
    free(letter);
}

static void *send_letters(void *arg)
{
    struct sender *s = arg;

    for (int i = 1; i <= POSTS; i++) {
        struct letter *letter = malloc(sizeof *letter);

        *letter = (struct letter){s, i};
        while (cel_loop_call(s->loop, on_letter, letter) < 0)
            continue;
        if (i % 64 == 0)
            usleep(1); /* lets the loop fall asleep now and then */
    }
    return NULL;
}

/* Each sleep of the loop is without a limit: a lost wake-up would hang it. */
static void posts_of_threads_all_arrive_in_order(void **state)
{
    WORLD(w);
    struct sender senders[THREADS];
    int turns[THREADS] = {0};

    arrived = out_of_order = 0;
    cel_loop_hold(w->loop);
    for (int i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){.loop = w->loop, .turn = turns, .index = i};
        assert_int_equal(pthread_create(&senders[i].id, NULL, send_letters, &senders[i]), 0);
    }
    while (arrived < THREADS * POSTS)
        assert_true(cel_loop_turn(w->loop, CEL_FOREVER) >= 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(senders[i].id, NULL);
    cel_loop_release(w->loop);
    assert_int_equal(arrived, THREADS * POSTS);
    assert_int_equal(out_of_order, 0);
}

struct ping {
    struct cel_loop *loop;
    int rounds;
    int sent, seen; /* atomic */
};

static void on_ping(void *arg)
{
    struct ping *p = arg;

    __atomic_add_fetch(&p->seen, 1, __ATOMIC_SEQ_CST);
}

/* Posts only when the last one was seen, so that nearly each meets a sleeping loop. */
static void *ping_all(void *arg)
{
    struct ping *p = arg;

    for (int i = 0; i < p->rounds; i++) {
        while (cel_loop_call(p->loop, on_ping, p) < 0)
            continue;
        while (__atomic_load_n(&p->seen, __ATOMIC_SEQ_CST) <= i)
            sched_yield();
    }
    return NULL;
}

static void post_to_a_sleeping_loop_wakes_it(void **state)
{
    WORLD(w);
    struct ping p = {.loop = w->loop, .rounds = 5000};
    pthread_t id;

    cel_loop_hold(w->loop);
    assert_int_equal(pthread_create(&id, NULL, ping_all, &p), 0);
    while (__atomic_load_n(&p.seen, __ATOMIC_SEQ_CST) < p.rounds)
        assert_true(cel_loop_turn(w->loop, CEL_FOREVER) >= 0);
    pthread_join(id, NULL);
    cel_loop_release(w->loop);
}

static void stop_from_a_message_ends_the_run(void *arg)
{
    cel_loop_stop(arg);
}

static void loop_that_is_held_runs_until_stopped(void **state)
{
    WORLD(w);

    cel_loop_hold(w->loop);
    assert_int_equal(cel_loop_call(w->loop, stop_from_a_message_ends_the_run, w->loop), 0);
    assert_int_equal(cel_loop_run(w->loop), 0);
    cel_loop_release(w->loop);
}

struct work {
    struct cel__job job;
    int ran, done;
    int is_started; /* atomic */
    pthread_t thread;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void do_work(struct cel__job *job)
{
    struct work *work = cel__container_of(job, struct work, job);

    work->thread = pthread_self();
    __atomic_store_n(&work->is_started, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    work->ran++;
}

static void work_done(struct cel__job *job)
{
    cel__container_of(job, struct work, job)->done++;
}

static void work_init(struct work *work)
{
    *work = (struct work){.job = {.work = do_work, .done = work_done}};
}

static void jobs_run_on_other_threads_and_report_back(void **state)
{
    WORLD(w);
    struct work work[20];

    for (int i = 0; i < 20; i++) {
        work_init(&work[i]);
        assert_int_equal(cel__pool_submit(w->loop, &work[i].job), 0);
    }
    assert_int_equal(cel_loop_run(w->loop), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(work[i].ran, 1);
        assert_int_equal(work[i].done, 1);
        assert_false(pthread_equal(work[i].thread, pthread_self()));
    }
}

static int reopen(struct world *w, unsigned threads, unsigned queue)
{
    struct cel_loop_options options = {
        .backend = w->backend, .threads_max = threads, .queue_max = queue};

    assert_int_equal(cel_loop_close(w->loop), 0);
    w->loop = NULL;
    return cel_loop_new(&w->loop, &options);
}

static void wait_until_running(struct work *work)
{
    while (!__atomic_load_n(&work->is_started, __ATOMIC_SEQ_CST))
        usleep(100);
}

static void full_queue_of_jobs_says_so(void **state)
{
    WORLD(w);
    struct work work[4];

    assert_int_equal(reopen(w, 1, 2), 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++)
        work_init(&work[i]);
    assert_int_equal(cel__pool_submit(w->loop, &work[0].job), 0);
    wait_until_running(&work[0]);
    assert_int_equal(cel__pool_submit(w->loop, &work[1].job), 0);
    assert_int_equal(cel__pool_submit(w->loop, &work[2].job), 0);
    assert_int_equal(cel__pool_submit(w->loop, &work[3].job), -EAGAIN);
    pthread_mutex_unlock(&gate);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(work[2].ran, 1);
    assert_int_equal(work[3].ran, 0);
}

static void cancelled_job_ends_once_and_does_not_run_when_queued(void **state)
{
    WORLD(w);
    struct work work[2];

    assert_int_equal(reopen(w, 1, 8), 0);
    pthread_mutex_lock(&gate);
    work_init(&work[0]);
    work_init(&work[1]);
    assert_int_equal(cel__pool_submit(w->loop, &work[0].job), 0);
    wait_until_running(&work[0]);
    assert_int_equal(cel__pool_submit(w->loop, &work[1].job), 0);
    assert_true(cel__pool_cancel(w->loop, &work[1].job));
    assert_false(cel__pool_cancel(w->loop, &work[1].job));
    assert_false(cel__pool_cancel(w->loop, &work[0].job));
    pthread_mutex_unlock(&gate);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(work[0].ran + work[0].done, 2);
    assert_false(work[0].job.was_cancelled);
    assert_int_equal(work[1].ran, 0);
    assert_int_equal(work[1].done, 1);
    assert_true(work[1].job.was_cancelled);
}

struct seen {
    int count, last;
};

static void on_signal(void *arg, int signo)
{
    struct seen *seen = arg;

    seen->count++;
    seen->last = signo;
}

static void turn_until(struct world *w, const int *value, int goal)
{
    for (int i = 0; i < 2000 && *value < goal; i++)
        assert_true(cel_loop_turn(w->loop, 5 * CEL_MILLISECOND) >= 0);
    assert_int_equal(*value, goal);
}

static void signals_come_as_callbacks(void **state)
{
    WORLD(w);
    struct seen one = {0}, two = {0}, other = {0};
    struct cel_signal *a, *b, *c;
    sigset_t mask;

    assert_int_equal(cel_signal_start(w->loop, &a, SIGUSR1, on_signal, &one), 0);
    assert_int_equal(cel_signal_start(w->loop, &b, SIGUSR1, on_signal, &two), 0);
    assert_int_equal(cel_signal_start(w->loop, &c, SIGUSR2, on_signal, &other), 0);
    for (int i = 1; i <= 10; i++) {
        raise(SIGUSR1);
        turn_until(w, &one.count, i);
    }
    assert_int_equal(two.count, 10);
    assert_int_equal(other.count, 0);
    raise(SIGUSR2);
    turn_until(w, &other.count, 1);
    assert_int_equal(other.last, SIGUSR2);
    cel_signal_stop(a);
    raise(SIGUSR1);
    turn_until(w, &two.count, 11);
    assert_int_equal(one.count, 10);
    cel_signal_stop(b);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGUSR1));
    assert_true(sigismember(&mask, SIGUSR2));
    cel_signal_stop(c);
    cel_signal_stop(NULL);
    assert_int_equal(cel_signal_start(w->loop, &a, SIGKILL, on_signal, NULL), -EINVAL);
    assert_int_equal(cel_signal_start(w->loop, &a, 0, on_signal, NULL), -EINVAL);
}

static struct cel_signal *pair[2];

static void stop_both(void *arg, int signo)
{
    ++*(int *)arg;
    cel_signal_stop(pair[0]);
    cel_signal_stop(pair[1]);
}

static void signal_callback_may_stop_the_watcher_behind_it(void **state)
{
    WORLD(w);
    int calls = 0;

    assert_int_equal(cel_signal_start(w->loop, &pair[0], SIGUSR1, stop_both, &calls), 0);
    assert_int_equal(cel_signal_start(w->loop, &pair[1], SIGUSR1, stop_both, &calls), 0);
    raise(SIGUSR1);
    while (calls == 0)
        assert_true(cel_loop_turn(w->loop, CEL_FOREVER) >= 0);
    assert_int_equal(calls, 1);
}

static void signal_watched_at_the_close_puts_the_mask_back(void **state)
{
    WORLD(w);
    struct seen seen = {0};
    struct cel_signal *a;
    sigset_t mask;

    assert_int_equal(cel_signal_start(w->loop, &a, SIGUSR1, on_signal, &seen), 0);
    settle(w);
    assert_int_equal(reopen(w, 0, 0), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGUSR1));
}

static int in_child(struct world *w)
{
    struct cel_loop_options options = {.backend = w->backend};
    struct cel_loop *mine;

    if (cel_loop_turn(w->loop, 0) != -CEL_EFORK || cel_loop_run(w->loop) != -CEL_EFORK)
        return 1;
    if (cel_loop_close(w->loop) != 0 || cel_loop_current() != NULL)
        return 2;
    if (cel_loop_new(&mine, &options) != 0 || cel_loop_turn(mine, 0) != -EDEADLK)
        return 3;
    return cel_loop_close(mine) == 0 ? 0 : 4;
}

static void child_of_a_fork_has_no_loop_and_may_make_one(void **state)
{
    WORLD(w);
    struct outcome o = {0}, after = {0};
    char buf[8];
    int fds[2], status = -1;
    struct cel_handle *h;
    pid_t pid;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
    settle(w);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(in_child(w));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(write(fds[1], "still", 5), 5);
    assert_int_equal(await(w, &o), 5);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &after, NULL), 0);
    assert_int_equal(write(fds[1], "here", 4), 4);
    assert_int_equal(await(w, &after), 4);
    cel_handle_close(h);
    close(fds[1]);
}

static void *turn_elsewhere(void *loop)
{
    return (void *)(intptr_t)cel_loop_turn(loop, 0);
}

static void turn_from_another_thread_is_refused(void **state)
{
    WORLD(w);
    pthread_t id;
    void *r = NULL;

    assert_int_equal(pthread_create(&id, NULL, turn_elsewhere, w->loop), 0);
    pthread_join(id, &r);
    assert_int_equal((intptr_t)r, -CEL_ETHREAD);
}

static void second_loop_of_a_thread_is_refused(void **state)
{
    WORLD(w);
    struct cel_loop *second;

    assert_int_equal(cel_loop_new(&second, NULL), -EBUSY);
    assert_ptr_equal(cel_loop_current(), w->loop);
    assert_string_equal(cel_loop_backend(w->loop), w->backend);
}

static void backend_of_no_such_name_is_refused(void **state)
{
    const struct cel_loop_options options = {.backend = "kqueue"};
    struct cel_loop *loop;

    cel_set_log(hear_log, NULL);
    assert_int_equal(cel_loop_new(&loop, &options), -EINVAL);
    cel_set_log(NULL, NULL);
    assert_null(cel_loop_current());
}

static void count_block(void *arg)
{
    ++*(int *)arg;
}

static void hooks_stand_around_each_wait(void **state)
{
    WORLD(w);
    int calls = 0;
    struct cel_loop_options options = {.backend = w->backend,
                                       .before_block = count_block,
                                       .after_block = count_block,
                                       .hook_arg = &calls};

    assert_int_equal(cel_loop_close(w->loop), 0);
    assert_int_equal(cel_loop_new(&w->loop, &options), 0);
    cel_loop_hold(w->loop);
    assert_int_equal(cel_loop_turn(w->loop, CEL_MILLISECOND), 0);
    assert_int_equal(calls, 2);
    assert_int_equal(cel_loop_turn(w->loop, 0), 0);
    assert_int_equal(calls, 2);
    cel_loop_release(w->loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(posts_of_threads_all_arrive_in_order),
        ON_EACH(post_to_a_sleeping_loop_wakes_it),
        ON_EACH(loop_that_is_held_runs_until_stopped),
        ON_EACH(jobs_run_on_other_threads_and_report_back),
        ON_EACH(full_queue_of_jobs_says_so),
        ON_EACH(cancelled_job_ends_once_and_does_not_run_when_queued),
        ON_EACH(signals_come_as_callbacks),
        ON_EACH(signal_callback_may_stop_the_watcher_behind_it),
        ON_EACH(signal_watched_at_the_close_puts_the_mask_back),
        ON_EACH(child_of_a_fork_has_no_loop_and_may_make_one),
        ON_EACH(turn_from_another_thread_is_refused),
        ON_EACH(second_loop_of_a_thread_is_refused),
        cmocka_unit_test(backend_of_no_such_name_is_refused),
        ON_EACH(hooks_stand_around_each_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
