/* SPDX-License-Identifier: MIT */
#include "machine/content.h"

#include <string.h>

#include "base/cc.h"
#include "machine/machine.h"

static size_t sectors(size_t len)
{
    return (len + CEL__SECTOR - 1) / CEL__SECTOR;
}

static void reserve(struct cel__content *c, size_t len)
{
    size_t cap = cel__max(2 * c->cap, 4 * CEL__SECTOR);

    if (len <= c->cap)
        return;
    while (cap < len)
        cap *= 2;
    c->now = cel__machine_resize(c->now, cap);
    c->kept = cel__machine_resize(c->kept, cap);
    c->dirty = cel__machine_resize(c->dirty, sectors(cap) * sizeof *c->dirty);
    memset(c->now + c->cap, 0, cap - c->cap);
    memset(c->kept + c->cap, 0, cap - c->cap);
    memset(c->dirty + sectors(c->cap), 0, (sectors(cap) - sectors(c->cap)) * sizeof *c->dirty);
    c->cap = cap;
}

static void soil(struct cel__content *c, size_t from, size_t to)
{
    for (size_t i = from / CEL__SECTOR; i < sectors(to); i++)
        c->dirty[i] = true;
}

static void keep_sector(struct cel__content *c, size_t i)
{
    memcpy(c->kept + i * CEL__SECTOR, c->now + i * CEL__SECTOR, CEL__SECTOR);
    c->dirty[i] = false;
}

size_t cel__content_read(const struct cel__content *c, void *buf, size_t len, size_t offset)
{
    size_t n = offset < c->len ? cel__min(len, c->len - offset) : 0;

    if (n > 0)
        memcpy(buf, c->now + offset, n);
    return n;
}

/* What lay behind an earlier end on the medium must not come back: the new part is dirty. */
void cel__content_resize(struct cel__content *c, size_t len)
{
    if (len == c->len)
        return;
    reserve(c, len);
    if (len > c->len)
        soil(c, c->len, len);
    else
        memset(c->now + len, 0, c->len - len);
    if (len < c->len && len % CEL__SECTOR != 0)
        soil(c, len, len + 1);
    c->len = len;
    c->is_resized = true;
}

void cel__content_write(struct cel__content *c, const void *buf, size_t len, size_t offset)
{
    if (len == 0)
        return;
    if (offset + len > c->len)
        cel__content_resize(c, offset + len);
    memcpy(c->now + offset, buf, len);
    soil(c, offset, offset + len);
}

bool cel__content_is_dirty(const struct cel__content *c)
{
    bool is_dirty = c->is_resized;

    for (size_t i = 0; i < sectors(c->len) && !is_dirty; i++)
        is_dirty = c->dirty[i];
    return is_dirty;
}

void cel__content_sync(struct cel__content *c)
{
    for (size_t i = 0; i < sectors(c->len); i++)
        if (c->dirty[i])
            keep_sector(c, i);
    if (c->kept_len > c->len)
        memset(c->kept + c->len, 0, c->kept_len - c->len);
    c->kept_len = c->len;
    c->is_resized = false;
}

void cel__content_trickle(struct cel__machine *m, struct cel__content *c)
{
    for (size_t i = 0; i < sectors(c->len); i++)
        if (c->dirty[i] && cel__machine_draw(m, CEL__DRAW_FAULT, 2) == 0)
            keep_sector(c, i);
}

void cel__content_refuse(struct cel__content *c, bool is_seen)
{
    for (size_t i = 0; i < sectors(c->len); i++) {
        size_t at = i * CEL__SECTOR;

        if (c->dirty[i] && !is_seen)
            memcpy(c->now + at, c->kept + at, cel__min(CEL__SECTOR, c->len - at));
        c->dirty[i] = false;
    }
}

/* The old end, the new one, or that of some sector in between. */
static size_t drawn_len(struct cel__machine *m, const struct cel__content *c)
{
    size_t low = cel__min(c->kept_len, c->len), high = cel__max(c->kept_len, c->len);
    size_t between = sectors(high) - sectors(low), drawn;

    if (!c->is_resized)
        return c->kept_len;
    drawn = (size_t)cel__machine_draw(m, CEL__DRAW_FAULT, between + 2);
    if (drawn <= 1)
        return drawn == 0 ? c->kept_len : c->len;
    return cel__min((sectors(low) + drawn - 1) * CEL__SECTOR, high);
}

bool cel__content_crash(struct cel__machine *m, struct cel__content *c, enum cel__mercy mercy)
{
    bool was_dirty = cel__content_is_dirty(c);

    if (mercy == CEL__MERCY_ALL)
        cel__content_sync(c);
    if (mercy == CEL__MERCY_SOME) {
        size_t len = drawn_len(m, c);

        cel__content_trickle(m, c);
        if (len < c->kept_len)
            memset(c->kept + len, 0, c->kept_len - len);
        c->kept_len = len;
    }
    if (c->cap > 0) {
        memset(c->kept + c->kept_len, 0, c->cap - c->kept_len);
        memcpy(c->now, c->kept, c->cap);
        memset(c->dirty, 0, sectors(c->cap) * sizeof *c->dirty);
    }
    c->len = c->kept_len;
    c->is_resized = false;
    return was_dirty && mercy != CEL__MERCY_ALL;
}

void cel__content_fini(struct cel__content *c)
{
    cel__machine_release(c->now);
    cel__machine_release(c->kept);
    cel__machine_release(c->dirty);
    *c = (struct cel__content){0};
}
