/* SPDX-License-Identifier: MIT */
#ifndef CELADON_FILE_H
#define CELADON_FILE_H

/* Files and folders. Reading, writing and syncing go by io_uring or by the offload pool, all that
 * names a path by the pool. A cancel or deadline does not interrupt what has begun: the call waits
 * for it and returns its result, so -ECANCELED and -ETIMEDOUT mean that it did not happen. Each
 * call marked (parks) may return them, -ENOMEM, -EAGAIN when it needs a thread and none can be
 * made, and the kernel's own -errno. Paths are relative to the process's folder. All functions
 * belong to the loop's thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_file;
struct cel_stream;

/* ---- one file ---- */

/* (parks) flags and mode as open(2); O_CLOEXEC is added. Owner: the caller. -ENOENT, -EACCES,
 * -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_file_open(struct cel_file **out, const char *path, int flags,
                                           mode_t mode);
/* (parks) Up to len bytes at offset; 0: the end. -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_file_read(struct cel_file *file, void *buf, size_t len,
                                               int64_t offset);
/* (parks) All of it: len or -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_file_write(struct cel_file *file, const void *buf, size_t len,
                                                int64_t offset);
/* (parks) Up to all of the pieces' bytes from offset on; 0: the end. At most 1024 pieces: -EINVAL.
 */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_file_readv(struct cel_file *file, const struct iovec *iov,
                                                int count, int64_t offset);
/* (parks) All of the pieces, in order: their length or -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_file_writev(struct cel_file *file, const struct iovec *iov,
                                                 int count, int64_t offset);
/* (parks) Until what was written is on the medium. An error is sticky: what was lost stays lost, so
 * every later sync of this file reports it too. */
CEL_PUBLIC CEL_NODISCARD int cel_file_sync(struct cel_file *file);
/* (parks) The same without what only describes the file (its times). The error is the same one. */
CEL_PUBLIC CEL_NODISCARD int cel_file_sync_data(struct cel_file *file);
/* (parks) Cuts it off, or lengthens it by zeroes. 0; -EINVAL it is not open for writing, or the
 * size is negative; -EFBIG, -errno: it is as it was. */
CEL_PUBLIC CEL_NODISCARD int cel_file_truncate(struct cel_file *file, int64_t size);
/* (parks) What the kernel knows of it. 0; on error *out is as it was. */
CEL_PUBLIC CEL_NODISCARD int cel_file_stat(struct cel_file *file, struct stat *out);
/* (parks) Takes room for that many bytes from offset on, so that writing there finds some; the file
 * is lengthened if it must be. -ENOSPC, -EOPNOTSUPP the filesystem cannot. */
CEL_PUBLIC CEL_NODISCARD int cel_file_allocate(struct cel_file *file, int64_t offset, int64_t len);
/* (parks) Sets the permissions. */
CEL_PUBLIC CEL_NODISCARD int cel_file_chmod(struct cel_file *file, mode_t mode);
/* (parks) Gives it to a user and a group; -1: as it was. -EPERM. */
CEL_PUBLIC CEL_NODISCARD int cel_file_chown(struct cel_file *file, uid_t uid, gid_t gid);
/* When it was read and written last, in ns since 1970, or one of these two. */
#define CEL_TIME_NOW  INT64_MAX
#define CEL_TIME_KEEP INT64_MIN
/* (parks) Sets both times. */
CEL_PUBLIC CEL_NODISCARD int cel_file_set_times(struct cel_file *file, int64_t accessed,
                                                int64_t modified);
/* (parks) Until no other open file has a lock on it that excludes this one (flock): a shared one
 * excludes those that are not. A lock that this open file has becomes the new one, not at once.
 * Others are asked for it again after 1 to 32 ms. -ECANCELED, -ETIMEDOUT: without a lock. */
CEL_PUBLIC CEL_NODISCARD int cel_file_lock(struct cel_file *file, bool is_shared);
/* (parks, but not for others) The same; -EAGAIN somebody has it. */
CEL_PUBLIC CEL_NODISCARD int cel_file_try_lock(struct cel_file *file, bool is_shared);
/* (parks) Fine when there is none. Closing does it too. */
CEL_PUBLIC CEL_NODISCARD int cel_file_unlock(struct cel_file *file);
/* Its descriptor, which it goes on owning. */
CEL_PUBLIC int cel_file_fd(const struct cel_file *file);
/* (parks) A new file without a name, open for reading and writing, in `folder` (NULL: TMPDIR, or
 * /tmp); it is gone with its close. Owner: the caller. */
CEL_PUBLIC CEL_NODISCARD int cel_file_temp(struct cel_file **out, const char *folder);
/* Does not park. The file as a stream that reads and writes from `offset` on, one position for
 * both: for reading lines (cel_read_until), and wherever a stream is asked for. cel_close closes
 * the file too. On error it stays the caller's. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_file_stream(struct cel_stream **out, struct cel_file *file,
                                             int64_t offset);
/* (parks) A new file in `folder` (NULL: TMPDIR, or /tmp), open for reading and writing, to this
 * user alone; *path is its path, freed with cel_free. Owner: the caller, who removes it. */
CEL_PUBLIC CEL_NODISCARD int cel_file_temp_named(struct cel_file **out, char **path,
                                                 const char *folder);
/* Nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_file_close(struct cel_file *file);
/* (parks) The whole file into memory, NUL behind the end; *out is freed with cel_free. At most max
 * bytes: -CEL_ETOOLARGE beyond. */
CEL_PUBLIC CEL_NODISCARD int cel_file_load(const char *path, size_t max, char **out, size_t *len);
/* (parks) The file at path has these bytes afterwards, also after a crash: a new file is written
 * beside it, synced, given `mode` (less the umask), put in its place, and the folder is synced. On
 * error the path is what it was, but for an error of that last sync. */
CEL_PUBLIC CEL_NODISCARD int cel_file_save(const char *path, const void *bytes, size_t len,
                                           mode_t mode);

/* ---- paths ---- */

/* (parks) What the kernel knows of what the path leads to. */
CEL_PUBLIC CEL_NODISCARD int cel_path_stat(const char *path, struct stat *out);
/* (parks) The same; a symbolic link is asked about itself. */
CEL_PUBLIC CEL_NODISCARD int cel_path_lstat(const char *path, struct stat *out);
/* (parks) Moves it; what was at `to` is replaced at once. -EXDEV another filesystem. */
CEL_PUBLIC CEL_NODISCARD int cel_path_rename(const char *path, const char *to);
/* (parks) The same, but -EEXIST when there is something at `to`. */
CEL_PUBLIC CEL_NODISCARD int cel_path_rename_new(const char *path, const char *to);
/* (parks) Removes a name that is not a folder's; the file goes with the last of its names, when
 * nobody has it open any more. 0; -ENOENT; -EISDIR a folder; -EACCES. */
CEL_PUBLIC CEL_NODISCARD int cel_path_unlink(const char *path);
/* (parks) A new folder. -EEXIST. */
CEL_PUBLIC CEL_NODISCARD int cel_path_mkdir(const char *path, mode_t mode);
/* (parks) The folder, and those above that are missing. 0 when it is there already; -ENOTDIR,
 * -EEXIST something else is. */
CEL_PUBLIC CEL_NODISCARD int cel_path_mkdirs(const char *path, mode_t mode);
/* (parks) Removes an empty folder. -ENOTEMPTY. */
CEL_PUBLIC CEL_NODISCARD int cel_path_rmdir(const char *path);
/* (parks) Removes whatever is there, a folder with all that is in it; symbolic links are removed
 * and not followed. What cannot be removed ends it, and the rest stays. -ELOOP folders nested more
 * than 128 deep. */
CEL_PUBLIC CEL_NODISCARD int cel_path_remove_all(const char *path);
/* (parks) A symbolic link at path that says target. -EEXIST. */
CEL_PUBLIC CEL_NODISCARD int cel_path_symlink(const char *target, const char *path);
/* (parks) What the symbolic link says; *out is freed with cel_free. -EINVAL not a link. */
CEL_PUBLIC CEL_NODISCARD int cel_path_readlink(const char *path, char **out);
/* (parks) A second name, `to`, for the file. -EEXIST. */
CEL_PUBLIC CEL_NODISCARD int cel_path_link(const char *path, const char *to);
/* (parks) Sets the permissions. 0; -ENOENT; -EPERM another's. */
CEL_PUBLIC CEL_NODISCARD int cel_path_chmod(const char *path, mode_t mode);
/* (parks) Gives it to a user and a group; -1: as it was. -EPERM. */
CEL_PUBLIC CEL_NODISCARD int cel_path_chown(const char *path, uid_t uid, gid_t gid);
/* (parks) The same to a symbolic link itself. */
CEL_PUBLIC CEL_NODISCARD int cel_path_lchown(const char *path, uid_t uid, gid_t gid);
/* (parks) Sets the times, as cel_file_set_times. */
CEL_PUBLIC CEL_NODISCARD int cel_path_set_times(const char *path, int64_t accessed,
                                                int64_t modified);
/* (parks) May this process, by its effective rights, do that to it: R_OK, W_OK and X_OK of
 * <unistd.h>, or F_OK: is it there? 0; -EACCES, -ENOENT, -EROFS. By the time it is tried things may
 * be different. */
CEL_PUBLIC CEL_NODISCARD int cel_path_access(const char *path, int mode);
/* (parks) The absolute path that it leads to, without links, "." and ".."; *out is freed with
 * cel_free. */
CEL_PUBLIC CEL_NODISCARD int cel_path_real(const char *path, char **out);
/* Room on a filesystem, in bytes. */
struct cel_space {
    uint64_t total, available; /* to those without privileges */
};
/* (parks) Of the filesystem that it is on. */
CEL_PUBLIC CEL_NODISCARD int cel_path_space(const char *path, struct cel_space *out);
/* (parks) A file's bytes and permissions to `to`, by the kernel where the filesystem can. What was
 * at `to` is replaced at once, when all is there; on error, -ECANCELED and -ETIMEDOUT included, it
 * is what it was. -EISDIR. */
CEL_PUBLIC CEL_NODISCARD int cel_path_copy(const char *path, const char *to);
/* (parks) A new folder, open to this user alone, in `folder` (NULL: TMPDIR, or /tmp); *out is its
 * path, freed with cel_free. */
CEL_PUBLIC CEL_NODISCARD int cel_path_temp_dir(char **out, const char *folder);

/* ---- folders ---- */

struct cel_dir;

/* One name in a folder; valid until the next call on the listing. */
struct cel_dir_entry {
    const char *name;
    uint64_t inode;
    unsigned char type; /* DT_REG and its kin of <dirent.h>; DT_UNKNOWN: ask cel_path_lstat */
};

/* (parks) Begins to list. Owner: the caller, until cel_dir_close. 0; -ENOENT; -ENOTDIR; -EACCES. */
CEL_PUBLIC CEL_NODISCARD int cel_dir_open(struct cel_dir **out, const char *path);
/* (parks) The next name, in the kernel's order, without "." and "..": 1; 0: no more. Memory is the
 * same however many there are. What is added or removed meanwhile may be listed or not. */
CEL_PUBLIC CEL_NODISCARD int cel_dir_next(struct cel_dir *dir, struct cel_dir_entry *entry);
/* Nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_dir_close(struct cel_dir *dir);
/* (parks) All names, in the order of their bytes. -> how many; *out, one block with the names
 * behind the pointers, is freed with cel_free. -CEL_ETOOLARGE more than max names. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_dir_names(const char *path, size_t max, char ***out);

#ifdef __cplusplus
}
#endif

#endif
