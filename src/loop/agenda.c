/* SPDX-License-Identifier: MIT */
#include "loop/agenda.h"

#include "base/cc.h"
#include "base/mem.h"

#define CHUNK_FIRST 15 /* 4 KiB with what alignment takes */
#define CHUNK_MAX   255

/* Pages from the heap, twice as many as the time before. */
static bool stock(struct cel__pages *pages)
{
    uint32_t count = cel__min(cel__max(pages->chunk_pages * 2 + 1, CHUNK_FIRST), CHUNK_MAX);
    void **chunk = cel__mem_alloc((count + 1) * CEL__PAGE_BYTES);
    struct cel__page *page;

    if (chunk == NULL)
        return false;
    *chunk = pages->chunks;
    pages->chunks = chunk;
    pages->chunk_pages = count;
    page = (struct cel__page *)(((uintptr_t)(chunk + 1) + CEL__PAGE_BYTES - 1) &
                                ~(uintptr_t)(CEL__PAGE_BYTES - 1));
    if ((uintptr_t)(page + count) > (uintptr_t)chunk + (count + 1) * CEL__PAGE_BYTES)
        count--;
    while (count-- > 0) /* so that they are handed out in the order of their addresses */
        cel__page_free(&page[count], pages);
    return true;
}

struct cel__page *cel__agenda_grow(struct cel__agenda *a, struct cel__pages *pages)
{
    struct cel__page *page;

    if (pages->free == NULL && !stock(pages))
        return NULL;
    page = pages->free;
    pages->free = page->next;
    for (unsigned at = 0; at < CEL__PAGE_BYTES; at += 64) /* it is needed soon */
        __builtin_prefetch((const char *)pages->free + at, 1);
    page->agenda = a;
    page->used = page->live = 0;
    page->next = NULL;
    page->prev = a->tail;
    if (a->tail != NULL)
        a->tail->next = page;
    else
        a->head = page;
    a->tail = page;
    return page;
}

void cel__agenda_drop(struct cel__page *page, struct cel__pages *pages)
{
    struct cel__agenda *a = page->agenda;

    CEL__ASSERT(page->live == 0);
    if (page->prev != NULL)
        page->prev->next = page->next;
    else
        a->head = page->next;
    if (page->next != NULL)
        page->next->prev = page->prev;
    else
        a->tail = page->prev;
    cel__page_free(page, pages);
}

void cel__pages_fini(struct cel__pages *pages)
{
    while (pages->chunks != NULL) {
        void **chunk = pages->chunks;

        pages->chunks = *chunk;
        cel__mem_free(chunk);
    }
    *pages = (struct cel__pages){0};
}
