/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAKE_STATE_H
#define TESTS_FAKE_STATE_H

/* What the parts of the fake ring share. */

#include <linux/io_uring.h>
#include <stddef.h>

#include "base/list.h"
#include "base/rand.h"
#include "machine/machine.h"
#include "ring/fake_buffers.h"
#include "ring/fake_ring.h"

struct fake_request {
    struct cel__list link; /* of those that are armed; in no list once over */
    struct io_uring_sqe sqe;
    int64_t start_at;
    int64_t dies_at; /* a cancel came and was told EALREADY; INT64_MAX: none did */
    uint32_t moved;
    uint32_t made, told; /* completions */
    int64_t last_due;    /* of these */
    bool is_over;        /* the last completion is made */
    bool is_connecting, is_rung;
    char *image; /* what its memory was like */
    size_t image_len;
};

struct fake_completion {
    struct cel__list link;
    struct fake_request *request;
    uint32_t nth; /* of the request's: these are told in order */
    int res;
    unsigned flags;
    int64_t due;
    char *bytes; /* what a receive brings, and where to: */
    char *to;
};

#define FAKE_OLD   16
#define FAKE_SLOTS 65536

struct fake_ring {
    int fd;
    struct cel__machine *machine;
    struct cel__rand rand;
    struct fake_options options;
    struct fake_counts counts;
    char *map; /* queues */
    size_t map_size;
    struct io_uring_sqe *sqes;
    size_t sqes_size;
    struct io_uring_params params;
    unsigned cq_tail;
    bool is_enabled, is_restricted, has_fd, is_traced;
    uint8_t allowed[256];
    int64_t looked_at;         /* when all that were armed were last tried */
    struct cel__list armed;    /* struct fake_request */
    struct cel__list over;     /* those whose completions are still to be told */
    struct cel__list made;     /* struct fake_completion */
    struct cel__list overflow; /* told, but the queue was full */
    struct fake_buffers buffers;
    uint64_t *last;         /* name of each slot, to tell when it is used again */
    uint64_t old[FAKE_OLD]; /* names that those had before */
    unsigned old_count;
};

/* The rule was broken; the first one is kept, and all are printed. */
void fake_break(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Does it happen now? */
bool fake_chance(struct fake_ring *f, enum fake_quirk quirk);
uint64_t fake_draw(struct fake_ring *f, uint64_t bound);
/* An instant after now, of the drawn delay. */
int64_t fake_later(struct fake_ring *f);

/* Takes the request in; it may end at once. */
void fake_submit(struct fake_ring *f, const struct io_uring_sqe *sqe);
/* Lets each armed request go as far as it can. */
void fake_progress(struct fake_ring *f);
/* The next instant at which one of them has something to do of its own accord. */
int64_t fake_next_start(const struct fake_ring *f);
/* A completion that is about to be told: its memory is looked at, and its bytes land. */
void fake_land(struct fake_completion *c);
/* It has been told. */
void fake_told(struct fake_completion *c);
/* A descriptor is about to be closed. */
void fake_note_close(struct fake_ring *f, int fd);
/* Something was written to a descriptor that may be polled. */
void fake_note_write(struct fake_ring *f, int fd);
/* Before the ring goes: only the poll for messages may be out. */
void fake_end_requests(struct fake_ring *f);

#endif
