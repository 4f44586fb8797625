/* SPDX-License-Identifier: MIT */
/* Files in pieces, what is known of them, and all that is done to paths. Each folder is emptied by
 * hand afterwards: the call that would do it may have been the one that failed. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "harness/scenarios.h"

#define MS CEL_MILLISECOND

struct place {
    char folder[64];
    char at[8][96]; /* "a" to "h" in it */
};

static int take_away(const char *path, const struct stat *st, int type, struct FTW *where)
{
    return type == FTW_DP ? rmdir(path) : unlink(path);
}

static void *in_folder(void (*use)(struct place *p))
{
    struct place p;
    char *folder;

    if (cel_path_temp_dir(&folder, NULL) < 0)
        return NULL;
    snprintf(p.folder, sizeof p.folder, "%s", folder);
    cel_free(folder);
    for (int i = 0; i < 8; i++)
        snprintf(p.at[i], sizeof p.at[i], "%s/%c", p.folder, 'a' + i);
    use(&p);
    CEL__ASSERT(nftw(p.folder, take_away, 8, FTW_DEPTH | FTW_PHYS) == 0);
    return NULL;
}

static void use_pieces(struct place *p)
{
    char one[4], two[4];
    const struct iovec out[] = {{"some", 4}, {"text", 4}};
    struct iovec in[] = {{one, 4}, {two, 4}};
    struct cel_file *file;

    if (cel_file_open(&file, p->at[0], O_RDWR | O_CREAT, 0600) < 0)
        return;
    if (cel_file_writev(file, out, 2, 0) == 8 && cel_file_sync_data(file) == 0 &&
        cel_file_readv(file, in, 2, 0) == 8)
        CEL__ASSERT(memcmp(two, "text", 4) == 0);
    (void)!cel_file_truncate(file, 2);
    cel_file_close(file);
}

static void use_names(struct place *p)
{
    struct stat st;
    char *text;

    if (cel_file_save(p->at[0], "x", 1, 0600) < 0)
        return;
    (void)!cel_path_chmod(p->at[0], 0400);
    (void)!cel_path_link(p->at[0], p->at[1]);
    (void)!cel_path_rename(p->at[1], p->at[2]);
    (void)!cel_path_rename_new(p->at[2], p->at[3]);
    if (cel_path_symlink("a", p->at[4]) == 0 && cel_path_lstat(p->at[4], &st) == 0 &&
        cel_path_stat(p->at[4], &st) == 0 && cel_path_readlink(p->at[4], &text) == 0) {
        CEL__ASSERT(strcmp(text, "a") == 0);
        cel_free(text);
    }
    (void)!cel_path_unlink(p->at[3]);
}

static void use_folders(struct place *p)
{
    struct cel_dir_entry entry;
    struct cel_dir *dir;
    char deep[128], file[136];

    snprintf(deep, sizeof deep, "%s/x/y", p->at[1]);
    snprintf(file, sizeof file, "%s/z", deep);
    (void)!cel_path_mkdir(p->at[0], 0700);
    if (cel_path_mkdirs(deep, 0700) == 0)
        (void)!cel_file_save(file, "x", 1, 0600);
    if (cel_dir_open(&dir, p->folder) == 0) {
        while (cel_dir_next(dir, &entry) > 0)
            continue;
        cel_dir_close(dir);
    }
    (void)!cel_path_rmdir(p->at[0]);
    (void)!cel_path_remove_all(p->at[1]);
}

static void use_wholes(struct place *p)
{
    char line[16], **names;
    struct cel_stream *s;
    struct cel_file *file;

    if (cel_file_save(p->at[0], "one\ntwo\n", 8, 0600) < 0 || cel_path_copy(p->at[0], p->at[1]) < 0)
        return;
    if (cel_file_open(&file, p->at[1], 0, 0) == 0) {
        if (cel_file_stream(&s, file, 4) < 0) {
            cel_file_close(file);
        } else {
            (void)!cel_read_until(s, '\n', line, sizeof line);
            cel_close(s);
        }
    }
    if (cel_dir_names(p->folder, 10, &names) >= 0)
        cel_free(names);
}

/* A lock that excludes keeps others out until it is given back. */
static void use_locks(struct place *p)
{
    struct cel_file *a, *b;
    char *path;

    if (cel_file_temp_named(&a, &path, p->folder) < 0)
        return;
    if (cel_file_open(&b, path, O_RDWR, 0) == 0) {
        if (cel_file_lock(a, false) == 0) {
            CEL__ASSERT(cel_file_try_lock(b, true) < 0);
            CEL_SCOPE (s, .timeout = MS)
                CEL__ASSERT(cel_file_lock(b, true) < 0);
        }
        if (cel_file_unlock(a) == 0 && cel_file_lock(b, true) == 0)
            CEL__ASSERT(cel_file_try_lock(a, false) < 0);
        cel_file_close(b);
    }
    cel_file_close(a);
    cel_free(path);
}

static void use_attributes_of_file(struct place *p)
{
    struct cel_file *file;
    struct stat st;

    if (cel_file_open(&file, p->at[0], O_RDWR | O_CREAT, 0600) < 0)
        return;
    if (cel_file_allocate(file, 0, 4096) == 0 && cel_file_stat(file, &st) == 0)
        CEL__ASSERT(st.st_size == 4096);
    if (cel_file_chmod(file, 0640) == 0 && cel_file_stat(file, &st) == 0)
        CEL__ASSERT((st.st_mode & 0777) == 0640);
    if (cel_file_chown(file, geteuid(), (gid_t)-1) == 0 && cel_file_stat(file, &st) == 0)
        CEL__ASSERT(st.st_uid == geteuid());
    if (cel_file_set_times(file, CEL_TIME_KEEP, 7 * CEL_SECOND) == 0 &&
        cel_file_stat(file, &st) == 0)
        CEL__ASSERT(st.st_mtim.tv_sec == 7);
    cel_file_close(file);
}

static void use_attributes_of_path(struct place *p)
{
    struct cel_space space;
    struct stat st;
    char *real;

    if (cel_file_save(p->at[0], "x", 1, 0600) < 0 || cel_path_symlink("a", p->at[1]) < 0)
        return;
    (void)!cel_path_chown(p->at[1], geteuid(), (gid_t)-1);
    if (cel_path_lchown(p->at[1], geteuid(), (gid_t)-1) == 0 && cel_path_lstat(p->at[1], &st) == 0)
        CEL__ASSERT(S_ISLNK(st.st_mode) && st.st_uid == geteuid());
    if (cel_path_set_times(p->at[1], 5 * CEL_SECOND, 7 * CEL_SECOND) == 0 &&
        cel_path_stat(p->at[0], &st) == 0)
        CEL__ASSERT(st.st_mtim.tv_sec == 7);
    (void)!cel_path_access(p->at[0], R_OK);
    if (cel_path_space(p->folder, &space) == 0)
        CEL__ASSERT(space.available <= space.total);
    if (cel_path_real(p->at[1], &real) == 0) {
        CEL__ASSERT(strcmp(strrchr(real, '/'), "/a") == 0);
        cel_free(real);
    }
}

static void *scenario_pieces(void *arg)
{
    return in_folder(use_pieces);
}

static void *scenario_names(void *arg)
{
    return in_folder(use_names);
}

static void *scenario_folders(void *arg)
{
    return in_folder(use_folders);
}

static void *scenario_wholes(void *arg)
{
    return in_folder(use_wholes);
}

static void *scenario_locks(void *arg)
{
    return in_folder(use_locks);
}

static void *scenario_file_attributes(void *arg)
{
    return in_folder(use_attributes_of_file);
}

static void *scenario_path_attributes(void *arg)
{
    return in_folder(use_attributes_of_path);
}

const struct scenario scenarios[] = {
    {"pieces", scenario_pieces, .uses_pool = true},
    {"names", scenario_names, .uses_pool = true},
    {"folders", scenario_folders, .uses_pool = true},
    {"wholes", scenario_wholes, .uses_pool = true},
    {"locks", scenario_locks, .uses_pool = true},
    {"file_attributes", scenario_file_attributes, .uses_pool = true},
    {"path_attributes", scenario_path_attributes, .uses_pool = true},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

int scenarios_open(void **state)
{
    return 0;
}

int scenarios_close(void **state)
{
    return 0;
}
