/* SPDX-License-Identifier: MIT */
#include "http/router.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"

/* A copy that ends with NUL. */
static int keep(struct cel_str *out, struct cel_str text)
{
    char *copy = cel__mem_strndup(text.ptr, text.len);

    if (copy == NULL)
        return -ENOMEM;
    *out = (struct cel_str){copy, text.len};
    return 0;
}

static void drop(struct cel_str kept)
{
    cel__mem_free((char *)kept.ptr);
}

static bool is_param(struct cel_str segment)
{
    return segment.len >= 3 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

static bool is_rest(struct cel_str segment)
{
    return is_param(segment) && segment.len > 5 &&
           memcmp(segment.ptr + segment.len - 4, "...", 3) == 0;
}

static struct cel_str param_name(struct cel_str segment)
{
    size_t around = is_rest(segment) ? 5 : 2;

    return (struct cel_str){segment.ptr + 1, segment.len - around};
}

static struct cel__route_node *child_for(struct cel__route_node *node, struct cel_str segment)
{
    for (size_t i = 0; i < node->child_count; i++) {
        struct cel__route_node *child = node->children[i];

        if (is_param(segment)) {
            if (child->segment.ptr == NULL && child->is_rest == is_rest(segment))
                return child;
        } else if (child->segment.ptr != NULL && cel__str_eq(child->segment, segment)) {
            return child;
        }
    }
    return NULL;
}

/* Order among siblings is the order of trying: literals, {name}, {rest...}. */
static int rank(const struct cel__route_node *node)
{
    return node->segment.ptr != NULL ? 0 : node->is_rest ? 2 : 1;
}

static struct cel__route_node *add_child(struct cel__route_node *node, struct cel_str segment)
{
    struct cel__route_node **grown, *child = cel__mem_zalloc(sizeof *child);
    size_t at;

    if (child == NULL)
        return NULL;
    child->is_rest = is_rest(segment);
    if (!is_param(segment) && keep(&child->segment, segment) < 0)
        goto fail;
    grown = cel__mem_realloc(node->children, (node->child_count + 1) * sizeof(void *));
    if (grown == NULL)
        goto fail;
    node->children = grown;
    for (at = node->child_count++; at > 0 && rank(grown[at - 1]) > rank(child); at--)
        grown[at] = grown[at - 1];
    grown[at] = child;
    return child;

fail:
    drop(child->segment);
    cel__mem_free(child);
    return NULL;
}

static struct cel__route *route_slot(struct cel__route_node *node, struct cel_str method,
                                     int *error)
{
    for (size_t i = 0; i < CEL__ROUTE_METHODS; i++) {
        if (node->routes[i].method.ptr == NULL)
            return &node->routes[i];
        if (cel__str_eq(node->routes[i].method, method)) {
            *error = -EEXIST;
            return NULL;
        }
    }
    *error = -ENOSPC;
    return NULL;
}

static void route_fini(struct cel__route *route)
{
    for (size_t i = 0; i < route->name_count; i++)
        cel__mem_free(route->names[i]);
    cel__mem_free(route->names);
    drop(route->method);
    *route = (struct cel__route){0};
}

static int name_params(struct cel__route *route, struct cel_str path)
{
    struct cel_str rest = path, segment;

    route->names = cel__mem_array(CEL__ROUTE_PARAMS_MAX, sizeof *route->names);
    if (route->names == NULL)
        return -ENOMEM;
    while (cel__str_split(&rest, '/', &segment)) {
        struct cel_str name = param_name(segment);

        if (!is_param(segment))
            continue;
        route->names[route->name_count] = cel__mem_strndup(name.ptr, name.len);
        if (route->names[route->name_count] == NULL)
            return -ENOMEM;
        route->name_count++;
    }
    return 0;
}

static bool is_valid(struct cel_str method, struct cel_str path)
{
    struct cel_str rest = path, segment;
    size_t params = 0;

    if (method.len == 0 || path.len == 0 || path.ptr[0] != '/')
        return false;
    while (cel__str_split(&rest, '/', &segment)) {
        if (is_rest(segment) && rest.ptr != NULL)
            return false; /* something behind {rest...} */
        if (is_param(segment) && ++params > CEL__ROUTE_PARAMS_MAX)
            return false;
        if (!is_param(segment) && segment.len != 0 && memchr(segment.ptr, '{', segment.len) != NULL)
            return false;
    }
    return true;
}

/* The program chooses what is in there, so strangers cannot fill a bucket. */
static size_t bucket_of(struct cel_str path)
{
    size_t hash = path.len * 7 + (unsigned char)path.ptr[path.len - 1] +
                  (size_t)(unsigned char)path.ptr[path.len / 2] * 5;

    return hash % CEL__ROUTER_BUCKETS;
}

static int note_literal(struct cel__router *router, struct cel__route_node *node,
                        struct cel_str path)
{
    struct cel__route_node **bucket = &router->literals[bucket_of(path)];

    if (node->path.ptr != NULL || memchr(path.ptr, '{', path.len) != NULL)
        return 0;
    if (keep(&node->path, path) < 0)
        return -ENOMEM;
    node->next_literal = *bucket;
    *bucket = node;
    return 0;
}

int cel__router_add(struct cel__router *router, const char *pattern, void (*fn)(void), void *arg)
{
    struct cel_str path = cel__str(pattern), method, rest, segment;
    struct cel__route_node *node = &router->root;
    struct cel__route *route;
    int r = -ENOMEM;

    if (!cel__str_split(&path, ' ', &method) || path.ptr == NULL || !is_valid(method, path))
        return -EINVAL;
    rest = (struct cel_str){path.ptr + 1, path.len - 1};
    while (cel__str_split(&rest, '/', &segment)) {
        struct cel__route_node *child = child_for(node, segment);

        if (child == NULL)
            child = add_child(node, segment);
        if (child == NULL)
            return -ENOMEM;
        node = child;
    }
    route = route_slot(node, method, &r);
    if (route == NULL)
        return r;
    if (keep(&route->method, method) < 0 || name_params(route, path) < 0 ||
        note_literal(router, node, path) < 0) {
        route_fini(route);
        return -ENOMEM;
    }
    route->fn = fn;
    route->arg = arg;
    return 0;
}

/* GET stands in for HEAD. */
static const struct cel__route *route_for(const struct cel__route_node *node, struct cel_str method)
{
    const struct cel__route *get = NULL;

    for (size_t i = 0; i < CEL__ROUTE_METHODS && node->routes[i].method.ptr != NULL; i++) {
        if (cel__str_eq(node->routes[i].method, method))
            return &node->routes[i];
        if (cel__str_eq(node->routes[i].method, CEL_LIT("GET")))
            get = &node->routes[i];
    }
    return cel__str_eq(method, CEL_LIT("HEAD")) ? get : NULL;
}

/* Depth is bounded by the patterns, not by the request. */
static bool walk(const struct cel__route_node *node, struct cel_str method, struct cel_str rest,
                 struct cel__route_match *match)
{
    struct cel_str behind = rest, segment;

    if (!cel__str_split(&behind, '/', &segment)) {
        if (node->routes[0].method.ptr == NULL)
            return false;
        if (match->node_count < CEL__ROUTE_NODES_MAX)
            match->nodes[match->node_count++] = node;
        match->route = route_for(node, method);
        return match->route != NULL;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        const struct cel__route_node *child = node->children[i];
        size_t values = match->value_count;

        if (child->segment.ptr != NULL) {
            if (!cel__str_eq(child->segment, segment))
                continue;
        } else {
            if (segment.len == 0 && !child->is_rest)
                continue; /* a parameter is never empty */
            match->values[match->value_count++] = child->is_rest ? rest : segment;
        }
        if (walk(child, method, child->is_rest ? (struct cel_str){NULL, 0} : behind, match))
            return true;
        match->value_count = values;
    }
    return false;
}

static const struct cel__route *literal_for(const struct cel__router *router, struct cel_str method,
                                            struct cel_str path)
{
    const struct cel__route_node *node = router->literals[bucket_of(path)];

    while (node != NULL && !cel__str_eq(node->path, path))
        node = node->next_literal;
    return node != NULL ? route_for(node, method) : NULL;
}

void cel__router_find(const struct cel__router *router, struct cel_str method, struct cel_str path,
                      struct cel__route_match *match)
{
    match->route = NULL;
    match->node_count = 0;
    match->value_count = 0;
    if (path.len == 0 || path.ptr[0] != '/')
        return;
    match->route = literal_for(router, method, path);
    if (match->route != NULL)
        return;
    (void)walk(&router->root, method, (struct cel_str){path.ptr + 1, path.len - 1}, match);
}

static void node_fini(struct cel__route_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        node_fini(node->children[i]);
        cel__mem_free(node->children[i]);
    }
    for (size_t i = 0; i < CEL__ROUTE_METHODS && node->routes[i].method.ptr != NULL; i++)
        route_fini(&node->routes[i]);
    cel__mem_free(node->children);
    drop(node->segment);
    drop(node->path);
}

void cel__router_fini(struct cel__router *router)
{
    node_fini(&router->root);
}
