/* SPDX-License-Identifier: MIT */
/* Regular files: by the backend where it can, else by a job of the pool; opening and asking are
 * always jobs. Once begun, file IO is waited for: the kernel may still write to the buffer. */
#include "celadon/file.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "loop/core.h"
#include "task/wait.h"

#define CHUNK_MAX   (1 << 30)
#define LOAD_STEP   65536

struct cel_file {
    struct cel__fd *fd;
    int sync_error; /* sticky: what was lost stays lost */
};

struct open_job {
    const char *path;
    int flags;
    mode_t mode;
    int result;
};

static void *open_it(void *arg)
{
    struct open_job *job = arg;

    job->result = cel__sys.openat(AT_FDCWD, job->path, job->flags | O_CLOEXEC, job->mode);
    if (job->result < 0)
        job->result = -errno;
    return NULL;
}

int cel_file_open(struct cel_file **out, const char *path, int flags, mode_t mode)
{
    struct open_job job = {.path = path, .flags = flags, .mode = mode};
    struct cel_file *file = cel__mem_zalloc(sizeof *file);
    int r = file != NULL ? cel__blocking_do(open_it, &job) : -ENOMEM; /* parks */

    if (r == 0)
        r = job.result;
    if (r >= 0) {
        r = cel__fd_open(cel__loop_here, &file->fd, job.result, true);
        if (r < 0)
            cel__sys.close(job.result);
    }
    if (r < 0) {
        cel__mem_free(file);
        return r;
    }
    *out = file;
    return 0;
}

struct io_job {
    struct cel__op op;
    int64_t result;
};

static int64_t do_now(const struct cel__op *op)
{
    int fd = op->fd->fd;

    switch (op->kind) {
    case CEL__OP_PREAD:
        return cel__sys.pread(fd, op->buf, op->len, op->offset);
    case CEL__OP_PWRITE:
        return cel__sys.pwrite(fd, op->buf, op->len, op->offset);
    default:
        return cel__sys.fsync(fd);
    }
}

static void *do_io(void *arg)
{
    struct io_job *job = arg;

    do
        job->result = do_now(&job->op);
    while (job->result < 0 && errno == EINTR);
    if (job->result < 0)
        job->result = -errno;
    return NULL;
}

/* (parks) */
static int64_t transfer(struct cel_file *file, enum cel__op_kind kind, void *buf, size_t len,
                        int64_t offset)
{
    struct io_job job = {.op = {.kind = (uint8_t)kind, .fd = file->fd, .offset = offset}};
    int64_t r = cel__checkpoint(cel__task_parking());

    if (r < 0)
        return r;
    job.op.buf = buf;
    job.op.len = cel__min(len, (size_t)CHUNK_MAX);
    r = cel__wait_op_shielded(&job.op); /* parks */
    if (r != -ENOSYS)
        return r;
    r = cel__blocking_do(do_io, &job); /* parks */
    return r < 0 ? r : job.result;
}

ssize_t cel_file_read(struct cel_file *file, void *buf, size_t len, int64_t offset)
{
    return transfer(file, CEL__OP_PREAD, buf, len, offset); /* parks */
}

ssize_t cel_file_write(struct cel_file *file, const void *buf, size_t len, int64_t offset)
{
    size_t done = 0;

    while (done < len) {
        int64_t n = transfer(file, CEL__OP_PWRITE, (char *)buf + done, len - done,
                             offset + (int64_t)done); /* parks */

        if (n < 0)
            return n;
        if (n == 0)
            return -EIO;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int cel_file_sync(struct cel_file *file)
{
    int64_t r;

    if (file->sync_error != 0)
        return file->sync_error;
    r = transfer(file, CEL__OP_FSYNC, NULL, 0, 0); /* parks */
    if (r < 0 && r != -ECANCELED && r != -ETIMEDOUT && r != -ENOMEM)
        file->sync_error = (int)r;
    return (int)r;
}

struct stat_job {
    int fd, result;
    struct stat *out;
};

static void *stat_it(void *arg)
{
    struct stat_job *job = arg;

    job->result = cel__sys.fstat(job->fd, job->out) < 0 ? -errno : 0;
    return NULL;
}

int cel_file_stat(struct cel_file *file, struct stat *out)
{
    struct stat_job job = {.fd = file->fd->fd, .out = out};
    int r = cel__blocking_do(stat_it, &job); /* parks */

    return r < 0 ? r : job.result;
}

int cel_file_fd(const struct cel_file *file)
{
    return file->fd->fd;
}

void cel_file_close(struct cel_file *file)
{
    if (file == NULL)
        return;
    cel__fd_close(cel__loop_here, file->fd);
    cel__mem_free(file);
}

struct load_job {
    const char *path;
    size_t max;
    struct cel__buf bytes;
    int result;
};

static int load_all(struct load_job *job, int fd)
{
    struct stat st;
    size_t step = LOAD_STEP;

    if (cel__sys.fstat(fd, &st) == 0 && st.st_size > 0)
        step = cel__min((size_t)st.st_size, job->max) + 1; /* one more shows the end */
    for (;;) {
        struct cel__buf *b = &job->bytes;
        ssize_t n;

        if (b->len == b->cap && cel__buf_reserve(b, step) < 0)
            return -ENOMEM;
        n = cel__sys.read(fd, b->ptr + b->len, cel__min(b->cap - b->len, job->max + 1 - b->len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        job->bytes.len += (size_t)n;
        if (job->bytes.len > job->max)
            return -CEL_ETOOLARGE;
    }
}

static void *load_it(void *arg)
{
    struct load_job *job = arg;
    int fd = cel__sys.openat(AT_FDCWD, job->path, O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0) {
        job->result = -errno;
        return NULL;
    }
    job->result = load_all(job, fd);
    if (job->result == 0 && cel__buf_cstr(&job->bytes) == NULL)
        job->result = -ENOMEM;
    cel__sys.close(fd);
    return NULL;
}

int cel_file_load(const char *path, size_t max, char **out, size_t *len)
{
    struct load_job job = {.path = path, .max = cel__min(max, SIZE_MAX / 2)};
    int r = cel__blocking_do(load_it, &job); /* parks */

    if (r == 0)
        r = job.result;
    if (r < 0) {
        cel__buf_fini(&job.bytes);
        return r;
    }
    *out = job.bytes.ptr;
    *len = job.bytes.len;
    return 0;
}
