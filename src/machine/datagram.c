/* SPDX-License-Identifier: MIT */
#include "machine/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cc.h"

#define PAYLOAD_MAX 65507
#define QUEUE_MAX   212992 /* bytes that wait for the reader; what comes then is lost */

struct datagram {
    struct cel__happening event; /* it arrives */
    struct cel__list link;       /* of the machine's while under way, then of the socket's */
    struct cel__station *from_host, *to_host;
    struct sockaddr_storage from, to;
    socklen_t to_len;
    size_t len;
    char bytes[];
};

/* Nobody is there: a sender that has said whom it talks to is told. */
static void refuse(const struct datagram *d)
{
    struct cel__socket *s = cel__socket_at(d->from_host, CEL__SOCKET_UDP, &d->from, d->to_len);

    if (s == NULL || s->peer_len == 0)
        return;
    s->error = ECONNREFUSED;
    cel__socket_tell(s);
}

static void arrive(struct cel__machine *m, struct cel__happening *event)
{
    struct datagram *d = cel__container_of(event, struct datagram, event);
    struct cel__socket *s = NULL;
    bool is_lost = false;

    cel__list_unlink(&d->link);
    if (cel__station_reaches(d->from_host, d->to_host))
        s = cel__socket_at(d->to_host, CEL__SOCKET_UDP, &d->to, d->to_len);
    else
        is_lost = true;
    if (s != NULL && !cel__socket_hears(s, &d->from))
        s = NULL;
    if (s == NULL && !is_lost)
        refuse(d);
    if (s == NULL || s->queued_bytes + d->len > QUEUE_MAX) {
        cel__machine_release(d);
        return;
    }
    s->queued_bytes += d->len;
    cel__list_append(&s->datagrams, &d->link);
    cel__socket_tell(s);
}

static void post(struct cel__socket *s, struct datagram *d)
{
    d->event.run = arrive;
    d->event.mark = CEL__MARK_DATAGRAM;
    d->event.from = d->from_host->name;
    d->event.to = d->to_host != NULL ? d->to_host->name : NULL;
    cel__list_append(&s->m->datagrams, &d->link);
    cel__machine_schedule(s->m, &d->event, cel__station_arrival(d->from_host, d->to_host));
}

static struct datagram *copy_of(const struct datagram *d)
{
    struct datagram *copy = cel__machine_alloc(sizeof *copy + d->len);

    memcpy(copy, d, sizeof *d + d->len);
    copy->event = (struct cel__happening){0};
    return copy;
}

static struct datagram *datagram_new(struct cel__socket *s, const struct iovec *iov, int count,
                                     size_t len)
{
    struct datagram *d = cel__machine_alloc(sizeof *d + len);

    for (int i = 0; i < count; i++) {
        memcpy(d->bytes + d->len, iov[i].iov_base, iov[i].iov_len);
        d->len += iov[i].iov_len;
    }
    d->from_host = s->host;
    return d;
}

/* Who sends from any address is seen with the one that the receiver can answer. */
static void name_sender(struct cel__socket *s, struct datagram *d)
{
    struct cel__socket as_if = {.host = s->host, .m = s->m, .family = s->family};

    d->from = s->local;
    if (!cel__address_is_any(&s->local) || s->kind != CEL__SOCKET_UDP)
        return;
    as_if.kind = CEL__SOCKET_PIPE; /* no other has that: any port is free */
    if (cel__socket_bind_any(&as_if, &d->to) < 0)
        return;
    d->from = as_if.local;
    if (d->from.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&d->from)->sin6_port =
            ((struct sockaddr_in6 *)&s->local)->sin6_port;
    else
        ((struct sockaddr_in *)&d->from)->sin_port = ((struct sockaddr_in *)&s->local)->sin_port;
}

static void spoil(struct cel__machine *m, char *byte)
{
    *byte = (char)(*byte ^ 1 << cel__machine_draw(m, CEL__DRAW_FAULT, 8));
}

ssize_t cel__datagram_send(struct cel__socket *s, const struct sockaddr_storage *to, socklen_t len,
                           const struct iovec *iov, int count)
{
    struct cel__machine *m = s->m;
    size_t bytes = 0;
    struct datagram *d;
    int r;

    if (len == 0)
        return -EDESTADDRREQ;
    if (s->error != 0)
        return cel__socket_take_error(s);
    for (int i = 0; i < count; i++)
        bytes += iov[i].iov_len;
    if (bytes > PAYLOAD_MAX)
        return -EMSGSIZE;
    r = s->is_bound ? 0 : cel__socket_bind_any(s, to);
    if (r < 0)
        return r;
    d = datagram_new(s, iov, count, bytes);
    d->to = *to;
    d->to_len = len;
    d->to_host = cel__station_at(s->host, to);
    name_sender(s, d);
    if (d->to_host == NULL || s->is_gone || CEL__CHANCE(m, loss)) {
        cel__machine_release(d);
        return (ssize_t)bytes;
    }
    if (CEL__CHANCE(m, duplicate))
        post(s, copy_of(d));
    if (d->len > 0 && CEL__CHANCE(m, corrupt))
        spoil(m, &d->bytes[cel__machine_draw(m, CEL__DRAW_FAULT, d->len)]);
    post(s, d);
    return (ssize_t)bytes;
}

ssize_t cel__datagram_receive(struct cel__socket *s, const struct iovec *iov, int count,
                              struct cel__ways *ways, bool *is_cut, bool is_peek)
{
    struct datagram *d;
    size_t done = 0;

    if (s->error != 0)
        return cel__socket_take_error(s);
    if (cel__list_is_empty(&s->datagrams))
        return s->is_gone ? -ENETDOWN : -EAGAIN;
    d = cel__container_of(s->datagrams.next, struct datagram, link);
    for (int i = 0; i < count && done < d->len; i++) {
        size_t part = cel__min(d->len - done, iov[i].iov_len);

        memcpy(iov[i].iov_base, d->bytes + done, part);
        done += part;
    }
    *is_cut = done < d->len;
    if (ways != NULL)
        *ways = (struct cel__ways){cel__address_as(&d->from, s->family), d->to};
    if (is_peek)
        return (ssize_t)done;
    cel__list_unlink(&d->link);
    s->queued_bytes -= d->len;
    cel__machine_release(d);
    return (ssize_t)done;
}

static void drop_list(struct cel__machine *m, struct cel__list *list)
{
    struct cel__list *node;

    while ((node = cel__list_pop(list)) != NULL) {
        struct datagram *d = cel__container_of(node, struct datagram, link);

        cel__machine_unschedule(m, &d->event);
        cel__machine_release(d);
    }
}

void cel__datagram_drop_all(struct cel__socket *s)
{
    drop_list(s->m, &s->datagrams);
}

void cel__datagram_end_all(struct cel__machine *m)
{
    drop_list(m, &m->datagrams);
}
