/* SPDX-License-Identifier: MIT */
/* A ring of values and two lines.
 *
 * 1. Somebody waits to receive only while the ring is empty and nobody waits to send.
 * 2. Somebody waits to send only while the ring is full.
 * 3. Nobody waits on a closed channel.
 * A value goes straight from the sender's memory to the receiver's where one of them waits: both
 * are on stacks of parked tasks or under a call that runs. */
#include "task/chan.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

int cel_chan_new(struct cel_chan **out, size_t value_size, size_t slots)
{
    struct cel_chan *ch;
    size_t room;

    if (__builtin_mul_overflow(value_size, slots, &room) || room > SIZE_MAX - sizeof *ch)
        return -ENOMEM;
    ch = cel__mem_alloc(sizeof *ch + room);
    if (ch == NULL)
        return -ENOMEM;
    *ch = (struct cel_chan){.value_size = value_size, .slots = slots};
    *out = ch;
    return 0;
}

void cel_chan_free(struct cel_chan *chan)
{
    if (chan == NULL)
        return;
    CEL__ASSERT(chan->senders.first_ == NULL && chan->receivers.first_ == NULL);
    cel__mem_free(chan);
}

static inline void copy(const struct cel_chan *ch, void *to, const void *from)
{
    if (cel__likely(ch->value_size == sizeof(void *)))
        memcpy(to, from, sizeof(void *));
    else if (ch->value_size != 0)
        memcpy(to, from, ch->value_size);
}

static inline char *slot(struct cel_chan *ch, size_t index)
{
    return ch->ring + (index < ch->slots ? index : index - ch->slots) * ch->value_size;
}

static inline void push(struct cel_chan *ch, const void *value)
{
    copy(ch, slot(ch, ch->head + ch->count), value);
    ch->count++;
}

static inline void pop(struct cel_chan *ch, void *value)
{
    copy(ch, value, slot(ch, ch->head));
    ch->head = ch->head + 1 < ch->slots ? ch->head + 1 : 0;
    ch->count--;
}

int cel__chan_put(struct cel_chan *ch, const void *value)
{
    struct cel__place *receiver = cel__line_first(&ch->receivers);

    if (receiver != NULL) {
        copy(ch, receiver->value, value);
        cel__place_end(receiver, 0);
        return 0;
    }
    if (ch->is_closed)
        return -EPIPE;
    if (ch->count == ch->slots)
        return -EAGAIN;
    push(ch, value);
    return 0;
}

int cel__chan_take(struct cel_chan *ch, void *value)
{
    struct cel__place *sender = cel__line_first(&ch->senders);

    if (ch->count != 0) {
        pop(ch, value);
        if (sender != NULL)
            push(ch, sender->value);
    } else if (sender != NULL) {
        copy(ch, value, sender->value);
    } else {
        return ch->is_closed ? -EPIPE : -EAGAIN;
    }
    if (sender != NULL)
        cel__place_end(sender, 0);
    return 0;
}

static const struct cel__wait sending = CEL__WAIT_FOR("sending to a channel");
static const struct cel__wait receiving = CEL__WAIT_FOR("receiving from a channel");

/* (parks) Apart, so that a call that finds what it wants has no frame to speak of. */
static CEL__NOINLINE int stand(struct cel_line *line, void *value, const struct cel__wait *wait)
{
    struct cel__place place;

    place.value = value;
    return cel__line_park(line, &place, wait); /* parks */
}

int cel_chan_send(struct cel_chan *chan, const void *value)
{
    int r = cel__checkpoint(cel__task_parking());

    if (r != 0)
        return r;
    r = cel__chan_put(chan, value);
    if (r == -EAGAIN)
        return stand(&chan->senders, (void *)value, &sending); /* parks */
    cel__credit_take(cel__loop_here);                          /* parks */
    return r;
}

int cel_chan_recv(struct cel_chan *chan, void *value)
{
    int r = cel__checkpoint(cel__task_parking());

    if (r != 0)
        return r;
    r = cel__chan_take(chan, value);
    if (r == -EAGAIN)
        return stand(&chan->receivers, value, &receiving); /* parks */
    cel__credit_take(cel__loop_here);                      /* parks */
    return r;
}

int cel_chan_try_send(struct cel_chan *chan, const void *value)
{
    return cel__chan_put(chan, value);
}

int cel_chan_try_recv(struct cel_chan *chan, void *value)
{
    return cel__chan_take(chan, value);
}

void cel_chan_close(struct cel_chan *chan)
{
    chan->is_closed = true;
    cel__line_wake_all(&chan->senders, -EPIPE);
    cel__line_wake_all(&chan->receivers, -EPIPE);
}

bool cel_chan_is_closed(const struct cel_chan *chan)
{
    return chan->is_closed;
}

size_t cel_chan_count(const struct cel_chan *chan)
{
    return chan->count;
}
