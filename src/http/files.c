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
#include "http/conditions.h"
#include "http/serving.h"
#include "proto/mime.h"

struct folder {
    struct cel__list link;
    int fd;
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

static int set_headers(struct cel_reply *reply, const struct cel__version *v)
{
    char date[CEL__DATE_LEN + 1];
    int r;

    cel__date_write(date, v->mtime);
    date[CEL__DATE_LEN] = '\0';
    r = cel_reply_header(reply, "ETag", v->etag);
    if (r == 0)
        r = cel_reply_header(reply, "Last-Modified", date);
    if (r == 0)
        r = cel_reply_header(reply, "Accept-Ranges", "bytes");
    return r;
}

static int out_of_range(struct cel_reply *reply, const struct cel__version *v)
{
    char text[64];
    int r;

    snprintf(text, sizeof text, "bytes */%lld", (long long)v->size);
    r = cel_reply_header(reply, "Content-Range", text);
    return r < 0 ? r : cel_reply_text(reply, 416, "416 Range Not Satisfiable\n");
}

/* (parks) */
static int send_range(struct cel_reply *reply, int fd, const struct cel__version *v,
                      const struct cel__range *range, const char *name)
{
    char text[96];
    int r = 0;

    snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)range->from,
             (long long)(range->from + range->len - 1), (long long)v->size);
    if (range->is_partial)
        r = cel_reply_header(reply, "Content-Range", text);
    if (r == 0)
        r = cel_reply_begin(reply, range->is_partial ? 206 : 200, cel__mime_of_path(cel__str(name)),
                            range->len);
    return r < 0 ? r : cel__reply_send_file(reply, fd, range->from, range->len); /* parks */
}

/* (parks) What the request asks of a file that is open; `name` tells its type. */
static int answer(struct cel_request *req, struct cel_reply *reply, int fd, const struct stat *st,
                  const char *name)
{
    char etag[64];
    struct cel__version v = {etag, st->st_mtim.tv_sec, st->st_size};
    struct cel__range range;
    int r;

    make_etag(st, etag, sizeof etag);
    r = set_headers(reply, &v);
    if (r < 0)
        return r;
    switch (cel__conditions_judge(req, &v)) {
    case 304:
        return cel_reply_begin(reply, 304, NULL, -1);
    case 412:
        return cel_reply_text(reply, 412, "412 Precondition Failed\n");
    }
    if (!cel__conditions_range(req, &v, &range))
        return out_of_range(reply, &v);
    return send_range(reply, fd, &v, &range, name); /* parks */
}

/* A folder is asked for with a slash at its end, so that relative links in its index work. */
static int redirect_to_folder(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str path = cel_request_path(req), query = cel_request_query(req);
    size_t cap = path.len + query.len + sizeof "/?";
    char *location = cel_request_alloc(req, cap);

    if (location == NULL)
        return -ENOMEM;
    snprintf(location, cap, "%.*s/%s%.*s", CEL_STR(path), query.len != 0 ? "?" : "",
             CEL_STR(query));
    return cel_reply_redirect(reply, 301, location);
}

/* An escaped slash or backslash is no step of a path to whoever else reads this URL. */
static bool hides_a_step(struct cel_str path)
{
    for (size_t i = 0; i + 2 < path.len; i++)
        if (path.ptr[i] == '%' &&
            ((path.ptr[i + 1] == '2' && cel__char_lower(path.ptr[i + 2]) == 'f') ||
             (path.ptr[i + 1] == '5' && cel__char_lower(path.ptr[i + 2]) == 'c')))
            return true;
    return false;
}

/* What cannot be opened. Neither says more than the other about what is there. */
static int refuse(struct cel_reply *reply, int why)
{
    switch (why) {
    case -ENOMEM:
    case -EMFILE:
    case -ENFILE:
        return why; /* the server's trouble: 503 */
    case -EACCES:
    case -EPERM:
        return cel_reply_text(reply, 403, "403 Forbidden\n");
    default:
        return cel_reply_text(reply, 404, "404 Not Found\n");
    }
}

static int serve_file(struct cel_request *req, struct cel_reply *reply)
{
    struct folder *folder = cel_request_arg(req);
    const char *path = cel_param(req, "path"), *name;
    struct cel_str asked = cel_request_path(req);
    struct stat st;
    int fd = -ENOENT, r;

    if (!hides_a_step(asked))
        fd = open_path(req, folder->fd, path, &st, &name);
    if (fd < 0)
        return refuse(reply, fd);
    if (path[0] != '\0' && name != path && !cel__str_ends(asked, CEL_LIT("/")))
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
