/* SPDX-License-Identifier: MIT */
#include "machine/under.h"

struct cel__sys cel__under; /* filled in when the machine's calls are put into the table */
