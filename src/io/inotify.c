/* SPDX-License-Identifier: MIT */
/* Events of inotify, one at a time. A block of them is read by an op of the loop; a folder that has
 * come is looked into by a job of the pool, since that asks the disk. */
#include "celadon/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "io/watch_tree.h"
#include "loop/core.h"
#include "task/wait.h"

struct cel_watch {
    struct cel__watch_tree tree;
    struct cel__fd *fd;
    unsigned what;
    int root;         /* the kernel's number of the watched path itself */
    bool has_no_root; /* it is gone, which was told */
    bool is_file;     /* the watched path is no folder: */
    dev_t device;     /* which one */
    ino_t inode;
    bool is_doubtful;     /* its name may be gone or another's */
    bool is_lost;         /* it is, which is to be told */
    struct cel__buf path; /* of the last event */
    char *root_path;
    size_t at, len;
    _Alignas(struct inotify_event) char block[16384];
};

static const struct {
    uint32_t mask;
    unsigned what;
} kinds[] = {
    {IN_CREATE, CEL_WATCH_CREATED},
    {IN_MOVED_TO, CEL_WATCH_CREATED | CEL_WATCH_MOVED},
    {IN_DELETE | IN_DELETE_SELF, CEL_WATCH_REMOVED},
    {IN_MOVED_FROM | IN_MOVE_SELF, CEL_WATCH_REMOVED | CEL_WATCH_MOVED},
    {IN_MODIFY, CEL_WATCH_CHANGED},
    {IN_CLOSE_WRITE, CEL_WATCH_CLOSED},
    {IN_ATTRIB, CEL_WATCH_ATTRIBUTES},
    {IN_Q_OVERFLOW, CEL_WATCH_OVERFLOW},
};

static unsigned what_of(uint32_t mask)
{
    for (size_t i = 0; i < cel__countof(kinds); i++)
        if (mask & kinds[i].mask)
            return kinds[i].what;
    return 0;
}

/* Coming and going of folders is always followed. */
static uint32_t mask_of(unsigned what)
{
    uint32_t mask =
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

    for (size_t i = 0; i < cel__countof(kinds); i++)
        if (what & kinds[i].what & ~CEL_WATCH_MOVED && kinds[i].mask != IN_Q_OVERFLOW)
            mask |= kinds[i].mask;
    return mask;
}

/* ---- opening ---- */

struct look_job {
    struct cel_watch *watch;
    const char *path;
    bool is_new;
    int result;
};

static void *look(void *arg)
{
    struct look_job *job = arg;

    job->result = cel__watch_tree_add(&job->watch->tree, job->path, job->is_new);
    return NULL;
}

/* Links of a file are attributes of it: whoever watches one file is told when its name goes, though
 * it lives on in who has it open. */
static void *look_first(void *arg)
{
    struct look_job *job = arg;
    struct cel_watch *w = job->watch;
    struct stat before, after;

    if (cel__sys.fstatat(AT_FDCWD, job->path, &before, 0) < 0) {
        job->result = -errno;
        return NULL;
    }
    w->is_file = !S_ISDIR(before.st_mode);
    w->device = before.st_dev;
    w->inode = before.st_ino;
    if (w->is_file)
        w->tree.mask |= IN_ATTRIB;
    (void)look(job);
    if (job->result == 0 && w->is_file && cel__sys.fstatat(AT_FDCWD, job->path, &after, 0) < 0)
        job->result = -errno;
    else if (job->result == 0 && w->is_file && after.st_ino != before.st_ino)
        job->result = -ENOENT; /* another file's name by now; of which of them is not known */
    return NULL;
}

/* The root's name leads somewhere else, or nowhere. */
static void *look_again(void *arg)
{
    struct look_job *job = arg;
    struct cel_watch *w = job->watch;
    struct stat now;

    if (cel__sys.fstatat(AT_FDCWD, job->path, &now, 0) < 0)
        job->result = errno == ENOENT || errno == ENOTDIR ? 1 : -errno;
    else
        job->result = now.st_ino != w->inode || now.st_dev != w->device;
    return NULL;
}

static void watch_free(struct cel_watch *w)
{
    cel__fd_close(cel__loop_here, w->fd);
    cel__watch_tree_fini(&w->tree);
    cel__buf_fini(&w->path);
    cel__mem_free(w->root_path);
    cel__mem_free(w);
}

static int open_fd(struct cel_watch *w)
{
    int fd = cel__sys.inotify_init1(IN_NONBLOCK | IN_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = cel__fd_open(cel__loop_here, &w->fd, fd, true);
    if (r < 0)
        cel__sys.close(fd);
    w->tree.fd = fd;
    return r;
}

/* The first number that is in use. */
static int root_of(const struct cel__watch_tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->path_count; i++)
        if (tree->paths[i] != NULL && strcmp(tree->paths[i], path) == 0)
            return (int)i;
    return -1;
}

int cel_watch_open(struct cel_watch **out, const char *path,
                   const struct cel_watch_options *options)
{
    struct cel_watch *w = cel__mem_zalloc(sizeof *w);
    struct look_job job = {.watch = w};
    int r = w != NULL ? 0 : -ENOMEM;

    if (r < 0)
        return r;
    w->what = options != NULL && options->what != 0 ? options->what
                                                    : CEL_WATCH_ALL & ~CEL_WATCH_ATTRIBUTES;
    w->tree.mask = mask_of(w->what);
    w->tree.is_recursive = options != NULL && options->is_recursive;
    w->root_path = cel__mem_strdup(path);
    r = w->root_path != NULL ? open_fd(w) : -ENOMEM;
    if (r == 0) {
        size_t len = strlen(w->root_path);

        while (len > 1 && w->root_path[len - 1] == '/')
            w->root_path[--len] = '\0';
        job.path = w->root_path;
        r = cel__blocking_do(look_first, &job); /* parks */
    }
    if (r == 0)
        r = job.result;
    if (r < 0) {
        watch_free(w);
        return r;
    }
    w->root = root_of(&w->tree, w->root_path);
    *out = w;
    return 0;
}

/* ---- events ---- */

static const struct inotify_event *peek_event(const struct cel_watch *w, size_t at)
{
    return at < w->len ? (const struct inotify_event *)(w->block + at) : NULL;
}

static bool is_same_file(const struct inotify_event *a, const struct inotify_event *b)
{
    return a->wd == b->wd && a->len == b->len && (a->len == 0 || strcmp(a->name, b->name) == 0);
}

/* A change behind which, in the same block, the same file changes again before anything else
 * happens to it. */
static bool is_repeated(const struct cel_watch *w, const struct inotify_event *e)
{
    const struct inotify_event *next;

    if (!(e->mask & IN_MODIFY))
        return false;
    for (size_t at = w->at; (next = peek_event(w, at)) != NULL; at += sizeof *next + next->len)
        if (is_same_file(e, next))
            return (next->mask & IN_MODIFY) != 0;
    return false;
}

/* (parks) The next event of the block, which is read when it is used up. */
static int take_event(struct cel_watch *w, const struct inotify_event **out)
{
    struct cel__op op = {
        .kind = CEL__OP_READ, .fd = w->fd, .buf = w->block, .len = sizeof w->block};

    while (w->at >= w->len) {
        int64_t n = cel__wait_op(&op); /* parks */

        if (n < 0)
            return (int)n;
        w->at = 0;
        w->len = (size_t)n;
    }
    *out = peek_event(w, w->at);
    w->at += sizeof **out + (*out)->len;
    return 0;
}

static int make_path(struct cel_watch *w, const char *folder, const struct inotify_event *e)
{
    cel__buf_clear(&w->path);
    cel__buf_add_text(&w->path, folder);
    if (e->len > 0 && (w->path.len == 0 || w->path.ptr[w->path.len - 1] != '/'))
        cel__buf_add_char(&w->path, '/');
    if (e->len > 0)
        cel__buf_add_text(&w->path, e->name);
    if (cel__buf_cstr(&w->path) != NULL && !w->path.failed)
        return 0;
    w->path.failed = false;
    return -ENOMEM;
}

/* (parks) A folder has come or gone. */
static int follow(struct cel_watch *w, const struct inotify_event *e)
{
    struct look_job job = {.watch = w, .path = w->path.ptr, .is_new = true};
    int r;

    if (!w->tree.is_recursive || !(e->mask & IN_ISDIR) || e->len == 0)
        return 0;
    if (e->mask & IN_MOVED_FROM)
        cel__watch_tree_remove(&w->tree, w->path.ptr);
    if (!(e->mask & (IN_CREATE | IN_MOVED_TO)))
        return 0;
    CEL_SCOPE (shield,
               .is_shielded = true)       /* the event has been taken: it is followed to its end */
        r = cel__blocking_do(look, &job); /* parks */
    return r < 0 ? r : job.result;
}

/* (parks) Does a file that is watched for itself still have its name? Asked until it is answered.
 */
static int check_root(struct cel_watch *w)
{
    struct look_job job = {.watch = w, .path = w->root_path};
    int r = cel__blocking_do(look_again, &job); /* parks */

    if (r == 0)
        r = job.result;
    if (r < 0)
        return r;
    w->is_doubtful = false;
    w->is_lost = r == 1;
    return 0;
}

static void tell_lost(struct cel_watch *w, struct cel_watch_event *event)
{
    w->has_no_root = true;
    *event = (struct cel_watch_event){.what = CEL_WATCH_REMOVED, .path = w->root_path};
}

/* (parks) -> 1: *event is to be told; 0: it is not. */
static int handle(struct cel_watch *w, const struct inotify_event *e, struct cel_watch_event *event)
{
    const char *folder = cel__watch_tree_path(&w->tree, e->wd);
    unsigned what = what_of(e->mask);
    bool is_self = (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
    int r;

    if (e->mask & IN_IGNORED) {
        cel__watch_tree_forget(&w->tree, e->wd);
        return 0;
    }
    if (what == CEL_WATCH_OVERFLOW) {
        *event = (struct cel_watch_event){.what = what, .path = ""};
        return 1;
    }
    if (folder == NULL || (is_self && e->wd != w->root) || is_repeated(w, e))
        return 0; /* of a folder below, whose own folder tells of it */
    if (is_self && w->has_no_root)
        return 0; /* told when its name went */
    if (is_self)
        w->has_no_root = true;
    r = make_path(w, folder, e);
    if (r == 0)
        r = follow(w, e); /* parks */
    w->is_doubtful |= w->is_file && (e->mask & IN_ATTRIB) != 0;
    if (r < 0)
        return r;
    *event = (struct cel_watch_event){.what = what,
                                      .path = w->path.ptr,
                                      .is_folder = (e->mask & IN_ISDIR) != 0,
                                      .cookie = e->cookie};
    return (what & w->what & ~CEL_WATCH_MOVED) != 0;
}

/* What was found in a folder that has come. -> whether there was something. */
static bool tell_found(struct cel_watch *w, struct cel_watch_event *event)
{
    struct cel__watch_tree *tree = &w->tree;
    struct cel__found *found = &tree->found[tree->found_at];

    if (tree->found_at == tree->found_count)
        return false;
    cel__buf_fini(&w->path);
    w->path.ptr = found->path;
    w->path.len = strlen(found->path);
    w->path.cap = w->path.len + 1;
    *event = (struct cel_watch_event){
        .what = CEL_WATCH_CREATED, .path = found->path, .is_folder = found->is_folder};
    if (++tree->found_at == tree->found_count)
        tree->found_at = tree->found_count = 0;
    return true;
}

int cel_watch_next(struct cel_watch *w, struct cel_watch_event *event)
{
    int r = cel__checkpoint(cel__task_parking());

    if (r < 0)
        return r;
    for (;;) {
        const struct inotify_event *e = NULL;

        if (tell_found(w, event) && w->what & CEL_WATCH_CREATED)
            return 0;
        if (w->tree.found_count > 0)
            continue;
        if (w->is_doubtful && !w->has_no_root) {
            r = check_root(w); /* parks */
            if (r < 0)
                return r;
        }
        if (w->is_lost && !w->has_no_root) {
            tell_lost(w, event);
            if (w->what & CEL_WATCH_REMOVED)
                return 0;
        }
        if (w->has_no_root && w->at >= w->len)
            return -ENOENT;
        r = take_event(w, &e); /* parks */
        if (r == 0)
            r = handle(w, e, event); /* parks */
        if (r != 0)
            return r < 0 ? r : 0;
    }
}

void cel_watch_close(struct cel_watch *w)
{
    if (w != NULL)
        watch_free(w);
}
