/* SPDX-License-Identifier: MIT */
#include "machine/disk.h"

#include <string.h>

#include "base/cc.h"

/* A change of one name or two that is not on the medium. */
struct change {
    struct cel__list link;  /* of the disk's changes */
    struct cel__node *node; /* that is concerned: made, removed or moved */
    struct {
        struct cel__dirent *entry;
        struct cel__node *to; /* NULL: the name goes */
    } edits[2];
    unsigned count;
};

/* How many of the changes are left by a crash. */
enum order { IN_ORDER, ANY_ORDER, ORDERS };

/* ---- nodes ---- */

struct cel__node *cel__node_new(struct cel__disk *disk, mode_t mode)
{
    struct cel__node *node = cel__machine_alloc(sizeof *node);

    node->disk = disk;
    node->id = ++disk->made;
    node->mode = mode;
    node->refs = 1;
    node->parent = node;
    cel__list_init(&node->entries);
    cel__list_append(&disk->nodes, &node->link);
    cel__node_touch(node);
    cel__node_keep(node);
    return node;
}

void cel__node_hold(struct cel__node *node)
{
    if (node != NULL)
        node->refs++;
}

static void entry_free(struct cel__dirent *entry)
{
    cel__list_unlink(&entry->link);
    cel__machine_release(entry);
}

static void let_entries_go(struct cel__node *folder)
{
    CEL__LIST_EACH_SAFE (at, &folder->entries) {
        struct cel__dirent *entry = cel__container_of(at, struct cel__dirent, link);
        struct cel__node *now = entry->now, *kept = entry->kept;

        entry_free(entry);
        cel__node_drop(now);
        cel__node_drop(kept);
    }
}

void cel__node_drop(struct cel__node *node)
{
    if (node == NULL || --node->refs > 0)
        return;
    let_entries_go(node);
    cel__content_fini(&node->content);
    cel__list_unlink(&node->link);
    cel__machine_release(node->target);
    cel__machine_release(node);
}

static int64_t wall_now(const struct cel__node *node)
{
    const struct cel__station *station = node->disk->station;

    return station->m->now + station->m->epoch + station->skew;
}

void cel__node_touch(struct cel__node *node)
{
    node->written = node->described = wall_now(node);
}

void cel__node_describe(struct cel__node *node, mode_t mode)
{
    node->mode = mode;
    node->described = wall_now(node);
}

void cel__node_keep(struct cel__node *node)
{
    node->kept_mode = node->mode;
    node->kept_written = node->written;
    node->kept_described = node->described;
}

/* ---- names ---- */

static struct cel__dirent *find_entry(struct cel__node *folder, const char *name)
{
    CEL__LIST_EACH (at, &folder->entries) {
        struct cel__dirent *entry = cel__container_of(at, struct cel__dirent, link);

        if (strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

static struct cel__dirent *entry_of(struct cel__node *folder, const char *name)
{
    struct cel__dirent *entry = find_entry(folder, name);

    if (entry != NULL)
        return entry;
    entry = cel__machine_alloc(sizeof *entry + strlen(name) + 1);
    memcpy(entry->name, name, strlen(name) + 1);
    entry->folder = folder;
    entry->nth = ++folder->disk->made;
    cel__list_append(&folder->entries, &entry->link);
    return entry;
}

struct cel__node *cel__folder_find(struct cel__node *folder, const char *name)
{
    const struct cel__dirent *entry = find_entry(folder, name);

    return entry != NULL ? entry->now : NULL;
}

bool cel__folder_is_empty(const struct cel__node *folder)
{
    CEL__LIST_EACH (at, &folder->entries)
        if (cel__container_of(at, struct cel__dirent, link)->now != NULL)
            return false;
    return true;
}

static void set_now(struct cel__dirent *entry, struct cel__node *node)
{
    struct cel__node *before = entry->now;

    cel__node_hold(node);
    entry->now = node;
    if (node != NULL) {
        node->names++;
        node->parent = entry->folder;
    }
    if (before != NULL) {
        before->names--;
        if (before->names == 0)
            before->parent = before;
        cel__node_drop(before);
    }
    cel__node_touch(entry->folder);
}

static void add_edit(struct change *change, struct cel__dirent *entry, struct cel__node *to)
{
    entry->changes++;
    cel__node_hold(entry->folder);
    cel__node_hold(to);
    change->edits[change->count].entry = entry;
    change->edits[change->count++].to = to;
}

static struct change *change_new(struct cel__node *node)
{
    struct change *change = cel__machine_alloc(sizeof *change);

    change->node = node;
    cel__node_hold(node);
    cel__list_append(&node->disk->changes, &change->link);
    return change;
}

void cel__folder_set(struct cel__node *folder, const char *name, struct cel__node *node)
{
    struct cel__dirent *entry = entry_of(folder, name);

    add_edit(change_new(node != NULL ? node : entry->now), entry, node);
    set_now(entry, node);
}

void cel__folder_move(struct cel__node *from, const char *name, struct cel__node *to,
                      const char *to_name, struct cel__node *what)
{
    struct cel__dirent *first = entry_of(from, name), *second = entry_of(to, to_name);
    struct cel__node *node = first->now;
    struct change *change = change_new(node);

    cel__node_hold(what);
    add_edit(change, second, node);
    add_edit(change, first, what);
    set_now(second, node);
    set_now(first, what);
    node->parent = to;
    cel__node_drop(what);
}

/* ---- the medium ---- */

static void forget(struct change *change)
{
    cel__list_unlink(&change->link);
    for (unsigned i = 0; i < change->count; i++) {
        struct cel__dirent *entry = change->edits[i].entry;
        struct cel__node *folder = entry->folder;

        if (--entry->changes == 0 && entry->now == NULL && entry->kept == NULL)
            entry_free(entry);
        cel__node_drop(change->edits[i].to);
        cel__node_drop(folder);
    }
    cel__node_drop(change->node);
    cel__machine_release(change);
}

static void keep(struct change *change)
{
    for (unsigned i = 0; i < change->count; i++) {
        struct cel__node *before = change->edits[i].entry->kept;

        cel__node_hold(change->edits[i].to);
        change->edits[i].entry->kept = change->edits[i].to;
        cel__node_drop(before);
    }
    forget(change);
}

static bool concerns_folder(const struct change *change, const struct cel__node *folder)
{
    for (unsigned i = 0; i < change->count; i++)
        if (change->edits[i].entry->folder == folder)
            return true;
    return false;
}

static bool concerns_entry(const struct change *change, const struct cel__dirent *entry)
{
    for (unsigned i = 0; i < change->count; i++)
        if (change->edits[i].entry == entry)
            return true;
    return false;
}

/* Is it wrong to keep `later` and to lose `earlier`? Of a folder that moves between folders those
 * two matter as well: else a crash could put two folders into each other. */
static bool builds_upon(const struct change *later, const struct change *earlier)
{
    if (later->node == earlier->node)
        return true;
    for (unsigned i = 0; i < later->count; i++) {
        if (concerns_entry(earlier, later->edits[i].entry))
            return true;
        if (later->count == 2 && S_ISDIR(later->node->mode) &&
            later->edits[i].entry->folder == earlier->node)
            return true;
    }
    return false;
}

static struct change *change_at(struct cel__list *at)
{
    return cel__container_of(at, struct change, link);
}

/* All before it that it builds upon, then itself. */
static void keep_with_ground(struct cel__disk *disk, struct change *change)
{
    struct cel__list *at = disk->changes.next;

    while (at != &change->link) {
        if (builds_upon(change, change_at(at))) {
            keep_with_ground(disk, change_at(at));
            at = disk->changes.next;
        } else {
            at = at->next;
        }
    }
    keep(change);
}

void cel__folder_sync(struct cel__node *folder)
{
    struct cel__disk *disk = folder->disk;
    struct cel__list *at = disk->changes.next;

    while (at != &disk->changes) {
        if (concerns_folder(change_at(at), folder)) {
            keep_with_ground(disk, change_at(at));
            at = disk->changes.next;
        } else {
            at = at->next;
        }
    }
}

int64_t cel__disk_bytes(const struct cel__disk *disk)
{
    int64_t bytes = 0;

    CEL__LIST_EACH (at, &disk->nodes) {
        const struct cel__node *node = cel__container_of(at, struct cel__node, link);

        if (node->names + node->opens > 0)
            bytes += (int64_t)node->content.len;
    }
    return bytes;
}

/* All that there is. */
static void sync_all(struct cel__disk *disk)
{
    while (!cel__list_is_empty(&disk->changes))
        keep(change_at(disk->changes.next));
    CEL__LIST_EACH (at, &disk->nodes) {
        cel__content_sync(&cel__container_of(at, struct cel__node, link)->content);
        cel__node_keep(cel__container_of(at, struct cel__node, link));
    }
}

/* ---- a loss of power ---- */

static bool stands_on_lost_ground(const struct change *change)
{
    if (change->node->was_lost)
        return true;
    for (unsigned i = 0; i < change->count; i++) {
        const struct cel__dirent *entry = change->edits[i].entry;

        if (entry->folder->was_lost || (entry->kept != NULL && entry->kept->was_lost))
            return true;
    }
    return false;
}

/* Whoever meets one of the same name or node later must be lost too: they are marked by it. */
static void lose(struct change *change)
{
    change->node->was_lost = true;
    for (unsigned i = 0; i < change->count; i++) {
        if (change->edits[i].entry->kept != NULL)
            change->edits[i].entry->kept->was_lost = true;
        if (change->edits[i].to != NULL)
            change->edits[i].to->was_lost = true;
    }
    forget(change);
}

/* Some: in order, up to a first one that is lost, or each by itself. -> whether any was lost. */
static bool settle_changes(struct cel__disk *disk, enum cel__mercy mercy)
{
    struct cel__machine *m = disk->station->m;
    enum order order = (enum order)cel__machine_draw(m, CEL__DRAW_FAULT, ORDERS);
    bool has_lost = mercy == CEL__MERCY_NONE && !cel__list_is_empty(&disk->changes);
    bool is_lost = mercy == CEL__MERCY_NONE;

    while (!cel__list_is_empty(&disk->changes)) {
        struct change *change = change_at(disk->changes.next);

        if (mercy == CEL__MERCY_SOME && !(is_lost && order == IN_ORDER))
            is_lost = cel__machine_draw(m, CEL__DRAW_FAULT, order == IN_ORDER ? 4 : 2) == 0;
        if (is_lost || stands_on_lost_ground(change)) {
            has_lost = true;
            lose(change);
        } else {
            keep(change);
        }
    }
    return has_lost;
}

static void restore_names(struct cel__disk *disk)
{
    CEL__LIST_EACH (at, &disk->nodes) {
        struct cel__node *node = cel__container_of(at, struct cel__node, link);

        cel__node_hold(node); /* until all is in order */
        node->names = 0;
        node->was_lost = false;
        node->parent = node;
        node->errors = 0;
        node->is_untold = false;
    }
    disk->root->names = 1;
    CEL__LIST_EACH (at, &disk->nodes)
        CEL__LIST_EACH (inner, &cel__container_of(at, struct cel__node, link)->entries) {
            struct cel__dirent *entry = cel__container_of(inner, struct cel__dirent, link);
            struct cel__node *before = entry->now;

            entry->now = entry->kept;
            cel__node_hold(entry->now);
            if (entry->now != NULL) {
                entry->now->names++;
                entry->now->parent = entry->folder;
            }
            cel__node_drop(before);
        }
}

static void remove_empty_entries(struct cel__node *node)
{
    CEL__LIST_EACH_SAFE (at, &node->entries) {
        struct cel__dirent *entry = cel__container_of(at, struct cel__dirent, link);

        if (entry->now == NULL && entry->kept == NULL && entry->changes == 0)
            entry_free(entry);
    }
}

/* Folders that no name leads to go with all that is in them, and one may hold the next. */
static void sweep_nodes(struct cel__disk *disk)
{
    struct cel__list all;
    struct cel__list *at;

    cel__list_init(&all);
    cel__list_splice(&all, &disk->nodes);
    while ((at = cel__list_pop(&all)) != NULL) {
        struct cel__node *node = cel__container_of(at, struct cel__node, link);

        cel__list_append(&disk->nodes, &node->link);
        remove_empty_entries(node);
        cel__node_drop(node);
    }
}

/* Mode and times travel together. -> whether a mode is gone. */
static bool crash_description(struct cel__machine *m, struct cel__node *node, enum cel__mercy mercy)
{
    bool is_new = node->mode != node->kept_mode, is_lost = mercy == CEL__MERCY_NONE;

    if (!is_new && node->described == node->kept_described)
        return false;
    if (mercy == CEL__MERCY_SOME)
        is_lost = cel__machine_draw(m, CEL__DRAW_FAULT, 2) == 0;
    if (is_lost) {
        node->mode = node->kept_mode;
        node->written = node->kept_written;
        node->described = node->kept_described;
    }
    cel__node_keep(node);
    return is_new && is_lost;
}

void cel__disk_crash(struct cel__disk *disk)
{
    struct cel__machine *m = disk->station->m;
    enum cel__mercy mercy = (enum cel__mercy)cel__machine_draw(m, CEL__DRAW_FAULT, CEL__MERCIES);
    bool has_lost = settle_changes(disk, mercy);

    mercy = (enum cel__mercy)cel__machine_draw(m, CEL__DRAW_FAULT, CEL__MERCIES);
    CEL__LIST_EACH (at, &disk->nodes) {
        struct cel__node *node = cel__container_of(at, struct cel__node, link);

        has_lost |= cel__content_crash(m, &node->content, mercy);
        has_lost |= crash_description(m, node, mercy);
    }
    m->faults += has_lost; /* staged, not by chance: it has no number */
    restore_names(disk);
    sweep_nodes(disk);
}

/* ---- from start to end ---- */

struct cel__disk *cel__disk_new(struct cel__station *station)
{
    struct cel__disk *disk = cel__machine_alloc(sizeof *disk);
    struct cel__node *tmp;

    disk->station = station;
    disk->limit = -1;
    cel__list_init(&disk->nodes);
    cel__list_init(&disk->changes);
    disk->root = cel__node_new(disk, S_IFDIR | 0755);
    disk->root->names = 1;
    tmp = cel__node_new(disk, S_IFDIR | 01777);
    cel__folder_set(disk->root, "tmp", tmp);
    cel__node_drop(tmp);
    sync_all(disk);
    return disk;
}

void cel__disk_free(struct cel__disk *disk)
{
    if (disk == NULL)
        return;
    sync_all(disk); /* else what is and what is kept could hold each other */
    let_entries_go(disk->root);
    cel__node_drop(disk->root);
    CEL__ASSERT(cel__list_is_empty(&disk->nodes));
    cel__machine_release(disk);
}
