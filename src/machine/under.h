/* SPDX-License-Identifier: MIT */
#ifndef CEL__UNDER_H
#define CEL__UNDER_H

/* The real kernel, beneath the simulated one. */

#include "base/sys.h"

extern struct cel__sys cel__under;

#endif
