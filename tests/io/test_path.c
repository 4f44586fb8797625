/* SPDX-License-Identifier: MIT */
/* Paths, folders and whole files. Each test works in a folder of its own, under FOLDER. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "celadon/offload.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

static char root[] = "/tmp/celadon-path-XXXXXX";

static int make_root(void **state)
{
    return mkdtemp(root) != NULL && chdir(root) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
    return chdir("/") == 0 ? rmdir(root) : -1;
}

static void save(const char *path, const char *text)
{
    assert_int_equal(cel_file_save(path, text, strlen(text), 0644), 0);
}

static void assert_content(const char *path, const char *text)
{
    char *bytes;
    size_t len;

    assert_int_equal(cel_file_load(path, 1 << 25, &bytes, &len), 0);
    assert_string_equal(bytes, text);
    cel_free(bytes);
}

/* How many names the folder of the tests has. */
static ssize_t count_names(void)
{
    char **names;
    ssize_t n = cel_dir_names(".", 100, &names);

    assert_true(n >= 0);
    cel_free(names);
    return n;
}

IN_TASK(path_calls_do_what_the_system_calls_do)
{
    struct stat st;
    char *text;

    save("a", "one");
    assert_int_equal(cel_path_stat("a", &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(cel_path_chmod("a", 0600), 0);
    assert_int_equal(cel_path_link("a", "b"), 0);
    assert_int_equal(cel_path_link("a", "b"), -EEXIST);
    assert_int_equal(cel_path_stat("b", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(cel_path_symlink("a", "s"), 0);
    assert_int_equal(cel_path_lstat("s", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(cel_path_readlink("s", &text), 0);
    assert_string_equal(text, "a");
    cel_free(text);
    assert_int_equal(cel_path_readlink("a", &text), -EINVAL);
    assert_int_equal(cel_path_rename_new("a", "b"), -EEXIST);
    assert_int_equal(cel_path_rename("s", "b"), 0);
    assert_int_equal(cel_path_lstat("b", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(cel_path_rename_new("b", "c"), 0);
    assert_int_equal(cel_path_mkdir("d", 0755), 0);
    assert_int_equal(cel_path_mkdir("d", 0755), -EEXIST);
    assert_int_equal(cel_path_unlink("d"), -EISDIR);
    assert_int_equal(cel_path_rmdir("d"), 0);
    assert_int_equal(cel_path_unlink("c"), 0);
    assert_int_equal(cel_path_unlink("a"), 0);
    assert_int_equal(cel_path_stat("a", &st), -ENOENT);
    assert_int_equal(count_names(), 0);
}

IN_TASK(mkdirs_makes_what_is_missing)
{
    struct stat st;

    assert_int_equal(cel_path_mkdirs("x/y//z/", 0755), 0);
    assert_int_equal(cel_path_stat("x/y/z", &st), 0);
    assert_int_equal(cel_path_mkdirs("x/y/z", 0755), 0);
    save("x/file", "");
    assert_int_equal(cel_path_mkdirs("x/file", 0755), -EEXIST);
    assert_int_equal(cel_path_mkdirs("x/file/more", 0755), -EEXIST);
    assert_int_equal(cel_path_mkdirs("", 0755), -ENOENT);
    assert_int_equal(cel_path_rmdir("x"), -ENOTEMPTY);
    assert_int_equal(cel_path_remove_all("x"), 0);
    assert_int_equal(cel_path_remove_all("x"), -ENOENT);
}

IN_TASK(remove_all_follows_no_link)
{
    char name[32];

    assert_int_equal(cel_path_mkdirs("keep/this", 0755), 0);
    assert_int_equal(cel_path_mkdirs("tree/deep/er", 0755), 0);
    assert_int_equal(cel_path_symlink("../keep", "tree/link"), 0);
    assert_int_equal(cel_path_symlink("keep", "link"), 0);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "tree/deep/%d", i);
        save(name, "");
    }
    assert_int_equal(cel_path_remove_all("tree"), 0);
    assert_int_equal(cel_path_remove_all("link"), 0);
    assert_int_equal(count_names(), 1);
    assert_int_equal(cel_path_rmdir("keep/this"), 0);
    assert_int_equal(cel_path_rmdir("keep"), 0);
}

IN_TASK(dir_lists_each_name_once_in_blocks)
{
    enum { MANY = 1500 };
    static bool seen[MANY];
    struct cel_dir_entry entry;
    struct cel_dir *dir;
    char name[64], **names;
    int count = 0;

    memset(seen, 0, sizeof seen);
    assert_int_equal(mkdir("many", 0755), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many/a-name-that-is-somewhat-long-%04d", i);
        close(open(name, O_CREAT | O_WRONLY, 0644));
    }
    assert_int_equal(cel_dir_open(&dir, "many"), 0);
    while (cel_dir_next(dir, &entry) == 1) {
        long i = strtol(strrchr(entry.name, '-') + 1, NULL, 10);

        assert_false(seen[i]);
        seen[i] = true;
        assert_true(entry.type == DT_REG || entry.type == DT_UNKNOWN);
        assert_true(entry.inode != 0);
        count++;
    }
    assert_int_equal(count, MANY);
    assert_int_equal(cel_dir_next(dir, &entry), 0);
    cel_dir_close(dir);
    cel_dir_close(NULL);
    assert_int_equal(cel_dir_names("many", MANY, &names), MANY);
    assert_string_equal(names[0], "a-name-that-is-somewhat-long-0000");
    assert_string_equal(names[MANY - 1], "a-name-that-is-somewhat-long-1499");
    cel_free(names);
    assert_int_equal(cel_dir_names("many", MANY - 1, &names), -CEL_ETOOLARGE);
    assert_int_equal(cel_dir_open(&dir, "none"), -ENOENT);
    assert_int_equal(cel_dir_open(&dir, "many/a-name-that-is-somewhat-long-0000"), -ENOTDIR);
    assert_int_equal(cel_path_remove_all("many"), 0);
}

IN_TASK(save_replaces_the_whole_file)
{
    struct stat st;

    save("f", "first");
    assert_int_equal(cel_file_save("f", "second, longer", 14, 0600), 0);
    assert_content("f", "second, longer");
    assert_int_equal(cel_path_stat("f", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(cel_file_save("none/f", "x", 1, 0600), -ENOENT);
    assert_int_equal(count_names(), 1);
    assert_int_equal(cel_path_unlink("f"), 0);
}

IN_TASK(copy_brings_bytes_and_permissions)
{
    size_t len = 20 << 20;
    char *text = malloc(len + 1), *status;
    struct stat st;

    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 23);
    text[len] = '\0';
    save("f", text);
    assert_int_equal(cel_path_chmod("f", 0640), 0);
    assert_int_equal(cel_path_copy("f", "g"), 0);
    assert_int_equal(cel_path_stat("g", &st), 0);
    assert_int_equal(st.st_size, len);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_content("g", text);
    free(text);
    assert_int_equal(cel_path_copy("/proc/self/limits", "g"), 0); /* says that it is empty */
    assert_int_equal(cel_file_load("g", 1 << 20, &status, &len), 0);
    assert_non_null(strstr(status, "Max open files"));
    cel_free(status);
    assert_int_equal(cel_path_copy("none", "g"), -ENOENT);
    assert_int_equal(cel_path_copy(".", "h"), -EISDIR);
    assert_int_equal(cel_path_copy("f", "none/h"), -ENOENT);
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_path_copy("f", "h"), -ECANCELED);
    }
    assert_int_equal(count_names(), 2);
    assert_int_equal(cel_path_unlink("f"), 0);
    assert_int_equal(cel_path_unlink("g"), 0);
}

IN_TASK(temp_file_and_folder_are_private)
{
    struct cel_file *file;
    struct stat st;
    char *path, buf[8];

    assert_int_equal(cel_file_temp(&file, root), 0);
    assert_int_equal(count_names(), 0);
    assert_int_equal(cel_file_write(file, "text", 4, 0), 4);
    assert_int_equal(cel_file_read(file, buf, sizeof buf, 0), 4);
    cel_file_close(file);
    assert_int_equal(cel_path_temp_dir(&path, root), 0);
    assert_int_equal(cel_path_stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(cel_path_rmdir(path), 0);
    cel_free(path);
    assert_int_equal(cel_path_temp_dir(&path, NULL), 0);
    assert_int_equal(cel_path_rmdir(path), 0);
    cel_free(path);
    assert_int_equal(cel_file_temp(&file, "/nowhere"), -ENOENT);
    assert_int_equal(cel_path_temp_dir(&path, "/nowhere"), -ENOENT);
}

IN_TASK(file_pieces_and_sizes)
{
    struct iovec out[100], in[] = {{NULL, 0}, {NULL, 0}};
    char a[4], b[200];
    struct cel_file *file;
    struct stat st;

    for (int i = 0; i < 100; i++)
        out[i] = (struct iovec){i % 10 == 0 ? "" : "ab", i % 10 == 0 ? 0 : 2};
    in[0] = (struct iovec){a, sizeof a};
    in[1] = (struct iovec){b, sizeof b};
    assert_int_equal(cel_file_temp(&file, root), 0);
    assert_int_equal(cel_file_writev(file, out, 100, 3), 180);
    assert_int_equal(cel_file_readv(file, in, 2, 3), 180);
    assert_memory_equal(a, "abab", 4);
    assert_memory_equal(b, "abab", 4);
    assert_memory_equal(b + 172, "abab", 4);
    assert_int_equal(cel_file_readv(file, in, 2000, 0), -EINVAL);
    assert_int_equal(cel_file_sync_data(file), 0);
    assert_int_equal(cel_file_truncate(file, 5), 0);
    assert_int_equal(cel_file_stat(file, &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(cel_file_truncate(file, -1), -EINVAL);
    cel_file_close(file);
}

static void failed_sync_stays_failed_body(void)
{
    struct cel_file *file;

    assert_int_equal(cel_file_temp(&file, root), 0);
    assert_int_equal(cel_file_sync(file), -EIO);
    assert_int_equal(cel_file_sync(file), -EIO);
    assert_int_equal(cel_file_sync_data(file), -EIO);
    cel_file_close(file);
}

static void *failed_sync_task(void *arg)
{
    failed_sync_stays_failed_body();
    return arg;
}

static void failed_sync_stays_failed(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(fsync), .nth = 1};
    const struct cel_loop_options on_threads = {.backend = "epoll"};

    sysfault_begin(&plan);
    assert_int_equal(cel_run_with(&on_threads, failed_sync_task, NULL, NULL), 0);
    assert_int_equal(sysfault_hits(), 1);
    sysfault_end();
}

static const struct sysfault_plan no_threads = {
    .calls = SYSFAULT_BIT(pthread_create), .nth = 1, .times = FAULT_FOREVER};

IN_KERNEL(without_a_thread_to_be_had_a_path_is_refused)
{
    struct stat st;
    int r = 0;

    sysfault_begin(&no_threads);
    CEL_SCOPE (s, .timeout = 10 * CEL_SECOND) /* it would wait for one for ever */
        r = cel_path_stat("/", &st);
    assert_int_equal(r, -EAGAIN);
    assert_true(sysfault_hits() > 0);
    sysfault_end();
    assert_int_equal(cel_path_stat("/", &st), 0);
}

static void *stat_root(void *arg)
{
    struct stat st;

    *(int *)arg = cel_path_stat("/", &st);
    return NULL;
}

/* Until somebody opens the gate, a pipe. */
static void *hold_thread(void *gate)
{
    char byte;

    return read(*(int *)gate, &byte, 1) == 1 ? gate : NULL;
}

static void *crowd_one_thread(void *arg)
{
    struct cel_future *held;
    int results[8], gate[2];

    assert_int_equal(pipe(gate), 0);
    CEL_SCOPE (all) {
        assert_non_null(held = cel_offload(hold_thread, gate)); /* makes the only one */
        for (int i = 0; i < 8; i++)
            assert_int_equal(cel_go(stat_root, &results[i]), 0);
        assert_int_equal(cel_yield(), 0); /* they ask, and all threads there are have work */
        assert_int_equal(write(gate[1], "x", 1), 1);
    }
    assert_int_equal(cel_await(held, NULL), 0);
    cel_future_free(held);
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < 8; i++)
        assert_int_equal(results[i], 0);
    return arg;
}

static void without_another_thread_those_that_run_do(void **state)
{
    const struct sysfault_plan one_thread = {
        .calls = SYSFAULT_BIT(pthread_create), .nth = 2, .times = FAULT_FOREVER};

    if (is_simulated())
        skip();
    sysfault_begin(&one_thread);
    assert_int_equal(cel_run(crowd_one_thread, NULL, NULL), 0);
    assert_true(sysfault_hits() > 0);
    sysfault_end();
}

IN_TASK(stream_over_a_file_reads_lines_and_writes_on)
{
    struct cel_stream *s;
    struct cel_file *file;
    char line[16];
    int count = 0;
    ssize_t n;

    save("f", "0123456789first\nsecond\n\nlast");
    assert_int_equal(cel_file_open(&file, "f", O_RDWR, 0), 0);
    assert_int_equal(cel_file_stream(&s, file, 10), 0);
    assert_int_equal(cel_read_until(s, '\n', line, sizeof line), 6);
    assert_memory_equal(line, "first\n", 6);
    while ((n = cel_read_until(s, '\n', line, sizeof line)) > 0)
        count++;
    assert_int_equal(n, -CEL_EEOF);
    assert_int_equal(count, 2);
    assert_int_equal(cel_read(s, line, sizeof line), 4);
    assert_int_equal(cel_read(s, line, sizeof line), 0);
    assert_int_equal(cel_write(s, " one", 4), 4);
    assert_int_equal(cel_shutdown(s), -ENOTSOCK);
    assert_false(cel_stream_is_quiet(s));
    assert_string_equal(cel_stream_peer(s), "");
    cel_close(s);
    assert_content("f", "0123456789first\nsecond\n\nlast one");
    assert_int_equal(cel_file_open(&file, "f", O_RDWR, 0), 0);
    assert_int_equal(cel_file_stream(&s, file, 0), 0);
    assert_int_equal(cel_read(s, line, 2), 2); /* what it has read ahead is not where it stands */
    assert_int_equal(cel_writev(s, (struct iovec[]){{"A", 1}, {"B", 1}}, 2), 2);
    assert_int_equal(cel_read(s, line, 1), 1);
    assert_int_equal(line[0], '4');
    cel_close(s);
    assert_content("f", "01AB456789first\nsecond\n\nlast one");
    assert_int_equal(cel_path_unlink("f"), 0);
}

/* ---- failures ---- */

static void *all_of_it(void *arg)
{
    int *code = arg;
    struct cel_stream *s;
    struct cel_file *file;
    char **names, *path, line[16];
    ssize_t n;

    *code = cel_file_save("f", "line\n", 5, 0600);
    if (*code == 0)
        *code = cel_path_copy("f", "g");
    if (*code == 0)
        *code = cel_path_mkdirs("d/e", 0700);
    if (*code == 0)
        *code = cel_path_temp_dir(&path, "d");
    if (*code == 0)
        cel_free(path);
    if (*code == 0 && (*code = cel_file_temp(&file, ".")) == 0)
        cel_file_close(file);
    if (*code == 0 && (*code = cel_file_open(&file, "g", O_RDONLY, 0)) == 0) {
        *code = cel_file_stream(&s, file, 0);
        if (*code < 0) {
            cel_file_close(file);
        } else {
            n = cel_read_until(s, '\n', line, sizeof line);
            *code = n < 0 ? (int)n : 0;
            cel_close(s);
        }
    }
    if (*code == 0) {
        n = cel_dir_names(".", 100, &names);
        *code = n < 0 ? (int)n : 0;
        if (n >= 0)
            cel_free(names);
    }
    return NULL;
}

static int all_once(void *arg)
{
    int code = -EIO, r = cel_run(all_of_it, &code, NULL);

    (void)!system("rm -rf f g d .new-*");
    return r < 0 ? r : code;
}

static void files_survive_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(all_once, NULL) > 10);
}

/* Not read and write: the loop's own messages go by them. */
static void files_survive_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(openat) | SYSFAULT_BIT(fstat) |
                                                SYSFAULT_BIT(fsync) | SYSFAULT_BIT(renameat2) |
                                                SYSFAULT_BIT(copy_file_range) |
                                                SYSFAULT_BIT(mkdirat) | SYSFAULT_BIT(getdents64)};

    assert_true(fault_every_syscall(&plan, all_once, NULL) >= 15);
}

/* A save that fails leaves what was there, and nothing beside it. */
static void *save_over(void *arg)
{
    int *code = arg;

    *code = cel_file_save("f", "new", 3, 0600);
    return NULL;
}

static void save_that_fails_leaves_the_old_file(void **state)
{
    const enum sysfault_call calls[] = {SYSFAULT_write, SYSFAULT_fsync, SYSFAULT_renameat2};
    char buf[8] = "";
    int fd = open("f", O_CREAT | O_RDWR, 0600);

    assert_int_equal(write(fd, "old", 3), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct sysfault_plan plan = {
            .calls = (sysfault_set)1 << calls[i], .error = ENOSPC, .nth = 1};
        const struct cel_loop_options options = {.backend = "epoll"};
        int code = 0;

        sysfault_begin(&plan);
        assert_int_equal(cel_run_with(&options, save_over, &code, NULL), 0);
        sysfault_end();
        assert_int_equal(code, -ENOSPC);
        assert_int_equal(pread(fd, buf, sizeof buf, 0), 3);
        assert_string_equal(buf, "old");
    }
    close(fd);
    assert_int_equal(unlink("f"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_calls_do_what_the_system_calls_do),
        cmocka_unit_test(mkdirs_makes_what_is_missing),
        cmocka_unit_test(remove_all_follows_no_link),
        cmocka_unit_test(dir_lists_each_name_once_in_blocks),
        cmocka_unit_test(save_replaces_the_whole_file),
        cmocka_unit_test(copy_brings_bytes_and_permissions),
        cmocka_unit_test(temp_file_and_folder_are_private),
        cmocka_unit_test(file_pieces_and_sizes),
        cmocka_unit_test(failed_sync_stays_failed),
        cmocka_unit_test(without_a_thread_to_be_had_a_path_is_refused),
        cmocka_unit_test(without_another_thread_those_that_run_do),
        cmocka_unit_test(stream_over_a_file_reads_lines_and_writes_on),
        cmocka_unit_test(files_survive_each_failed_allocation),
        cmocka_unit_test(files_survive_each_failed_call),
        cmocka_unit_test(save_that_fails_leaves_the_old_file),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
