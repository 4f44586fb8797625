/* SPDX-License-Identifier: MIT */
#ifndef CEL__LANE_H
#define CEL__LANE_H

/* A loop's part in each lane of the offload pool. */

#include "celadon/loop.h"

enum { CEL__LANES = CEL_LANE_CPU + 1 };

struct cel__lane;

struct cel__lane_use {
    struct cel__lane *lane; /* NULL until the first job */
    unsigned queued;        /* jobs of the loop that wait; by the lane's lock */
};

#endif
