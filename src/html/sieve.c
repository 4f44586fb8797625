/* SPDX-License-Identifier: MIT */
/* The arrays of the build are used as a stack: what an element brought lies behind it, and goes by
 * taking their ends back. */
#include "html/sieve.h"

#include <errno.h>

#include "base/cc.h"
#include "base/mem.h"

#define NEAR        64u /* to a limit: the tree is the judge of what is cut off */
#define KEPT_DEPTH  2   /* html, head, body: others know them by number for good */
#define FIRST_STEPS 16

int cel__sieve_init(struct cel__sieve *s, const struct cel__tree_limits *limits)
{
    s->steps = cel__mem_array(FIRST_STEPS, sizeof *s->steps);
    s->step_cap = FIRST_STEPS;
    s->nodes = 1;
    s->most_nodes = limits->nodes == 0 ? UINT32_MAX : limits->nodes - cel__min(limits->nodes, NEAR);
    s->most_bytes = limits->bytes == 0 ? SIZE_MAX : limits->bytes - cel__min(limits->bytes, NEAR);
    return s->steps != NULL ? 0 : -ENOMEM;
}

void cel__sieve_fini(struct cel__sieve *s)
{
    cel__mem_free(s->steps);
    s->steps = NULL;
}

static void lose(struct cel__sieve *s)
{
    s->is_lost = true;
}

static uint8_t ask(struct cel__sieve *s, int r)
{
    if (r < 0) {
        s->error = r;
        s->is_over = true;
    }
    return r > 0 ? (uint8_t)r : CEL__SIEVE_NOTHING;
}

static bool grow_steps(struct cel__sieve *s)
{
    struct cel__sieve_step *grown = cel__mem_realloc(s->steps, 2 * s->step_cap * sizeof *grown);

    if (grown == NULL) {
        (void)ask(s, -ENOMEM);
        return false;
    }
    s->steps = grown;
    s->step_cap *= 2;
    return true;
}

/* What there was before the element and what came with it. */
static void note_place(struct cel__sieve_step *step, const struct cel__tree *t, uint32_t node)
{
    const struct cel__node *n = &t->nodes[node];

    step->node = node;
    step->attrs = t->attr_count;
    step->values = step->values_before = (uint32_t)t->values.len;
    step->attrs_before = t->attr_count;
    /* Attributes that a clone shares lie further down and stay. */
    if (n->attr_count != 0 && n->attrs == t->attr_count - n->attr_count) {
        step->attrs_before = n->attrs;
        step->values_before = t->attrs[n->attrs].at;
    }
}

static bool is_in_order(const struct cel__build *b, uint32_t node)
{
    return !b->is_linked && !b->is_stale && b->path[b->depth].node == node;
}

void cel__sieve_opened(struct cel__sieve *s, struct cel__build *b, uint32_t node)
{
    struct cel__sieve_step *step;
    uint64_t above;

    if (!is_in_order(b, node)) {
        lose(s);
        return;
    }
    if (cel__unlikely(b->depth >= s->step_cap) && !grow_steps(s))
        return;
    step = &s->steps[b->depth];
    above = step[-1].marks;
    *step = (struct cel__sieve_step){.marks = above | b->tree.marks[node]};
    note_place(step, &b->tree, node);
    cel__sieve_count(s, 1, step->values - step->values_before);
    step[-1].ends_in_text = false;
    if (s->is_lost)
        return;
    step->wanted = ask(s, s->open(s->arg, node, above));
    s->wanted += step->wanted != CEL__SIEVE_NOTHING;
    s->wanted_nodes += step->wanted == CEL__SIEVE_NODES;
}

void cel__sieve_keep(struct cel__sieve *s, struct cel__build *b, uint32_t node)
{
    if (is_in_order(b, node))
        note_place(&s->steps[b->depth], &b->tree, node);
    else
        lose(s);
}

/* Takes back what lies behind the element, and, if nobody asks for siblings, the element. */
static void take_back(struct cel__sieve *s, struct cel__build *b,
                      const struct cel__sieve_step *step)
{
    struct cel__tree *t = &b->tree;
    uint32_t from = step->node + 1;
    bool goes = !s->keeps_siblings && b->depth >= KEPT_DEPTH;

    if (goes) {
        from = step->node;
        b->path[b->depth].last = t->nodes[from].prev;
    } else {
        t->nodes[step->node].end = from;
    }
    t->text.len = t->nodes[step->node].text_at;
    t->attr_count = goes ? step->attrs_before : step->attrs;
    t->values.len = goes ? step->values_before : step->values;
    t->count = from;
    if (s->keeps_siblings)
        s->forget(s->arg, from);
}

void cel__sieve_closed(struct cel__sieve *s, struct cel__build *b, uint32_t node, bool may_go)
{
    struct cel__tree *t = &b->tree;
    const struct cel__sieve_step *step = &s->steps[b->depth];

    if (s->is_lost || s->is_over)
        return;
    if (!is_in_order(b, node)) {
        lose(s);
        return;
    }
    t->nodes[node].end = t->count;
    b->depth--;
    if (step->wanted != CEL__SIEVE_NOTHING) {
        t->nodes[t->count].text_at = (uint32_t)t->text.len;
        s->wanted--;
        s->wanted_nodes -= step->wanted == CEL__SIEVE_NODES;
        (void)ask(s, s->close(s->arg, node));
    }
    if (may_go && s->wanted == 0)
        take_back(s, b, step);
}

void cel__sieve_end(struct cel__sieve *s, struct cel__build *b)
{
    while (b->depth > 0 && !s->is_lost && !s->is_over)
        cel__sieve_closed(s, b, b->path[b->depth].node, false);
    if (b->is_linked || b->is_stale || b->cut != CEL__CUT_NONE)
        lose(s);
}
