/* SPDX-License-Identifier: MIT */
#include "machine/file_calls.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/cc.h"
#include "machine/filesystem.h"
#include "machine/opened.h"
#include "machine/power.h"
#include "machine/under.h"

#define COPY_MAX 16384

/* As libc tells it. */
static int64_t told(int64_t r)
{
    if (r >= 0)
        return r;
    errno = (int)-r;
    return -1;
}

static bool is_real_path(const char *path)
{
    static const char *const real[] = {"/proc", "/sys", "/dev"};

    for (size_t i = 0; i < cel__countof(real); i++) {
        size_t len = strlen(real[i]);

        if (strncmp(path, real[i], len) == 0 && (path[len] == '/' || path[len] == '\0'))
            return true;
    }
    return false;
}

/* Where a path begins. NULL: at the real kernel's; *r < 0: nowhere. */
static struct cel__node *start_of(int dir, const char *path, int *r)
{
    struct cel__machine *m = cel__machine_here;
    const struct cel__opened *o = cel__opened_find(dir);
    struct cel__station *here;

    *r = 0;
    if (m == NULL || !m->has_disks || is_real_path(path))
        return NULL;
    if (dir != AT_FDCWD && o == NULL && *path != '/')
        return NULL;
    here = cel__station_current(m);
    *r = cel__power_is_on(here) ? 0 : -EIO;
    return o != NULL ? o->node : cel__power_disk(here)->root;
}

static int my_openat(int dir, const char *path, int flags, mode_t mode)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.openat(dir, path, flags, mode);
    return (int)told(r < 0 ? r : cel__filesystem_open(from, path, flags, mode, false));
}

static int my_openat2(int dir, const char *path, int flags, mode_t mode, unsigned long resolve)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);
    bool is_beneath = (resolve & RESOLVE_BENEATH) != 0;

    if (from == NULL)
        return cel__under.openat2(dir, path, flags, mode, resolve);
    return (int)told(r < 0 ? r : cel__filesystem_open(from, path, flags, mode, is_beneath));
}

static int my_mkdirat(int dir, const char *path, mode_t mode)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.mkdirat(dir, path, mode);
    return (int)told(r < 0 ? r : cel__filesystem_mkdir(from, path, mode));
}

static int my_unlinkat(int dir, const char *path, int flags)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.unlinkat(dir, path, flags);
    return (int)told(r < 0 ? r : cel__filesystem_unlink(from, path, flags));
}

static int my_renameat2(int dir, const char *path, int to_dir, const char *to, unsigned flags)
{
    int r, to_r;
    struct cel__node *from = start_of(dir, path, &r), *into = start_of(to_dir, to, &to_r);

    if (from == NULL && into == NULL)
        return cel__under.renameat2(dir, path, to_dir, to, flags);
    if (from == NULL || into == NULL)
        return (int)told(-EXDEV);
    return (int)told(r < 0 ? r : cel__filesystem_rename(from, path, into, to, flags));
}

static int my_linkat(int dir, const char *path, int to_dir, const char *to, int flags)
{
    int r, to_r;
    struct cel__node *from = start_of(dir, path, &r), *into = start_of(to_dir, to, &to_r);

    if (from == NULL && into == NULL)
        return cel__under.linkat(dir, path, to_dir, to, flags);
    if (from == NULL || into == NULL)
        return (int)told(-EXDEV);
    return (int)told(r < 0 ? r : cel__filesystem_link(from, path, into, to));
}

static int my_symlinkat(const char *target, int dir, const char *path)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.symlinkat(target, dir, path);
    return (int)told(r < 0 ? r : cel__filesystem_symlink(target, from, path));
}

static ssize_t my_readlinkat(int dir, const char *path, char *buf, size_t len)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.readlinkat(dir, path, buf, len);
    return told(r < 0 ? r : cel__filesystem_readlink(from, path, buf, len));
}

static int my_fchmodat(int dir, const char *path, mode_t mode, int flags)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.fchmodat(dir, path, mode, flags);
    return (int)told(r < 0 ? r : cel__filesystem_chmod(from, path, mode));
}

static int my_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    int r;
    struct cel__node *from = start_of(dir, path, &r);

    if (from == NULL)
        return cel__under.fstatat(dir, path, st, flags);
    return (int)told(r < 0 ? r : cel__filesystem_stat(from, path, st, flags));
}

/* By descriptor. */

static int my_fstat(int fd, struct stat *st)
{
    const struct cel__opened *o = cel__opened_find(fd);
    int r;

    if (o == NULL)
        return cel__under.fstat(fd, st);
    r = cel__opened_check(o);
    if (r == 0)
        cel__node_stat(o->node, st);
    return (int)told(r);
}

static ssize_t my_getdents64(int fd, void *buf, size_t len)
{
    struct cel__opened *o = cel__opened_find(fd);

    return o != NULL ? told(cel__opened_list(o, buf, len)) : cel__under.getdents64(fd, buf, len);
}

static int my_ftruncate(int fd, off_t size)
{
    struct cel__opened *o = cel__opened_find(fd);

    return o != NULL ? (int)told(cel__opened_resize(o, size)) : cel__under.ftruncate(fd, size);
}

static off_t my_lseek(int fd, off_t offset, int whence)
{
    struct cel__opened *o = cel__opened_find(fd);

    return o != NULL ? told(cel__opened_seek(o, offset, whence))
                     : cel__under.lseek(fd, offset, whence);
}

/* A real file's errors need not be real. */
static bool fails(void)
{
    struct cel__machine *m = cel__machine_here;

    if (m == NULL || !CEL__CHANCE(m, io_error))
        return false;
    errno = EIO;
    return true;
}

static bool is_full(void)
{
    struct cel__machine *m = cel__machine_here;

    if (m == NULL || !CEL__CHANCE(m, disk_full))
        return false;
    errno = ENOSPC;
    return true;
}

static int my_fsync(int fd)
{
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        return (int)told(cel__opened_sync(o, true));
    return fails() ? -1 : cel__under.fsync(fd);
}

static int my_fdatasync(int fd)
{
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        return (int)told(cel__opened_sync(o, false));
    return fails() ? -1 : cel__under.fdatasync(fd);
}

static ssize_t my_preadv(int fd, const struct iovec *iov, int n, off_t offset)
{
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        return told(offset < 0 ? -EINVAL : cel__opened_read(o, iov, n, offset));
    return fails() ? -1 : cel__under.preadv(fd, iov, n, offset);
}

static ssize_t my_pread(int fd, void *buf, size_t len, off_t offset)
{
    struct iovec piece = {buf, len};

    return my_preadv(fd, &piece, 1, offset);
}

static ssize_t my_pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    struct cel__opened *o = cel__opened_find(fd);

    if (o != NULL)
        return told(offset < 0 ? -EINVAL : cel__opened_write(o, iov, n, offset));
    return is_full() || fails() ? -1 : cel__under.pwritev(fd, iov, n, offset);
}

static ssize_t my_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
    struct cel__machine *m = cel__machine_here;
    struct iovec piece = {(void *)buf, len};

    if (m != NULL && len > 1 && cel__opened_find(fd) == NULL && CEL__CHANCE(m, cut))
        piece.iov_len = 1 + (size_t)cel__machine_draw(m, CEL__DRAW_FAULT, len);
    return my_pwritev(fd, &piece, 1, offset);
}

static ssize_t copy_between(struct cel__opened *in, off_t *in_offset, struct cel__opened *out,
                            off_t *out_offset, size_t len)
{
    char copy[COPY_MAX];
    struct iovec piece = {copy, cel__min(len, sizeof copy)};
    int64_t from = in_offset != NULL ? *in_offset : in->at;
    ssize_t n = cel__opened_read(in, &piece, 1, from);

    piece.iov_len = n > 0 ? (size_t)n : 0;
    if (n > 0)
        n = cel__opened_write(out, &piece, 1, out_offset != NULL ? *out_offset : -1);
    if (n <= 0)
        return n;
    *(in_offset != NULL ? in_offset : &in->at) = from + n;
    if (out_offset != NULL)
        *out_offset += n;
    return n;
}

static ssize_t my_copy_file_range(int in, off_t *in_offset, int out, off_t *out_offset, size_t len,
                                  unsigned flags)
{
    struct cel__opened *from = cel__opened_find(in), *to = cel__opened_find(out);

    if (from == NULL && to == NULL)
        return cel__under.copy_file_range(in, in_offset, out, out_offset, len, flags);
    if (from == NULL || to == NULL || from->host != to->host)
        return told(-EXDEV);
    return told(copy_between(from, in_offset, to, out_offset, len));
}

/* ---- what simulated disks do not have: refused, never done to the real ones ---- */

static bool is_simulated_at(int dir, const char *path)
{
    int r;

    return start_of(dir, path, &r) != NULL;
}

static int my_faccessat(int dir, const char *path, int mode, int flags)
{
    return is_simulated_at(dir, path) ? (int)told(-ENOSYS)
                                      : cel__under.faccessat(dir, path, mode, flags);
}

static int my_fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
    return is_simulated_at(dir, path) ? (int)told(-ENOSYS)
                                      : cel__under.fchownat(dir, path, uid, gid, flags);
}

static int my_utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
    return is_simulated_at(dir, path) ? (int)told(-ENOSYS)
                                      : cel__under.utimensat(dir, path, times, flags);
}

static int my_statvfs(const char *path, struct statvfs *out)
{
    return is_simulated_at(AT_FDCWD, path) ? (int)told(-ENOSYS) : cel__under.statvfs(path, out);
}

static char *my_realpath(const char *path, char *out)
{
    if (!is_simulated_at(AT_FDCWD, path))
        return cel__under.realpath(path, out);
    errno = ENOSYS;
    return NULL;
}

static int my_fallocate(int fd, int mode, off_t offset, off_t len)
{
    return cel__opened_find(fd) != NULL ? (int)told(-ENOSYS)
                                        : cel__under.fallocate(fd, mode, offset, len);
}

static int my_fchmod(int fd, mode_t mode)
{
    return cel__opened_find(fd) != NULL ? (int)told(-ENOSYS) : cel__under.fchmod(fd, mode);
}

static int my_fchown(int fd, uid_t uid, gid_t gid)
{
    return cel__opened_find(fd) != NULL ? (int)told(-ENOSYS) : cel__under.fchown(fd, uid, gid);
}

static int my_flock(int fd, int operation)
{
    return cel__opened_find(fd) != NULL ? (int)told(-ENOSYS) : cel__under.flock(fd, operation);
}

static int my_futimens(int fd, const struct timespec times[2])
{
    return cel__opened_find(fd) != NULL ? (int)told(-ENOSYS) : cel__under.futimens(fd, times);
}

void cel__file_calls_fill(struct cel__sys *table)
{
    table->copy_file_range = my_copy_file_range;
    table->faccessat = my_faccessat;
    table->fallocate = my_fallocate;
    table->fchmod = my_fchmod;
    table->fchmodat = my_fchmodat;
    table->fchown = my_fchown;
    table->fchownat = my_fchownat;
    table->flock = my_flock;
    table->futimens = my_futimens;
    table->realpath = my_realpath;
    table->statvfs = my_statvfs;
    table->utimensat = my_utimensat;
    table->fdatasync = my_fdatasync;
    table->fstat = my_fstat;
    table->fstatat = my_fstatat;
    table->fsync = my_fsync;
    table->ftruncate = my_ftruncate;
    table->getdents64 = my_getdents64;
    table->linkat = my_linkat;
    table->lseek = my_lseek;
    table->mkdirat = my_mkdirat;
    table->openat = my_openat;
    table->openat2 = my_openat2;
    table->pread = my_pread;
    table->preadv = my_preadv;
    table->pwrite = my_pwrite;
    table->pwritev = my_pwritev;
    table->readlinkat = my_readlinkat;
    table->renameat2 = my_renameat2;
    table->symlinkat = my_symlinkat;
    table->unlinkat = my_unlinkat;
}
