/* SPDX-License-Identifier: MIT */
#ifndef CELADON_CHAN_H
#define CELADON_CHAN_H

/* Channels: hand fixed-size values from one task to another, in order; and waiting for several of
 * them, for futures and for instants at once.
 *
 * A channel holds up to `slots` values; with 0 slots a send meets a receive. Waiters are served
 * first come, first served, and nobody overtakes. All calls belong to the loop's thread. Calls
 * marked (parks) are checkpoints; those that find what they want at once still let others run now
 * and then. -ECANCELED and -ETIMEDOUT mean that no value has moved: a value that was handed over at
 * the same time as a cancel counts as sent and as received. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_chan;

/* For values of `value_size` bytes (0: only the meeting counts). Owner: the caller, until
 * cel_chan_free. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_chan_new(struct cel_chan **out, size_t value_size, size_t slots);
/* NULL is fine. Nobody may be parked on the channel any more. Values still in it are dropped. */
CEL_PUBLIC void cel_chan_free(struct cel_chan *chan);

/* (parks) Copies *value in, into a slot or to who receives. 0; -EPIPE closed; -ECANCELED,
 * -ETIMEDOUT; after an error nothing was sent. */
CEL_PUBLIC CEL_NODISCARD int cel_chan_send(struct cel_chan *chan, const void *value);
/* (parks) Copies the oldest value out. 0; -EPIPE closed, and all that was sent has been received;
 * -ECANCELED, -ETIMEDOUT; after an error *value is as it was. */
CEL_PUBLIC CEL_NODISCARD int cel_chan_recv(struct cel_chan *chan, void *value);
/* Neither parks nor is a checkpoint; also for callbacks. -EAGAIN: it would have to wait. */
CEL_PUBLIC CEL_NODISCARD int cel_chan_try_send(struct cel_chan *chan, const void *value);
/* The same, receiving. */
CEL_PUBLIC CEL_NODISCARD int cel_chan_try_recv(struct cel_chan *chan, void *value);

/* No more sends. Wakes every waiter with -EPIPE; what lies in slots can still be received. Closing
 * twice is fine. */
CEL_PUBLIC void cel_chan_close(struct cel_chan *chan);
CEL_PUBLIC bool cel_chan_is_closed(const struct cel_chan *chan);
/* Values in slots now. */
CEL_PUBLIC size_t cel_chan_count(const struct cel_chan *chan);

/* ---- waiting for the first of several ---- */

enum cel_case_kind { CEL_CASE_RECV, CEL_CASE_SEND, CEL_CASE_DONE, CEL_CASE_AT, CEL_CASE_AFTER };

/* One thing that may happen; made by the macros below. */
struct cel_case {
    enum cel_case_kind kind;
    int result; /* of the case that was chosen: 0, or -EPIPE of a closed channel */
    struct cel_chan *chan;
    struct cel_future *future;
    void *value;
    int64_t time;
};

/* A value comes from the channel into *out. A NULL channel has none, ever. */
#define CEL_RECV(chan_, out) ((struct cel_case){CEL_CASE_RECV, 0, (chan_), NULL, (out), 0})
/* *from goes to the channel. A NULL channel never takes it. */
#define CEL_SEND(chan_, from) \
    ((struct cel_case){CEL_CASE_SEND, 0, (chan_), NULL, (void *)(from), 0})
/* The task or future is done; it is not awaited by that. */
#define CEL_DONE(x) ((struct cel_case){CEL_CASE_DONE, 0, NULL, cel_ensure(x), NULL, 0})
/* cel_now() has reached the instant. */
#define CEL_AT(deadline) ((struct cel_case){CEL_CASE_AT, 0, NULL, NULL, NULL, (deadline)})
/* So many nanoseconds have passed since the wait began. */
#define CEL_AFTER(ns) ((struct cel_case){CEL_CASE_AFTER, 0, NULL, NULL, NULL, (ns)})

/* (parks) Until one of the cases can happen, and lets exactly that one happen. Of several that can,
 * each is chosen as often as the others, in an order that depends on nothing but the loop's own
 * history. -> its index; its `result` tells how it went. -ECANCELED, -ETIMEDOUT: none happened.
 * -ENOMEM only for n > 16. Without cases it waits to be cancelled. */
CEL_PUBLIC CEL_NODISCARD int cel_select(struct cel_case *cases, size_t n);
/* Neither parks nor is a checkpoint. -EAGAIN: none can happen now. */
CEL_PUBLIC CEL_NODISCARD int cel_select_try(struct cel_case *cases, size_t n);

#ifdef __cplusplus
}
#endif

#endif
