/* SPDX-License-Identifier: MIT */
#ifndef CEL__MEM_H
#define CEL__MEM_H

/* The one door to the heap. All of it goes through the allocator that the
 * program may replace; tests replace it by one that fails at the n-th call. */

#include <stddef.h>

#include "celadon/base.h"

CEL_NODISCARD void *cel__mem_alloc(size_t size_bytes);
CEL_NODISCARD void *cel__mem_zalloc(size_t size_bytes);
/* -> NULL when count * size overflows, as when memory is out. Zeroed. */
CEL_NODISCARD void *cel__mem_array(size_t count, size_t size_bytes);
CEL_NODISCARD void *cel__mem_realloc(void *ptr, size_t size_bytes);
/* NUL-terminated copies. */
CEL_NODISCARD char *cel__mem_strdup(const char *text);
CEL_NODISCARD char *cel__mem_strndup(const char *text, size_t len);
/* NULL is fine. */
void cel__mem_free(void *ptr);

#endif
