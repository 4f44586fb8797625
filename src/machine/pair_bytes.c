/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/cc.h"
#include "machine/pair_parts.h"

static void append(struct cel__wire *w, const char *bytes, size_t len)
{
    size_t have = (size_t)(w->written - w->read);

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
    cel__pair_die(p);
    cel__pair_fail_end(p, 0, ECONNRESET);
    cel__pair_fail_end(p, 1, ECONNRESET);
}

static bool is_cut_now(struct cel__pair *p, int side)
{
    if (side != 0 || p->reset_at < 0 || p->m->is_calm || p->wires[0].sent < (uint64_t)p->reset_at)
        return false;
    p->m->faults++;
    return true;
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
        cel__pair_send(p, side, CEL__PACKET_DATA, most);
    }
    if (w->fin_written && !w->fin_sent && w->sent == w->written && !p->is_dead) {
        w->fin_sent = true;
        cel__pair_send(p, side, CEL__PACKET_FIN, 0);
    }
}

void cel__pair_transmit(struct cel__pair *p, int side)
{
    struct cel__wire *w = &p->wires[side];

    if (!p->is_local) {
        transmit_far(p, side);
        return;
    }
    w->sent = w->arrived = w->known_arrived = w->written;
    w->known_read = w->read;
    w->fin_sent = w->fin_arrived = w->fin_written;
    cel__pair_tell(p, !side);
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
    if (n > 1 && cel__machine_chance(m, m->options.cut))
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
    cel__pair_transmit(p, s->side);
    return (ssize_t)n;
}

static void after_read(struct cel__pair *p, int reader)
{
    struct cel__wire *w = &p->wires[!reader];

    if (p->is_local) {
        w->known_read = w->read;
        cel__pair_tell(p, !reader);
    } else if (p->ends[!reader] != NULL || w->sent < w->written) {
        cel__pair_acknowledge(p, reader);
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
        cel__pair_transmit(p, s->side);
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
