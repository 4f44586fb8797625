/* SPDX-License-Identifier: MIT */
#ifndef CEL__LISTENER_H
#define CEL__LISTENER_H

/* A listening socket, and who accepts from it. */

#include "celadon/net.h"
#include "io/address.h"
#include "loop/core.h"
#include "task/wait.h"

struct cel__serving;

struct cel_listener {
    struct cel__fd *fd;  /* not to be used once is_stopped */
    struct cel_tls *tls; /* NULL: plain */
    struct cel_stream *spare;
    int held;                     /* a connected descriptor that memory was short for; -1: none */
    struct cel__waitq paused;     /* those who wait for descriptors */
    int64_t pause;                /* the next one */
    int64_t log_at;               /* not before */
    unsigned inside;              /* tasks in cel_accept */
    bool is_stopped;              /* fd is gone */
    bool is_closed;               /* freed when nobody is inside any more */
    struct cel__serving *serving; /* NULL: nobody is in cel_listener_serve */
    char *unix_path;              /* removed at close; NULL: none */
    char address[CEL__ADDRESS_MAX];
};

/* Nothing is accepted any more; what is parked in cel_accept ends. Twice is fine. */
void cel__listener_stop(struct cel_listener *l);

#endif
