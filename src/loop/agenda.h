/* SPDX-License-Identifier: MIT */
#ifndef CEL__AGENDA_H
#define CEL__AGENDA_H

/* Timers in the order of arming, as entries on small pages.
 *
 * Who walks an agenda reads memory in order and can fetch the timers ahead, where a list through
 * the timers would wait for each in turn; arming and cancelling touch the page and no other timer.
 * A timer knows its entry. An agenda has pages only while it has timers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cel__timer;
struct cel__page;

struct cel__entry {
    int64_t deadline;
    struct cel__timer *timer; /* NULL: taken out */
};

struct cel__timer {
    struct cel__entry *at;   /* NULL: not armed */
    struct cel__timer *next; /* among those for which there was no memory */
    int64_t deadline;
    void (*fire)(struct cel__timer *timer); /* may arm and cancel any timer, this one included */
};

/* Zeroed is empty. */
struct cel__agenda {
    struct cel__page *head, *tail;
};

#define CEL__PAGE_BYTES   256
#define CEL__PAGE_ENTRIES 14

struct cel__page {
    struct cel__page *next, *prev; /* in the agenda; `next` also in the pool */
    struct cel__agenda *agenda;
    uint32_t used; /* entries that have been given out, those taken out included */
    uint32_t live;
    struct cel__entry entries[CEL__PAGE_ENTRIES];
};

_Static_assert(sizeof(struct cel__page) == CEL__PAGE_BYTES, "a page is found by masking");

/* Free pages. Zeroed is empty; what it took from the heap it keeps till its end. */
struct cel__pages {
    struct cel__page *free;
    void *chunks;
    uint32_t chunk_pages; /* how many the last chunk had */
};

void cel__pages_fini(struct cel__pages *pages);

static inline void cel__page_free(struct cel__page *page, struct cel__pages *pages)
{
    page->next = pages->free;
    pages->free = page;
}

/* A page more at the end of the agenda. NULL: no memory. */
struct cel__page *cel__agenda_grow(struct cel__agenda *a, struct cel__pages *pages);
/* The page has no timer any more. */
void cel__agenda_drop(struct cel__page *page, struct cel__pages *pages);

/* At the end of the agenda. -> false: no memory. */
static inline bool cel__agenda_append(struct cel__agenda *a, struct cel__timer *t,
                                      struct cel__pages *pages)
{
    struct cel__page *page = a->tail;

    if (page == NULL || page->used == CEL__PAGE_ENTRIES) {
        page = cel__agenda_grow(a, pages);
        if (page == NULL)
            return false;
    }
    t->at = &page->entries[page->used++];
    *t->at = (struct cel__entry){t->deadline, t};
    page->live++;
    return true;
}

/* Takes t out of the agenda in which it is; t->at is then the caller's to set. */
static inline void cel__agenda_remove(struct cel__timer *t, struct cel__pages *pages)
{
    struct cel__page *page =
        (struct cel__page *)((uintptr_t)t->at & ~(uintptr_t)(CEL__PAGE_BYTES - 1));

    t->at->timer = NULL;
    if (--page->live == 0) {
        cel__agenda_drop(page, pages);
        return;
    }
    while (page->entries[page->used - 1].timer == NULL)
        page->used--;
}

/* While a page is walked, the timers of the next one come into the caches. */
static inline void cel__page_fetch(const struct cel__page *page)
{
    if (page == NULL)
        return;
    __builtin_prefetch(page->next);
    for (uint32_t i = 0; i < page->used; i++)
        __builtin_prefetch(page->entries[i].timer, 1);
}

/* All entries in order; those taken out are passed over. The body may take out `entry` and nothing
 * else. A `break` leaves the page only. */
#define CEL__AGENDA_EACH(entry, a)                                                            \
    for (struct cel__page *page_ = (a)->head, *next_; page_ != NULL; page_ = next_)           \
        for (struct cel__entry *end_ =                                                        \
                 (next_ = page_->next, cel__page_fetch(next_), page_->entries + page_->used), \
                               *entry = page_->entries;                                       \
             entry < end_; entry++)                                                           \
            if (entry->timer != NULL)

#endif
