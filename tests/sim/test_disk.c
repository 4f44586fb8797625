/* SPDX-License-Identifier: MIT */
/* The simulated disk: it answers as the real kernel's files do, and a loss of power leaves what it
 * may leave, all of it in some run. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <celadon/file.h>
#include <celadon/sim.h>
#include <celadon/task.h>
#include "support/check.h"

#define CHECK(cond)                                                           \
    do {                                                                      \
        if (!(cond))                                                          \
            return cel_fail(-EPROTO, "%s:%d: %s", __FILE__, __LINE__, #cond); \
    } while (0)

static int run_calm(uint64_t seed, void *(*fn)(void *arg), void *arg)
{
    struct cel_sim_options calm;

    cel_sim_options_calm(&calm);
    return cel_sim_run(seed, &calm, fn, arg, NULL);
}

/* ---- the same calls, on a real disk and on a simulated one ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUNS 30
#else
#define RUNS 120
#endif
#define STEPS 250

struct transcript {
    const char *base;
    uint64_t state; /* of the generator */
    char *text;
    size_t len, cap;
};

static unsigned draw(struct transcript *t, unsigned bound)
{
    t->state = t->state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(t->state >> 33) % bound;
}

static void say(struct transcript *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (t->cap - t->len < 256)
        t->text = realloc(t->text, t->cap = 2 * t->cap + 512);
    t->len += (size_t)vsnprintf(t->text + t->len, t->cap - t->len, format, args);
    va_end(args);
}

static const char *pick(struct transcript *t, char out[128])
{
    static const char *const names[] = {
        "a",   "b",   "d",    "d/a",  "d/b",    "d/e",    "d/e/a", "d/",  "a/",   "e",
        "e/a", "e/b", "l",    "l/a",  "d/l",    "d/l/x",  "x/y",   ".",   "d/..", "d/../a",
        "d/.", "..",  "e/./", "d//a", "d/e/..", "l/../b", "m",     "m/a", "d/e/", "e/",
    };

    snprintf(out, 128, "%s/%s", t->base, names[draw(t, sizeof names / sizeof names[0])]);
    return out;
}

static void show_stat(struct transcript *t, int r, const struct stat *st)
{
    say(t, "%s", cel_errname(r));
    if (r < 0)
        return;
    say(t, " %o", st->st_mode);
    if (!S_ISDIR(st->st_mode))
        say(t, " %lld bytes, %d names", (long long)st->st_size, (int)st->st_nlink);
}

static void use_file(struct transcript *t, const char *path)
{
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    static const int more[] = {0,        O_CREAT,     O_CREAT | O_EXCL, O_TRUNC, O_CREAT | O_TRUNC,
                               O_APPEND, O_DIRECTORY, O_NOFOLLOW};
    int flags = modes[draw(t, 3)] | more[draw(t, 8)];
    struct cel_file *file;
    char bytes[3000];
    struct stat st;
    int r = cel_file_open(&file, path, flags, 0640);

    say(t, "open %x %s", flags & ~O_LARGEFILE, cel_errname(r));
    if (r < 0)
        return;
    memset(bytes, 'a' + (int)draw(t, 26), sizeof bytes);
    for (unsigned i = draw(t, 4); i > 0; i--) {
        unsigned len = 1 + draw(t, sizeof bytes), at = draw(t, 5000);

        say(t, " write %d", (int)cel_file_write(file, bytes, len, at));
        say(t, " read %d", (int)cel_file_read(file, bytes, len, at / 2));
        if (draw(t, 4) == 0)
            say(t, " cut %d", cel_file_truncate(file, draw(t, 6000)));
    }
    say(t, " sync %d ", cel_file_sync(file));
    r = cel_file_stat(file, &st);
    show_stat(t, r, &st);
    cel_file_close(file);
}

static void load(struct transcript *t, const char *path)
{
    uint64_t sum = 0;
    size_t len;
    char *bytes;
    int r = cel_file_load(path, 100000, &bytes, &len);

    say(t, "load %s", cel_errname(r));
    if (r < 0)
        return;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)bytes[i];
    say(t, " %zu %llx", len, (unsigned long long)sum);
    cel_free(bytes);
}

static void list(struct transcript *t, const char *path)
{
    char **names;
    ssize_t n = cel_dir_names(path, 100, &names);

    say(t, "list %d:", (int)n);
    for (ssize_t i = 0; i < n; i++)
        say(t, " %s", names[i]);
    if (n >= 0)
        cel_free(names);
}

static void name_things(struct transcript *t, const char *path, const char *to)
{
    static const char *const targets[] = {"a", "d", "..", "l", "../e/a", "nowhere", "d/"};
    const char *target = targets[draw(t, 7)];

    switch (draw(t, 9)) {
    case 0:
        say(t, "mkdir %s", cel_errname(cel_path_mkdir(path, 0755)));
        return;
    case 1:
        say(t, "mkdirs %s", cel_errname(cel_path_mkdirs(path, 0700)));
        return;
    case 2:
        say(t, "rmdir %s", cel_errname(cel_path_rmdir(path)));
        return;
    case 3:
        say(t, "unlink %s", cel_errname(cel_path_unlink(path)));
        return;
    case 4:
    case 5:
        say(t, "rename %s: %s", to, cel_errname(cel_path_rename(path, to)));
        return;
    case 6:
        say(t, "rename new %s: %s", to, cel_errname(cel_path_rename_new(path, to)));
        return;
    case 7:
        say(t, "link %s: %s", to, cel_errname(cel_path_link(path, to)));
        return;
    default:
        say(t, "symlink %s: %s", target, cel_errname(cel_path_symlink(target, path)));
    }
}

static void look(struct transcript *t, const char *path, const char *to)
{
    struct stat st;
    char *text = NULL;
    int r;

    switch (draw(t, 6)) {
    case 0:
        r = cel_path_stat(path, &st);
        show_stat(t, r, &st);
        return;
    case 1:
        r = cel_path_lstat(path, &st);
        show_stat(t, r, &st);
        return;
    case 2:
        r = cel_path_readlink(path, &text);
        say(t, "link %s %s", cel_errname(r), r == 0 ? text : "");
        cel_free(text);
        return;
    case 3:
        say(t, "copy %s: %s", to, cel_errname(cel_path_copy(path, to)));
        return;
    case 4:
        say(t, "chmod %s", cel_errname(cel_path_chmod(path, 0711)));
        return;
    default:
        say(t, "save %s", cel_errname(cel_file_save(path, "saved", 5, 0644)));
    }
}

static void *take_steps(void *arg)
{
    struct transcript *t = arg;

    for (int i = 0; i < STEPS; i++) {
        char path[128], to[128];
        unsigned kind = draw(t, 8);

        (void)pick(t, path);
        (void)pick(t, to);
        say(t, "%s: ", path + strlen(t->base));
        if (strstr(path, "/..") != NULL && strlen(path) == strlen(t->base) + 3)
            say(t, "outside");
        else if (kind <= 1)
            use_file(t, path);
        else if (kind == 2)
            load(t, path);
        else if (kind == 3)
            list(t, path);
        else if (kind <= 6)
            name_things(t, path, to);
        else
            look(t, path, to);
        say(t, "\n");
    }
    return NULL;
}

static void *take_steps_there(void *arg)
{
    struct transcript *t = arg;

    CHECK(cel_path_mkdirs(t->base, 0755) == 0);
    return take_steps(arg);
}

static void *remove_base(void *arg)
{
    CHECK(cel_path_remove_all(arg) == 0);
    return NULL;
}

/* The name of the base is not part of it. */
static void show_difference(const struct transcript *a, const struct transcript *b)
{
    size_t at = 0, line;

    while (at < a->len && at < b->len && a->text[at] == b->text[at])
        at++;
    for (line = at; line > 0 && a->text[line - 1] != '\n'; line--)
        continue;
    fail_msg("real:\n%.200s\nsimulated:\n%.200s", a->text + line, b->text + line);
}

static void disk_answers_as_the_kernel_does(void **state)
{
    umask(022);
    for (unsigned seed = 1; seed <= RUNS; seed++) {
        char base[] = "/tmp/celadon-disk-XXXXXX", deep[64];
        struct transcript real = {.state = seed}, simulated = {.state = seed};

        assert_non_null(mkdtemp(base));
        snprintf(deep, sizeof deep, "%s/1/2/3/4/5", base); /* links lead up, not out */
        real.base = simulated.base = deep;
        assert_int_equal(cel_run(take_steps_there, &real, NULL), 0);
        assert_int_equal(cel_run(remove_base, base, NULL), 0);
        assert_int_equal(run_calm(seed, take_steps_there, &simulated), 0);
        if (real.len != simulated.len || memcmp(real.text, simulated.text, real.len) != 0)
            show_difference(&real, &simulated);
        free(real.text);
        free(simulated.text);
    }
}

/* ---- a loss of power ---- */

#define CRASHES 200
#define BYTES   2000

static struct {
    bool is_synced, is_named; /* by the program */
    unsigned none, all, torn; /* of CRASHES: what was left */
} loss;

static void *write_file(void *arg)
{
    struct cel_file *file, *folder;
    char bytes[BYTES];

    memset(bytes, 'n', sizeof bytes);
    CHECK(cel_file_open(&file, "/data/new", O_RDWR | O_CREAT, 0600) == 0);
    CHECK(cel_file_write(file, bytes, BYTES, 0) == BYTES);
    if (loss.is_synced)
        CHECK(cel_file_sync(file) == 0);
    cel_file_close(file);
    if (!loss.is_named)
        return NULL;
    CHECK(cel_file_open(&folder, "/data", O_RDONLY | O_DIRECTORY, 0) == 0);
    CHECK(cel_file_sync(folder) == 0);
    cel_file_close(folder);
    return NULL;
}

static void *lose_power(void *arg)
{
    struct cel_sim_host *host;
    size_t len, good = 0;
    char *bytes;

    CHECK(cel_sim_host_new(&host, "far", write_file, NULL) == 0);
    CHECK(cel_sim_disk_save(host, "/data/old", "o", 1) == 0);
    CHECK(cel_sim_settle() == 0 && cel_sleep(CEL_SECOND) == 0);
    CHECK(cel_sim_disk_load(host, "/data/new", &bytes, &len) == 0 && len == BYTES);
    cel_free(bytes);
    cel_sim_kill(host);
    CHECK(cel_sim_disk_load(host, "/data/old", &bytes, &len) == 0 && len == 1);
    cel_free(bytes);
    if (cel_sim_disk_load(host, "/data/new", &bytes, &len) < 0) {
        loss.none++;
        return NULL;
    }
    while (good < len && bytes[good] == 'n')
        good++;
    cel_free(bytes);
    loss.all += good == BYTES && len == BYTES;
    loss.torn += good != BYTES;
    return NULL;
}

static void lose_power_often(bool is_synced, bool is_named)
{
    loss.is_synced = is_synced;
    loss.is_named = is_named;
    loss.none = loss.all = loss.torn = 0;
    for (unsigned seed = 1; seed <= CRASHES; seed++)
        assert_int_equal(run_calm(seed, lose_power, NULL), 0);
    assert_int_equal(loss.none + loss.all + loss.torn, CRASHES);
}

static void unsynced_may_be_lost_torn_or_left(void **state)
{
    lose_power_often(false, false);
    assert_true(loss.none > 10 && loss.all > 10 && loss.torn > 10);
}

static void file_without_its_folders_sync_may_have_no_name(void **state)
{
    lose_power_often(true, false);
    assert_true(loss.none > 10 && loss.all > 10);
    assert_int_equal(loss.torn, 0);
}

static void name_without_the_files_sync_may_have_no_bytes(void **state)
{
    lose_power_often(false, true);
    assert_true(loss.torn > 10 && loss.all > 10);
    assert_int_equal(loss.none, 0);
}

static void synced_is_left(void **state)
{
    lose_power_often(true, true);
    assert_int_equal(loss.all, CRASHES);
}

/* ---- what describes a file, after a loss of power ---- */

static struct {
    int (*sync)(struct cel_file *file);
    unsigned old, new;
} described;

static void *close_to_others(void *arg)
{
    struct cel_file *file;

    CHECK(cel_file_open(&file, "/data/key", O_RDWR, 0) == 0);
    CHECK(cel_path_chmod("/data/key", 0600) == 0);
    if (described.sync != NULL)
        CHECK(described.sync(file) == 0);
    cel_file_close(file);
    return NULL;
}

static void *lose_a_mode(void *arg)
{
    struct cel_sim_host *home = cel_sim_home();
    struct stat before, after;

    CHECK(cel_sim_disk_save(home, "/data/key", "k", 1) == 0);
    CHECK(cel_path_stat("/data/key", &before) == 0);
    CHECK(cel_sleep(CEL_SECOND) == 0);
    CHECK(close_to_others(NULL) == NULL);
    cel_sim_kill(home);
    CHECK(cel_sim_reboot(home) == 0);
    CHECK(cel_path_stat("/data/key", &after) == 0);
    CHECK((after.st_mode & 0777) == 0600 || (after.st_mode & 0777) == 0644);
    CHECK(after.st_mtime == before.st_mtime);
    CHECK((after.st_ctime > before.st_ctime) == ((after.st_mode & 0777) == 0600));
    described.old += (after.st_mode & 0777) == 0644;
    described.new += (after.st_mode & 0777) == 0600;
    return NULL;
}

static void lose_modes(int (*sync)(struct cel_file *file))
{
    described.sync = sync;
    described.old = described.new = 0;
    for (unsigned seed = 1; seed <= CRASHES; seed++)
        assert_int_equal(run_calm(seed, lose_a_mode, NULL), 0);
}

static void mode_and_times_are_left_only_after_a_sync_of_the_file(void **state)
{
    lose_modes(NULL);
    assert_true(described.old > 10 && described.new > 10);
    lose_modes(cel_file_sync_data);
    assert_true(described.old > 10 && described.new > 10);
    lose_modes(cel_file_sync);
    assert_int_equal(described.new, CRASHES);
}

/* ---- names after a loss of power ---- */

static unsigned befores, afters;

static void *exchange_names(void *arg)
{
    CHECK(cel_path_rename("/data/new", "/data/old") == 0);
    return NULL;
}

static void *lose_a_move(void *arg)
{
    struct cel_sim_host *host;
    char *bytes;
    size_t len;
    bool is_moved;

    CHECK(cel_sim_host_new(&host, "far", exchange_names, NULL) == 0);
    CHECK(cel_sim_disk_save(host, "/data/old", "o", 1) == 0);
    CHECK(cel_sim_disk_save(host, "/data/new", "n", 1) == 0);
    CHECK(cel_sleep(CEL_SECOND) == 0);
    cel_sim_kill(host);
    CHECK(cel_sim_disk_load(host, "/data/old", &bytes, &len) == 0 && len == 1);
    is_moved = *bytes == 'n';
    cel_free(bytes);
    if (!is_moved) {
        CHECK(cel_sim_disk_load(host, "/data/new", &bytes, &len) == 0);
        cel_free(bytes);
    } else {
        CHECK(cel_sim_disk_load(host, "/data/new", &bytes, &len) == -ENOENT);
    }
    befores += !is_moved;
    afters += is_moved;
    return NULL;
}

static void move_happens_whole_or_not_at_all(void **state)
{
    for (unsigned seed = 1; seed <= CRASHES; seed++)
        assert_int_equal(run_calm(seed, lose_a_move, NULL), 0);
    assert_true(befores > 10 && afters > 10);
}

static void *shuffle_until_power_goes(void *arg)
{
    struct transcript *t = arg;

    while (cel_checkpoint() == 0)
        (void)take_steps(t);
    return NULL;
}

/* Whatever was going on, a tree is left, and one can work with it. */
static void *lose_power_in_the_middle(void *arg)
{
    struct transcript t = {.base = "/tmp", .state = *(uint64_t *)arg};
    struct cel_sim_host *host;

    CHECK(cel_sim_host_new(&host, "far", shuffle_until_power_goes, &t) == 0);
    for (int i = 0; i < 4; i++) {
        CHECK(cel_sleep((int64_t)cel_sim_draw(20 * CEL_MILLISECOND)) == 0);
        cel_sim_kill(host);
        CHECK(cel_sim_reboot(host) == 0);
    }
    CHECK(cel_sleep(20 * CEL_MILLISECOND) == 0);
    cel_sim_kill(host);
    CHECK(cel_sim_reboot(host) == 0);
    cel_sim_kill(host);
    CHECK(cel_sim_reboot(host) == 0);
    cel_sim_kill(host);
    CHECK(cel_sleep(CEL_SECOND) == 0);
    free(t.text);
    return NULL;
}

static void tree_is_left_whatever_was_going_on(void **state)
{
    for (uint64_t seed = 1; seed <= CRASHES; seed++)
        assert_int_equal(run_calm(seed, lose_power_in_the_middle, &seed), 0);
}

/* ---- faults ---- */

static void *sync_fails_once(void *arg)
{
    struct cel_sim_host *home = cel_sim_home();
    struct cel_file *file, *second;
    char *bytes;
    size_t len;

    CHECK(cel_sim_disk_save(home, "/x", "old", 3) == 0);
    CHECK(cel_file_open(&file, "/x", O_RDWR, 0) == 0);
    CHECK(cel_file_sync(file) == -EIO);
    CHECK(cel_file_sync(file) == -EIO); /* the library's own memory of it */
    cel_sim_calm();
    CHECK(cel_file_open(&second, "/x", O_RDWR, 0) == 0);
    CHECK(cel_file_write(second, "new", 3, 0) == 3);
    CHECK(cel_file_sync(second) == 0); /* who came later is not told */
    CHECK(cel_file_sync(file) == -EIO);
    cel_file_close(file);
    cel_file_close(second);
    cel_sim_kill(home);
    CHECK(cel_sim_reboot(home) == 0);
    CHECK(cel_file_load("/x", 10, &bytes, &len) == 0 && strcmp(bytes, "new") == 0);
    cel_free(bytes);
    return NULL;
}

static void failed_sync_is_told_once_to_each(void **state)
{
    struct cel_sim_options o;

    cel_sim_options_calm(&o);
    o.io_error = 1000000;
    o.faults_for = 1000 * CEL_SECOND;
    assert_int_equal(cel_sim_run(3, &o, sync_fails_once, NULL, NULL), 0);
}

/* -> whether the sync found no room, was told once, and left nothing to be written. */
static bool is_told_once(struct cel_file *file, struct cel_file *second)
{
    bool is_quiet = cel_file_sync(second) == 0; /* nothing waits for room */

    while (cel_file_write(file, "new", 3, 0) < 0)
        continue;
    return is_quiet && cel_file_sync(file) == -ENOSPC;
}

static void *fill_up_late(void *arg)
{
    struct cel_file *file, *second, *third;
    bool is_told, is_quiet;
    char *bytes;
    size_t len;

    CHECK(cel_sim_disk_save(cel_sim_home(), "/x", "old", 3) == 0);
    CHECK(cel_file_open(&file, "/x", O_RDWR, 0) == 0);
    CHECK(cel_file_open(&second, "/x", O_RDWR, 0) == 0);
    is_told = is_told_once(file, second);
    CHECK(cel_file_open(&third, "/x", O_RDWR, 0) == 0);
    is_quiet = cel_file_sync(third) == 0; /* there is nothing left to be written */
    cel_file_close(third);
    cel_file_close(second);
    cel_file_close(file);
    CHECK(is_told && is_quiet);
    cel_sim_kill(cel_sim_home());
    CHECK(cel_sim_reboot(cel_sim_home()) == 0);
    CHECK(cel_file_load("/x", 10, &bytes, &len) == 0 && strcmp(bytes, "old") == 0);
    cel_free(bytes);
    return NULL;
}

static void sync_of_a_full_disk_fails_and_gives_up_what_was_written(void **state)
{
    struct cel_sim_options o;
    unsigned seen = 0;

    cel_sim_options_calm(&o);
    o.disk_full = 950000; /* of a hundred seeds some write and do not sync */
    o.faults_for = 1000 * CEL_SECOND;
    for (unsigned seed = 1; seed <= CRASHES; seed++)
        seen += cel_sim_run(seed, &o, fill_up_late, NULL, NULL) == 0;
    assert_true(seen > CRASHES / 2);
}

static void *fill_disk(void *arg)
{
    struct cel_sim_host *home = cel_sim_home();
    struct cel_file *file;
    char bytes[600] = {0};
    struct stat st;

    cel_sim_disk_limit(home, 1000);
    CHECK(cel_file_open(&file, "x", O_RDWR | O_CREAT, 0600) == 0);
    CHECK(cel_file_write(file, bytes, 600, 0) == 600);
    CHECK(cel_file_write(file, bytes, 600, 600) == -ENOSPC);
    CHECK(cel_file_stat(file, &st) == 0 && st.st_size == 1000);
    CHECK(cel_file_write(file, bytes, 600, 300) == 600); /* over what is there */
    CHECK(cel_file_truncate(file, 0) == 0);
    CHECK(cel_file_write(file, bytes, 600, 0) == 600);
    cel_file_close(file);
    CHECK(cel_path_unlink("/x") == 0);
    CHECK(cel_file_save("y", bytes, 600, 0600) == 0);
    cel_sim_disk_limit(home, -1);
    CHECK(cel_file_save("z", bytes, 600, 0600) == 0);
    return NULL;
}

static void full_disk_takes_what_there_is_room_for(void **state)
{
    assert_int_equal(run_calm(1, fill_disk, NULL), 0);
}

static void *look_from_outside(void *arg)
{
    struct cel_sim_host *home = cel_sim_home();
    size_t len;
    char *bytes;

    CHECK(cel_sim_disk_load(home, "/no/such", &bytes, &len) == -ENOENT);
    CHECK(cel_sim_disk_load(home, "/tmp", &bytes, &len) == -EISDIR);
    CHECK(cel_sim_disk_save(home, "/tmp", "", 0) == -EISDIR);
    CHECK(cel_sim_disk_save(home, "/a/b/c", "deep", 4) == 0);
    CHECK(cel_sim_disk_save(home, "/a/b/c/d", "", 0) == -ENOTDIR);
    CHECK(cel_file_load("a/b/c", 100, &bytes, &len) == 0 && strcmp(bytes, "deep") == 0);
    cel_free(bytes);
    CHECK(cel_file_load("/proc/self/status", 1 << 20, &bytes, &len) == 0); /* the real one */
    cel_free(bytes);
    return NULL;
}

static void disk_is_seen_from_outside(void **state)
{
    assert_int_equal(run_calm(1, look_from_outside, NULL), 0);
}

static struct cel_file *left; /* in reach of who looks for leaks */

static void *leave_a_file(void *arg)
{
    CHECK(cel_file_open(&left, "/x", O_RDWR | O_CREAT, 0600) == 0);
    return NULL;
}

static void file_left_open_fails_the_run(void **state)
{
    assert_int_equal(run_calm(1, leave_a_file, NULL), -EBUSY);
}

static void hush(enum cel_log_level level, const char *line, void *arg)
{
}

static int quiet(void **state)
{
    cel_set_log(hush, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_answers_as_the_kernel_does),
        cmocka_unit_test(unsynced_may_be_lost_torn_or_left),
        cmocka_unit_test(file_without_its_folders_sync_may_have_no_name),
        cmocka_unit_test(name_without_the_files_sync_may_have_no_bytes),
        cmocka_unit_test(synced_is_left),
        cmocka_unit_test(mode_and_times_are_left_only_after_a_sync_of_the_file),
        cmocka_unit_test(move_happens_whole_or_not_at_all),
        cmocka_unit_test(tree_is_left_whatever_was_going_on),
        cmocka_unit_test(failed_sync_is_told_once_to_each),
        cmocka_unit_test_setup(sync_of_a_full_disk_fails_and_gives_up_what_was_written, quiet),
        cmocka_unit_test(full_disk_takes_what_there_is_room_for),
        cmocka_unit_test(disk_is_seen_from_outside),
        cmocka_unit_test_setup(file_left_open_fails_the_run, quiet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
