/* SPDX-License-Identifier: MIT */
/* Owners, times, permissions and places of files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "celadon/file.h"
#include "celadon/sim.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

static char folder[] = "/tmp/celadon-attributes-XXXXXX";
static char *path;

static int make_file(void **state)
{
    if (mkdtemp(folder) == NULL || asprintf(&path, "%s/file", folder) < 0)
        return -1;
    return close(open(path, O_CREAT | O_RDWR, 0644));
}

static int remove_file(void **state)
{
    unlink(path);
    free(path);
    return rmdir(folder);
}

static struct cel_file *open_it(void)
{
    struct cel_file *file;

    assert_int_equal(cel_file_open(&file, path, O_RDWR, 0), 0);
    return file;
}

static struct stat stat_of(const char *of)
{
    struct stat st;

    assert_int_equal(lstat(of, &st), 0);
    return st;
}

IN_TASK(times_are_set_kept_and_rounded_down)
{
    struct cel_file *file = open_it();
    struct stat st;

    assert_int_equal(cel_path_set_times(path, 1500000000 * CEL_SECOND + 7, -1), 0);
    st = stat_of(path);
    assert_int_equal(st.st_atim.tv_sec, 1500000000);
    assert_int_equal(st.st_mtim.tv_sec, -1);
    assert_int_equal(st.st_mtim.tv_nsec, CEL_SECOND - 1);
    assert_int_equal(cel_file_set_times(file, CEL_TIME_KEEP, 5 * CEL_SECOND), 0);
    st = stat_of(path);
    assert_int_equal(st.st_atim.tv_sec, 1500000000);
    assert_int_equal(st.st_mtim.tv_sec, 5);
    assert_int_equal(cel_path_set_times(path, CEL_TIME_KEEP, CEL_TIME_NOW), 0);
    assert_true(stat_of(path).st_mtim.tv_sec > 1500000000);
    assert_int_equal(cel_path_set_times("/no/such/file", 0, 0), -ENOENT);
    cel_file_close(file);
}

IN_TASK(owners_are_set)
{
    struct cel_file *file = open_it();
    bool is_root = geteuid() == 0;
    char link[256];

    assert_int_equal(cel_path_chown(path, (uid_t)-1, (gid_t)-1), 0);
    assert_int_equal(cel_path_chown(path, 65534, 5), is_root ? 0 : -EPERM);
    if (is_root) {
        assert_int_equal(stat_of(path).st_uid, 65534);
        assert_int_equal(stat_of(path).st_gid, 5);
        assert_int_equal(cel_file_chown(file, 0, (gid_t)-1), 0);
        assert_int_equal(stat_of(path).st_uid, 0);
        assert_int_equal(stat_of(path).st_gid, 5);
        snprintf(link, sizeof link, "%s/link", folder);
        assert_int_equal(symlink(path, link), 0);
        assert_int_equal(cel_path_lchown(link, 7, 7), 0);
        assert_int_equal(stat_of(link).st_uid, 7);
        assert_int_equal(stat_of(path).st_uid, 0);
        unlink(link);
    }
    assert_int_equal(cel_path_lchown("/no/such/file", 1, 1), -ENOENT);
    cel_file_close(file);
}

IN_TASK(permissions_are_set_and_asked_for)
{
    struct cel_file *file = open_it();

    assert_int_equal(cel_file_chmod(file, 0600), 0);
    assert_int_equal(stat_of(path).st_mode & 0777, 0600);
    assert_int_equal(cel_path_access(path, R_OK | W_OK), 0);
    assert_int_equal(cel_path_access(path, X_OK), -EACCES);
    assert_int_equal(cel_path_access(path, F_OK), 0);
    assert_int_equal(cel_path_access("/no/such/file", F_OK), -ENOENT);
    cel_file_close(file);
}

IN_TASK(real_path_has_no_links_and_dots)
{
    char link[256], around[512], *real = NULL;

    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink(path, link), 0);
    snprintf(around, sizeof around, "%s/../%s/./link", folder, strrchr(folder, '/') + 1);
    assert_int_equal(cel_path_real(around, &real), 0);
    assert_string_equal(real, path);
    cel_free(real);
    unlink(link);
    assert_int_equal(cel_path_real(link, &real), -ENOENT);
}

IN_TASK(space_is_told_and_taken)
{
    struct cel_file *file = open_it();
    struct cel_space space;
    struct stat st;
    int r;

    assert_int_equal(cel_path_space(folder, &space), 0);
    assert_true(space.total > 0 && space.available <= space.total);
    assert_int_equal(cel_path_space("/no/such/file", &space), -ENOENT);
    r = cel_file_allocate(file, 0, 100000);
    if (r != -EOPNOTSUPP) {
        assert_int_equal(r, 0);
        st = stat_of(path);
        assert_int_equal(st.st_size, 100000);
        assert_true(st.st_blocks * 512 >= 100000);
    }
    assert_int_equal(cel_file_allocate(file, -1, 1), -EINVAL);
    cel_file_close(file);
}

IN_TASK(named_temporary_file_is_new_and_private)
{
    struct cel_file *a, *b;
    char *first, *second, buf[4];

    assert_int_equal(cel_file_temp_named(&a, &first, folder), 0);
    assert_int_equal(cel_file_temp_named(&b, &second, folder), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(strncmp(first, folder, strlen(folder)), 0);
    assert_int_equal(stat_of(first).st_mode & 0777, 0600);
    assert_int_equal(cel_file_write(a, "text", 4, 0), 4);
    assert_int_equal(cel_file_read(a, buf, 4, 0), 4);
    cel_file_close(a);
    cel_file_close(b);
    assert_int_equal(cel_path_unlink(first), 0);
    assert_int_equal(cel_path_unlink(second), 0);
    cel_free(first);
    cel_free(second);
    assert_int_equal(cel_file_temp_named(&a, &first, "/no/such/folder"), -ENOENT);
}

static int all_of_it(void)
{
    struct cel_file *file, *other;
    struct cel_space space;
    char *text;
    int r = cel_file_open(&file, path, O_RDWR, 0);

    if (r < 0)
        return r;
    r = cel_file_chmod(file, 0644);
    if (r == 0)
        r = cel_file_chown(file, (uid_t)-1, (gid_t)-1);
    if (r == 0)
        r = cel_file_set_times(file, 0, 0);
    if (r == 0)
        r = cel_file_allocate(file, 0, 10);
    cel_file_close(file);
    if (r == 0)
        r = cel_path_chown(path, (uid_t)-1, (gid_t)-1);
    if (r == 0)
        r = cel_path_set_times(path, 0, 0);
    if (r == 0)
        r = cel_path_access(path, R_OK);
    if (r == 0)
        r = cel_path_space(path, &space);
    if (r == 0)
        r = cel_path_real(path, &text);
    if (r < 0)
        return r;
    cel_free(text);
    r = cel_file_temp_named(&other, &text, folder);
    if (r < 0)
        return r;
    cel_file_close(other);
    unlink(text);
    cel_free(text);
    return 0;
}

static void *live(void *arg)
{
    *(int *)arg = all_of_it();
    return NULL;
}

static int live_once(void *arg)
{
    int code = -EIO, r = cel_run(live, &code, NULL);

    return r < 0 ? r : code;
}

static void attributes_survive_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(live_once, NULL) > 3);
}

static void attributes_survive_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(openat) | SYSFAULT_BIT(fchmod) |
                                                SYSFAULT_BIT(fchown) | SYSFAULT_BIT(futimens) |
                                                SYSFAULT_BIT(fallocate) | SYSFAULT_BIT(fchownat) |
                                                SYSFAULT_BIT(utimensat) | SYSFAULT_BIT(faccessat) |
                                                SYSFAULT_BIT(statvfs) | SYSFAULT_BIT(realpath)};

    assert_true(fault_every_syscall(&plan, live_once, NULL) >= 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_set_kept_and_rounded_down),
        cmocka_unit_test(owners_are_set),
        cmocka_unit_test(permissions_are_set_and_asked_for),
        cmocka_unit_test(real_path_has_no_links_and_dots),
        cmocka_unit_test(space_is_told_and_taken),
        cmocka_unit_test(named_temporary_file_is_new_and_private),
        cmocka_unit_test(attributes_survive_each_failed_allocation),
        cmocka_unit_test(attributes_survive_each_failed_call),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
