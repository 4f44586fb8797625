/* SPDX-License-Identifier: MIT */
#include "machine/pair.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/cc.h"
#include "machine/diary.h"
#include "machine/cargo.h"
#include "machine/diary.h"

#define RETRY_MIN  (200 * CEL_MILLISECOND)
#define RETRY_MAX  (10 * CEL_SECOND)
#define GIVE_UP    (900 * CEL_SECOND)
#define SYN_TRIES  6
#define RESET_SPAN 16384

enum packet_kind { SYN, SYN_ACK, ESTABLISHED, DATA, ACK, FIN, RESET };

struct packet {
    struct cel__list link;
    int64_t at;
    enum packet_kind kind;
    size_t len;
};

static void transmit(struct cel__pair *p, int side);
static void on_lane(struct cel__machine *m, struct cel__happening *event, struct cel__pair *p,
                    int side);

static void on_lane_0(struct cel__machine *m, struct cel__happening *event)
{
    on_lane(m, event, cel__container_of(event, struct cel__pair, lanes[0].event), 0);
}

static void on_lane_1(struct cel__machine *m, struct cel__happening *event)
{
    on_lane(m, event, cel__container_of(event, struct cel__pair, lanes[1].event), 1);
}

static struct cel__pair *pair_new(struct cel__machine *m, bool is_local)
{
    struct cel__pair *p = cel__machine_alloc(sizeof *p);

    p->m = m;
    p->is_local = is_local;
    p->reset_at = -1;
    p->lanes[0].event.run = on_lane_0;
    p->lanes[1].event.run = on_lane_1;
    for (int side = 0; side < 2; side++) {
        cel__list_init(&p->lanes[side].packets);
        cel__list_init(&p->wires[side].cargos);
    }
    cel__list_append(&m->pairs, &p->link);
    return p;
}

static void drop_packets(struct cel__pair *p, int side)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&p->lanes[side].packets)) != NULL)
        cel__machine_release(cel__container_of(node, struct packet, link));
    cel__machine_unschedule(p->m, &p->lanes[side].event);
    p->lanes[side].has_ack = false;
}

static void pair_free(struct cel__pair *p)
{
    for (int side = 0; side < 2; side++) {
        drop_packets(p, side);
        cel__cargo_drop_all(&p->wires[side].cargos);
        cel__machine_release(p->wires[side].bytes);
    }
    cel__list_unlink(&p->link);
    cel__machine_release(p);
}

/* Nobody is left who could see anything of it. */
static void free_if_over(struct cel__pair *p)
{
    if (p->is_busy || p->ends[0] != NULL || p->ends[1] != NULL)
        return;
    if (!p->is_dead &&
        (!cel__list_is_empty(&p->lanes[0].packets) || !cel__list_is_empty(&p->lanes[1].packets)))
        return;
    pair_free(p);
}

static void tell(struct cel__pair *p, int side)
{
    if (p->ends[side] != NULL)
        cel__socket_tell(p->ends[side]);
}

static void join(struct cel__pair *p, int side, struct cel__socket *s)
{
    p->ends[side] = s;
    p->hosts[side] = s->host;
    s->pair = p;
    s->side = side;
    s->state = CEL__SOCKET_JOINED;
}

/* It is over for this side, with that error. */
static void fail_end(struct cel__pair *p, int side, int error)
{
    struct cel__socket *s = p->ends[side];

    if (s == NULL)
        return;
    s->error = error;
    cel__machine_unschedule(p->m, &s->again);
    cel__socket_tell(s);
}

/* One that nobody was told of yet: the other side gave up before it stood in line. */
static void forget_child(struct cel__pair *p)
{
    struct cel__socket *child = p->ends[1];

    if (child == NULL || p->is_local || child->fd >= 0 || !cel__list_is_empty(&child->queue))
        return;
    p->ends[1] = NULL;
    cel__socket_free(child);
}

static void die(struct cel__pair *p)
{
    p->is_dead = true;
    forget_child(p);
    drop_packets(p, 0);
    drop_packets(p, 1);
}

/* Packets. */

/* An address may be nobody's. */
static const char *name_of(const struct cel__station *h)
{
    return h != NULL ? h->name : NULL;
}

static void aim(struct cel__pair *p, int side)
{
    struct cel__lane *lane = &p->lanes[side];
    struct packet *first;

    if (cel__list_is_empty(&lane->packets) || lane->event.place != 0)
        return;
    first = cel__container_of(lane->packets.next, struct packet, link);
    lane->event.mark = CEL__MARK_PACKET + (uint32_t)first->kind;
    lane->event.from = p->hosts[side]->name;
    lane->event.to = name_of(p->hosts[!side]);
    cel__machine_schedule(p->m, &lane->event, cel__max(first->at, p->m->now));
}

static void send_packet(struct cel__pair *p, int side, enum packet_kind kind, size_t len)
{
    struct cel__lane *lane = &p->lanes[side];
    struct cel__machine *m = p->m;
    struct packet *packet = cel__machine_alloc(sizeof *packet);
    int64_t at = cel__station_arrival(p->hosts[side], p->hosts[!side]);

    if (kind != SYN && p->hosts[0] != p->hosts[1] && CEL__CHANCE(m, loss))
        at += RETRY_MIN;
    packet->kind = kind;
    packet->len = len;
    packet->at = lane->last_at = cel__max(at, lane->last_at);
    cel__list_append(&lane->packets, &packet->link);
    aim(p, side);
}

static void reset_from(struct cel__pair *p, int side)
{
    if (p->is_dead)
        return;
    drop_packets(p, side);
    send_packet(p, side, RESET, 0);
}

static void acknowledge(struct cel__pair *p, int reader)
{
    if (p->is_dead || p->lanes[reader].has_ack)
        return;
    p->lanes[reader].has_ack = true;
    send_packet(p, reader, ACK, 0);
}

/* A listener's line. */

static struct cel__socket *new_child(struct cel__pair *p, struct cel__socket *listener)
{
    struct cel__socket *s = cel__socket_new(listener->host, listener->kind, listener->family);

    s->is_child = true;
    s->is_bound = true;
    s->local = listener->local;
    s->local_len = listener->local_len;
    if (listener->family != AF_UNIX) {
        s->local = cel__address_as(&p->to, listener->family);
        s->peer = cel__address_as(&p->ends[0]->local, listener->family);
        s->peer_len = listener->local_len;
    }
    join(p, 1, s);
    return s;
}

static void stand_in_line(struct cel__socket *listener, struct cel__socket *child)
{
    cel__list_append(&listener->queue, &child->queue);
    listener->waiting++;
    cel__socket_tell(listener);
}

static struct cel__socket *listener_of(struct cel__pair *p)
{
    return cel__socket_at(p->hosts[1], CEL__SOCKET_TCP, &p->to, p->to_len);
}

/* A full line lets a stranger knock again. */
static void on_syn(struct cel__pair *p)
{
    struct cel__socket *listener = listener_of(p);

    if (p->ends[1] != NULL || p->ends[0] == NULL)
        return;
    if (listener == NULL) {
        send_packet(p, 1, RESET, 0);
        return;
    }
    if (listener->waiting > (unsigned)listener->backlog)
        return;
    (void)new_child(p, listener);
    send_packet(p, 1, SYN_ACK, 0);
}

static void on_syn_ack(struct cel__pair *p)
{
    struct cel__socket *s = p->ends[0];

    if (s == NULL) {
        reset_from(p, 0);
        return;
    }
    cel__machine_unschedule(p->m, &s->again);
    s->state = CEL__SOCKET_JOINED;
    p->is_joined = true;
    send_packet(p, 0, ESTABLISHED, 0);
    tell(p, 0);
}

static void on_established(struct cel__pair *p)
{
    struct cel__socket *listener = listener_of(p);
    struct cel__socket *child = p->ends[1];

    if (child == NULL)
        return;
    if (listener != NULL) {
        stand_in_line(listener, child);
        return;
    }
    p->ends[1] = NULL;
    cel__socket_free(child);
    reset_from(p, 1);
}

/* One bit of what arrives, which no checksum has noticed. */
static void maybe_spoil(struct cel__machine *m, struct cel__wire *w, size_t len)
{
    size_t at;

    if (len == 0 || !CEL__CHANCE(m, corrupt))
        return;
    at = w->start + (size_t)(w->arrived - w->read) +
         (size_t)cel__machine_draw(m, CEL__DRAW_FAULT, len);
    w->bytes[at] = (char)(w->bytes[at] ^ 1 << cel__machine_draw(m, CEL__DRAW_FAULT, 8));
}

static void on_data(struct cel__pair *p, int side, size_t len)
{
    struct cel__socket *reader = p->ends[!side];

    if (reader == NULL) {
        reset_from(p, !side);
        return;
    }
    maybe_spoil(p->m, &p->wires[side], len);
    p->wires[side].arrived += len;
    acknowledge(p, !side);
    cel__socket_tell(reader);
}

static void on_ack(struct cel__pair *p, int side)
{
    struct cel__wire *w = &p->wires[!side];

    p->lanes[side].has_ack = false;
    w->known_arrived = w->arrived;
    w->known_read = w->read;
    transmit(p, !side);
    tell(p, !side);
}

static void on_reset(struct cel__pair *p, int side)
{
    struct cel__socket *s = p->ends[!side];

    die(p);
    fail_end(p, !side, s != NULL && s->state == CEL__SOCKET_CONNECTING ? ECONNREFUSED : ECONNRESET);
}

static void arrive(struct cel__pair *p, int side, const struct packet *packet)
{
    switch (packet->kind) {
    case SYN:
        on_syn(p);
        break;
    case SYN_ACK:
        on_syn_ack(p);
        break;
    case ESTABLISHED:
        on_established(p);
        break;
    case DATA:
        on_data(p, side, packet->len);
        break;
    case ACK:
        on_ack(p, side);
        break;
    case FIN:
        p->wires[side].fin_arrived = true;
        tell(p, !side);
        break;
    case RESET:
        on_reset(p, side);
        break;
    }
}

/* -> true: the first packet cannot get in, and is sent again. */
static bool is_stuck(struct cel__pair *p, int side)
{
    struct cel__lane *lane = &p->lanes[side];
    struct cel__machine *m = p->m;
    int64_t pause = RETRY_MIN << cel__min(lane->tries, 10u);

    if (cel__station_reaches(p->hosts[side], p->hosts[!side])) {
        lane->tries = 0;
        lane->stuck_since = 0;
        return false;
    }
    if (lane->stuck_since == 0)
        lane->stuck_since = m->now;
    if (m->now - lane->stuck_since > GIVE_UP) {
        die(p);
        fail_end(p, side, ETIMEDOUT);
        return true;
    }
    lane->tries++;
    cel__machine_schedule(m, &lane->event, m->now + cel__min(pause, RETRY_MAX));
    return true;
}

static void on_lane(struct cel__machine *m, struct cel__happening *event, struct cel__pair *p,
                    int side)
{
    struct cel__list *packets = &p->lanes[side].packets;

    p->is_busy = true;
    while (!cel__list_is_empty(packets)) {
        struct packet *packet = cel__container_of(packets->next, struct packet, link);

        if (packet->at > m->now)
            break;
        if (packet->kind != SYN && is_stuck(p, side))
            break;
        cel__list_unlink(&packet->link);
        if (packet->kind != SYN || cel__station_reaches(p->hosts[side], p->hosts[!side]))
            arrive(p, side, packet);
        cel__machine_release(packet);
    }
    p->is_busy = false;
    aim(p, side);
    free_if_over(p);
}

/* Bytes. */

static void append(struct cel__wire *w, const char *bytes, size_t len)
{
    size_t have = (size_t)(w->written - w->read);

    if (len == 0) /* an empty piece has no address */
        return;
    if (w->start + have + len > w->cap) {
        if (w->start != 0)
            memmove(w->bytes, w->bytes + w->start, have);
        w->start = 0;
        if (have + len > w->cap) {
            w->cap = cel__max(2 * w->cap, have + len);
            w->bytes = cel__machine_resize(w->bytes, w->cap);
        }
    }
    memcpy(w->bytes + w->start + have, bytes, len);
    w->written += len;
}

static void cut_cable(struct cel__pair *p)
{
    die(p);
    fail_end(p, 0, ECONNRESET);
    fail_end(p, 1, ECONNRESET);
}

static bool is_cut_now(struct cel__pair *p, int side)
{
    if (side != 0 || p->reset_at < 0 || p->m->is_calm || p->wires[0].sent < (uint64_t)p->reset_at)
        return false;
    p->reset_at = cel__machine_fault(p->m, "reset", NULL, 0) ? p->reset_at : -1;
    return p->reset_at >= 0;
}

static void transmit_far(struct cel__pair *p, int side)
{
    const struct cel_sim_options *o = &p->m->options;
    struct cel__wire *w = &p->wires[side];

    while (w->sent < w->written && w->sent - w->known_read < (uint64_t)o->window && !p->is_dead) {
        uint64_t room = (uint64_t)o->window - (w->sent - w->known_read);
        uint64_t most = cel__min(cel__min(room, w->written - w->sent), (uint64_t)o->segment);

        if (is_cut_now(p, side)) {
            cut_cable(p);
            return;
        }
        w->sent += most;
        send_packet(p, side, DATA, most);
    }
    if (w->fin_written && !w->fin_sent && w->sent == w->written && !p->is_dead) {
        w->fin_sent = true;
        send_packet(p, side, FIN, 0);
    }
}

static void transmit(struct cel__pair *p, int side)
{
    struct cel__wire *w = &p->wires[side];

    if (!p->is_local) {
        transmit_far(p, side);
        return;
    }
    w->sent = w->arrived = w->known_arrived = w->written;
    w->known_read = w->read;
    w->fin_sent = w->fin_arrived = w->fin_written;
    tell(p, !side);
}

static size_t room_of(const struct cel__pair *p, int side)
{
    const struct cel_sim_options *o = &p->m->options;
    const struct cel__wire *w = &p->wires[side];
    uint64_t used = p->is_local ? w->written - w->read : w->written - w->known_arrived;

    return used < (uint64_t)o->send_buffer ? (size_t)((uint64_t)o->send_buffer - used) : 0;
}

static size_t total(const struct iovec *iov, int count)
{
    size_t sum = 0;

    for (int i = 0; i < count; i++)
        sum += iov[i].iov_len;
    return sum;
}

static size_t maybe_less(struct cel__machine *m, size_t n)
{
    if (n > 1 && CEL__CHANCE(m, cut))
        return 1 + (size_t)cel__machine_draw(m, CEL__DRAW_FAULT, n);
    return n;
}

ssize_t cel__pair_write(struct cel__socket *s, const struct iovec *iov, int count)
{
    struct cel__pair *p = s->pair;
    size_t want = total(iov, count), n, left;

    if (s->error != 0)
        return cel__socket_take_error(s);
    if (p == NULL || s->state != CEL__SOCKET_JOINED)
        return s->state == CEL__SOCKET_JOINED ? -EPIPE : -ENOTCONN;
    if (s->write_shut || p->is_dead || (p->is_local && p->ends[!s->side] == NULL))
        return -EPIPE;
    if (want == 0)
        return 0;
    n = cel__min(want, room_of(p, s->side));
    if (n == 0)
        return -EAGAIN;
    left = n = maybe_less(s->m, n);
    for (int i = 0; left > 0; i++) {
        size_t part = cel__min(left, iov[i].iov_len);

        append(&p->wires[s->side], iov[i].iov_base, part);
        left -= part;
    }
    transmit(p, s->side);
    return (ssize_t)n;
}

static void after_read(struct cel__pair *p, int reader)
{
    struct cel__wire *w = &p->wires[!reader];

    if (p->is_local) {
        w->known_read = w->read;
        tell(p, !reader);
    } else if (p->ends[!reader] != NULL || w->sent < w->written) {
        acknowledge(p, reader);
    }
}

ssize_t cel__pair_read(struct cel__socket *s, const struct iovec *iov, int count, bool is_peek)
{
    struct cel__pair *p = s->pair;
    struct cel__wire *w;
    size_t n, done = 0;

    if (p == NULL || s->state != CEL__SOCKET_JOINED)
        return s->error != 0                    ? cel__socket_take_error(s)
               : s->state == CEL__SOCKET_JOINED ? 0
                                                : -ENOTCONN;
    w = &p->wires[!s->side];
    n = cel__min(total(iov, count), (size_t)(w->arrived - w->read));
    n = cel__cargo_limit(&w->cargos, w->read, n);
    if (n == 0 && total(iov, count) != 0) {
        if (s->error != 0)
            return cel__socket_take_error(s);
        return w->fin_arrived || s->read_shut || p->is_dead ? 0 : -EAGAIN;
    }
    if (!is_peek)
        n = maybe_less(s->m, n);
    for (int i = 0; done < n; i++) {
        size_t part = cel__min(n - done, iov[i].iov_len);

        memcpy(iov[i].iov_base, w->bytes + w->start + done, part);
        done += part;
    }
    if (is_peek || n == 0)
        return (ssize_t)n;
    w->start += n;
    w->read += n;
    if (!p->is_dead)
        after_read(p, s->side);
    return (ssize_t)n;
}

int cel__pair_shut(struct cel__socket *s, bool reading, bool writing)
{
    struct cel__pair *p = s->pair;

    if (p == NULL || s->state != CEL__SOCKET_JOINED || p->is_dead)
        return -ENOTCONN;
    if (reading) {
        s->read_shut = true;
        cel__socket_tell(s);
    }
    if (writing && !s->write_shut) {
        s->write_shut = true;
        p->wires[s->side].fin_written = true;
        transmit(p, s->side);
    }
    return 0;
}

short cel__pair_events(struct cel__socket *s)
{
    const struct cel__pair *p = s->pair;
    const struct cel__wire *in;
    bool is_over;
    int events = s->error != 0 ? POLLERR | POLLIN | POLLOUT | POLLHUP : 0;

    if (s->state == CEL__SOCKET_LISTENING)
        return cel__list_is_empty(&s->queue) ? 0 : POLLIN;
    if (s->state == CEL__SOCKET_CONNECTING)
        return (short)events;
    if (p == NULL || s->state != CEL__SOCKET_JOINED)
        return (short)(events | POLLOUT | POLLHUP);
    in = &p->wires[!s->side];
    is_over = in->fin_arrived || s->read_shut || p->is_dead;
    if (in->arrived > in->read || is_over)
        events |= POLLIN;
    if (is_over)
        events |= POLLRDHUP;
    if ((is_over && s->write_shut) || p->is_dead)
        events |= POLLHUP;
    if (room_of(p, s->side) > 0 || p->is_dead || (p->is_local && p->ends[!s->side] == NULL))
        events |= POLLOUT;
    return (short)events;
}

/* Making and ending. */

int cel__pair_open(struct cel__machine *m, enum cel__socket_kind kind, int fds[2])
{
    struct cel__station *host = cel__station_current(m);
    struct cel__pair *p = pair_new(m, true);
    int r = 0;

    p->is_joined = true;
    for (int side = 0; side < 2; side++)
        join(p, side, cel__socket_new(host, kind, AF_UNIX));
    for (int side = 0; side < 2 && r >= 0; side++)
        fds[side] = r = cel__socket_number(p->ends[side]);
    if (r >= 0)
        return 0;
    cel__socket_free(p->ends[0]);
    cel__socket_free(p->ends[1]);
    pair_free(p);
    return r;
}

static void knock(struct cel__machine *m, struct cel__happening *event)
{
    struct cel__socket *s = cel__container_of(event, struct cel__socket, again);

    if (s->tries == SYN_TRIES) {
        die(s->pair);
        fail_end(s->pair, 0, ETIMEDOUT);
        return;
    }
    if (s->pair->hosts[1] != NULL)
        send_packet(s->pair, 0, SYN, 0);
    cel__machine_schedule(m, event, m->now + (CEL_SECOND << s->tries++));
}

static int connect_local(struct cel__socket *s, const struct sockaddr_storage *to, socklen_t len)
{
    struct cel__socket *listener = cel__socket_at(s->host, CEL__SOCKET_LOCAL, to, len);
    struct cel__pair *p;

    if (listener == NULL)
        return cel__socket_has_path(to) ? -ECONNREFUSED : -ENOENT;
    if (listener->waiting > (unsigned)listener->backlog)
        return -EAGAIN;
    p = pair_new(s->m, true);
    p->is_joined = true;
    join(p, 0, s);
    s->peer = listener->local;
    s->peer_len = listener->local_len;
    stand_in_line(listener, new_child(p, listener));
    return 0;
}

int cel__pair_connect(struct cel__socket *s, const struct sockaddr_storage *to, socklen_t len)
{
    struct cel__machine *m = s->m;
    struct cel__pair *p;
    int r;

    if (s->state == CEL__SOCKET_CONNECTING)
        return -EALREADY;
    if (s->state != CEL__SOCKET_FRESH)
        return s->state == CEL__SOCKET_JOINED ? -EISCONN : -EINVAL;
    if (s->is_gone)
        return -ENETDOWN;
    if (s->kind == CEL__SOCKET_LOCAL)
        return connect_local(s, to, len);
    r = s->is_bound ? 0 : cel__socket_bind_any(s, to);
    if (r < 0)
        return r;
    p = pair_new(m, false);
    join(p, 0, s);
    p->hosts[1] = cel__station_at(s->host, to);
    p->to = s->peer = *to;
    p->to_len = s->peer_len = len;
    if (cel__machine_draws(m, m->options.reset))
        p->reset_at = (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, RESET_SPAN);
    s->state = CEL__SOCKET_CONNECTING;
    s->again.run = knock;
    s->again.mark = CEL__MARK_KNOCK;
    s->again.from = s->host->name;
    s->again.to = name_of(p->hosts[1]);
    knock(m, &s->again);
    return -EINPROGRESS;
}

int cel__pair_accept(struct cel__socket *listener, struct cel__socket **out)
{
    struct cel__socket *child;
    int r;

    if (listener->state != CEL__SOCKET_LISTENING)
        return -EINVAL;
    if (listener->is_gone)
        return -ENETDOWN;
    if (cel__list_is_empty(&listener->queue))
        return -EAGAIN;
    child = cel__container_of(listener->queue.next, struct cel__socket, queue);
    r = cel__socket_number(child);
    if (r < 0)
        return r;
    cel__list_unlink(&child->queue);
    listener->waiting--;
    cel__socket_tell(child);
    *out = child;
    return r;
}

static void leave_local(struct cel__pair *p, int side)
{
    struct cel__wire *in = &p->wires[!side];
    struct cel__socket *peer = p->ends[!side];

    if (peer != NULL && in->arrived > in->read && peer->kind == CEL__SOCKET_LOCAL)
        peer->error = ECONNRESET;
    p->wires[side].fin_written = true;
    transmit(p, side);
}

static void leave_far(struct cel__pair *p, struct cel__socket *s)
{
    struct cel__wire *in = &p->wires[!s->side];

    if (p->is_dead)
        return;
    if (!p->is_joined) {
        if (s->side == 0)
            die(p);
        return;
    }
    if (s->resets_at_close || in->arrived > in->read) {
        reset_from(p, s->side);
        return;
    }
    p->wires[s->side].fin_written = true;
    transmit(p, s->side);
}

static void turn_away(struct cel__socket *listener)
{
    while (!cel__list_is_empty(&listener->queue)) {
        struct cel__socket *child =
            cel__container_of(listener->queue.next, struct cel__socket, queue);

        child->resets_at_close = true;
        cel__pair_leave(child);
        cel__socket_free(child);
    }
}

void cel__pair_leave(struct cel__socket *s)
{
    struct cel__pair *p = s->pair;

    if (s->state == CEL__SOCKET_LISTENING)
        turn_away(s);
    if (p == NULL)
        return;
    p->is_busy = true;
    if (p->is_local)
        leave_local(p, s->side);
    else
        leave_far(p, s);
    p->ends[s->side] = NULL;
    s->pair = NULL;
    p->is_busy = false;
    free_if_over(p);
}

void cel__pair_vanish(struct cel__socket *s)
{
    struct cel__pair *p = s->pair;

    if (s->state == CEL__SOCKET_LISTENING) {
        while (!cel__list_is_empty(&s->queue)) {
            struct cel__socket *child = cel__container_of(s->queue.next, struct cel__socket, queue);

            cel__pair_vanish(child);
            cel__socket_free(child);
        }
    }
    cel__machine_unschedule(s->m, &s->again);
    s->is_gone = true;
    s->error = ENETDOWN;
    cel__socket_tell(s);
    if (p == NULL)
        return;
    if (p->is_local) {
        cel__pair_leave(s);
        return;
    }
    drop_packets(p, s->side); /* what it had sent is lost with its memory */
    p->ends[s->side] = NULL;
    s->pair = NULL;
    free_if_over(p);
}

void cel__pair_end_all(struct cel__machine *m)
{
    while (!cel__list_is_empty(&m->pairs))
        pair_free(cel__container_of(m->pairs.next, struct cel__pair, link));
}
