/* SPDX-License-Identifier: MIT */
/* A folder behind a prefix. Paths are decoded once and opened beneath the folder's descriptor; what
 * is then open is what is judged and sent, so that nothing changes between check and use. */
#include "http/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "http/beneath.h"
#include "http/conditions.h"
#include "http/serving.h"
#include "proto/accept.h"
#include "proto/mime.h"

struct folder {
    struct cel__list link;
    int fd;
    bool is_precompressed;
    char *cache_control; /* or NULL */
};

/* What will be sent. */
struct found {
    int fd;
    struct stat st;
    const char *name; /* to take the type from */
    enum cel__coding coding;
    const struct folder *folder; /* NULL: a handler's choice */
};

void cel__files_fini(struct cel_server *server)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&server->folders)) != NULL) {
        struct folder *folder = cel__container_of(node, struct folder, link);

        cel__sys.close(folder->fd);
        cel__mem_free(folder->cache_control);
        cel__mem_free(folder);
    }
}

/* -> descriptor of what is a regular file or, where `type` says so, a folder; -errno. */
static int open_typed(int dir, const char *path, mode_t type, struct stat *st)
{
    int fd = cel__open_beneath(dir, path), r = 0;

    if (fd < 0)
        return fd;
    if (cel__sys.fstat(fd, st) < 0)
        r = -errno;
    else if ((st->st_mode & S_IFMT) != S_IFREG && (st->st_mode & S_IFMT) != type)
        r = -ENOENT;
    if (r < 0)
        cel__sys.close(fd);
    return r < 0 ? r : fd;
}

/* The path with `suffix` behind it, in the request's memory. */
static char *with_suffix(struct cel_request *req, const char *path, const char *suffix)
{
    size_t cap = strlen(path) + strlen(suffix) + 1;
    char *longer = cel_request_alloc(req, cap);

    if (longer != NULL)
        snprintf(longer, cap, "%s%s", path, suffix);
    return longer;
}

static int open_index(struct cel_request *req, int dir, const char *path, struct found *found)
{
    char *index = with_suffix(req, path, "/index.html");

    if (index == NULL)
        return -ENOMEM;
    found->name = index;
    found->fd = open_typed(dir, index, S_IFREG, &found->st);
    return found->fd < 0 ? found->fd : 0;
}

/* A file, or a folder's index.html; a path that ends in a slash is a folder's. 0 or -errno. */
static int open_path(struct cel_request *req, int dir, const char *asked, struct found *found)
{
    size_t len = strlen(asked);
    bool is_folder = len == 0 || asked[len - 1] == '/';
    char *path = with_suffix(req, len != 0 ? asked : ".", "");
    int r;

    if (path == NULL)
        return -ENOMEM;
    if (len != 0 && !cel__path_is_tame(asked))
        return -ENOENT;
    if (is_folder && len != 0)
        path[len - 1] = '\0';
    found->name = path;
    found->fd = open_typed(dir, path, S_IFDIR, &found->st);
    if (found->fd < 0)
        return found->fd;
    if (S_ISREG(found->st.st_mode) && !is_folder)
        return 0;
    r = S_ISREG(found->st.st_mode) ? -ENOENT : 0;
    cel__sys.close(found->fd);
    return r < 0 ? r : open_index(req, dir, path, found);
}

/* ---- what lies beside it, compressed ---- */

static const char *suffix_of(enum cel__coding coding)
{
    return coding == CEL__CODING_BR ? ".br" : coding == CEL__CODING_ZSTD ? ".zst" : ".gz";
}

/* Puts x.br in the place of x, if it is there and no older. */
static bool take_variant(struct cel_request *req, struct found *found, enum cel__coding coding)
{
    const char *path = with_suffix(req, found->name, suffix_of(coding));
    struct stat st;
    int fd = path != NULL ? open_typed(found->folder->fd, path, S_IFREG, &st) : -ENOMEM;

    if (fd < 0)
        return false;
    if (st.st_mtim.tv_sec < found->st.st_mtim.tv_sec) {
        cel__sys.close(fd);
        return false;
    }
    cel__sys.close(found->fd);
    found->fd = fd;
    found->st = st;
    found->coding = coding;
    return true;
}

/* The client's choice among those that there are. */
static void choose_variant(struct cel_request *req, struct found *found)
{
    enum cel__coding offered[] = {CEL__CODING_BR, CEL__CODING_ZSTD, CEL__CODING_GZIP,
                                  CEL__CODING_IDENTITY};
    struct cel_str accepted = cel_request_header(req, "Accept-Encoding");
    int coding;

    while ((coding = cel__accept_coding(accepted, offered)) > CEL__CODING_IDENTITY) {
        enum cel__coding *at = offered;

        if (take_variant(req, found, (enum cel__coding)coding))
            return;
        while (*at != (enum cel__coding)coding)
            at++;
        do
            at[0] = at[1];
        while (*at++ != CEL__CODING_IDENTITY);
    }
}

/* ---- the answer ---- */

static void make_etag(const struct stat *st, char *out, size_t cap)
{
    snprintf(out, cap, "\"%llx-%llx-%lx\"", (unsigned long long)st->st_size,
             (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec);
}

static int set_headers(struct cel_reply *reply, const struct found *found,
                       const struct cel__version *v)
{
    const struct folder *folder = found->folder;
    char date[CEL__DATE_LEN + 1];
    int r;

    cel__date_write(date, v->mtime);
    date[CEL__DATE_LEN] = '\0';
    r = cel_reply_header(reply, "ETag", v->etag);
    if (r == 0)
        r = cel_reply_header(reply, "Last-Modified", date);
    if (r == 0)
        r = cel_reply_header(reply, "Accept-Ranges", "bytes");
    if (r == 0 && folder != NULL && folder->cache_control != NULL)
        r = cel_reply_header(reply, "Cache-Control", folder->cache_control);
    if (r == 0 && folder != NULL && folder->is_precompressed)
        r = cel_reply_header(reply, "Vary", "Accept-Encoding");
    if (r == 0 && found->coding != CEL__CODING_IDENTITY)
        r = cel_reply_header(reply, "Content-Encoding", cel__coding_name(found->coding).ptr);
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

/* (parks) What the request asks of a file that is open. */
static int answer_open(struct cel_request *req, struct cel_reply *reply, const struct found *found)
{
    char etag[64];
    struct cel__version v = {etag, found->st.st_mtim.tv_sec, found->st.st_size};
    struct cel__range range;
    int r;

    make_etag(&found->st, etag, sizeof etag);
    r = set_headers(reply, found, &v);
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
    return send_range(reply, found->fd, &v, &range, found->name); /* parks */
}

/* (parks) The same, and closes it. */
static int answer(struct cel_request *req, struct cel_reply *reply, const struct found *found)
{
    int r = answer_open(req, reply, found); /* parks */

    cel__sys.close(found->fd);
    return r;
}

int cel_reply_file(struct cel_request *req, struct cel_reply *reply, const char *path)
{
    struct found found = {.name = path};
    int r = 0;

    found.fd = cel__sys.openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (found.fd < 0)
        return -errno;
    if (cel__sys.fstat(found.fd, &found.st) < 0)
        r = -errno;
    else if (!S_ISREG(found.st.st_mode))
        r = S_ISDIR(found.st.st_mode) ? -EISDIR : -ENOENT;
    if (r < 0) {
        cel__sys.close(found.fd);
        return r;
    }
    return answer(req, reply, &found); /* parks */
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
    const struct folder *folder = cel_request_arg(req);
    const char *path = cel_param(req, "path");
    struct cel_str asked = cel_request_path(req);
    struct found found = {.folder = folder};
    int r = -ENOENT;

    if (!cel__path_hides_a_step(asked))
        r = open_path(req, folder->fd, path, &found);
    if (r < 0)
        return refuse(reply, r);
    if (path[0] != '\0' && strcmp(found.name, path) != 0 && !cel__str_ends(asked, CEL_LIT("/"))) {
        cel__sys.close(found.fd);
        return redirect_to_folder(req, reply);
    }
    if (folder->is_precompressed)
        choose_variant(req, &found);
    return answer(req, reply, &found); /* parks */
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

/* Takes the options over. -> 0; -ENOMEM, or -EINVAL no value of a header. */
static int fill_folder(struct folder *folder, const struct cel_files_options *options)
{
    struct cel__buf line = {0};
    struct cel__h1_write w;
    int r;

    if (options == NULL)
        return 0;
    folder->is_precompressed = options->is_precompressed;
    if (options->cache_control == NULL)
        return 0;
    cel__h1_write_trailer(&w, &line);
    r = cel__h1_write_field(&w, CEL_LIT("Cache-Control"), cel__str(options->cache_control));
    cel__buf_fini(&line);
    if (r < 0)
        return r;
    folder->cache_control = cel__mem_strdup(options->cache_control);
    return folder->cache_control != NULL ? 0 : -ENOMEM;
}

int cel_route_files_with(struct cel_server *server, const char *prefix, const char *dir,
                         const struct cel_files_options *options)
{
    size_t len = strlen(prefix);
    struct folder *folder;
    int r;

    if (server == NULL)
        return cel__server_missing();
    if (len == 0 || prefix[0] != '/' || prefix[len - 1] != '/')
        return -EINVAL;
    folder = cel__mem_zalloc(sizeof *folder);
    if (folder == NULL)
        return -ENOMEM;
    r = fill_folder(folder, options);
    if (r < 0)
        goto fail;
    folder->fd = cel__sys.openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder->fd < 0) {
        r = -errno;
        goto fail;
    }
    cel__list_append(&server->folders, &folder->link);
    return add_route(server, prefix, "{path...}", folder);

fail:
    cel__mem_free(folder->cache_control);
    cel__mem_free(folder);
    return r;
}

int cel_route_files(struct cel_server *server, const char *prefix, const char *dir)
{
    return cel_route_files_with(server, prefix, dir, NULL);
}
