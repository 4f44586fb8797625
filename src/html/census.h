/* SPDX-License-Identifier: MIT */
#ifndef CEL__CENSUS_H
#define CEL__CENSUS_H

/* How many nodes and attributes a page will need, seen from the bytes where they begin and not from
 * what they mean: a node at "<" that is no end tag, and where text follows ">"; an attribute at "="
 * with a quote behind it. On real pages that is right to a few in a hundred, but for attributes
 * without quotes. Arrays of that size need not grow, which would hold them twice. */

#include <stdint.h>

#include "celadon/base.h"

struct cel__census {
    uint32_t nodes;
    uint32_t attrs;
};

typedef struct cel__census cel__census_fn(struct cel_str page);

/* Of a page of less than 4 GiB, by the best variant. */
struct cel__census cel__census_take(struct cel_str page);
/* All variants that this processor can run, the plain one first; NULL behind the last. For tests.
 */
cel__census_fn *cel__census_nth(unsigned n);

#endif
