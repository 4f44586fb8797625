/* SPDX-License-Identifier: MIT */
#ifndef CEL__CONTENT_H
#define CEL__CONTENT_H

/* The bytes of a simulated file: those that who reads gets, and those that a loss of power leaves.
 * The medium takes sectors, each whole or not at all and in any order, unless somebody waits for it
 * (sync). Sectors between the two are dirty. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cel__machine;

#define CEL__SECTOR         ((size_t)512)
#define CEL__FILE_BYTES_MAX ((int64_t)1 << 28)

struct cel__content {
    char *now, *kept;
    bool *dirty; /* one a sector, of cap */
    size_t len, kept_len;
    size_t cap;      /* of both, and zero behind the lengths */
    bool is_resized; /* the length on the medium is still another one */
};

/* How much of what was not synced a loss of power leaves. */
enum cel__mercy { CEL__MERCY_NONE, CEL__MERCY_ALL, CEL__MERCY_SOME, CEL__MERCIES };

/* Up to len bytes. */
size_t cel__content_read(const struct cel__content *c, void *buf, size_t len, size_t offset);
/* A gap before the offset is zeroes. The end stays below CEL__FILE_BYTES_MAX. */
void cel__content_write(struct cel__content *c, const void *buf, size_t len, size_t offset);
void cel__content_resize(struct cel__content *c, size_t len);
/* Is anything of it not on the medium? */
bool cel__content_is_dirty(const struct cel__content *c);
/* All of it is on the medium. */
void cel__content_sync(struct cel__content *c);
/* Some of it goes there by itself. */
void cel__content_trickle(struct cel__machine *m, struct cel__content *c);
/* The medium has refused it: nobody will try again. The reader gets what is on the medium, or, when
 * is_seen, goes on seeing what was refused, until power is lost. */
void cel__content_refuse(struct cel__content *c, bool is_seen);
/* -> whether anything that was written is gone. */
bool cel__content_crash(struct cel__machine *m, struct cel__content *c, enum cel__mercy mercy);
void cel__content_fini(struct cel__content *c);

#endif
