/* SPDX-License-Identifier: MIT */
/* Have two trees the same leaves in the same order? Two greenlets walk the trees, each by an
 * ordinary recursion, and hand over one leaf at a time, so that the walk ends at the first
 * difference. Without stacks of their own the recursions would have to be turned inside out. */
#include <stdio.h>

#include <celadon/fiber.h>

struct tree {
    const struct tree *left, *right; /* both, or neither */
    char leaf;
};

#define LEAF(c)    (&(struct tree){NULL, NULL, (c)})
#define NODE(l, r) (&(struct tree){(l), (r), 0})

static void visit(const struct tree *t)
{
    if (t->left == NULL) {
        cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), (void *)t);
        return;
    }
    visit(t->left);
    visit(t->right);
}

static void *walk(void *tree)
{
    visit(tree);
    return NULL; /* no more leaves */
}

static const char *compare(struct cel_fiber *a, struct cel_fiber *b)
{
    for (;;) {
        const struct tree *x = cel_fiber_switch(a, NULL), *y = cel_fiber_switch(b, NULL);

        printf(" %c%c", x != NULL ? x->leaf : '-', y != NULL ? y->leaf : '-');
        if (x == NULL || y == NULL)
            return x == y ? "the same" : "one has more";
        if (x->leaf != y->leaf)
            return "different";
    }
}

static int have_same_fringe(const struct tree *s, const struct tree *t)
{
    struct cel_fiber *a = cel_fiber_new(walk, (void *)s), *b = cel_fiber_new(walk, (void *)t);
    int r = -1;

    if (a != NULL && b != NULL)
        r = printf(": %s\n", compare(a, b));
    while (a != NULL && cel_fiber_is_active(a)) /* let the walks end by themselves */
        cel_fiber_switch(a, NULL);
    while (b != NULL && cel_fiber_is_active(b))
        cel_fiber_switch(b, NULL);
    cel_fiber_free(b);
    cel_fiber_free(a);
    return r;
}

int main(void)
{
    const struct tree *one = NODE(LEAF('a'), NODE(LEAF('b'), LEAF('c')));
    const struct tree *two = NODE(NODE(LEAF('a'), LEAF('b')), LEAF('c'));
    const struct tree *three = NODE(NODE(LEAF('a'), LEAF('x')), LEAF('c'));

    return have_same_fringe(one, two) < 0 || have_same_fringe(one, three) < 0;
}
