/* SPDX-License-Identifier: MIT */
#ifndef CEL__FILESYSTEM_H
#define CEL__FILESYSTEM_H

/* What is done by path on the disk of the host whose call it is, as the system calls of those names
 * do it: `from` is where relative paths begin. Everybody is root there, and the umask is 022.
 * Results are >= 0 or -errno; -EIO without power. */

#include "machine/disk.h"

CEL_NODISCARD int cel__filesystem_open(struct cel__node *from, const char *path, int flags,
                                       mode_t mode, bool is_beneath);
CEL_NODISCARD int cel__filesystem_mkdir(struct cel__node *from, const char *path, mode_t mode);
CEL_NODISCARD int cel__filesystem_unlink(struct cel__node *from, const char *path, int flags);
CEL_NODISCARD int cel__filesystem_rename(struct cel__node *from, const char *path,
                                         struct cel__node *to, const char *to_path, unsigned flags);
CEL_NODISCARD int cel__filesystem_link(struct cel__node *from, const char *path,
                                       struct cel__node *to, const char *to_path);
CEL_NODISCARD int cel__filesystem_symlink(const char *target, struct cel__node *from,
                                          const char *path);
CEL_NODISCARD ssize_t cel__filesystem_readlink(struct cel__node *from, const char *path, char *buf,
                                               size_t len);
CEL_NODISCARD int cel__filesystem_chmod(struct cel__node *from, const char *path, mode_t mode);
CEL_NODISCARD int cel__filesystem_stat(struct cel__node *from, const char *path, struct stat *st,
                                       int flags);

#endif
