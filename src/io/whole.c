/* SPDX-License-Identifier: MIT */
/* Whole files at once: loading, saving so that a crash leaves the old bytes or the new ones,
 * copying, and files without a name. A new file is written under a name of its own beside the one
 * that it is to replace, so that the rename stays within one filesystem. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/sys.h"
#include "celadon/task.h"
#include "io/blocking.h"
#include "io/file.h"

#define LOAD_STEP   65536
#define COPY_CHUNK  (16 << 20) /* between two looks at whether to go on */
#define COPY_BUFFER 65536
#define NAME_TRIES  100

/* ---- loading ---- */

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

/* ---- names of new files ---- */

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? (size_t)(slash + 1 - path) : 0;
}

/* prefix, then 16 random hexadecimal digits. -ENOMEM, -errno. */
static int random_name(char **out, const char *prefix, size_t len, const char *mark)
{
    size_t cap = len + strlen(mark) + 17;
    uint64_t random;
    int r = cel__rand_secure(&random, sizeof random);
    char *name = r == 0 ? cel__mem_alloc(cap) : NULL;

    if (r < 0)
        return r;
    if (name == NULL)
        return -ENOMEM;
    snprintf(name, cap, "%.*s%s%016llx", (int)len, prefix, mark, (unsigned long long)random);
    *out = name;
    return 0;
}

/* A new file in the folder of path. -> its descriptor, and its name, which is to be freed. */
static int open_beside(char **name, const char *path, int flags, mode_t mode)
{
    int r = -EEXIST;

    for (int i = 0; r == -EEXIST && i < NAME_TRIES; i++) {
        r = random_name(name, path, folder_len(path), ".new-");
        if (r < 0)
            return r;
        r = cel__sys.openat(AT_FDCWD, *name, flags | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (r >= 0)
            return r;
        r = -errno;
        cel__mem_free(*name);
        *name = NULL;
    }
    return r;
}

static const char *temp_folder(const char *folder)
{
    if (folder == NULL)
        folder = secure_getenv("TMPDIR");
    return folder != NULL && *folder != '\0' ? folder : "/tmp";
}

/* ---- saving ---- */

struct save_job {
    const char *path;
    const char *bytes;
    size_t len;
    mode_t mode;
    int result;
};

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = cel__sys.write(fd, bytes, cel__min(len, (size_t)1 << 30));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static int sync_folder(const char *path)
{
    size_t len = folder_len(path);
    char *folder = len > 0 ? cel__mem_strndup(path, len) : cel__mem_strdup(".");
    int fd, r = 0;

    if (folder == NULL)
        return -ENOMEM;
    fd = cel__sys.openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 || cel__sys.fsync(fd) < 0)
        r = -errno;
    if (fd >= 0)
        cel__sys.close(fd);
    cel__mem_free(folder);
    return r;
}

/* The finished file becomes `path`, or goes. r: how it was finished. */
static int put_in_place(char *name, const char *path, int r)
{
    if (r == 0 && cel__sys.renameat2(AT_FDCWD, name, AT_FDCWD, path, 0) < 0)
        r = -errno;
    if (r < 0)
        cel__sys.unlinkat(AT_FDCWD, name, 0);
    cel__mem_free(name);
    return r;
}

static int save(const struct save_job *job)
{
    char *name;
    int fd = open_beside(&name, job->path, O_WRONLY, job->mode), r;

    if (fd < 0)
        return fd;
    r = write_all(fd, job->bytes, job->len);
    if (r == 0 && cel__sys.fsync(fd) < 0)
        r = -errno;
    cel__sys.close(fd);
    r = put_in_place(name, job->path, r);
    return r < 0 ? r : sync_folder(job->path);
}

static void *save_it(void *arg)
{
    struct save_job *job = arg;

    job->result = save(job);
    return NULL;
}

int cel_file_save(const char *path, const void *bytes, size_t len, mode_t mode)
{
    struct save_job job = {.path = path, .bytes = bytes, .len = len, .mode = mode};
    int r = cel__blocking_do(save_it, &job); /* parks */

    return r < 0 ? r : job.result;
}

/* ---- copying ---- */

struct copy_job {
    const char *path, *to;
    char *name; /* of the new file, until it is in place */
    int from, into;
    bool by_hand; /* the kernel does not copy between these two */
    bool is_done;
    int result;
};

static int copy_open(struct copy_job *job)
{
    struct stat st;
    int fd;

    job->from = cel__sys.openat(AT_FDCWD, job->path, O_RDONLY | O_CLOEXEC, 0);
    if (job->from < 0 || cel__sys.fstat(job->from, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    fd = open_beside(&job->name, job->to, O_WRONLY, st.st_mode & 0777);
    if (fd < 0)
        return fd;
    job->into = fd;
    return 0;
}

/* Files that /proc makes up say that they are empty, and are not: read tells. */
static ssize_t copy_by_hand(struct copy_job *job)
{
    char *buf = cel__mem_alloc(COPY_BUFFER);
    ssize_t n;
    int r;

    if (buf == NULL)
        return -ENOMEM;
    do
        n = cel__sys.read(job->from, buf, COPY_BUFFER);
    while (n < 0 && errno == EINTR);
    r = n < 0 ? -errno : write_all(job->into, buf, (size_t)n);
    cel__mem_free(buf);
    return r < 0 ? r : n;
}

static ssize_t copy_some(struct copy_job *job)
{
    ssize_t n;

    if (job->by_hand)
        return copy_by_hand(job);
    do
        n = cel__sys.copy_file_range(job->from, NULL, job->into, NULL, COPY_CHUNK, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return n;
    if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -errno;
    job->by_hand = true;
    return copy_by_hand(job);
}

static void *copy_chunk(void *arg)
{
    struct copy_job *job = arg;
    size_t moved = 0;
    ssize_t n = 1;

    job->result = job->name == NULL ? copy_open(job) : 0;
    while (job->result == 0 && n > 0 && moved < COPY_CHUNK) {
        n = copy_some(job);
        moved += n > 0 ? (size_t)n : 0;
        if (n < 0)
            job->result = (int)n;
    }
    job->is_done = n == 0;
    return NULL;
}

static void *copy_end(void *arg)
{
    struct copy_job *job = arg;

    if (job->from >= 0)
        cel__sys.close(job->from);
    if (job->into >= 0)
        cel__sys.close(job->into);
    if (job->name != NULL)
        job->result = put_in_place(job->name, job->to, job->result);
    return NULL;
}

int cel_path_copy(const char *path, const char *to)
{
    struct copy_job job = {.path = path, .to = to, .from = -1, .into = -1};
    int r = 0;

    while (r == 0 && !job.is_done) {
        r = cel__blocking_do(copy_chunk, &job); /* parks */
        if (r == 0)
            r = job.result;
    }
    job.result = r;
    CEL_SCOPE (shield, .is_shielded = true)
        r = cel__blocking_do(copy_end, &job); /* parks */
    if (r < 0)
        copy_end(&job); /* no thread to be had: what is left to do is short */
    return job.result;
}

/* ---- without a name ---- */

struct temp_job {
    const char *folder;
    char *path;
    int result;
};

static int open_unnamed(const char *folder)
{
    size_t len = strlen(folder);
    char *path, *name;
    int fd = cel__sys.openat(AT_FDCWD, folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return -errno;
    path = cel__mem_alloc(len + 2); /* a filesystem without such files */
    if (path == NULL)
        return -ENOMEM;
    snprintf(path, len + 2, "%s/", folder);
    fd = open_beside(&name, path, O_RDWR, 0600);
    cel__mem_free(path);
    if (fd < 0)
        return fd;
    cel__sys.unlinkat(AT_FDCWD, name, 0);
    cel__mem_free(name);
    return fd;
}

static void *temp_file(void *arg)
{
    struct temp_job *job = arg;

    job->result = open_unnamed(job->folder);
    return NULL;
}

int cel_file_temp(struct cel_file **out, const char *folder)
{
    struct temp_job job = {.folder = temp_folder(folder)};
    int r = cel__blocking_do(temp_file, &job); /* parks */

    if (r == 0)
        r = job.result;
    return r < 0 ? r : cel__file_new(out, r);
}

static void *temp_dir(void *arg)
{
    struct temp_job *job = arg;
    int r = -EEXIST;

    for (int i = 0; r == -EEXIST && i < NAME_TRIES; i++) {
        r = random_name(&job->path, job->folder, strlen(job->folder), "/celadon-");
        if (r < 0)
            break;
        if (cel__sys.mkdirat(AT_FDCWD, job->path, 0700) == 0)
            break;
        r = -errno;
        cel__mem_free(job->path);
    }
    job->result = r;
    return NULL;
}

int cel_path_temp_dir(char **out, const char *folder)
{
    struct temp_job job = {.folder = temp_folder(folder)};
    int r = cel__blocking_do(temp_dir, &job); /* parks */

    if (r == 0)
        r = job.result;
    if (r == 0)
        *out = job.path;
    return r;
}

static void *temp_named(void *arg)
{
    struct temp_job *job = arg;
    int r = -EEXIST;

    for (int i = 0; r == -EEXIST && i < NAME_TRIES; i++) {
        r = random_name(&job->path, job->folder, strlen(job->folder), "/celadon-");
        if (r < 0)
            break;
        r = cel__sys.openat(AT_FDCWD, job->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (r >= 0)
            break;
        r = -errno;
        cel__mem_free(job->path);
    }
    job->result = r;
    return NULL;
}

int cel_file_temp_named(struct cel_file **out, char **path, const char *folder)
{
    struct temp_job job = {.folder = temp_folder(folder)};
    int r = cel__blocking_do(temp_named, &job); /* parks */

    if (r == 0)
        r = job.result;
    if (r < 0)
        return r;
    r = cel__file_new(out, r);
    if (r < 0) {
        cel__sys.unlinkat(AT_FDCWD, job.path, 0);
        cel__mem_free(job.path);
        return r;
    }
    *path = job.path;
    return 0;
}
