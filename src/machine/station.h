/* SPDX-License-Identifier: MIT */
#ifndef CEL__STATION_H
#define CEL__STATION_H

/* The hosts of a simulated network, and what passes between two of them. */

#include <sys/socket.h>

#include "machine/machine.h"

struct cel__disk;

enum cel__power { CEL__STATION_UP, CEL__STATION_DEAD };

struct cel__station {
    struct cel__list link;
    struct cel__machine *m;
    uint32_t id;   /* its address is 10.0.x.y of id + 1 */
    uint32_t life; /* counts its boots */
    uint16_t port; /* the next ephemeral one */
    enum cel__power power;
    unsigned fuse; /* its power fails at that many uses of the disk from now; 0: does not */
    struct cel__disk *disk; /* NULL: nobody has used it */
    int64_t paused_until;
    struct cel__happening resume, outage, clog; /* that it is in for */
    bool is_mortal;                             /* its power may fail by chance */
    uint64_t slowness; /* how long a task's step takes there, in those of others, under faults */
    int64_t skew;
    struct cel__list links; /* to hosts that were named with it, one a direction */
    void *owner;            /* of whoever runs programs on it */
    uint32_t v4;            /* its address, in host order, */
    char address[16];       /* and as text */
    char name[];
};

/* Up, with an address of its own. */
struct cel__station *cel__station_new(struct cel__machine *m, const char *name);
void cel__station_end_all(struct cel__machine *m);
/* Whose calls the ones made now are. */
struct cel__station *cel__station_current(struct cel__machine *m);
/* Who has the address, seen from `from`; NULL: nobody. Loopback and any are `from` itself. */
struct cel__station *cel__station_at(struct cel__station *from, const struct sockaddr_storage *at);
/* Does any address of h, or this one, match? */
bool cel__station_has(const struct cel__station *h, const struct sockaddr_storage *at);
/* Is it 127.x, ::1, or their mapped form? */
bool cel__address_is_loop(const struct sockaddr_storage *at);
bool cel__address_is_any(const struct sockaddr_storage *at);

/* From now on nothing passes in this direction; or it does again. */
void cel__station_cut(struct cel__station *from, struct cel__station *to, bool is_cut);
/* The same by chance: calm ends it. */
void cel__station_cut_until(struct cel__station *from, struct cel__station *to, int64_t until);
void cel__station_clog(struct cel__station *from, struct cel__station *to, int64_t until);
/* Can a packet that arrives now get in? */
bool cel__station_reaches(struct cel__station *from, struct cel__station *to);
/* When a packet that leaves now arrives. */
int64_t cel__station_arrival(struct cel__station *from, struct cel__station *to);
/* It stands still for that long. */
void cel__station_pause(struct cel__station *h, int64_t duration);
/* Nobody stands still any more. */
void cel__station_resume_all(struct cel__machine *m);
/* Heals what was cut by chance. */
void cel__station_calm(struct cel__machine *m);

#endif
