/* SPDX-License-Identifier: MIT */
/* The forms of the dump: those alike counted, who runs whom, only who waits for long; and its
 * backtraces of code that has no frame pointers. */
#include <celadon/debug.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <celadon/celadon.h>
#include <celadon/sync.h>

#include "support/check.h"
#include "support/intask.h"

#if defined(__clang__)
#define NO_FRAME_POINTER __attribute__((noinline))
#else
#define NO_FRAME_POINTER __attribute__((noinline, optimize("omit-frame-pointer")))
#endif
/* What a compiler must not make a jump of. */
#define KEEP(r) __asm__ volatile("" : "+r"(r))

static char text[1 << 20];

static void dump_here(const struct cel_dump_options *options)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(cel_dump_with(fd, options), 0);
    n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

static unsigned count_of(const char *what)
{
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        count++;
    return count;
}

/* What stands between the words, in their order, may be anything. */
static void has_in_order(const char *first, const char *second, const char *third)
{
    const char *at = strstr(text, first);

    at = at != NULL ? strstr(at, second) : NULL;
    at = at != NULL ? strstr(at, third) : NULL;
    if (at == NULL)
        fail_msg("not in this order: '%s', '%s', '%s', in\n%s", first, second, third, text);
}

static void *awaiter(void *arg)
{
    return cel_await((struct cel_future *)arg, NULL) < 0 ? NULL : arg;
}

IN_TASK(dump_of_many_alike_tells_one_and_counts_the_others)
{
    struct cel_future *f = cel_future_new();

    CEL_SCOPE (scope) {
        for (int i = 0; i < 1000; i++)
            assert_non_null(cel_spawn_with(awaiter, f, .name = "customer"));
        for (int i = 0; i < 3; i++)
            assert_non_null(cel_spawn_with(awaiter, f, .name = "few"));
        assert_int_equal(cel_yield(), 0);
        dump_here(NULL);
        assert_int_equal(count_of("\"customer\" (spawned at "), 1);
        assert_int_equal(count_of("    and 999 more like it, the last for "), 1);
        assert_int_equal(count_of("\"few\" (spawned at "), 3);
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    cel_future_free(f);
}

static void *never(void *arg)
{
    return arg;
}

IN_TASK(dump_of_those_not_started_counts_them_too)
{
    CEL_SCOPE (scope) {
        for (int i = 0; i < 10; i++)
            assert_non_null(cel_spawn_with(never, NULL, .name = "new"));
        dump_here(NULL);
        assert_int_equal(count_of("\"new\" (spawned at "), 1);
        has_in_order("\"new\" (spawned at ", ": not started", "    and 9 more like it\n");
    }
}

/* More ways to wait than are told apart: nobody is left out. */
static NO_FRAME_POINTER int at_depth(int depth, struct cel_future *f)
{
    int r = depth == 0 ? cel_await(f, NULL) : at_depth(depth - 1, f);

    KEEP(r);
    return r;
}

struct deep {
    int depth;
    struct cel_future *f;
};

static void *be_deep(void *arg)
{
    struct deep *deep = arg;

    return at_depth(deep->depth % 30, deep->f) < 0 ? NULL : arg;
}

IN_TASK(dump_of_very_many_ways_to_wait_tells_each)
{
    struct cel_future *f = cel_future_new();
    struct deep all[300];
    unsigned told = 0, counted, more;

    CEL_SCOPE (scope) {
        for (int i = 0; i < 300; i++) {
            all[i] = (struct deep){i, f};
            /* The file's name is part of a way: a hundred ways of each depth. */
            assert_non_null(cel_spawn_at(
                be_deep, &all[i], &(struct cel_spawn_options){.name = "deep"}, "x.c", 1 + i % 100));
        }
        assert_int_equal(cel_yield(), 0);
        dump_here(NULL);
        told = count_of("\"deep\" (spawned at x.c:");
        counted = 0;
        for (const char *at = text; (at = strstr(at, "    and ")) != NULL; at++)
            if (sscanf(at, "    and %u more like it", &more) == 1)
                counted += more;
        assert_int_equal(told + counted, 300);
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    cel_future_free(f);
}

IN_TASK(dump_of_the_long_parked_leaves_others_out)
{
    struct cel_future *f = cel_future_new();

    CEL_SCOPE (scope) {
        assert_non_null(cel_spawn_with(awaiter, f, .name = "patient"));
        assert_int_equal(cel_yield(), 0);
        dump_here(&(struct cel_dump_options){.parked_for = 3600 * CEL_SECOND});
        assert_int_equal(count_of("\"patient\""), 0);
        assert_int_equal(count_of("2 tasks more have not been parked for that long\n"), 1);
        do {
            assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
            dump_here(&(struct cel_dump_options){.parked_for = CEL_MILLISECOND});
        } while (count_of("\"patient\"") == 0);
        assert_int_equal(count_of("1 tasks more have not been parked for that long\n"), 1);
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    cel_future_free(f);
}

static void *parent(void *arg)
{
    CEL_SCOPE (scope, .timeout = 1000 * CEL_SECOND)
        for (int i = 0; i < 20; i++)
            assert_non_null(cel_spawn_with(awaiter, arg, .name = "child"));
    return arg;
}

IN_TASK(dump_as_tree_shows_who_runs_whom)
{
    struct cel_future *f = cel_future_new();

    CEL_SCOPE (scope) {
        assert_non_null(cel_spawn_with(parent, f, .name = "parent"));
        assert_non_null(cel_spawn_with(never, f, .name = "sibling"));
        assert_int_equal(cel_yield(), 0);
        assert_non_null(cel_spawn_with(never, f, .name = "sister"));
        dump_here(&(struct cel_dump_options){.as_tree = true});
        has_in_order("\n\"task\" (spawned at ", "): running\n    scope\n        \"parent\" (",
                     "parked for 20 tasks of a scope to end");
        has_in_order("        \"parent\" (", "\n            scope, deadline in ",
                     "\n                \"child\" (");
        has_in_order("                \"child\" (", "\n                and 19 more like it\n",
                     "\n        \"sister\" (");
        assert_int_equal(count_of("sibling"), 0);         /* it has ended */
        assert_int_equal(count_of("\"child\" ("), 1 + 1); /* the parent's wait names one */
        assert_int_equal(count_of("    #"), 0);
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    cel_future_free(f);
}

IN_TASK(dump_to_no_descriptor_is_refused)
{
    assert_int_equal(cel_dump(-1), -EBADF);
    assert_int_equal(cel_dump_with(-1, NULL), -EBADF);
}

/* ---- circles ---- */

static struct cel_lock first_lock, second_lock;

static void *take_both(void *arg)
{
    bool is_first = arg != NULL;
    struct cel_lock *mine = is_first ? &first_lock : &second_lock;
    struct cel_lock *other = is_first ? &second_lock : &first_lock;

    if (cel_lock_acquire(mine) < 0)
        return NULL;
    if (cel_yield() == 0 && cel_lock_acquire(other) == 0)
        cel_lock_release(other);
    cel_lock_release(mine);
    return arg;
}

static struct cel_task *self;

static void *await_self(void *arg)
{
    return cel_await(self, NULL) < 0 ? NULL : arg;
}

IN_TASK(dump_tells_each_circle_once_and_who_is_behind)
{
    CEL_SCOPE (scope) {
        assert_non_null(cel_spawn_with(take_both, &scope, .name = "one"));
        assert_non_null(cel_spawn_with(take_both, NULL, .name = "two"));
        self = cel_spawn_with(await_self, NULL, .name = "selfish");
        assert_non_null(self);
        assert_int_equal(cel_yield(), 0);
        assert_non_null(cel_spawn_with(awaiter, self, .name = "behind"));
        assert_int_equal(cel_yield(), 0);
        dump_here(NULL);
        assert_int_equal(count_of("these wait for each other:\n"), 1);
        assert_int_equal(count_of("this waits for itself:\n"), 1);
        assert_int_equal(count_of("    \"selfish\" (spawned at "), 1);
        assert_int_equal(count_of("behind them wait 1 task more\n"), 1);
        has_in_order("these wait for each other:\n", " is waiting for a lock held by \"",
                     " is waiting for a lock held by \"");
        cel_scope_cancel(&scope);
    }
}

/* ---- backtraces ---- */

static NO_FRAME_POINTER int innermost(struct cel_future *f)
{
    int r = cel_await(f, NULL);

    KEEP(r);
    return r;
}

static NO_FRAME_POINTER int in_between(struct cel_future *f)
{
    volatile char room[1000];
    int r;

    room[0] = 1;
    r = innermost(f);
    KEEP(r);
    return r + room[0];
}

static NO_FRAME_POINTER void *outermost(void *arg)
{
    int r = in_between(arg);

    KEEP(r);
    return r != 0 ? arg : NULL;
}

IN_TASK(dump_walks_frames_that_have_no_frame_pointer)
{
    struct cel_future *f = cel_future_new();

    CEL_SCOPE (scope) {
        assert_non_null(cel_spawn_with(outermost, f, .name = "walked"));
        assert_int_equal(cel_yield(), 0);
        dump_here(NULL);
        has_in_order(" cel__park+0x", " cel_await+0x", " innermost+0x");
        has_in_order(" innermost+0x", " in_between+0x", " outermost+0x");
        has_in_order(" outermost+0x", "", " cel__ctx_entry+0x");
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    cel_future_free(f);
}

IN_TASK(dump_walks_the_frames_of_the_running_task)
{
    dump_here(NULL);
    has_in_order("running: \"task\" (spawned at ", " dump_here+0x", " cel__ctx_entry+0x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump_of_many_alike_tells_one_and_counts_the_others),
        cmocka_unit_test(dump_of_those_not_started_counts_them_too),
        cmocka_unit_test(dump_of_very_many_ways_to_wait_tells_each),
        cmocka_unit_test(dump_of_the_long_parked_leaves_others_out),
        cmocka_unit_test(dump_as_tree_shows_who_runs_whom),
        cmocka_unit_test(dump_to_no_descriptor_is_refused),
        cmocka_unit_test(dump_tells_each_circle_once_and_who_is_behind),
        cmocka_unit_test(dump_walks_frames_that_have_no_frame_pointer),
        cmocka_unit_test(dump_walks_the_frames_of_the_running_task),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
