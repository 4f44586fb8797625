/* SPDX-License-Identifier: MIT */
/* A host's disk, looked at and filled from outside: no power is needed and nothing fails. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "machine/power.h"
#include "machine/walk.h"
#include "trial/trial.h"

static struct cel__disk *disk_of(struct cel_sim_host *host)
{
    return cel__power_disk(host->host);
}

int cel_sim_disk_load(struct cel_sim_host *host, const char *path, char **out, size_t *len)
{
    struct cel__place place;
    int r = cel__walk(disk_of(host)->root, path, CEL__WALK_FOLLOW, &place);
    char *bytes;

    if (r == 0 && place.node == NULL)
        r = -ENOENT;
    if (r < 0)
        return r;
    if (!S_ISREG(place.node->mode))
        return -EISDIR;
    bytes = cel__mem_alloc(place.node->content.len + 1);
    if (bytes == NULL)
        return -ENOMEM;
    *len = cel__content_read(&place.node->content, bytes, place.node->content.len, 0);
    bytes[*len] = '\0';
    *out = bytes;
    return 0;
}

/* What is there is let be; the change, if it is one, is on the medium. */
static int make(struct cel__node *from, const char *path, mode_t mode, struct cel__node **out)
{
    struct cel__place place;
    int r = cel__walk(from, path, CEL__WALK_FOLLOW, &place);

    if (r < 0)
        return r;
    *out = place.node;
    if (place.node != NULL)
        return S_ISDIR(mode) == S_ISDIR(place.node->mode) ? 0 : S_ISDIR(mode) ? -ENOTDIR : -EISDIR;
    *out = cel__node_new(from->disk, mode);
    cel__folder_set(place.folder, place.name, *out);
    cel__node_drop(*out);
    cel__folder_sync(place.folder);
    return 0;
}

static int make_folders(struct cel__node *root, const char *path)
{
    struct cel__node *folder;
    char part[PATH_MAX];
    int r = 0;

    if (strlen(path) >= sizeof part)
        return -ENAMETOOLONG;
    for (const char *end = path; r == 0 && (end = strchr(end + 1, '/')) != NULL;) {
        memcpy(part, path, (size_t)(end - path));
        part[end - path] = '\0';
        r = make(root, part, S_IFDIR | 0755, &folder);
    }
    return r;
}

int cel_sim_disk_save(struct cel_sim_host *host, const char *path, const void *bytes, size_t len)
{
    struct cel__disk *disk = disk_of(host);
    struct cel__node *node = NULL;
    int r = len <= (size_t)CEL__FILE_BYTES_MAX ? make_folders(disk->root, path) : -EFBIG;

    if (r == 0)
        r = make(disk->root, path, S_IFREG | 0644, &node);
    if (r != 0)
        return r;
    cel__content_resize(&node->content, 0);
    cel__content_write(&node->content, bytes, len, 0);
    cel__content_sync(&node->content);
    cel__node_keep(node);
    return 0;
}

void cel_sim_disk_limit(struct cel_sim_host *host, int64_t bytes)
{
    disk_of(host)->limit = bytes;
}
