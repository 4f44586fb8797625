/* SPDX-License-Identifier: MIT */
/* cel_map: a few workers that take the items one after the other. A map of a million items with a
 * width of ten costs ten tasks. */
#include <errno.h>

#include "celadon/pool.h"
#include "task/state.h"

struct mapping {
    cel_task_fn *fn;
    void *const *items; /* NULL: elements */
    char *elements;
    size_t element_bytes;
    size_t n, next, done;
    void **results;
    struct cel_scope group;
};

/* Ends at the end of the items, or when the calls are off: a call that fails marks its worker. */
static void *work(void *arg)
{
    struct mapping *m = arg;
    const struct cel_task *self = cel__task_here();

    while (m->next < m->n) {
        size_t i = m->next++;
        void *item = m->items != NULL ? m->items[i] : m->elements + i * m->element_bytes;
        void *value;
        int r = cel_checkpoint();

        if (r < 0)
            return cel_fail(r, "mapping");
        value = m->fn(item); /* parks */
        if (self->future.code != 0)
            break;
        m->done++;
        if (m->results != NULL)
            m->results[i] = value;
    }
    return NULL;
}

/* (parks) */
static int map(struct mapping *m, size_t width)
{
    int r = cel_checkpoint();

    for (size_t i = 0; m->results != NULL && i < m->n; i++)
        m->results[i] = NULL;
    if (r < 0)
        return r;
    cel_scope_enter(&m->group, &(struct cel_scope_options){.is_group = true});
    for (size_t i = 0; r == 0 && i < m->n && (width == 0 || i < width); i++)
        r = cel_go(work, m);
    if (r < 0)
        cel_scope_cancel(&m->group);
    if (cel_scope_leave(&m->group) < 0 && r == 0) /* parks */
        return -CEL_EFAILED;
    if (r == 0 && m->done < m->n) /* cut short from outside: no failure of the group */
        r = cel_checkpoint();
    return r;
}

int cel_map(cel_task_fn *fn, void *const *items, size_t n, size_t width, void **results)
{
    struct mapping m = {.fn = fn, .items = items, .n = n, .results = results};

    return map(&m, width); /* parks */
}

int cel_starmap(cel_task_fn *fn, void *elements, size_t element_bytes, size_t n, size_t width,
                void **results)
{
    struct mapping m = {
        .fn = fn, .elements = elements, .element_bytes = element_bytes, .n = n, .results = results};

    return map(&m, width); /* parks */
}
