/* SPDX-License-Identifier: MIT */
/* For cross-built tests, which have no libxml2: its parser is not there, and says so. */
#include <errno.h>

#include "html/builders.h"

int cel__build_libxml2(struct cel__tree_builder *b, struct cel_str html)
{
    return -ENOSYS;
}
