/* SPDX-License-Identifier: MIT */
#ifndef CEL__SUFFIX_H
#define CEL__SUFFIX_H

#include <stdbool.h>

#include "celadon/base.h"

/* Names under which strangers register: "com", "co.uk", "github.io". `name` is lower case. */
bool cel__suffix_is_public(struct cel_str name);

#endif
