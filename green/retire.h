/* SPDX-License-Identifier: MIT */
#ifndef GREEN_RETIRE_H
#define GREEN_RETIRE_H

/* Who waits for which descriptor in this thread, so that a close can tell them. */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include <celadon/task.h>

/* One descriptor of a wait. */
struct cel__green_place {
    struct cel__green_place *next, **at;
    struct cel__green_stay *stay;
    int fd;
    bool is_closed;
};

/* A wait; its scope is cancelled when one of its descriptors is closed. */
struct cel__green_stay {
    struct cel_scope scope;
    bool is_closed;
};

void cel__green_place_take(struct cel__green_place *place, struct cel__green_stay *stay, int fd);
void cel__green_place_give(struct cel__green_place *place);

#endif
