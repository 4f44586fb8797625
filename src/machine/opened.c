/* SPDX-License-Identifier: MIT */
#include "machine/opened.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "machine/number.h"
#include "machine/power.h"
#include "machine/under.h"

#define BLOCK        4096
#define TRICKLE_ONCE 8 /* in so many writes, some of what is dirty goes to the medium */

static void set_number(struct cel__machine *m, int fd, struct cel__opened *o)
{
    size_t cap = cel__max((size_t)fd + 1, 2 * m->opened_cap);

    if ((size_t)fd >= m->opened_cap) {
        m->opened = cel__machine_resize(m->opened, cap * sizeof(struct cel__opened *));
        memset(m->opened + m->opened_cap, 0, (cap - m->opened_cap) * sizeof(struct cel__opened *));
        m->opened_cap = cap;
    }
    m->opened[fd] = o;
    o->numbers++;
}

int cel__opened_new(struct cel__station *host, struct cel__node *node, int flags)
{
    struct cel__machine *m = host->m;
    int fd = cel__number_take(m);
    struct cel__opened *o;

    if (fd < 0)
        return fd;
    o = cel__machine_alloc(sizeof *o);
    *o = (struct cel__opened){.node = node, .host = host, .life = host->life, .flags = flags};
    o->errors = node->errors - node->is_untold;
    node->opens++;
    cel__node_hold(node);
    set_number(m, fd, o);
    return fd;
}

int cel__opened_share(struct cel__opened *o)
{
    int fd = cel__number_take(o->host->m);

    if (fd >= 0)
        set_number(o->host->m, fd, o);
    return fd;
}

void cel__opened_close(struct cel__opened *o, int fd)
{
    o->host->m->opened[fd] = NULL;
    cel__under.close(fd);
    if (--o->numbers > 0)
        return;
    o->node->opens--;
    cel__node_drop(o->node);
    cel__machine_release(o);
}

unsigned cel__opened_end_all(struct cel__machine *m)
{
    unsigned count = 0;

    for (size_t fd = 0; fd < m->opened_cap; fd++)
        if (m->opened[fd] != NULL) {
            cel__opened_close(m->opened[fd], (int)fd);
            count++;
        }
    return count;
}

int cel__opened_check(const struct cel__opened *o)
{
    return cel__power_is_on(o->host) && o->life == o->host->life ? 0 : -EIO;
}

static bool is_readable(const struct cel__opened *o)
{
    return (o->flags & O_ACCMODE) != O_WRONLY;
}

static bool is_writable(const struct cel__opened *o)
{
    return (o->flags & O_ACCMODE) != O_RDONLY;
}

ssize_t cel__opened_read(struct cel__opened *o, const struct iovec *iov, int count, int64_t offset)
{
    struct cel__machine *m = o->host->m;
    size_t at = (size_t)(offset >= 0 ? offset : o->at), done = 0;
    int r = cel__opened_check(o);

    if (r < 0)
        return r;
    if (!is_readable(o))
        return -EBADF;
    if (S_ISDIR(o->node->mode))
        return -EISDIR;
    if (CEL__CHANCE(m, io_error))
        return -EIO;
    for (int i = 0; i < count; i++) {
        size_t n = cel__content_read(&o->node->content, iov[i].iov_base, iov[i].iov_len, at + done);

        done += n;
        if (n < iov[i].iov_len)
            break;
    }
    if (done > 1 && CEL__CHANCE(m, cut))
        done = 1 + (size_t)cel__machine_draw(m, CEL__DRAW_FAULT, done);
    if (offset < 0)
        o->at += (int64_t)done;
    return (ssize_t)done;
}

/* How much of it there is room for; what is written over needs none. */
static int64_t room_for(const struct cel__node *node, int64_t at, size_t len)
{
    const struct cel__disk *disk = node->disk;
    int64_t end = at + (int64_t)len, limit = CEL__FILE_BYTES_MAX;

    if (disk->limit >= 0)
        limit = cel__min(limit, (int64_t)node->content.len + disk->limit - cel__disk_bytes(disk));
    limit = cel__max(limit, (int64_t)node->content.len);
    return end <= limit ? (int64_t)len : cel__max(limit - at, (int64_t)0);
}

static int refuse_write(struct cel__machine *m)
{
    if (CEL__CHANCE(m, disk_full))
        return -ENOSPC;
    return CEL__CHANCE(m, io_error) ? -EIO : 0;
}

/* -> bytes, all of them if there are no faults. */
static ssize_t put(struct cel__node *node, const struct iovec *iov, int count, int64_t at)
{
    struct cel__machine *m = node->disk->station->m;
    int64_t total = 0, left;

    for (int i = 0; i < count; i++)
        total += (int64_t)iov[i].iov_len;
    if (at + total > CEL__FILE_BYTES_MAX)
        return -EFBIG;
    left = total > 0 ? room_for(node, at, (size_t)total) : 0;
    if (left == 0)
        return total > 0 ? -ENOSPC : 0;
    if (left > 1 && CEL__CHANCE(m, cut))
        left = 1 + (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, (uint64_t)left);
    total = left;
    for (int i = 0; i < count && left > 0; i++) {
        int64_t n = cel__min((int64_t)iov[i].iov_len, left);

        cel__content_write(&node->content, iov[i].iov_base, (size_t)n, (size_t)(at + total - left));
        left -= n;
    }
    return total;
}

ssize_t cel__opened_write(struct cel__opened *o, const struct iovec *iov, int count, int64_t offset)
{
    struct cel__machine *m = o->host->m;
    int r = cel__opened_check(o);
    int64_t at = offset >= 0 ? offset : o->at;
    ssize_t n;

    if (r < 0)
        return r;
    if (!is_writable(o))
        return -EBADF;
    r = refuse_write(m);
    if (r < 0)
        return r;
    if (o->flags & O_APPEND)
        at = (int64_t)o->node->content.len;
    n = put(o->node, iov, count, at);
    if (n < 0)
        return n;
    if (offset < 0)
        o->at = at + n;
    cel__node_touch(o->node);
    if (cel__machine_draw(m, CEL__DRAW_FAULT, TRICKLE_ONCE) == 0)
        cel__content_trickle(m, &o->node->content);
    return n;
}

/* Where what was written shall lie is often decided only now, and then there may be no room. */
static int refuse_sync(struct cel__machine *m, const struct cel__node *node)
{
    if (cel__content_is_dirty(&node->content) && CEL__CHANCE(m, disk_full))
        return -ENOSPC;
    return CEL__CHANCE(m, io_error) ? -EIO : 0;
}

/* What could not be written back is told once to each who has it open, and is not tried again. */
int cel__opened_sync(struct cel__opened *o, bool is_whole)
{
    struct cel__machine *m = o->host->m;
    int r = cel__opened_check(o);

    if (r < 0)
        return r;
    r = refuse_sync(m, o->node);
    if (r < 0) {
        cel__content_refuse(&o->node->content, cel__machine_draw(m, CEL__DRAW_FAULT, 2) == 0);
        o->node->errors++;
        o->node->error = r;
        o->node->is_untold = true;
    }
    if (o->errors != o->node->errors) {
        o->errors = o->node->errors;
        o->node->is_untold = false;
        return o->node->error;
    }
    if (is_whole)
        cel__node_keep(o->node);
    if (S_ISDIR(o->node->mode))
        cel__folder_sync(o->node);
    else
        cel__content_sync(&o->node->content);
    return 0;
}

int cel__opened_resize(struct cel__opened *o, int64_t len)
{
    int r = cel__opened_check(o);

    if (r < 0)
        return r;
    if (len < 0 || !is_writable(o))
        return -EINVAL;
    if (len > CEL__FILE_BYTES_MAX)
        return -EFBIG;
    cel__content_resize(&o->node->content, (size_t)len);
    cel__node_touch(o->node);
    return 0;
}

int64_t cel__opened_seek(struct cel__opened *o, int64_t offset, int whence)
{
    int64_t from = whence == SEEK_CUR   ? o->at
                   : whence == SEEK_END ? (int64_t)o->node->content.len
                                        : 0;

    if ((whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) || from + offset < 0)
        return -EINVAL;
    o->at = from + offset;
    if (S_ISDIR(o->node->mode))
        o->last = (uint64_t)o->at;
    return o->at;
}

void cel__node_stat(const struct cel__node *node, struct stat *st)
{
    struct timespec written = {node->written / CEL_SECOND, node->written % CEL_SECOND};
    struct timespec described = {node->described / CEL_SECOND, node->described % CEL_SECOND};
    size_t size = S_ISLNK(node->mode) ? strlen(node->target) : node->content.len;

    *st = (struct stat){.st_dev = 1 + node->disk->station->id,
                        .st_ino = node->id,
                        .st_mode = node->mode,
                        .st_nlink = S_ISDIR(node->mode) ? 2 : node->names,
                        .st_size = (off_t)size,
                        .st_blksize = BLOCK,
                        .st_blocks = (blkcnt_t)((size + CEL__SECTOR - 1) / CEL__SECTOR),
                        .st_atim = written,
                        .st_mtim = written,
                        .st_ctim = described};
}

static size_t put_entry(void *buf, size_t room, const char *name, const struct cel__node *node,
                        uint64_t nth)
{
    struct dirent64 *d = buf;
    size_t len = offsetof(struct dirent64, d_name) + strlen(name) + 1;

    len = (len + 7) & ~(size_t)7;
    if (len > room)
        return 0;
    memset(d, 0, len);
    d->d_ino = node->id;
    d->d_off = (int64_t)nth;
    d->d_reclen = (unsigned short)len;
    d->d_type = (unsigned char)IFTODT(node->mode);
    memcpy(d->d_name, name, strlen(name) + 1);
    return len;
}

/* Without "." and "..", which a filesystem need not list. */
ssize_t cel__opened_list(struct cel__opened *o, void *buf, size_t len)
{
    size_t used = 0;
    int r = cel__opened_check(o);

    if (r < 0)
        return r;
    if (!S_ISDIR(o->node->mode))
        return -ENOTDIR;
    CEL__LIST_EACH (at, &o->node->entries) {
        const struct cel__dirent *entry = cel__container_of(at, struct cel__dirent, link);
        size_t n;

        if (entry->now == NULL || entry->nth <= o->last)
            continue;
        n = put_entry((char *)buf + used, len - used, entry->name, entry->now, entry->nth);
        if (n == 0)
            return used != 0 ? (ssize_t)used : -EINVAL;
        used += n;
        o->last = entry->nth;
        o->at = (int64_t)o->last;
    }
    return (ssize_t)used;
}
