/* SPDX-License-Identifier: MIT */
/* Tasks for threads that have no loop. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <celadon/compose.h>
#include "support/check.h"
#include "support/fault.h"

/* A thread asks; the loop's thread turns until it has gone. */
struct caller {
    struct cel_loop *loop;
    void (*ask)(struct caller *c);
    int codes[4];
    void *result;
    char text[64];
    bool has_gone; /* the loop's thread alone reads and writes it */
};

static void gone(void *arg)
{
    struct caller *c = arg;

    c->has_gone = true;
    cel_loop_release(c->loop);
}

static void *call_main(void *arg)
{
    struct caller *c = arg;

    c->ask(c);
    (void)!cel_loop_call(c->loop, gone, c);
    return NULL;
}

static void with_thread(struct caller *c)
{
    pthread_t thread;

    assert_int_equal(cel_loop_new(&c->loop, NULL), 0);
    cel_loop_hold(c->loop);
    assert_int_equal(pthread_create(&thread, NULL, call_main, c), 0);
    while (!c->has_gone)
        assert_true(cel_loop_turn(c->loop, CEL_FOREVER) >= 0);
    pthread_join(thread, NULL);
    assert_int_equal(cel_loop_close(c->loop), 0);
}

static void *twice(void *arg)
{
    int r = cel_sleep(CEL_MILLISECOND);

    return r < 0 ? cel_fail(r, "sleeping") : (void *)((intptr_t)arg * 2);
}

static void *fail_it(void *arg)
{
    return cel_fail(-ENOENT, "no %s", (char *)arg);
}

static void *forever(void *arg)
{
    int r = cel_sleep(CEL_MINUTE);

    return r < 0 ? cel_fail(r, "waiting for ever") : arg;
}

static void ask_result(struct caller *c)
{
    struct cel_remote *r;

    c->codes[0] = cel_remote_spawn(&r, c->loop, twice, (void *)21);
    c->codes[1] = cel_remote_wait(r, CEL_FOREVER, &c->result);
    c->codes[2] = cel_remote_wait(r, 0, &c->result); /* again is fine */
    c->codes[3] = cel_remote_error(r)->code;
    cel_remote_cancel(r); /* too late */
    cel_remote_free(r);
    cel_remote_free(NULL);
}

static void remote_result_comes_back(void **state)
{
    struct caller c = {.ask = ask_result};

    with_thread(&c);
    for (int i = 0; i < 4; i++)
        assert_int_equal(c.codes[i], 0);
    assert_int_equal((intptr_t)c.result, 42);
}

static void ask_failure(struct caller *c)
{
    struct cel_remote *r;

    c->codes[0] = cel_remote_spawn(&r, c->loop, fail_it, "luck");
    c->codes[1] = cel_remote_wait(r, CEL_FOREVER, &c->result);
    c->codes[2] = cel_remote_error(r)->code;
    snprintf(c->text, sizeof c->text, "%.40s", cel_remote_error(r)->text);
    cel_remote_free(r);
}

static void remote_failure_comes_with_its_words(void **state)
{
    struct caller c = {.ask = ask_failure};

    with_thread(&c);
    assert_int_equal(c.codes[1], -CEL_EFAILED);
    assert_int_equal(c.codes[2], -ENOENT);
    assert_non_null(strstr(c.text, "no luck"));
    assert_null(c.result);
}

static void ask_and_cancel(struct caller *c)
{
    struct cel_remote *r;

    c->codes[0] = cel_remote_spawn(&r, c->loop, forever, NULL);
    c->codes[1] = cel_remote_wait(r, CEL_MILLISECOND, NULL);
    cel_remote_cancel(r);
    cel_remote_cancel(r);
    c->codes[2] = cel_remote_wait(r, CEL_FOREVER, NULL);
    c->codes[3] = cel_remote_error(r)->code;
    cel_remote_free(r);
}

static void remote_cancelled_ends(void **state)
{
    struct caller c = {.ask = ask_and_cancel};

    with_thread(&c);
    assert_int_equal(c.codes[1], -ETIMEDOUT);
    assert_int_equal(c.codes[2], -CEL_EFAILED);
    assert_int_equal(c.codes[3], -ECANCELED);
}

static void ask_and_forget(struct caller *c)
{
    struct cel_remote *r;

    for (int i = 0; i < 100; i++) {
        c->codes[0] |= cel_remote_spawn(&r, c->loop, i % 2 ? twice : forever, NULL);
        if (i % 4 == 0)
            cel_remote_cancel(r);
        cel_remote_free(r);
    }
}

static void remote_forgotten_goes_by_itself(void **state)
{
    size_t live = 0;

    fault_alloc_begin();
    for (int i = 0; i < 2; i++) { /* the first time the thread's stacks are made, which stay */
        struct caller c = {.ask = ask_and_forget};

        with_thread(&c); /* those that last for ever end with the loop */
        assert_int_equal(c.codes[0], 0);
        if (i == 0)
            live = fault_alloc_live();
    }
    assert_int_equal(fault_alloc_live(), live);
    fault_alloc_end();
}

static void remote_too_late_is_told(void **state)
{
    struct cel_remote *r;
    struct cel_loop *loop;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_int_equal(cel_remote_spawn(&r, loop, twice, NULL), 0);
    assert_int_equal(cel_loop_close(loop), 0);
    assert_int_equal(cel_remote_wait(r, 0, NULL), -CEL_EFAILED);
    assert_int_equal(cel_remote_error(r)->code, -CEL_ECLOSED);
    cel_remote_free(r);
}

/* The asking thread is the loop's own, before the loop turns: so the allocations come in one order.
 */
static int remote_once(void *arg)
{
    struct cel_remote *r = NULL;
    struct cel_loop *loop;
    int code = cel_loop_new(&loop, NULL);

    if (code < 0)
        return code;
    code = cel_remote_spawn(&r, loop, twice, (void *)21);
    if (code == 0) {
        while (cel_loop_turn(loop, CEL_FOREVER) >= 0)
            continue;
        code = cel_remote_error(r)->code; /* made or not, it has ended */
    }
    (void)!cel_loop_close(loop);
    if (code == 0) {
        void *result = NULL;

        code = cel_remote_wait(r, 0, &result);
        assert_int_equal((intptr_t)result, 42);
    }
    cel_remote_free(r);
    return code;
}

static void remote_survives_failed_allocations(void **state)
{
    assert_true(fault_every_alloc(remote_once, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remote_result_comes_back),
        cmocka_unit_test(remote_failure_comes_with_its_words),
        cmocka_unit_test(remote_cancelled_ends),
        cmocka_unit_test(remote_forgotten_goes_by_itself),
        cmocka_unit_test(remote_too_late_is_told),
        cmocka_unit_test(remote_survives_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
