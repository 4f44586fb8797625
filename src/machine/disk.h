/* SPDX-License-Identifier: MIT */
#ifndef CEL__DISK_H
#define CEL__DISK_H

/* The disk of a simulated host: a tree of nodes with the names by which they are found, as it is,
 * and what of it is on the medium.
 *
 * 1. A change of names (one made, removed or moved) is there at once and on the medium only after a
 *    sync of a folder that it changed, or if power is lost in a merciful moment.
 * 2. A move is one change, of two names: both or none.
 * 3. A change that builds upon one that was lost is lost as well: what a loss of power leaves is a
 *    tree, and each name says what it once said.
 * 4. The mode and times of a file are on the medium with the change that made it, and others only
 *    after a sync of the file itself, one of its bytes alone (fdatasync) not being enough.
 * 5. A node lives while a name, now or on the medium, or an open file leads to it. */

#include <sys/stat.h>

#include "machine/content.h"
#include "machine/station.h"

struct cel__node;

/* A name in a folder. */
struct cel__dirent {
    struct cel__list link; /* of the folder's entries */
    struct cel__node *folder;
    struct cel__node *now, *kept; /* NULL: there is no such name */
    unsigned changes;             /* that are not on the medium and concern it */
    uint64_t nth;                 /* its place in listings */
    char name[];
};

struct cel__node {
    struct cel__list link; /* of the disk's nodes */
    struct cel__disk *disk;
    uint64_t id;
    mode_t mode, kept_mode;            /* as it is, and as it is on the medium */
    unsigned names;                    /* that lead to it now */
    unsigned opens;                    /* by descriptors */
    unsigned refs;                     /* whatever leads to it */
    int64_t written, kept_written;     /* wall times of its bytes, */
    int64_t described, kept_described; /* and of anything else about it */
    unsigned errors;                   /* of writing back, */
    int error;                         /* the last of which was this, */
    bool is_untold;                    /* and nobody knows of it */
    bool was_lost;                     /* a change of it was, while a crash is worked out */
    struct cel__content content;
    char *target; /* of a symbolic link */
    struct cel__list entries;
    struct cel__node *parent; /* of a folder */
};

struct cel__disk {
    struct cel__station *station;
    struct cel__list nodes;
    struct cel__list changes; /* not on the medium, the oldest first */
    struct cel__node *root;
    uint64_t made;
    int64_t limit; /* of what files have in all; -1: none */
};

/* With folders / and /tmp. */
struct cel__disk *cel__disk_new(struct cel__station *station);
void cel__disk_free(struct cel__disk *disk);

/* A node that nothing leads to yet: the caller's reference. */
struct cel__node *cel__node_new(struct cel__disk *disk, mode_t mode);
void cel__node_hold(struct cel__node *node);
/* It goes with its last reference. */
void cel__node_drop(struct cel__node *node);
/* Its bytes or length are others now. */
void cel__node_touch(struct cel__node *node);
/* So is what describes it. */
void cel__node_describe(struct cel__node *node, mode_t mode);
/* What describes it, its mode and times, is on the medium. */
void cel__node_keep(struct cel__node *node);

/* What the name says now; NULL: nothing. */
struct cel__node *cel__folder_find(struct cel__node *folder, const char *name);
bool cel__folder_is_empty(const struct cel__node *folder);
/* The name says that from now on; NULL: nothing. Until it is kept, a crash may undo it. */
void cel__folder_set(struct cel__node *folder, const char *name, struct cel__node *node);
/* `node` has been at the first name and is at the second. what: the first's new node, for an
 * exchange. */
void cel__folder_move(struct cel__node *from, const char *name, struct cel__node *to,
                      const char *to_name, struct cel__node *what);
/* The folder's names are on the medium, with what they build upon. */
void cel__folder_sync(struct cel__node *folder);
/* What files have that somebody can still get at. */
int64_t cel__disk_bytes(const struct cel__disk *disk);
/* Power is lost. */
void cel__disk_crash(struct cel__disk *disk);

#endif
