/* SPDX-License-Identifier: MIT */
#ifndef CELADON_FIBER_H
#define CELADON_FIBER_H

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_fiber;

#ifdef __cplusplus
}
#endif

#endif
