/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "celadon/task.h"
#include "celadon/watch.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

static char root[] = "/tmp/celadon-watch-XXXXXX";

static int make_root(void **state)
{
    return mkdtemp(root) != NULL && chdir(root) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
    return chdir("/") == 0 ? rmdir(root) : -1;
}

static void touch(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0644);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void expect(struct cel_watch *w, unsigned what, const char *path)
{
    struct cel_watch_event e;
    int r = 0;

    CEL_SCOPE (s, .timeout = 10 * CEL_SECOND)
        r = cel_watch_next(w, &e);
    assert_int_equal(r, 0);
    assert_string_equal(e.path, path);
    assert_int_equal(e.what, what);
}

static void expect_nothing(struct cel_watch *w)
{
    struct cel_watch_event e;

    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_watch_next(w, &e), -ETIMEDOUT);
}

IN_TASK(watch_tells_what_happens_in_a_folder)
{
    struct cel_watch_event from, to;
    struct cel_watch *w;

    assert_int_equal(cel_watch_open(&w, ".", NULL), 0);
    touch("f", "x");
    expect(w, CEL_WATCH_CREATED, "./f");
    expect(w, CEL_WATCH_CHANGED, "./f");
    expect(w, CEL_WATCH_CLOSED, "./f");
    assert_int_equal(chmod("f", 0600), 0); /* not asked for */
    assert_int_equal(rename("f", "g"), 0);
    assert_int_equal(cel_watch_next(w, &from), 0);
    assert_int_equal(from.what, CEL_WATCH_REMOVED | CEL_WATCH_MOVED);
    assert_int_equal(cel_watch_next(w, &to), 0);
    assert_int_equal(to.what, CEL_WATCH_CREATED | CEL_WATCH_MOVED);
    assert_string_equal(to.path, "./g");
    assert_int_equal(from.cookie, to.cookie);
    assert_true(to.cookie != 0);
    assert_int_equal(mkdir("d", 0755), 0);
    expect(w, CEL_WATCH_CREATED, "./d");
    touch("d/below", ""); /* not watched */
    unlink("d/below");
    rmdir("d");
    expect(w, CEL_WATCH_REMOVED, "./d");
    unlink("g");
    expect(w, CEL_WATCH_REMOVED, "./g");
    expect_nothing(w);
    cel_watch_close(w);
    cel_watch_close(NULL);
}

static void *touch_later(void *arg)
{
    touch(arg, "");
    return NULL;
}

IN_TASK(watch_wakes_who_waits)
{
    struct cel_watch *w;

    assert_int_equal(cel_watch_open(&w, root, NULL), 0);
    CEL_SCOPE (s) {
        struct cel_watch_event e;

        assert_int_equal(cel_go(touch_later, "later"), 0);
        assert_int_equal(cel_watch_next(w, &e), 0);
        assert_string_equal(strrchr(e.path, '/'), "/later");
    }
    cel_watch_close(w);
    unlink("later");
}

IN_TASK(watch_tells_changes_that_came_together_once)
{
    const struct cel_watch_options options = {.what = CEL_WATCH_CHANGED};
    struct cel_watch *w;
    int f, g;

    f = open("f", O_CREAT | O_WRONLY, 0644);
    g = open("g", O_CREAT | O_WRONLY, 0644);
    assert_int_equal(cel_watch_open(&w, ".", &options), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(write(f, "x", 1), 1);
        assert_int_equal(write(g, "x", 1), 1);
    }
    expect(w, CEL_WATCH_CHANGED, "./f");
    expect(w, CEL_WATCH_CHANGED, "./g");
    expect_nothing(w);
    cel_watch_close(w);
    close(f);
    close(g);
    unlink("f");
    unlink("g");
}

IN_TASK(watch_of_a_file_ends_with_it)
{
    const struct cel_watch_options options = {.what = CEL_WATCH_ALL};
    struct cel_watch_event e;
    struct cel_watch *w;

    touch("f", "");
    assert_int_equal(cel_watch_open(&w, "f", &options), 0);
    assert_int_equal(chmod("f", 0600), 0);
    expect(w, CEL_WATCH_ATTRIBUTES, "f");
    touch("f", "x");
    expect(w, CEL_WATCH_CHANGED, "f");
    expect(w, CEL_WATCH_CLOSED, "f");
    unlink("f");
    expect(w, CEL_WATCH_ATTRIBUTES, "f"); /* one link less */
    expect(w, CEL_WATCH_REMOVED, "f");
    assert_int_equal(cel_watch_next(w, &e), -ENOENT);
    cel_watch_close(w);
    assert_int_equal(cel_watch_open(&w, "f", NULL), -ENOENT);
}

/* The kernel alone would not tell: somebody has it open, as who follows a log does. */
IN_TASK(watch_of_an_open_file_ends_with_its_name)
{
    struct cel_watch_event e;
    struct cel_watch *w;
    int fd;

    touch("f", "");
    assert_int_equal(link("f", "second"), 0);
    assert_int_equal(cel_watch_open(&w, "f", NULL), 0);
    fd = open("f", O_RDONLY);
    unlink("second"); /* a link less, and not this one */
    expect_nothing(w);
    touch("f", "x");
    expect(w, CEL_WATCH_CHANGED, "f");
    expect(w, CEL_WATCH_CLOSED, "f");
    unlink("f");
    expect(w, CEL_WATCH_REMOVED, "f");
    assert_int_equal(cel_watch_next(w, &e), -ENOENT);
    close(fd);
    cel_watch_close(w);
}

IN_TASK(watch_of_a_file_ends_when_another_takes_its_name)
{
    struct cel_watch_event e;
    struct cel_watch *w;
    int fd;

    touch("f", "old");
    assert_int_equal(cel_watch_open(&w, "f", NULL), 0);
    fd = open("f", O_RDONLY);
    touch("new", "new");
    assert_int_equal(rename("new", "f"), 0);
    expect(w, CEL_WATCH_REMOVED, "f");
    assert_int_equal(cel_watch_next(w, &e), -ENOENT);
    close(fd);
    cel_watch_close(w);
    unlink("f");
}

IN_TASK(watch_that_is_recursive_follows_folders)
{
    const struct cel_watch_options options = {.what = CEL_WATCH_CREATED | CEL_WATCH_REMOVED,
                                              .is_recursive = true};
    struct cel_watch *w;

    assert_int_equal(mkdir("old", 0755), 0);
    assert_int_equal(mkdir("old/deep", 0755), 0);
    assert_int_equal(symlink("/", "old/link"), 0);
    assert_int_equal(cel_watch_open(&w, ".", &options), 0);
    touch("old/deep/f", "");
    expect(w, CEL_WATCH_CREATED, "./old/deep/f");
    assert_int_equal(mkdir("new", 0755), 0);
    assert_int_equal(mkdir("new/below", 0755), 0);
    touch("new/below/early", ""); /* before the watch can know of the folder */
    expect(w, CEL_WATCH_CREATED, "./new");
    expect(w, CEL_WATCH_CREATED, "./new/below");
    expect(w, CEL_WATCH_CREATED, "./new/below/early");
    touch("new/below/late", "");
    expect(w, CEL_WATCH_CREATED, "./new/below/late");
    assert_int_equal(rename("old/deep", "new/moved"), 0);
    expect(w, CEL_WATCH_REMOVED | CEL_WATCH_MOVED, "./old/deep");
    expect(w, CEL_WATCH_CREATED | CEL_WATCH_MOVED, "./new/moved");
    expect(w, CEL_WATCH_CREATED, "./new/moved/f");
    unlink("new/moved/f");
    expect(w, CEL_WATCH_REMOVED, "./new/moved/f"); /* by its new name */
    rmdir("new/moved");
    expect(w, CEL_WATCH_REMOVED, "./new/moved");
    cel_watch_close(w);
    assert_int_equal(system("rm -rf old new"), 0);
}

IN_TASK(watch_tells_that_it_lost_some)
{
    struct cel_watch_event e;
    struct cel_watch *w;
    char name[16];
    int r;

    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(
        cel_watch_open(&w, "d", &(struct cel_watch_options){.what = CEL_WATCH_CREATED}), 0);
    for (int i = 0; i < 9000; i++) { /* the kernel keeps 16384 */
        snprintf(name, sizeof name, "d/%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0644));
        unlink(name);
    }
    while ((r = cel_watch_next(w, &e)) == 0 && e.what != CEL_WATCH_OVERFLOW)
        continue;
    assert_int_equal(r, 0);
    assert_string_equal(e.path, "");
    cel_watch_close(w);
    rmdir("d");
}

/* ---- failures ---- */

static void *watch_all(void *arg)
{
    const struct cel_watch_options options = {.is_recursive = true};
    struct cel_watch_event e;
    struct cel_watch *w;
    int *code = arg;

    *code = cel_watch_open(&w, ".", &options);
    if (*code < 0)
        return NULL;
    mkdir("new", 0755);
    touch("new/f", "");
    for (int i = 0; *code == 0 && i < 2; i++)
        *code = cel_watch_next(w, &e);
    cel_watch_close(w);
    return NULL;
}

static int watch_once(void *arg)
{
    int code = -EIO, r;

    mkdir("d", 0755);
    r = cel_run(watch_all, &code, NULL);
    unlink("new/f");
    rmdir("new");
    rmdir("d");
    return r < 0 ? r : code;
}

static void watch_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(watch_once, NULL) > 8);
}

static void watch_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(inotify_init1) |
                                                SYSFAULT_BIT(inotify_add_watch) |
                                                SYSFAULT_BIT(openat) | SYSFAULT_BIT(getdents64)};

    assert_true(fault_every_syscall(&plan, watch_once, NULL) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch_tells_what_happens_in_a_folder),
        cmocka_unit_test(watch_wakes_who_waits),
        cmocka_unit_test(watch_tells_changes_that_came_together_once),
        cmocka_unit_test(watch_of_a_file_ends_with_it),
        cmocka_unit_test(watch_of_an_open_file_ends_with_its_name),
        cmocka_unit_test(watch_of_a_file_ends_when_another_takes_its_name),
        cmocka_unit_test(watch_that_is_recursive_follows_folders),
        cmocka_unit_test(watch_tells_that_it_lost_some),
        cmocka_unit_test(watch_survives_each_failed_allocation),
        cmocka_unit_test(watch_survives_each_failed_call),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
