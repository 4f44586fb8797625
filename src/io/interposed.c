/* SPDX-License-Identifier: MIT */
/* The answer of a process without libceladon-green.so, which has a function of the same name that
 * comes before this one wherever it is loaded. */
#include "celadon/green.h"

bool cel_green_is_active(void)
{
    return false;
}
