/* SPDX-License-Identifier: MIT */
/* Listing a folder: entries are taken out of one block that the kernel fills; only filling it is a
 * job of the pool. */
#include "io/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "celadon/task.h"
#include "io/blocking.h"

struct cel_dir {
    struct cel__listing list;
    const char *path; /* while it is opened */
    struct cel_dir_entry *entry;
    int result;
};

void cel__listing_init(struct cel__listing *list, int fd)
{
    list->fd = fd;
    list->at = list->len = 0;
}

/* Steps over "." and "..", which are of no use to anybody. */
static void skip_dots(struct cel__listing *list)
{
    while (list->at < list->len) {
        const struct dirent64 *d = (const struct dirent64 *)(list->block + list->at);

        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            return;
        list->at += d->d_reclen;
    }
}

static bool has_more(const struct cel__listing *list)
{
    return list->at < list->len;
}

int cel__listing_next(struct cel__listing *list, struct cel_dir_entry *entry)
{
    const struct dirent64 *d;

    while (list->at == list->len) {
        ssize_t n = cel__sys.getdents64(list->fd, list->block, sizeof list->block);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        list->at = 0;
        list->len = (size_t)n;
        skip_dots(list);
    }
    d = (const struct dirent64 *)(list->block + list->at);
    *entry = (struct cel_dir_entry){.name = d->d_name, .inode = d->d_ino, .type = d->d_type};
    list->at += d->d_reclen;
    skip_dots(list);
    return 1;
}

static void *open_it(void *arg)
{
    struct cel_dir *dir = arg;

    dir->result =
        cel__sys.openat(AT_FDCWD, dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK, 0);
    if (dir->result < 0)
        dir->result = -errno;
    return NULL;
}

int cel_dir_open(struct cel_dir **out, const char *path)
{
    struct cel_dir *dir = cel__mem_alloc(sizeof *dir);
    int r;

    if (dir == NULL)
        return -ENOMEM;
    dir->path = path;
    r = cel__blocking_do(open_it, dir); /* parks */
    if (r == 0)
        r = dir->result;
    if (r < 0) {
        cel__mem_free(dir);
        return r;
    }
    cel__listing_init(&dir->list, r);
    *out = dir;
    return 0;
}

static void *next_block(void *arg)
{
    struct cel_dir *dir = arg;

    dir->result = cel__listing_next(&dir->list, dir->entry);
    return NULL;
}

int cel_dir_next(struct cel_dir *dir, struct cel_dir_entry *entry)
{
    int r = cel_checkpoint();

    if (r < 0)
        return r;
    if (has_more(&dir->list))
        return cel__listing_next(&dir->list, entry);
    dir->entry = entry;
    r = cel__blocking_do(next_block, dir); /* parks */
    return r < 0 ? r : dir->result;
}

void cel_dir_close(struct cel_dir *dir)
{
    if (dir == NULL)
        return;
    cel__sys.close(dir->list.fd);
    cel__mem_free(dir);
}

/* ---- sorted ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One block: the pointers, then the text that they lead to. */
static ssize_t lay_out(const struct cel__buf *text, size_t count, char ***out)
{
    char **names = cel__mem_alloc(count * sizeof *names + text->len);
    char *at = (char *)(names + count);

    if (names == NULL)
        return -ENOMEM;
    if (text->len > 0)
        memcpy(at, text->ptr, text->len);
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        names[i] = at;
    qsort(names, count, sizeof *names, by_bytes);
    *out = names;
    return (ssize_t)count;
}

ssize_t cel_dir_names(const char *path, size_t max, char ***out)
{
    struct cel__buf text = {0};
    struct cel_dir_entry entry;
    struct cel_dir *dir;
    size_t count = 0;
    ssize_t r = cel_dir_open(&dir, path); /* parks */

    if (r < 0)
        return r;
    while ((r = cel_dir_next(dir, &entry)) > 0) { /* parks */
        if (count++ == max)
            r = -CEL_ETOOLARGE;
        else
            r = cel__buf_add(&text, entry.name, strlen(entry.name) + 1);
        if (r < 0)
            break;
    }
    cel_dir_close(dir);
    if (r == 0)
        r = lay_out(&text, count, out);
    cel__buf_fini(&text);
    return r;
}
