/* SPDX-License-Identifier: MIT */
/* A folder is watched before it is listed: what is made in between is told by the watch, what was
 * made before is found by the listing, and nothing is missed. */
#include "io/watch_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/dir.h"

#define DEPTH_MAX 128

static int remember(struct cel__watch_tree *tree, int number, const char *path)
{
    size_t need = (size_t)number + 1;
    char *copy = cel__mem_strdup(path);

    if (copy == NULL)
        return -ENOMEM;
    if (need > tree->path_count) {
        size_t count = cel__max(need, 2 * tree->path_count + 8);
        char **more = cel__mem_realloc(tree->paths, count * sizeof *more);

        if (more == NULL) {
            cel__mem_free(copy);
            return -ENOMEM;
        }
        memset(more + tree->path_count, 0, (count - tree->path_count) * sizeof *more);
        tree->paths = more;
        tree->path_count = count;
    }
    cel__mem_free(tree->paths[number]);
    tree->paths[number] = copy;
    return 0;
}

static int note_found(struct cel__watch_tree *tree, const char *path, bool is_folder)
{
    if (tree->found_count == tree->found_cap) {
        size_t cap = 2 * tree->found_cap + 16;
        struct cel__found *more = cel__mem_realloc(tree->found, cap * sizeof *more);

        if (more == NULL)
            return -ENOMEM;
        tree->found = more;
        tree->found_cap = cap;
    }
    tree->found[tree->found_count].path = cel__mem_strdup(path);
    if (tree->found[tree->found_count].path == NULL)
        return -ENOMEM;
    tree->found[tree->found_count++].is_folder = is_folder;
    return 0;
}

static int add_one(struct cel__watch_tree *tree, const char *path, uint32_t mask)
{
    int number = cel__sys.inotify_add_watch(tree->fd, path, mask), r;

    if (number < 0)
        return -errno;
    r = remember(tree, number, path);
    if (r < 0)
        cel__sys.inotify_rm_watch(tree->fd, number);
    return r;
}

static int add_folder(struct cel__watch_tree *tree, const char *path, bool is_new, int depth);

static bool is_folder_at(int fd, const struct cel_dir_entry *entry)
{
    struct stat st;

    if (entry->type != DT_UNKNOWN)
        return entry->type == DT_DIR;
    return cel__sys.fstatat(fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int take_entry(struct cel__watch_tree *tree, const char *folder, int fd,
                      const struct cel_dir_entry *entry, bool is_new, int depth)
{
    bool is_folder = is_folder_at(fd, entry);
    size_t cap = strlen(folder) + strlen(entry->name) + 2;
    char *path;
    int r = 0;

    if (!is_folder && !is_new)
        return 0;
    path = cel__mem_alloc(cap);
    if (path == NULL)
        return -ENOMEM;
    snprintf(path, cap, "%s/%s", folder, entry->name);
    if (is_new)
        r = note_found(tree, path, is_folder);
    if (r == 0 && is_folder && tree->is_recursive)
        r = add_folder(tree, path, is_new, depth + 1);
    cel__mem_free(path);
    return r;
}

static int list_folder(struct cel__watch_tree *tree, const char *path, bool is_new, int depth)
{
    struct cel__listing *list;
    struct cel_dir_entry entry;
    int fd = cel__sys.openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    list = cel__mem_alloc(sizeof *list);
    if (list == NULL) {
        cel__sys.close(fd);
        return -ENOMEM;
    }
    cel__listing_init(list, fd);
    while ((r = cel__listing_next(list, &entry)) > 0) {
        r = take_entry(tree, path, fd, &entry, is_new, depth);
        if (r < 0)
            break;
    }
    cel__mem_free(list);
    cel__sys.close(fd);
    return r;
}

/* Below the top: what is gone, or is something else by now, is no error. */
static int add_folder(struct cel__watch_tree *tree, const char *path, bool is_new, int depth)
{
    int r;

    if (depth > DEPTH_MAX)
        return -ELOOP;
    r = add_one(tree, path, tree->mask | IN_ONLYDIR | IN_DONT_FOLLOW);
    if (r == 0)
        r = list_folder(tree, path, is_new, depth);
    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
}

int cel__watch_tree_add(struct cel__watch_tree *tree, const char *path, bool is_new)
{
    struct stat st;
    int r;

    if (is_new)
        return add_folder(tree, path, true, 0);
    r = add_one(tree, path, tree->mask);
    if (r < 0 || !tree->is_recursive)
        return r;
    if (cel__sys.fstatat(AT_FDCWD, path, &st, 0) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? list_folder(tree, path, false, 0) : 0;
}

static bool is_below(const char *path, const char *top, size_t len)
{
    return strncmp(path, top, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

void cel__watch_tree_remove(struct cel__watch_tree *tree, const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < tree->path_count; i++)
        if (tree->paths[i] != NULL && is_below(tree->paths[i], path, len)) {
            cel__sys.inotify_rm_watch(tree->fd, (int)i);
            cel__watch_tree_forget(tree, (int)i);
        }
}

void cel__watch_tree_forget(struct cel__watch_tree *tree, int number)
{
    if (number < 0 || (size_t)number >= tree->path_count)
        return;
    cel__mem_free(tree->paths[number]);
    tree->paths[number] = NULL;
}

const char *cel__watch_tree_path(const struct cel__watch_tree *tree, int number)
{
    return number >= 0 && (size_t)number < tree->path_count ? tree->paths[number] : NULL;
}

void cel__watch_tree_fini(struct cel__watch_tree *tree)
{
    for (size_t i = 0; i < tree->path_count; i++)
        cel__mem_free(tree->paths[i]);
    for (size_t i = tree->found_at; i < tree->found_count; i++)
        cel__mem_free(tree->found[i].path);
    cel__mem_free(tree->paths);
    cel__mem_free(tree->found);
}
