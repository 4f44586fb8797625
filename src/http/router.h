/* SPDX-License-Identifier: MIT */
#ifndef CEL__ROUTER_H
#define CEL__ROUTER_H

/* Patterns to routes: a tree of path segments. In a segment a literal wins over {name}, and
 * {name} over {rest...}; with backing up, so the most literal route that fits is found. A pattern
 * without parameters needs no walk. */

#include <stdbool.h>
#include <stddef.h>

#include "celadon/base.h"

#define CEL__ROUTE_PARAMS_MAX 16
#define CEL__ROUTE_METHODS    8
#define CEL__ROUTE_NODES_MAX  4

struct cel__route {
    struct cel_str method; /* NULL: free */
    void (*fn)(void);
    void *arg;
    char **names; /* of the pattern's parameters, in order */
    size_t name_count;
};

struct cel__route_node {
    struct cel_str segment; /* NULL: matches any */
    struct cel_str path;    /* of a pattern without parameters: the best match for its own path */
    struct cel__route_node *next_literal;
    bool is_rest; /* takes all that remain */
    struct cel__route_node **children;
    size_t child_count;
    struct cel__route routes[CEL__ROUTE_METHODS];
};

#define CEL__ROUTER_BUCKETS 64

struct cel__router {
    struct cel__route_node root;
    struct cel__route_node *literals[CEL__ROUTER_BUCKETS]; /* those with a path */
};

struct cel__route_match {
    const struct cel__route *route; /* NULL: none; `nodes` have other methods for this path */
    const struct cel__route_node *nodes[CEL__ROUTE_NODES_MAX]; /* tried, the most literal first */
    size_t node_count;
    struct cel_str values[CEL__ROUTE_PARAMS_MAX]; /* as sent, still percent-encoded */
    size_t value_count;
};

/* "GET /a/{b}". -EINVAL, -EEXIST, -ENOMEM (the router as before, but for empty nodes). */
CEL_NODISCARD int cel__router_add(struct cel__router *router, const char *pattern, void (*fn)(void),
                                  void *arg);
void cel__router_find(const struct cel__router *router, struct cel_str method, struct cel_str path,
                      struct cel__route_match *match);
void cel__router_fini(struct cel__router *router);

#endif
