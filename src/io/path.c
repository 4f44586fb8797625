/* SPDX-License-Identifier: MIT */
/* What is done to paths: one system call each, as a job of the pool; and folders made or removed
 * with what belongs to them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "celadon/file.h"
#include "io/blocking.h"
#include "io/dir.h"

#define DEPTH_MAX 128

struct path_job {
    int (*call)(struct path_job *job); /* -1 and errno, as the system calls */
    const char *path, *to;
    mode_t mode;
    int flags;
    struct stat *st;
    char *text;
    int result;
};

static void *do_job(void *arg)
{
    struct path_job *job = arg;

    do
        job->result = job->call(job) < 0 ? -errno : 0;
    while (job->result == -EINTR);
    return NULL;
}

/* (parks) */
static int run_job(struct path_job *job)
{
    int r = cel__blocking_do(do_job, job); /* parks */

    return r < 0 ? r : job->result;
}

static int call_stat(struct path_job *job)
{
    return cel__sys.fstatat(AT_FDCWD, job->path, job->st, job->flags);
}

int cel_path_stat(const char *path, struct stat *out)
{
    struct path_job job = {.call = call_stat, .path = path, .st = out};

    return run_job(&job); /* parks */
}

int cel_path_lstat(const char *path, struct stat *out)
{
    struct path_job job = {
        .call = call_stat, .path = path, .st = out, .flags = AT_SYMLINK_NOFOLLOW};

    return run_job(&job); /* parks */
}

static int call_rename(struct path_job *job)
{
    return cel__sys.renameat2(AT_FDCWD, job->path, AT_FDCWD, job->to, (unsigned)job->flags);
}

int cel_path_rename(const char *path, const char *to)
{
    struct path_job job = {.call = call_rename, .path = path, .to = to};

    return run_job(&job); /* parks */
}

int cel_path_rename_new(const char *path, const char *to)
{
    struct path_job job = {.call = call_rename, .path = path, .to = to, .flags = RENAME_NOREPLACE};

    return run_job(&job); /* parks */
}

static int call_unlink(struct path_job *job)
{
    return cel__sys.unlinkat(AT_FDCWD, job->path, job->flags);
}

int cel_path_unlink(const char *path)
{
    struct path_job job = {.call = call_unlink, .path = path};

    return run_job(&job); /* parks */
}

int cel_path_rmdir(const char *path)
{
    struct path_job job = {.call = call_unlink, .path = path, .flags = AT_REMOVEDIR};

    return run_job(&job); /* parks */
}

static int call_mkdir(struct path_job *job)
{
    return cel__sys.mkdirat(AT_FDCWD, job->path, job->mode);
}

int cel_path_mkdir(const char *path, mode_t mode)
{
    struct path_job job = {.call = call_mkdir, .path = path, .mode = mode};

    return run_job(&job); /* parks */
}

/* Somebody else may make the same folders at the same time: that they are there is what counts. */
static int make_one(const char *path, mode_t mode)
{
    struct stat st;
    int code;

    if (cel__sys.mkdirat(AT_FDCWD, path, mode) == 0)
        return 0;
    code = errno;
    if (cel__sys.fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
        return 0;
    errno = code;
    return -1;
}

static int call_mkdirs(struct path_job *job)
{
    char *path = cel__mem_strdup(job->path);
    int r = 0;

    if (path == NULL) {
        errno = ENOMEM;
        return -1;
    }
    for (char *at = path; r == 0 && (at = strchr(at + 1, '/')) != NULL;) {
        *at = '\0';
        r = make_one(path, job->mode);
        *at = '/';
    }
    if (r == 0)
        r = make_one(path, job->mode);
    cel__mem_free(path);
    return r;
}

int cel_path_mkdirs(const char *path, mode_t mode)
{
    struct path_job job = {.call = call_mkdirs, .path = path, .mode = mode};

    return *path == '\0' ? -ENOENT : run_job(&job); /* parks */
}

static int call_symlink(struct path_job *job)
{
    return cel__sys.symlinkat(job->to, AT_FDCWD, job->path);
}

int cel_path_symlink(const char *target, const char *path)
{
    struct path_job job = {.call = call_symlink, .path = path, .to = target};

    return run_job(&job); /* parks */
}

static int call_readlink(struct path_job *job)
{
    char text[PATH_MAX];
    ssize_t n = cel__sys.readlinkat(AT_FDCWD, job->path, text, sizeof text);

    if (n < 0)
        return -1;
    job->text = cel__mem_strndup(text, (size_t)n);
    if (job->text != NULL)
        return 0;
    errno = ENOMEM;
    return -1;
}

int cel_path_readlink(const char *path, char **out)
{
    struct path_job job = {.call = call_readlink, .path = path};
    int r = run_job(&job); /* parks */

    if (r == 0)
        *out = job.text;
    return r;
}

static int call_link(struct path_job *job)
{
    return cel__sys.linkat(AT_FDCWD, job->path, AT_FDCWD, job->to, 0);
}

int cel_path_link(const char *path, const char *to)
{
    struct path_job job = {.call = call_link, .path = path, .to = to};

    return run_job(&job); /* parks */
}

static int call_chmod(struct path_job *job)
{
    return cel__sys.fchmodat(AT_FDCWD, job->path, job->mode, 0);
}

int cel_path_chmod(const char *path, mode_t mode)
{
    struct path_job job = {.call = call_chmod, .path = path, .mode = mode};

    return run_job(&job); /* parks */
}

/* ---- removing trees ---- */

static int remove_at(int dir, const char *name, int depth);

/* What is listed may vanish meanwhile, and what is removed may make the listing skip: it is begun
 * again until it is empty. */
static int empty_folder(int fd, int depth)
{
    struct cel__listing *list = cel__mem_alloc(sizeof *list);
    struct cel_dir_entry entry;
    bool has_found = true;
    int r = list != NULL ? 1 : -ENOMEM;

    while (r >= 0 && has_found) {
        has_found = false;
        if (cel__sys.lseek(fd, 0, SEEK_SET) < 0) {
            r = -errno;
            break;
        }
        cel__listing_init(list, fd);
        while ((r = cel__listing_next(list, &entry)) > 0) {
            has_found = true;
            r = remove_at(fd, entry.name, depth + 1);
            if (r < 0)
                break;
        }
    }
    cel__mem_free(list);
    return r;
}

/* Each folder is opened by name without following a link, and worked in by its descriptor, so that
 * nobody can lead this elsewhere by a link put in between. */
static int remove_at(int dir, const char *name, int depth)
{
    int fd, r;

    if (cel__sys.unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (depth > DEPTH_MAX)
        return -ELOOP;
    fd = cel__sys.openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP ? -EPERM : -errno;
    r = empty_folder(fd, depth);
    cel__sys.close(fd);
    if (r >= 0 && cel__sys.unlinkat(dir, name, AT_REMOVEDIR) < 0)
        r = -errno;
    return r < 0 ? r : 0;
}

static int call_remove_all(struct path_job *job)
{
    struct stat st;
    int r;

    if (cel__sys.fstatat(AT_FDCWD, job->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    r = remove_at(AT_FDCWD, job->path, 0);
    errno = -r;
    return r < 0 ? -1 : 0;
}

int cel_path_remove_all(const char *path)
{
    struct path_job job = {.call = call_remove_all, .path = path};

    return run_job(&job); /* parks */
}
