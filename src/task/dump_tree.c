/* SPDX-License-Identifier: MIT */
/* Who runs whom: tasks and scopes as a tree, a line each, in the order in which they came. Of
 * neighbours that are alike and have nobody beneath them the first is told. */
#include "task/dump_tree.h"

#include "task/tell.h"

#define DEPTH_MAX 64 /* of the indentation */

struct tree {
    struct cel__report *to;
    const struct cel_loop *loop;
    const struct cel_task *last; /* a leaf that the next line may be like; NULL: none */
    unsigned more;               /* that were */
    int last_depth;
};

static void indent(struct cel__report *to, int depth)
{
    for (int i = 0; i < depth && i < DEPTH_MAX; i++)
        cel__report_str(to, "    ");
}

static void tell_more(struct tree *t)
{
    if (t->more != 0) {
        indent(t->to, t->last_depth);
        cel__report_str(t->to, "and ");
        cel__report_number(t->to, t->more);
        cel__report_str(t->to, " more like it");
        cel__report_end(t->to);
    }
    t->more = 0;
    t->last = NULL;
}

static bool is_alike(const struct tree *t, const struct cel_task *a, const struct cel_task *b)
{
    return a->fiber.file == b->fiber.file && a->fiber.line == b->fiber.line && a->wait == b->wait &&
           a->fiber.state == b->fiber.state && (a->fiber.link == NULL) == (b->fiber.link == NULL) &&
           &a->fiber != t->loop->sched.current && &b->fiber != t->loop->sched.current;
}

static void tell_task(struct tree *t, const struct cel_task *task, int depth, bool is_leaf)
{
    if (is_leaf && t->last != NULL && t->last_depth == depth && is_alike(t, t->last, task)) {
        t->more++;
        return;
    }
    tell_more(t);
    indent(t->to, depth);
    cel__report_task(t->to, task);
    if (task->own.code != 0)
        cel__report_str(t->to, task->own.flags & CEL__SCOPE_EXPIRED ? ", expired" : ", cancelled");
    cel__report_state(t->to, t->loop, task);
    cel__report_end(t->to);
    t->last = is_leaf ? task : NULL;
    t->last_depth = depth;
}

static void tell_scope(struct tree *t, struct cel__scope *scope, int depth)
{
    bool is_leaf = cel__list_is_empty(cel__scope_inner(scope));

    if (scope->flags & CEL__SCOPE_TASK) {
        if (scope->task->future.state == CEL__PENDING)
            tell_task(t, scope->task, depth, is_leaf);
        return;
    }
    tell_more(t);
    indent(t->to, depth);
    cel__report_scope(t->to, scope);
    cel__report_end(t->to);
}

/* Down, else to the side, else up until there is a side. */
static struct cel__scope *next_of(struct cel__scope *scope, const struct cel__scope *root,
                                  int *depth)
{
    struct cel__list *inner = cel__scope_inner(scope);

    if (!cel__list_is_empty(inner)) {
        ++*depth;
        return cel__scope_of_link(inner->next);
    }
    while (scope != root) {
        struct cel__list *side = cel__scope_link(scope)->next;

        if (side != cel__scope_inner(scope->parent))
            return cel__scope_of_link(side);
        scope = scope->parent;
        --*depth;
    }
    return NULL;
}

void cel__dump_tree(struct cel__report *to, struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;
    struct tree t = {.to = to, .loop = loop};
    struct cel__scope *scope = &tasks->root;
    int depth = -1;

    while ((scope = next_of(scope, &tasks->root, &depth)) != NULL)
        tell_scope(&t, scope, depth);
    tell_more(&t);
}
