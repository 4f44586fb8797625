/* SPDX-License-Identifier: MIT */
/* What the filesystem knows of a file beside its bytes: whose it is, when it was used, who may, and
 * where it really lies. One system call each, as a job of the pool. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/mem.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "io/file.h"

struct attribute_job {
    int (*call)(struct attribute_job *job); /* -1 and errno, as the system calls */
    const char *path;
    int fd;
    uid_t uid;
    gid_t gid;
    int mode, flags;
    int64_t offset, len;
    struct timespec times[2];
    char *real; /* PATH_MAX bytes */
    struct statvfs space;
    int result;
};

static void *do_job(void *arg)
{
    struct attribute_job *job = arg;

    do
        job->result = job->call(job) < 0 ? -errno : 0;
    while (job->result == -EINTR);
    return NULL;
}

/* (parks) */
static int run_job(struct attribute_job *job)
{
    int r = cel__blocking_do(do_job, job); /* parks */

    return r < 0 ? r : job->result;
}

/* ---- owners ---- */

static int call_chown(struct attribute_job *job)
{
    return cel__sys.fchownat(AT_FDCWD, job->path, job->uid, job->gid, job->flags);
}

int cel_path_chown(const char *path, uid_t uid, gid_t gid)
{
    struct attribute_job job = {.call = call_chown, .path = path, .uid = uid, .gid = gid};

    return run_job(&job); /* parks */
}

int cel_path_lchown(const char *path, uid_t uid, gid_t gid)
{
    struct attribute_job job = {
        .call = call_chown, .path = path, .uid = uid, .gid = gid, .flags = AT_SYMLINK_NOFOLLOW};

    return run_job(&job); /* parks */
}

static int call_fchown(struct attribute_job *job)
{
    return cel__sys.fchown(job->fd, job->uid, job->gid);
}

int cel_file_chown(struct cel_file *file, uid_t uid, gid_t gid)
{
    struct attribute_job job = {.call = call_fchown, .fd = file->fd->fd, .uid = uid, .gid = gid};

    return run_job(&job); /* parks */
}

/* ---- permissions ---- */

static int call_fchmod(struct attribute_job *job)
{
    return cel__sys.fchmod(job->fd, (mode_t)job->mode);
}

int cel_file_chmod(struct cel_file *file, mode_t mode)
{
    struct attribute_job job = {.call = call_fchmod, .fd = file->fd->fd, .mode = (int)mode};

    return run_job(&job); /* parks */
}

static int call_access(struct attribute_job *job)
{
    return cel__sys.faccessat(AT_FDCWD, job->path, job->mode, AT_EACCESS);
}

int cel_path_access(const char *path, int mode)
{
    struct attribute_job job = {.call = call_access, .path = path, .mode = mode};

    return run_job(&job); /* parks */
}

/* ---- times ---- */

/* Seconds are rounded down, also those before 1970. */
static struct timespec as_time(int64_t ns)
{
    int64_t seconds = ns / CEL_SECOND, rest = ns % CEL_SECOND;

    if (ns == CEL_TIME_NOW)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    if (ns == CEL_TIME_KEEP)
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    if (rest < 0) {
        seconds--;
        rest += CEL_SECOND;
    }
    return (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

static int call_set_times(struct attribute_job *job)
{
    return job->path != NULL ? cel__sys.utimensat(AT_FDCWD, job->path, job->times, 0)
                             : cel__sys.futimens(job->fd, job->times);
}

int cel_path_set_times(const char *path, int64_t accessed, int64_t modified)
{
    struct attribute_job job = {
        .call = call_set_times, .path = path, .times = {as_time(accessed), as_time(modified)}};

    return run_job(&job); /* parks */
}

int cel_file_set_times(struct cel_file *file, int64_t accessed, int64_t modified)
{
    struct attribute_job job = {.call = call_set_times,
                                .fd = file->fd->fd,
                                .times = {as_time(accessed), as_time(modified)}};

    return run_job(&job); /* parks */
}

/* ---- places ---- */

static int call_real(struct attribute_job *job)
{
    return cel__sys.realpath(job->path, job->real) != NULL ? 0 : -1;
}

int cel_path_real(const char *path, char **out)
{
    struct attribute_job job = {.call = call_real, .path = path};
    int r;

    job.real = cel__mem_alloc(PATH_MAX);
    if (job.real == NULL)
        return -ENOMEM;
    r = run_job(&job); /* parks */
    if (r < 0)
        cel__mem_free(job.real);
    else
        *out = job.real;
    return r;
}

static int call_space(struct attribute_job *job)
{
    return cel__sys.statvfs(job->path, &job->space);
}

int cel_path_space(const char *path, struct cel_space *out)
{
    struct attribute_job job = {.call = call_space, .path = path};
    int r = run_job(&job); /* parks */

    if (r < 0)
        return r;
    out->total = (uint64_t)job.space.f_blocks * job.space.f_frsize;
    out->available = (uint64_t)job.space.f_bavail * job.space.f_frsize;
    return 0;
}

static int call_allocate(struct attribute_job *job)
{
    return cel__sys.fallocate(job->fd, 0, job->offset, job->len);
}

int cel_file_allocate(struct cel_file *file, int64_t offset, int64_t len)
{
    struct attribute_job job = {
        .call = call_allocate, .fd = file->fd->fd, .offset = offset, .len = len};

    return run_job(&job); /* parks */
}
