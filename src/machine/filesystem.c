/* SPDX-License-Identifier: MIT */
#include "machine/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "machine/opened.h"
#include "machine/walk.h"

#define UMASK 022

static bool is_folder(const struct cel__node *node)
{
    return node != NULL && S_ISDIR(node->mode);
}

/* To what must be a folder when a slash follows. */
static int walk_to(struct cel__node *from, const char *path, unsigned how, struct cel__place *place)
{
    int r = cel__walk(from, path, how, place);

    if (r == 0 && place->is_folder_only && place->node != NULL && !is_folder(place->node))
        return -ENOTDIR;
    return r;
}

/* To what is there. */
static int walk_to_node(struct cel__node *from, const char *path, unsigned how,
                        struct cel__place *place)
{
    int r = walk_to(from, path, how, place);

    return r == 0 && place->node == NULL ? -ENOENT : r;
}

/* A folder that was removed has no room for names, and a full disk may have none. */
static int check_room(const struct cel__place *place)
{
    struct cel__machine *m = place->folder->disk->station->m;

    if (place->folder->names == 0)
        return -ENOENT;
    return CEL__CHANCE(m, disk_full) ? -ENOSPC : 0;
}

static void add_name(const struct cel__place *place, struct cel__node *node)
{
    cel__folder_set(place->folder, place->name, node);
    cel__node_drop(node);
}

/* ---- opening ---- */

static int create_file(struct cel__place *place, mode_t mode)
{
    int r = check_room(place);

    if (r < 0)
        return r;
    place->node = cel__node_new(place->folder->disk, S_IFREG | (mode & 07777 & ~UMASK));
    add_name(place, place->node);
    return 0;
}

static int may_open(const struct cel__node *node, int flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

    if (S_ISLNK(node->mode))
        return -ELOOP;
    if (is_folder(node) && (writes || (flags & O_CREAT)))
        return -EISDIR;
    return !is_folder(node) && (flags & O_DIRECTORY) ? -ENOTDIR : 0;
}

static void cut_off(struct cel__node *node)
{
    cel__content_resize(&node->content, 0);
    cel__node_touch(node);
}

static int open_unnamed(struct cel__node *folder, int flags, mode_t mode)
{
    struct cel__node *node;
    int fd;

    if ((flags & O_ACCMODE) == O_RDONLY)
        return -EINVAL;
    if (!is_folder(folder))
        return folder == NULL ? -ENOENT : -ENOTDIR;
    node = cel__node_new(folder->disk, S_IFREG | (mode & 07777 & ~UMASK));
    fd = cel__opened_new(folder->disk->station, node, flags);
    cel__node_drop(node);
    return fd;
}

int cel__filesystem_open(struct cel__node *from, const char *path, int flags, mode_t mode,
                         bool is_beneath)
{
    bool must_be_new = (flags & O_CREAT) && (flags & O_EXCL);
    unsigned how = ((flags & O_NOFOLLOW) || must_be_new ? 0 : CEL__WALK_FOLLOW) |
                   (flags & O_CREAT ? CEL__WALK_NAME : 0);
    struct cel__place place;
    int r = cel__walk(from, path, how | (is_beneath ? CEL__WALK_BENEATH : 0), &place);

    if (r < 0)
        return r;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return open_unnamed(place.node, flags, mode);
    if ((flags & O_CREAT) && place.is_folder_only && place.name[0] != '\0')
        return -EISDIR;
    if (place.node != NULL && must_be_new)
        return -EEXIST;
    if (place.node == NULL)
        r = flags & O_CREAT ? create_file(&place, mode) : -ENOENT;
    else if (place.is_folder_only && !is_folder(place.node))
        r = -ENOTDIR;
    if (r == 0)
        r = may_open(place.node, flags);
    if (r < 0)
        return r;
    r = cel__opened_new(from->disk->station, place.node, flags);
    if (r >= 0 && (flags & O_TRUNC))
        cut_off(place.node);
    return r;
}

/* ---- names ---- */

/* For a new name. */
static int walk_to_new(struct cel__node *from, const char *path, struct cel__place *place)
{
    int r = cel__walk(from, path, CEL__WALK_NAME, place);

    if (r == 0 && place->node != NULL)
        return -EEXIST;
    return r == 0 ? check_room(place) : r;
}

int cel__filesystem_mkdir(struct cel__node *from, const char *path, mode_t mode)
{
    struct cel__place place;
    int r = walk_to_new(from, path, &place);

    if (r < 0)
        return r;
    add_name(&place, cel__node_new(from->disk, S_IFDIR | (mode & 01777 & ~UMASK)));
    return 0;
}

int cel__filesystem_symlink(const char *target, struct cel__node *from, const char *path)
{
    struct cel__place place;
    struct cel__node *node;
    int r;

    if (*target == '\0')
        return -ENOENT;
    r = walk_to_new(from, path, &place);
    if (r == 0 && place.is_folder_only)
        r = -ENOENT;
    if (r < 0)
        return r;
    node = cel__node_new(from->disk, S_IFLNK | 0777);
    node->target = cel__machine_alloc(strlen(target) + 1);
    memcpy(node->target, target, strlen(target) + 1);
    add_name(&place, node);
    return 0;
}

int cel__filesystem_link(struct cel__node *from, const char *path, struct cel__node *to,
                         const char *to_path)
{
    struct cel__place old = {0}, place = {0};
    int r = walk_to_node(from, path, 0, &old);

    if (r == 0)
        r = walk_to_new(to, to_path, &place);
    if (r == 0 && place.is_folder_only)
        r = -ENOENT;
    if (r == 0 && is_folder(old.node))
        r = -EPERM;
    if (r != 0)
        return r;
    cel__folder_set(place.folder, place.name, old.node);
    return 0;
}

static int may_remove(const struct cel__place *place, bool as_folder)
{
    if (place->node == NULL)
        return -ENOENT;
    if (!as_folder)
        return is_folder(place->node) ? -EISDIR : 0;
    if (!is_folder(place->node))
        return -ENOTDIR;
    if (place->name[0] == '\0')
        return place->node == place->folder ? -EINVAL : -ENOTEMPTY;
    return cel__folder_is_empty(place->node) ? 0 : -ENOTEMPTY;
}

int cel__filesystem_unlink(struct cel__node *from, const char *path, int flags)
{
    struct cel__place place;
    int r = walk_to(from, path, CEL__WALK_NAME, &place);

    if (r == 0)
        r = may_remove(&place, (flags & AT_REMOVEDIR) != 0);
    if (r == 0)
        cel__folder_set(place.folder, place.name, NULL);
    return r;
}

static bool is_within(const struct cel__node *node, const struct cel__node *folder)
{
    for (; node != folder; node = node->parent)
        if (node == node->parent)
            return false;
    return true;
}

static int may_move(const struct cel__place *old, const struct cel__place *place, unsigned flags)
{
    const struct cel__node *there = place->node;

    if (old->node == NULL)
        return -ENOENT;
    if (there != NULL && (flags & RENAME_NOREPLACE))
        return -EEXIST;
    if (there == NULL && (flags & RENAME_EXCHANGE))
        return -ENOENT;
    if (!is_folder(old->node) && (old->is_folder_only || place->is_folder_only))
        return -ENOTDIR;
    if (is_folder(old->node) && is_within(place->folder, old->node))
        return -EINVAL;
    if (is_folder(there) && is_within(old->folder, there))
        return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    if (there == NULL || there == old->node || (flags & RENAME_EXCHANGE))
        return 0;
    if (is_folder(old->node) != is_folder(there))
        return is_folder(there) ? -EISDIR : -ENOTDIR;
    return is_folder(there) && !cel__folder_is_empty(there) ? -ENOTEMPTY : 0;
}

int cel__filesystem_rename(struct cel__node *from, const char *path, struct cel__node *to,
                           const char *to_path, unsigned flags)
{
    struct cel__place old = {0}, place = {0};
    int r = cel__walk(from, path, CEL__WALK_NAME, &old);

    if (r == 0)
        r = cel__walk(to, to_path, CEL__WALK_NAME, &place);
    if (r == 0 && old.name[0] == '\0')
        r = -EBUSY;
    if (r == 0 && place.name[0] == '\0')
        r = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (r == 0)
        r = may_move(&old, &place, flags);
    if (r != 0 || old.node == place.node)
        return r;
    r = check_room(&place);
    if (r == 0)
        cel__folder_move(old.folder, old.name, place.folder, place.name,
                         flags & RENAME_EXCHANGE ? place.node : NULL);
    return r;
}

/* ---- asking ---- */

ssize_t cel__filesystem_readlink(struct cel__node *from, const char *path, char *buf, size_t len)
{
    struct cel__place place;
    int r = walk_to_node(from, path, 0, &place);
    size_t n;

    if (r < 0)
        return r;
    if (!S_ISLNK(place.node->mode))
        return -EINVAL;
    n = cel__min(strlen(place.node->target), len);
    memcpy(buf, place.node->target, n);
    return (ssize_t)n;
}

int cel__filesystem_chmod(struct cel__node *from, const char *path, mode_t mode)
{
    struct cel__place place;
    int r = walk_to_node(from, path, CEL__WALK_FOLLOW, &place);

    if (r < 0)
        return r;
    cel__node_describe(place.node, (place.node->mode & S_IFMT) | (mode & 07777));
    return 0;
}

int cel__filesystem_stat(struct cel__node *from, const char *path, struct stat *st, int flags)
{
    struct cel__place place;
    int r = walk_to_node(from, path, flags & AT_SYMLINK_NOFOLLOW ? 0 : CEL__WALK_FOLLOW, &place);

    if (r == 0)
        cel__node_stat(place.node, st);
    return r;
}
