/* SPDX-License-Identifier: MIT */
#include "base/buggify.h"

bool (*cel__buggify)(const char *file, int line);
