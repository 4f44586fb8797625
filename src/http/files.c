/* SPDX-License-Identifier: MIT */
/* A folder behind a prefix. Paths are decoded once and opened beneath the folder's descriptor with
 * openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), so that neither dots nor links lead out;
 * kernels without it get the same by refusing links altogether (O_NOFOLLOW on each step). */
#include "http/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "http/serving.h"
#include "proto/mime.h"

#define PIECE (64 * 1024)

struct folder {
    struct cel__list link;
    int fd;
};

struct range {
    int64_t from, to; /* both included */
    bool is_partial;
};

void cel__files_fini(struct cel_server *server)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&server->folders)) != NULL) {
        struct folder *folder = cel__container_of(node, struct folder, link);

        cel__sys.close(folder->fd);
        cel__mem_free(folder);
    }
}

/* No hidden names, no empty or dotted steps, nothing that the file system would read otherwise. */
static bool is_tame(const char *path)
{
    struct cel_str rest = cel__str(path), step;

    if (strchr(path, '\\') != NULL)
        return false;
    while (cel__str_split(&rest, '/', &step))
        if (step.len != 0 ? step.ptr[0] == '.' : rest.ptr != NULL)
            return false;
    return true;
}

static int open_stepwise(int dir, const char *path)
{
    struct cel_str rest = cel__str(path), step;
    char name[256];
    int fd = dir;

    while (cel__str_split(&rest, '/', &step)) {
        bool is_last = rest.ptr == NULL;
        int next;

        if (step.len == 0 || step.len >= sizeof name)
            return -ENOENT;
        memcpy(name, step.ptr, step.len);
        name[step.len] = '\0';
        next = cel__sys.openat(
            fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_last ? 0 : O_DIRECTORY),
            0);
        if (fd != dir)
            cel__sys.close(fd);
        if (next < 0)
            return -errno;
        fd = next;
    }
    return fd;
}

static int open_beneath(int dir, const char *path)
{
    int fd = cel__sys.openat2(dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0,
                              RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

    if (fd >= 0)
        return fd;
    return errno == ENOSYS || errno == EPERM ? open_stepwise(dir, path) : -errno;
}

/* A file, or a folder's index.html. *name gets what to take the type from. -> descriptor or -errno.
 */
static int open_path(struct cel_request *req, int dir, const char *path, struct stat *st,
                     const char **name)
{
    char *index;
    int fd;

    if (path[0] == '\0')
        path = ".";
    else if (!is_tame(path))
        return -ENOENT;
    *name = path;
    fd = open_beneath(dir, path);
    if (fd < 0)
        return fd;
    if (cel__sys.fstat(fd, st) < 0)
        goto not_found;
    if (S_ISREG(st->st_mode))
        return fd;
    if (!S_ISDIR(st->st_mode))
        goto not_found;
    cel__sys.close(fd);
    index = cel_request_alloc(req, strlen(path) + sizeof "/index.html");
    if (index == NULL)
        return -ENOMEM;
    snprintf(index, strlen(path) + sizeof "/index.html", "%s/index.html", path);
    *name = index;
    fd = open_beneath(dir, index);
    if (fd < 0)
        return fd;
    if (cel__sys.fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
not_found:
    cel__sys.close(fd);
    return -ENOENT;
}

static void make_etag(const struct stat *st, char *out, size_t cap)
{
    snprintf(out, cap, "\"%llx-%llx-%lx\"", (unsigned long long)st->st_size,
             (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec);
}

static bool list_has(struct cel_str list, struct cel_str etag)
{
    struct cel_str item;

    while (cel__str_split(&list, ',', &item)) {
        item = cel__str_trim(item);
        if (cel__str_starts(item, CEL_LIT("W/")))
            item = (struct cel_str){item.ptr + 2, item.len - 2};
        if (cel__str_eq(item, etag) || cel__str_eq(item, CEL_LIT("*")))
            return true;
    }
    return false;
}

/* RFC 9110 13.2.2: If-None-Match rules out If-Modified-Since. */
static bool is_unchanged(struct cel_request *req, const char *etag, int64_t mtime)
{
    struct cel_str seen = cel_request_header(req, "If-None-Match");
    int64_t since;

    if (seen.ptr != NULL)
        return list_has(seen, cel__str(etag));
    seen = cel_request_header(req, "If-Modified-Since");
    return seen.ptr != NULL && cel__date_parse(seen, mtime, &since) == 0 && mtime <= since;
}

static bool range_applies(struct cel_request *req, const char *etag)
{
    struct cel_str condition = cel_request_header(req, "If-Range");

    return condition.ptr == NULL || cel__str_eq(condition, cel__str(etag));
}

/* "bytes=a-b", "bytes=a-", "bytes=-n"; anything else, several ranges too, is answered whole. false:
 * cannot be met. */
static bool read_range(struct cel_str text, int64_t size, struct range *out)
{
    struct cel_str last, first;
    uint64_t from = 0, to = 0;

    *out = (struct range){0, size - 1, false};
    if (!cel__str_starts(text, CEL_LIT("bytes=")))
        return true;
    last = (struct cel_str){text.ptr + 6, text.len - 6};
    if (!cel__str_split(&last, '-', &first) || last.ptr == NULL)
        return true;
    if (first.len == 0) {
        if (cel__str_to_u64(last, &to) < 0)
            return true;
        if (to == 0 || size == 0)
            return false;
        *out = (struct range){to >= (uint64_t)size ? 0 : size - (int64_t)to, size - 1, true};
        return true;
    }
    if (cel__str_to_u64(first, &from) < 0 || (last.len != 0 && cel__str_to_u64(last, &to) < 0))
        return true;
    if (last.len != 0 && to < from)
        return true;
    if (from >= (uint64_t)size)
        return false;
    out->from = (int64_t)from;
    if (last.len != 0 && to < (uint64_t)size)
        out->to = (int64_t)to;
    out->is_partial = true;
    return true;
}

static int set_headers(struct cel_reply *reply, const char *etag, int64_t mtime)
{
    char date[CEL__DATE_LEN + 1];
    int r;

    cel__date_write(date, mtime);
    date[CEL__DATE_LEN] = '\0';
    r = cel_reply_header(reply, "ETag", etag);
    if (r == 0)
        r = cel_reply_header(reply, "Last-Modified", date);
    if (r == 0)
        r = cel_reply_header(reply, "Accept-Ranges", "bytes");
    return r;
}

/* (parks) The page cache is read without leaving the loop: a file that is cold costs one disk wait
 * a piece. */
static int send_file(struct cel_request *req, struct cel_reply *reply, int fd, int64_t from,
                     int64_t len)
{
    char *piece;
    int r = 0;

    if (cel_request_method(req).len == 4 || len == 0) /* HEAD */
        return 0;
    piece = cel__mem_alloc((size_t)cel__min(len, (int64_t)PIECE));
    if (piece == NULL)
        return -ENOMEM;
    while (r == 0 && len > 0) {
        ssize_t n = cel__sys.pread(fd, piece, (size_t)cel__min(len, (int64_t)PIECE), from);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            r = n < 0 ? -errno : -CEL_ETRUNCATED; /* it shrank under us */
            break;
        }
        r = cel_reply_write(reply, piece, (size_t)n); /* parks */
        from += n;
        len -= n;
    }
    cel__mem_free(piece);
    return r;
}

static int answer(struct cel_request *req, struct cel_reply *reply, int fd, const struct stat *st,
                  const char *name)
{
    struct cel_str asked = cel_request_header(req, "Range");
    struct range range = {0, st->st_size - 1, false};
    char etag[64], text[96];
    int r;

    make_etag(st, etag, sizeof etag);
    r = set_headers(reply, etag, st->st_mtim.tv_sec);
    if (r < 0)
        return r;
    if (is_unchanged(req, etag, st->st_mtim.tv_sec))
        return cel_reply_begin(reply, 304, NULL, -1);
    if (asked.ptr != NULL && range_applies(req, etag) && !read_range(asked, st->st_size, &range)) {
        snprintf(text, sizeof text, "bytes */%lld", (long long)st->st_size);
        r = cel_reply_header(reply, "Content-Range", text);
        return r < 0 ? r : cel_reply_text(reply, 416, "416 Range Not Satisfiable\n");
    }
    if (range.is_partial) {
        snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)range.from,
                 (long long)range.to, (long long)st->st_size);
        r = cel_reply_header(reply, "Content-Range", text);
        if (r < 0)
            return r;
    }
    r = cel_reply_begin(reply, range.is_partial ? 206 : 200, cel__mime_of_path(cel__str(name)),
                        range.to - range.from + 1);
    return r < 0 ? r : send_file(req, reply, fd, range.from, range.to - range.from + 1); /* parks */
}

/* A folder is asked for with a slash at its end, so that relative links in its index work. */
static int redirect_to_folder(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str path = cel_request_path(req);
    char *location = cel_request_alloc(req, path.len + 2);

    if (location == NULL)
        return -ENOMEM;
    memcpy(location, path.ptr, path.len);
    memcpy(location + path.len, "/", 2);
    return cel_reply_redirect(reply, 301, location);
}

static int serve_file(struct cel_request *req, struct cel_reply *reply)
{
    struct folder *folder = cel_request_arg(req);
    const char *path = cel_param(req, "path"), *name;
    struct cel_str asked = cel_request_path(req);
    struct stat st;
    int fd, r;

    fd = open_path(req, folder->fd, path != NULL ? path : "", &st, &name);
    if (fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE)
        return fd;
    if (fd < 0)
        return cel_reply_text(reply, fd == -EACCES ? 403 : 404,
                              fd == -EACCES ? "403 Forbidden\n" : "404 Not Found\n");
    if (path != NULL && name != path && asked.len > 1 && asked.ptr[1] != '/' &&
        !cel__str_ends(asked, CEL_LIT("/")))
        r = redirect_to_folder(req, reply);
    else
        r = answer(req, reply, fd, &st, name); /* parks */
    cel__sys.close(fd);
    return r;
}

static int add_route(struct cel_server *server, const char *prefix, const char *rest,
                     struct folder *folder)
{
    struct cel__buf pattern = {0};
    const char *text;
    int r = -ENOMEM;

    cel__buf_printf(&pattern, "GET %s%s", prefix, rest);
    text = cel__buf_cstr(&pattern);
    if (text != NULL && !pattern.failed)
        r = cel__router_add(&server->router, text, (void (*)(void))serve_file, folder);
    cel__buf_fini(&pattern);
    return r;
}

int cel_route_files(struct cel_server *server, const char *prefix, const char *dir)
{
    size_t len = strlen(prefix);
    struct folder *folder;
    int r;

    if (len == 0 || prefix[0] != '/' || prefix[len - 1] != '/')
        return -EINVAL;
    folder = cel__mem_zalloc(sizeof *folder);
    if (folder == NULL)
        return -ENOMEM;
    folder->fd = cel__sys.openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder->fd < 0) {
        r = -errno;
        cel__mem_free(folder);
        return r;
    }
    cel__list_append(&server->folders, &folder->link);
    r = add_route(server, prefix, "{path...}", folder);
    return r;
}
