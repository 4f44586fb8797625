/* SPDX-License-Identifier: MIT */
#ifndef CEL__CHAN_H
#define CEL__CHAN_H

#include "celadon/chan.h"
#include "task/place.h"

struct cel_chan {
    size_t value_size, slots;
    size_t count, head; /* of the ring; the value at head is the oldest */
    struct cel_line senders, receivers;
    bool is_closed;
    _Alignas(16) char ring[];
};

/* One attempt: 0, -EPIPE, -EAGAIN. */
int cel__chan_put(struct cel_chan *ch, const void *value);
int cel__chan_take(struct cel_chan *ch, void *value);

#endif
