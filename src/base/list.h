/* SPDX-License-Identifier: MIT */
#ifndef CEL__LIST_H
#define CEL__LIST_H

/* Intrusive doubly linked ring. A head is a node that points at itself when
 * empty; so does a node that is on no list, which makes `unlink` idempotent. */

#include <stdbool.h>

#include "base/cc.h"

struct cel__list {
    struct cel__list *next;
    struct cel__list *prev;
};

#define CEL__LIST_EACH(node, head) \
    for (struct cel__list *node = (head)->next; node != (head); node = node->next)

/* The body may unlink `node`, and nothing else. */
#define CEL__LIST_EACH_SAFE(node, head)                                                    \
    for (struct cel__list *node = (head)->next, *node##_next = node->next; node != (head); \
         node = node##_next, node##_next = node->next)

static inline void cel__list_init(struct cel__list *head)
{
    head->next = head->prev = head;
}

static inline bool cel__list_is_empty(const struct cel__list *head)
{
    return head->next == head;
}

static inline void cel__list_insert(struct cel__list *before, struct cel__list *node)
{
    node->prev = before->prev;
    node->next = before;
    before->prev->next = node;
    before->prev = node;
}

static inline void cel__list_append(struct cel__list *head, struct cel__list *node)
{
    cel__list_insert(head, node);
}

static inline void cel__list_prepend(struct cel__list *head, struct cel__list *node)
{
    cel__list_insert(head->next, node);
}

static inline void cel__list_unlink(struct cel__list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = node;
}

static inline struct cel__list *cel__list_pop(struct cel__list *head)
{
    struct cel__list *node = head->next;

    if (node == head)
        return NULL;
    cel__list_unlink(node);
    return node;
}

/* Moves all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void cel__list_splice(struct cel__list *to, struct cel__list *from)
{
    if (cel__list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    cel__list_init(from);
}

#endif
