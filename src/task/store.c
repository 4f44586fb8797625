/* SPDX-License-Identifier: MIT */
#include "task/store.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"

#define FIRST_ROOM 16

static int grow(struct cel__store *s)
{
    size_t room = s->room != 0 ? s->room * 2 : FIRST_ROOM;
    struct cel__stored *items = cel__mem_array(room, sizeof *items);

    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++) /* a ring begins anew at 0; a heap's head is 0 */
        items[i] = s->items[(s->head + i) & (s->room - 1)];
    cel__mem_free(s->items);
    s->items = items;
    s->room = room;
    s->head = 0;
    return 0;
}

static bool is_before(const struct cel__store *s, const struct cel__stored *a,
                      const struct cel__stored *b)
{
    int order = s->compare(a->item, b->item);

    return order != 0 ? order < 0 : a->number < b->number;
}

static void rise(struct cel__store *s, size_t at)
{
    struct cel__stored it = s->items[at];

    while (at > 0 && is_before(s, &it, &s->items[(at - 1) / 2])) {
        s->items[at] = s->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s->items[at] = it;
}

/* The last one takes the place of the first and goes down. */
static void *pop_heap(struct cel__store *s)
{
    void *top = s->items[0].item;
    struct cel__stored it = s->items[--s->count];
    size_t at = 0;

    for (size_t child = 1; child < s->count; child = at * 2 + 1) {
        if (child + 1 < s->count && is_before(s, &s->items[child + 1], &s->items[child]))
            child++;
        if (!is_before(s, &s->items[child], &it))
            break;
        s->items[at] = s->items[child];
        at = child;
    }
    s->items[at] = it;
    return top;
}

int cel__store_push(struct cel__store *s, void *item)
{
    struct cel__stored it = {item, s->pushed};

    if (s->count == s->room && grow(s) < 0)
        return -ENOMEM;
    s->pushed++;
    s->items[(s->head + s->count) & (s->room - 1)] = it;
    s->count++;
    if (s->order == CEL_PRIORITY)
        rise(s, s->count - 1);
    return 0;
}

void *cel__store_first(const struct cel__store *s)
{
    CEL__ASSERT(s->count > 0);
    if (s->order == CEL_LIFO)
        return s->items[(s->head + s->count - 1) & (s->room - 1)].item;
    return s->items[s->head].item; /* of a heap it is 0 */
}

void *cel__store_pop(struct cel__store *s)
{
    void *item;

    CEL__ASSERT(s->count > 0);
    if (s->order == CEL_PRIORITY)
        return pop_heap(s);
    item = cel__store_first(s);
    if (s->order == CEL_FIFO)
        s->head = (s->head + 1) & (s->room - 1);
    s->count--;
    return item;
}

void cel__store_fini(struct cel__store *s)
{
    cel__mem_free(s->items);
}
