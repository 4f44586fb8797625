/* SPDX-License-Identifier: MIT */
/* Who may use which connection. All of it is O(1) per call.
 *
 * 1. open counts connections and the places given out for new ones, in the origin and in all; it
 *    is above neither limit.
 * 2. While an origin has a line, none of its connections is idle: a given one goes to the first.
 * 3. An origin is starving if it has a line and is below its own limit. While one is, `open` is at
 *    the total and nothing at all is idle, so only a giver or dropper can serve it, and does.
 *    Starving origins are served in turn.
 * 4. Who was served is out of reach of a cancel; it finds the cancel at its next call, and gives
 *    back what it got. */
#include "http/places.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/buggify.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/str.h"
#include "io/stream.h"
#include "loop/core.h"
#include "task/wait.h"

struct waiter {
    struct cel__list link; /* origin->line */
    struct cel_task *task;
    struct cel__origin *origin;
    uint64_t number;        /* in the order of arrival */
    struct cel__conn *conn; /* what it got; NULL with code 0: a place */
    int code;
};

static int origin_key(struct cel__buf *out, const struct cel__where *where)
{
    struct {
        struct cel_tls *tls;
        uint16_t port;
        bool is_tls, is_ipv6;
        char zero[4];
    } fixed = {where->tls, where->port, where->is_tls, where->is_ipv6, {0}};

    _Static_assert(sizeof fixed == 16, "no byte of the key is padding");
    cel__buf_add(out, &fixed, sizeof fixed);
    return cel__buf_add_str(out, where->host);
}

static void free_origin(struct cel__origin *o)
{
    if (o == NULL)
        return;
    cel__mem_free(o->address);
    cel__mem_free((char *)o->key.ptr);
    cel__mem_free(o);
}

/* "host:port", the Host field being a part of it. */
static int name_origin(struct cel__origin *o, const struct cel__where *where)
{
    const char *open = where->is_ipv6 ? "[" : "", *close = where->is_ipv6 ? "]" : "";
    struct cel__buf text = {0};
    bool is_default = where->port == (where->is_tls ? 443 : 80);
    size_t host_len, address_len;

    cel__buf_printf(&text, "%s%.*s%s", open, CEL_STR(where->host), close);
    host_len = text.len;
    cel__buf_printf(&text, ":%u", where->port);
    address_len = text.len;
    cel__buf_add_char(&text, '\0');
    cel__buf_add_str(&text, where->host);
    if (cel__buf_cstr(&text) == NULL || text.failed) {
        cel__buf_fini(&text);
        return -ENOMEM;
    }
    o->address = text.ptr;
    o->host = text.ptr + address_len + 1;
    o->host_field = (struct cel_str){text.ptr, is_default ? host_len : address_len};
    return 0;
}

static struct cel__origin *new_origin(struct cel__places *places, const struct cel__where *where,
                                      struct cel_str key)
{
    struct cel__origin *o = cel__mem_zalloc(sizeof *o);

    if (o == NULL)
        return NULL;
    o->places = places;
    o->is_tls = where->is_tls;
    cel__list_init(&o->idle);
    cel__list_init(&o->line);
    cel__list_init(&o->starving);
    o->key = (struct cel_str){cel__mem_strndup(key.ptr, key.len), key.len};
    if (o->key.ptr == NULL || name_origin(o, where) < 0)
        goto fail;
    if (cel__map_put(&places->origins, o->key, o, NULL) < 0)
        goto fail;
    return o;

fail:
    free_origin(o);
    return NULL;
}

int cel__origin_hold(struct cel__places *places, const struct cel__where *where,
                     struct cel__origin **out)
{
    struct cel__buf key = {0};
    struct cel__origin *o = NULL;

    if (origin_key(&key, where) == 0) {
        o = cel__map_get(&places->origins, cel__buf_str(&key));
        if (o == NULL)
            o = new_origin(places, where, cel__buf_str(&key));
    }
    cel__buf_fini(&key);
    if (o == NULL)
        return -ENOMEM;
    o->refs++;
    *out = o;
    return 0;
}

void cel__origin_let_go(struct cel__origin *origin)
{
    if (--origin->refs != 0)
        return;
    CEL__ASSERT(origin->open == 0 && cel__list_is_empty(&origin->line));
    cel__map_remove(&origin->places->origins, origin->key);
    free_origin(origin);
}

/* ---- places ---- */

static bool is_below_own_limit(const struct cel__origin *o)
{
    return o->open < o->places->per_host_max;
}

static void take_place(struct cel__origin *o)
{
    o->open++;
    o->places->stats.open++;
    CEL__ASSERT(o->open <= o->places->per_host_max &&
                o->places->stats.open <= o->places->total_max);
}

/* Puts the origin into, or takes it out of, the ring of the starving. */
static void sort_in(struct cel__origin *o)
{
    cel__list_unlink(&o->starving);
    if (!cel__list_is_empty(&o->line) && is_below_own_limit(o))
        cel__list_append(&o->places->starving, &o->starving);
}

static void serve(struct waiter *w, struct cel__conn *conn)
{
    cel__list_unlink(&w->link);
    w->conn = conn;
    sort_in(w->origin);
    cel__unpark(w->task);
}

static struct waiter *first_in_line(const struct cel__origin *o)
{
    return cel__container_of(o->line.next, struct waiter, link);
}

static void free_place(struct cel__origin *o)
{
    struct cel__places *p = o->places;

    o->open--;
    p->stats.open--;
    if (cel__list_is_empty(&o->starving))
        sort_in(o);
    if (!cel__list_is_empty(&p->starving)) {
        o = cel__container_of(p->starving.next, struct cel__origin, starving);
        take_place(o);
        serve(first_in_line(o), NULL);
    }
}

static void unkeep(struct cel__conn *conn)
{
    if (cel__list_is_empty(&conn->kept))
        return;
    cel__list_unlink(&conn->kept);
    cel__list_unlink(&conn->mine);
    conn->origin->places->stats.idle--;
}

static void free_conn(struct cel__conn *conn)
{
    struct cel__origin *o = conn->origin;

    unkeep(conn);
    cel_close(conn->stream);
    cel__buf_fini(&conn->head);
    cel__mem_free(conn);
    cel__origin_let_go(o);
}

void cel__conn_drop(struct cel__conn *conn)
{
    struct cel__origin *o = conn->origin;

    o->refs++;
    free_conn(conn);
    free_place(o);
    cel__origin_let_go(o);
}

/* ---- taking ---- */

/* The origin's place is counted already. */
static struct cel__conn *new_conn(struct cel__origin *o)
{
    struct cel__conn *conn = cel__mem_zalloc(sizeof *conn);

    if (conn == NULL) {
        free_place(o);
        return NULL;
    }
    cel__list_init(&conn->kept);
    cel__list_init(&conn->mine);
    conn->origin = o;
    o->refs++;
    return conn;
}

/* As far as is known without asking the kernel. */
static bool may_have_input(struct cel_loop *loop, struct cel__fd *f)
{
    const struct cel__backend *backend = loop->backend;

    return f->ready & CEL__FD_IN || (backend->has_input != NULL && backend->has_input(loop, f));
}

/* A plain connection given back in this very turn was read dry just now. */
static bool is_alive(const struct cel__conn *conn)
{
    struct cel__origin *o = conn->origin;
    struct cel_loop *loop = o->places->loop;
    bool is_dropped = CEL__BUGGIFY(); /* as if it had died meanwhile */
    bool was_dry = !o->is_tls && conn->idle_since == cel_loop_time(loop) &&
                   !may_have_input(loop, conn->stream->fd);

    return !is_dropped && (was_dry || cel_stream_is_quiet(conn->stream));
}

/* The newest of those that are still alive. */
static struct cel__conn *take_idle(struct cel__origin *o)
{
    while (!cel__list_is_empty(&o->idle)) {
        struct cel__conn *conn = cel__container_of(o->idle.next, struct cel__conn, mine);

        unkeep(conn);
        if (is_alive(conn))
            return conn;
        cel__conn_drop(conn);
    }
    return NULL;
}

static void drop_oldest(struct cel__places *p)
{
    cel__conn_drop(cel__container_of(p->idle.next, struct cel__conn, kept));
}

/* Makes room in the total by closing what is idle, of this origin last come first. */
static bool make_room(struct cel__origin *o)
{
    struct cel__places *p = o->places;

    if (!is_below_own_limit(o)) {
        if (cel__list_is_empty(&o->idle))
            return false;
        cel__conn_drop(cel__container_of(o->idle.prev, struct cel__conn, mine));
        return true;
    }
    if (p->stats.open < p->total_max)
        return true;
    if (cel__list_is_empty(&p->idle))
        return false;
    drop_oldest(p);
    return true;
}

struct cel__conn *cel__conn_try(struct cel__origin *origin, bool wants_new, int *r)
{
    struct cel__conn *conn = NULL;

    *r = 0;
    if (!cel__list_is_empty(&origin->line))
        return NULL;
    if (!wants_new)
        conn = take_idle(origin);
    if (conn != NULL || !make_room(origin))
        return conn;
    take_place(origin);
    conn = new_conn(origin);
    if (conn == NULL)
        *r = -ENOMEM;
    return conn;
}

static void leave_line(struct cel_task *task, int code)
{
    struct waiter *w = task->wait_on;

    if (cel__list_is_empty(&w->link))
        return; /* served already */
    cel__list_unlink(&w->link);
    w->code = code;
    if (cel__list_is_empty(&w->origin->line))
        cel__list_unlink(&w->origin->starving);
    cel__unpark(task);
}

static void tell(struct cel__report *to, const struct cel_task *task)
{
    const struct waiter *w = task->wait_on;

    cel__report_slice(to, w->origin->key);
}

static const struct cel__wait in_line = {"in line for a connection to ", leave_line, tell, NULL};

int cel__conn_wait(struct cel__origin *origin, struct cel__conn **out)
{
    struct waiter w = {.task = cel__task_parking(), .origin = origin};
    int code = cel__checkpoint(w.task);

    if (code != 0)
        return code;
    w.number = origin->places->arrivals++;
    cel__list_append(&origin->line, &w.link);
    if (cel__list_is_empty(&origin->starving))
        sort_in(origin);
    origin->places->stats.waiting++;
    cel__park(w.task, &in_line, &w); /* parks */
    origin->places->stats.waiting--;
    if (w.code != 0)
        return w.code;
    if (w.conn == NULL)
        w.conn = new_conn(origin);
    *out = w.conn;
    return w.conn != NULL ? 0 : -ENOMEM;
}

void cel__conn_renew(struct cel__conn *conn)
{
    cel_close(conn->stream);
    conn->stream = NULL;
    conn->was_used = false;
}

/* ---- giving back ---- */

static void expire(struct cel_timer *timer, void *arg)
{
    struct cel__places *p = arg;

    p->is_timing = false;
    while (!cel__list_is_empty(&p->idle)) {
        struct cel__conn *oldest = cel__container_of(p->idle.next, struct cel__conn, kept);

        if (oldest->idle_since + p->idle_timeout > cel_now()) {
            p->is_timing = true;
            cel_timer_start_at(p->loop, timer, oldest->idle_since + p->idle_timeout);
            return;
        }
        cel__conn_drop(oldest);
    }
}

static void keep(struct cel__conn *conn)
{
    struct cel__places *p = conn->origin->places;

    conn->idle_since = cel_loop_time(p->loop);
    cel__list_prepend(&conn->origin->idle, &conn->mine);
    cel__list_append(&p->idle, &conn->kept);
    p->stats.idle++;
    if (!p->is_timing && p->idle_timeout != CEL_FOREVER) {
        p->is_timing = true;
        cel_timer_start_at(p->loop, &p->timer, conn->idle_since + p->idle_timeout);
    }
}

/* A busy origin must not hold all places for ever: who came before its own line goes first. */
static bool is_owed_elsewhere(const struct cel__origin *o)
{
    const struct cel__places *p = o->places;
    struct cel__origin *other;

    if (cel__list_is_empty(&p->starving))
        return false;
    other = cel__container_of(p->starving.next, struct cel__origin, starving);
    return cel__list_is_empty(&o->line) || first_in_line(other)->number < first_in_line(o)->number;
}

void cel__conn_give(struct cel__conn *conn)
{
    struct cel__origin *o = conn->origin;

    conn->was_used = true;
    if (o->places->is_closed || is_owed_elsewhere(o))
        cel__conn_drop(conn);
    else if (!cel__list_is_empty(&o->line))
        serve(first_in_line(o), conn);
    else
        keep(conn);
}

/* ---- all of them ---- */

void cel__places_init(struct cel__places *places, unsigned total_max, unsigned per_host_max,
                      int64_t idle_timeout)
{
    *places = (struct cel__places){
        .loop = cel_loop_current(),
        .total_max = total_max,
        .per_host_max = per_host_max != 0 ? per_host_max : UINT_MAX,
        .idle_timeout = idle_timeout,
    };
    cel__list_init(&places->idle);
    cel__list_init(&places->starving);
    cel_timer_init(&places->timer, expire, places);
}

void cel__places_close(struct cel__places *places)
{
    places->is_closed = true;
    while (!cel__list_is_empty(&places->idle))
        drop_oldest(places);
    if (places->is_timing)
        cel_timer_stop(places->loop, &places->timer);
    places->is_timing = false;
}

void cel__places_fini(struct cel__places *places)
{
    CEL__ASSERT(places->stats.open == 0 && places->origins.live == 0);
    cel__map_fini(&places->origins);
}
