/* SPDX-License-Identifier: MIT */
/* An endless map: as many calls run ahead of the reader as the width says, begun when the reader
 * asks, so that a reader who is slow holds the whole thing back. */
#include <errno.h>

#include "base/mem.h"
#include "task/jobs.h"

#define WIDTH 16

struct cel_imap {
    struct cel__jobs jobs;
    cel_task_fn *fn;
    int (*next_item)(void *arg, void **item);
    void *arg;
    size_t width;
    bool has_ended; /* the items */
    int code;       /* what they ended with, until it was told */
    bool has_item;  /* one that no task could be made for */
    void *item;
};

int cel_imap_new(struct cel_imap **out, cel_task_fn *fn, int (*next_item)(void *arg, void **item),
                 void *arg, const struct cel_imap_options *options)
{
    static const struct cel_imap_options none;
    struct cel_imap *imap = cel__mem_zalloc(sizeof *imap);

    if (imap == NULL)
        return -ENOMEM;
    if (options == NULL)
        options = &none;
    imap->fn = fn;
    imap->next_item = next_item;
    imap->arg = arg;
    imap->width = options->width != 0 ? options->width : WIDTH;
    cel__jobs_init(&imap->jobs, options->is_unordered);
    *out = imap;
    return 0;
}

static bool fetch(struct cel_imap *imap)
{
    int r;

    if (imap->has_item || imap->has_ended)
        return imap->has_item;
    r = imap->next_item(imap->arg, &imap->item);
    imap->has_item = r > 0;
    imap->has_ended = r <= 0;
    imap->code = r < 0 ? r : 0;
    return imap->has_item;
}

/* Fails only when nothing runs: else the item is tried again when there is more memory. */
static int fill(struct cel_imap *imap)
{
    while (imap->jobs.count < imap->width && fetch(imap)) {
        if (cel__jobs_begin(&imap->jobs, NULL, imap->fn, imap->item) < 0)
            return imap->jobs.count != 0 ? 0 : -ENOMEM;
        imap->has_item = false;
    }
    return 0;
}

int cel_imap_next(struct cel_imap *imap, void **value)
{
    int r = cel_checkpoint();

    if (r < 0)
        return r;
    r = fill(imap);
    if (r < 0)
        return r;
    r = cel__jobs_take(&imap->jobs, value); /* parks */
    if (r != -ENOENT)
        return r == 0 ? 1 : r;
    r = imap->code;
    imap->code = 0;
    return r;
}

void cel_imap_free(struct cel_imap *imap)
{
    if (imap == NULL)
        return;
    cel__jobs_end(&imap->jobs); /* parks */
    cel__mem_free(imap);
}
