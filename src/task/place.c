/* SPDX-License-Identifier: MIT */
#include "task/place.h"

#include <errno.h>

void cel__party_take(struct cel__place *place)
{
    struct cel__party *party = place->party;

    party->taken = place;
    for (size_t i = 0; i < party->count; i++)
        cel__line_remove(&party->places[i]);
}

void cel__line_wake_all(struct cel_line *line, int code)
{
    while (cel__line_wake_one(line, code))
        continue;
}

void cel__place_leave(struct cel_task *task, int code)
{
    struct cel__place *place = task->wait_on;

    if (place->line == NULL)
        return; /* taken already: that result stands */
    cel__place_end(place, code);
}

int cel__line_park(struct cel_line *line, struct cel__place *place, const struct cel__wait *wait)
{
    place->task = cel__task_parking();
    place->party = NULL;
    cel__line_append(line, place);
    cel__park(place->task, wait, place); /* parks */
    return place->code;
}

static void leave_all(struct cel_task *task, int code)
{
    struct cel__party *party = task->wait_on;

    if (party->taken != NULL)
        return; /* the result stands */
    party->places[0].party = party;
    cel__place_end(&party->places[0], code);
}

static const struct cel__wait selecting = {"selecting", leave_all, NULL, NULL};

int cel__party_park(struct cel__party *party)
{
    cel__park(party->places[0].task, &selecting, party); /* parks */
    return party->taken->code;
}
