/* SPDX-License-Identifier: MIT */
#ifndef CEL__PLACES_H
#define CEL__PLACES_H

/* A session's connections: how many there may be, who may use which, who is next in line. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "celadon/http.h"
#include "celadon/loop.h"
#include "celadon/net.h"

/* Where a request goes: the scope of connections, credentials and limits. */
struct cel__origin {
    struct cel__places *places;
    struct cel_str key;        /* where and by which TLS, canonically; owned */
    char *address;             /* for cel_connect: "host:port"; owned */
    const char *host;          /* without brackets; stands behind the address */
    struct cel_str host_field; /* what the Host field says */
    bool is_tls;
    unsigned refs;             /* fetches that look at it, and connections */
    unsigned open;             /* connections and places for one */
    struct cel__list idle;     /* struct cel__conn.mine, newest first */
    struct cel__list line;     /* tasks waiting, first come first served */
    struct cel__list starving; /* in places->starving: has a line, is below its own limit */
};

struct cel__conn {
    struct cel__list kept; /* in places->idle */
    struct cel__list mine; /* in origin->idle */
    struct cel__origin *origin;
    struct cel_stream *stream; /* NULL: a place, to be connected */
    int64_t idle_since;
    bool was_used;        /* has carried a whole exchange */
    struct cel__buf head; /* for the request's head; kept to be filled again */
};

struct cel__places {
    struct cel_loop *loop;
    struct cel__map origins;
    struct cel__list idle;     /* oldest first */
    struct cel__list starving; /* origins whose first in line waits for the total alone */
    struct cel_timer timer;    /* for the oldest idle one; may be early */
    bool is_timing;
    bool is_closed;
    unsigned total_max, per_host_max;
    int64_t idle_timeout;
    uint64_t arrivals;              /* tasks that ever had to wait */
    struct cel_session_stats stats; /* open, idle and waiting are counted here */
};

void cel__places_init(struct cel__places *places, unsigned total_max, unsigned per_host_max,
                      int64_t idle_timeout);
/* Closes the idle connections and keeps no more. */
void cel__places_close(struct cel__places *places);
/* Nothing may be open any more. */
void cel__places_fini(struct cel__places *places);

struct cel__where {
    bool is_tls;
    struct cel_str host; /* lower case; without brackets */
    bool is_ipv6;
    uint16_t port;
    struct cel_tls *tls; /* with is_tls */
};

/* Finds or makes it, and holds on to it. -ENOMEM. */
CEL_NODISCARD int cel__origin_hold(struct cel__places *places, const struct cel__where *where,
                                   struct cel__origin **out);
void cel__origin_let_go(struct cel__origin *origin);

/* A connection that was kept, or a place for a new one. wants_new: no kept one. -> NULL with *r 0
 * when there is none and the task must wait, or -ENOMEM. */
struct cel__conn *cel__conn_try(struct cel__origin *origin, bool wants_new, int *r);
/* (parks) The same, in line. -ECANCELED, -ETIMEDOUT, -ENOMEM. */
CEL_NODISCARD int cel__conn_wait(struct cel__origin *origin, struct cel__conn **out);
/* It can carry another exchange: to the next in line, or kept. */
void cel__conn_give(struct cel__conn *conn);
/* Closed; its place goes to the next in line. */
void cel__conn_drop(struct cel__conn *conn);
/* Closed; the place is kept for a new connection. */
void cel__conn_renew(struct cel__conn *conn);

#endif
