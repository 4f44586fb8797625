/* SPDX-License-Identifier: MIT */
/* Gates that many may pass once they are open: a flag, and a number that has come down to 0. */
#include "celadon/sync.h"

#include "task/place.h"

static const struct cel__wait for_event = CEL__WAIT_FOR("waiting for an event");
static const struct cel__wait for_count = CEL__WAIT_FOR("waiting for a countdown");

static int pass(struct cel_line *line, bool is_open, const struct cel__wait *wait)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int code = cel__checkpoint(task);

    if (code != 0 || is_open)
        return code;
    return cel__line_park(line, &place, wait); /* parks */
}

int cel_event_wait(struct cel_event *event)
{
    return pass(&event->line_, event->is_set_, &for_event); /* parks */
}

void cel_event_set(struct cel_event *event)
{
    event->is_set_ = true;
    cel__line_wake_all(&event->line_, 0);
}

void cel_event_clear(struct cel_event *event)
{
    event->is_set_ = false;
}

bool cel_event_is_set(const struct cel_event *event)
{
    return event->is_set_;
}

void cel_countdown_add(struct cel_countdown *countdown, size_t n)
{
    CEL__ASSERT(countdown->count_ + n >= n);
    countdown->count_ += n;
}

void cel_countdown_done(struct cel_countdown *countdown)
{
    CEL__ASSERT(countdown->count_ > 0 && "more has come than was to come");
    if (--countdown->count_ == 0)
        cel__line_wake_all(&countdown->line_, 0);
}

int cel_countdown_wait(struct cel_countdown *countdown)
{
    return pass(&countdown->line_, countdown->count_ == 0, &for_count); /* parks */
}

size_t cel_countdown_count(const struct cel_countdown *countdown)
{
    return countdown->count_;
}
