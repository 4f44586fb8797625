/* SPDX-License-Identifier: MIT */
#include "machine/walk.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cc.h"

#define LINKS_MAX 40

struct walk {
    struct cel__node *from, *at;
    char rest[PATH_MAX]; /* of the path */
    unsigned how, links;
};

/* Takes the first name off. -> false: nothing is left. */
static bool next_name(struct walk *w, char *name, bool *is_last, bool *has_slash)
{
    size_t skipped = strspn(w->rest, "/"), len = strcspn(w->rest + skipped, "/");
    const char *end = w->rest + skipped + len;

    *has_slash = *end == '/';
    *is_last = end[strspn(end, "/")] == '\0';
    if (len == 0 || len > CEL__NAME_MAX)
        return false;
    memcpy(name, w->rest + skipped, len);
    name[len] = '\0';
    memmove(w->rest, end, strlen(end) + 1);
    return true;
}

static int begin_at(struct walk *w, const char *path)
{
    if (*path != '/')
        return 0;
    if (w->how & CEL__WALK_BENEATH)
        return -EXDEV;
    w->at = w->from->disk->root;
    return 0;
}

/* The link's words stand where its name stood. */
static int follow(struct walk *w, const struct cel__node *link)
{
    char rest[PATH_MAX];
    size_t target = strlen(link->target), more = strlen(w->rest);

    if (++w->links > LINKS_MAX)
        return -ELOOP;
    if (target + more + 1 > sizeof rest)
        return -ENAMETOOLONG;
    memcpy(rest, link->target, target);
    memcpy(rest + target, w->rest, more + 1);
    memcpy(w->rest, rest, target + more + 1);
    return begin_at(w, link->target);
}

static bool is_followed(const struct walk *w, bool has_slash)
{
    return has_slash ? !(w->how & CEL__WALK_NAME) : (w->how & CEL__WALK_FOLLOW) != 0;
}

/* -> 1: done. */
static int step(struct walk *w, struct cel__place *out)
{
    char name[CEL__NAME_MAX + 1];
    bool is_last, has_slash, is_up, is_dot;
    struct cel__node *next;

    if (!next_name(w, name, &is_last, &has_slash))
        return w->rest[strspn(w->rest, "/")] != '\0' ? -ENAMETOOLONG : 1;
    if (!S_ISDIR(w->at->mode))
        return -ENOTDIR;
    is_up = strcmp(name, "..") == 0;
    is_dot = is_up || strcmp(name, ".") == 0;
    if (is_up && w->at == w->from && (w->how & CEL__WALK_BENEATH))
        return -EXDEV;
    next = is_up ? w->at->parent : is_dot ? w->at : cel__folder_find(w->at, name);
    if (next != NULL && S_ISLNK(next->mode) && (!is_last || is_followed(w, has_slash)))
        return follow(w, next);
    if (next == NULL && !is_last)
        return -ENOENT;
    *out = (struct cel__place){.folder = w->at, .node = next, .is_folder_only = has_slash};
    if (!is_dot)
        memcpy(out->name, name, strlen(name) + 1);
    w->at = next;
    return is_last ? 1 : 0;
}

int cel__walk(struct cel__node *from, const char *path, unsigned how, struct cel__place *out)
{
    struct walk w = {.from = from, .at = from, .how = how};
    int r;

    if (*path == '\0')
        return -ENOENT;
    if (strlen(path) >= sizeof w.rest)
        return -ENAMETOOLONG;
    memcpy(w.rest, path, strlen(path) + 1);
    r = begin_at(&w, path);
    *out = (struct cel__place){.folder = w.at, .node = w.at};
    while (r == 0)
        r = step(&w, out);
    return r < 0 ? r : 0;
}
