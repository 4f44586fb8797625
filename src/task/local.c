/* SPDX-License-Identifier: MIT */
/* A task's values are an at-end function with a table: so a task that has none pays nothing, and
 * those of the others go when the task ends. The node stands last in the task's list, so that the
 * at-end functions before it still find the values. */
#include "task/local.h"

#include <errno.h>

#include "base/mem.h"
#include "celadon/pool.h"
#include "task/state.h"

struct value {
    const struct cel_local *key;
    void *value;
};

struct locals {
    struct cel_at_end node;
    size_t count, room;
    struct value *values;
};

static void destroy_all(void *arg)
{
    struct locals *l = arg;

    while (l->count != 0) {
        struct value v = l->values[--l->count];

        if (v.key->destroy != NULL && v.value != NULL)
            v.key->destroy(v.value); /* parks */
    }
    cel__mem_free(l->values);
    cel__mem_free(l);
}

static struct locals *locals_of(const struct cel_task *task)
{
    for (struct cel_at_end *node = task->at_end; node != NULL; node = node->next)
        if (node->fn == destroy_all)
            return node->arg;
    return NULL;
}

static struct locals *attach(struct cel_task *task)
{
    struct locals *l = cel__mem_zalloc(sizeof *l);
    struct cel_at_end **last = &task->at_end;

    if (l == NULL)
        return NULL;
    while (*last != NULL)
        last = &(*last)->next;
    l->node = (struct cel_at_end){NULL, destroy_all, l};
    *last = &l->node;
    return l;
}

static struct value *find(struct locals *l, const struct cel_local *key)
{
    for (size_t i = 0; l != NULL && i < l->count; i++)
        if (l->values[i].key == key)
            return &l->values[i];
    return NULL;
}

static int add(struct locals *l, const struct cel_local *key, void *value)
{
    if (l->count == l->room) {
        size_t room = l->room != 0 ? l->room * 2 : 4;
        struct value *values = cel__mem_realloc(l->values, room * sizeof *values);

        if (values == NULL)
            return -ENOMEM;
        l->values = values;
        l->room = room;
    }
    l->values[l->count++] = (struct value){key, value};
    return 0;
}

void *cel_local_get(const struct cel_local *key)
{
    struct cel_task *task = cel__task_here();
    struct value *v = task != NULL ? find(locals_of(task), key) : NULL;

    return v != NULL ? v->value : NULL;
}

int cel_local_set(const struct cel_local *key, void *value)
{
    struct cel_task *task = cel__task_here();
    struct locals *l;
    struct value *v;
    void *before;

    CEL__ASSERT(task != NULL && "a value of its own needs a task");
    l = locals_of(task);
    if (l == NULL)
        l = attach(task);
    if (l == NULL)
        return -ENOMEM;
    v = find(l, key);
    if (v == NULL)
        return add(l, key, value);
    before = v->value;
    v->value = value;
    if (key->destroy != NULL && before != NULL && before != value)
        key->destroy(before);
    return 0;
}

static int inherit(struct locals *l, const struct value *v)
{
    void *copy = v->value;
    int r;

    if (v->key->copy == NULL && v->key->destroy != NULL)
        return 0;
    if (v->key->copy != NULL && v->value != NULL)
        copy = v->key->copy(v->value);
    if (copy == NULL)
        return v->value != NULL ? -ENOMEM : 0;
    r = add(l, v->key, copy);
    if (r < 0 && v->key->destroy != NULL)
        v->key->destroy(copy);
    return r;
}

int cel__locals_inherit(struct cel_task *task)
{
    struct cel_task *here = cel__task_here();
    struct locals *from = here != NULL ? locals_of(here) : NULL, *to;
    int r = 0;

    if (from == NULL)
        return 0;
    to = attach(task);
    if (to == NULL)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < from->count; i++)
        r = inherit(to, &from->values[i]);
    if (r < 0)
        cel__locals_forget(task);
    return r;
}

void cel__locals_forget(struct cel_task *task)
{
    struct locals *l = locals_of(task);

    task->at_end = NULL; /* it has no other: it never ran */
    if (l != NULL)
        destroy_all(l);
}
