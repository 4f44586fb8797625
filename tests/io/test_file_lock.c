/* SPDX-License-Identifier: MIT */
/* Locks on files: who wants one waits in its task, and can be called back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "celadon/file.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

static char path[] = "/tmp/celadon-lock-XXXXXX";
static int inside, most, entries;

static int make_file(void **state)
{
    return close(mkstemp(path));
}

static int remove_file(void **state)
{
    return unlink(path);
}

static struct cel_file *open_it(void)
{
    struct cel_file *file;

    assert_int_equal(cel_file_open(&file, path, O_RDWR, 0), 0);
    return file;
}

static void *enter(void *arg)
{
    struct cel_file *file = open_it();

    for (int i = 0; i < 3; i++) {
        assert_int_equal(cel_file_lock(file, arg != NULL), 0);
        inside++;
        most = inside > most ? inside : most;
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        inside--;
        entries++;
        assert_int_equal(cel_file_unlock(file), 0);
    }
    cel_file_close(file);
    return NULL;
}

static void crowd(bool is_shared)
{
    inside = most = entries = 0;
    CEL_SCOPE (s)
        for (int i = 0; i < 5; i++)
            assert_int_equal(cel_go(enter, is_shared ? path : NULL), 0);
    assert_int_equal(entries, 15);
}

IN_TASK(lock_lets_one_in_at_a_time)
{
    crowd(false);
    assert_int_equal(most, 1);
}

IN_TASK(shared_locks_let_several_in)
{
    crowd(true);
    assert_true(most > 1);
}

IN_TASK(lock_that_is_taken_is_told_or_waited_for)
{
    struct cel_file *a = open_it(), *b = open_it();

    assert_int_equal(cel_file_lock(a, false), 0);
    assert_int_equal(cel_file_try_lock(b, false), -EAGAIN);
    assert_int_equal(cel_file_try_lock(b, true), -EAGAIN);
    CEL_SCOPE (late, .timeout = 3 * CEL_MILLISECOND)
        assert_int_equal(cel_file_lock(b, true), -ETIMEDOUT);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(cel_file_lock(b, true), -ECANCELED);
    }
    assert_int_equal(cel_file_try_lock(a, true), 0); /* the same open file: it changes */
    assert_int_equal(cel_file_lock(b, true), 0);
    assert_int_equal(cel_file_unlock(b), 0);
    assert_int_equal(cel_file_unlock(b), 0);
    cel_file_close(a); /* which gives it back */
    assert_int_equal(cel_file_try_lock(b, false), 0);
    cel_file_close(b);
}

static void *live(void *arg)
{
    struct cel_file *file;
    int *code = arg;

    *code = cel_file_open(&file, path, O_RDWR, 0);
    if (*code < 0)
        return NULL;
    *code = cel_file_lock(file, false);
    if (*code == 0)
        *code = cel_file_unlock(file);
    cel_file_close(file);
    return NULL;
}

static int live_once(void *arg)
{
    int code = -EIO, r = cel_run(live, &code, NULL);

    return r < 0 ? r : code;
}

static void lock_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(flock)};

    assert_int_equal(fault_every_syscall(&plan, live_once, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_lets_one_in_at_a_time),
        cmocka_unit_test(shared_locks_let_several_in),
        cmocka_unit_test(lock_that_is_taken_is_told_or_waited_for),
        cmocka_unit_test(lock_survives_each_failed_call),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
