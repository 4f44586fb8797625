/* SPDX-License-Identifier: MIT */
/* Regular files: by the backend where it can, else by a job of the pool; opening and asking are
 * always jobs. Once begun, file IO is waited for: the kernel may still write to the buffer. */
#include "io/file.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "loop/attempt.h"
#include "task/wait.h"

#define CHUNK_MAX     (1 << 30)
#define IOV_CHUNK     64
#define IOV_COUNT_MAX 1024

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

int cel__file_new(struct cel_file **out, int fd)
{
    struct cel_file *file = cel__mem_zalloc(sizeof *file);
    int r = file != NULL ? cel__fd_open(cel__loop_here, &file->fd, fd, true) : -ENOMEM;

    if (r < 0) {
        cel__sys.close(fd);
        cel__mem_free(file);
        return r;
    }
    *out = file;
    return 0;
}

int cel_file_open(struct cel_file **out, const char *path, int flags, mode_t mode)
{
    struct open_job job = {.path = path, .flags = flags, .mode = mode};
    int r = cel__blocking_do(open_it, &job); /* parks */

    if (r == 0)
        r = job.result;
    return r < 0 ? r : cel__file_new(out, r);
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
    case CEL__OP_PREADV:
        return cel__sys.preadv(fd, op->iov, op->count, op->offset);
    case CEL__OP_PWRITEV:
        return cel__sys.pwritev(fd, op->iov, op->count, op->offset);
    case CEL__OP_FDATASYNC:
        return cel__sys.fdatasync(fd);
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
static int64_t transfer(struct io_job *job)
{
    int64_t r = cel__checkpoint(cel__task_parking());

    if (r < 0)
        return r;
    r = cel__wait_op_shielded(&job->op); /* parks */
    if (r != -ENOSYS)
        return r;
    r = cel__blocking_do(do_io, job); /* parks */
    return r < 0 ? r : job->result;
}

/* (parks) */
static int64_t transfer_bytes(struct cel_file *file, enum cel__op_kind kind, void *buf, size_t len,
                              int64_t offset)
{
    struct io_job job = {.op = {.kind = (uint8_t)kind, .fd = file->fd, .offset = offset}};

    job.op.buf = buf;
    job.op.len = cel__min(len, (size_t)CHUNK_MAX);
    return transfer(&job); /* parks */
}

ssize_t cel_file_read(struct cel_file *file, void *buf, size_t len, int64_t offset)
{
    return transfer_bytes(file, CEL__OP_PREAD, buf, len, offset); /* parks */
}

ssize_t cel_file_write(struct cel_file *file, const void *buf, size_t len, int64_t offset)
{
    size_t done = 0;

    while (done < len) {
        int64_t n = transfer_bytes(file, CEL__OP_PWRITE, (char *)buf + done, len - done,
                                   offset + (int64_t)done); /* parks */

        if (n < 0)
            return n;
        if (n == 0)
            return -EIO;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t cel_file_readv(struct cel_file *file, const struct iovec *iov, int count, int64_t offset)
{
    struct io_job job = {.op = {.kind = CEL__OP_PREADV, .fd = file->fd, .offset = offset}};

    if (count < 0 || count > IOV_COUNT_MAX)
        return -EINVAL;
    job.op.iov = (struct iovec *)iov;
    job.op.count = count;
    return transfer(&job); /* parks */
}

/* (parks) The array is used up. */
static ssize_t write_pieces(struct cel_file *file, struct iovec *iov, int count, int64_t offset)
{
    struct io_job job = {.op = {.kind = CEL__OP_PWRITEV, .fd = file->fd}};

    job.op.iov = iov;
    job.op.count = count;
    cel__op_advance(&job.op, 0);
    while (job.op.count > 0) {
        int64_t n;

        job.op.offset = offset + (int64_t)job.op.moved;
        n = transfer(&job); /* parks */
        if (n <= 0)
            return n < 0 ? n : -EIO;
        cel__op_advance(&job.op, (size_t)n);
    }
    return (ssize_t)job.op.moved;
}

ssize_t cel_file_writev(struct cel_file *file, const struct iovec *iov, int count, int64_t offset)
{
    struct iovec copy[IOV_CHUNK];
    ssize_t total = 0;

    while (count > 0) {
        int now = cel__min(count, IOV_CHUNK);
        ssize_t n;

        memcpy(copy, iov, (size_t)now * sizeof *iov);
        n = write_pieces(file, copy, now, offset + total); /* parks */
        if (n < 0)
            return n;
        total += n;
        iov += now;
        count -= now;
    }
    return total;
}

/* (parks) */
static int sync_by(struct cel_file *file, enum cel__op_kind kind)
{
    int64_t r;

    if (file->sync_error != 0)
        return file->sync_error;
    r = transfer_bytes(file, kind, NULL, 0, 0); /* parks */
    if (r < 0 && r != -ECANCELED && r != -ETIMEDOUT && r != -ENOMEM)
        file->sync_error = (int)r;
    return (int)r;
}

int cel_file_sync(struct cel_file *file)
{
    return sync_by(file, CEL__OP_FSYNC); /* parks */
}

int cel_file_sync_data(struct cel_file *file)
{
    return sync_by(file, CEL__OP_FDATASYNC); /* parks */
}

struct ask_job {
    int fd, result;
    struct stat *out;
    int64_t size;
};

static void *stat_it(void *arg)
{
    struct ask_job *job = arg;

    job->result = cel__sys.fstat(job->fd, job->out) < 0 ? -errno : 0;
    return NULL;
}

int cel_file_stat(struct cel_file *file, struct stat *out)
{
    struct ask_job job = {.fd = file->fd->fd, .out = out};
    int r = cel__blocking_do(stat_it, &job); /* parks */

    return r < 0 ? r : job.result;
}

static void *truncate_it(void *arg)
{
    struct ask_job *job = arg;

    do
        job->result = cel__sys.ftruncate(job->fd, job->size) < 0 ? -errno : 0;
    while (job->result == -EINTR);
    return NULL;
}

int cel_file_truncate(struct cel_file *file, int64_t size)
{
    struct ask_job job = {.fd = file->fd->fd, .size = size};
    int r = cel__blocking_do(truncate_it, &job); /* parks */

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
