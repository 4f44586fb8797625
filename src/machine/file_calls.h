/* SPDX-License-Identifier: MIT */
#ifndef CEL__FILE_CALLS_H
#define CEL__FILE_CALLS_H

/* The system calls of files. What begins with /proc, /sys or /dev is the real kernel's, and so are
 * all files of a machine whose hosts have no disks. */

#include "base/sys.h"

/* Puts those that are for files alone into the table. */
void cel__file_calls_fill(struct cel__sys *table);

#endif
