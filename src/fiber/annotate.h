/* SPDX-License-Identifier: MIT */
#ifndef CEL__ANNOTATE_H
#define CEL__ANNOTATE_H

/* What sanitizers and Valgrind are told of stacks and switches. Nothing of it is in a plain build,
 * except that Valgrind is told of each new stack once, if its header was there. */

#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"

#if CEL__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if CEL__TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define CEL__VALGRIND 1
#endif
#endif
#ifndef CEL__VALGRIND
#define CEL__VALGRIND 0
#endif

/* Whether a switch has something to tell, and therefore cannot be a jump. */
#define CEL__ANNOTATED (CEL__ASAN || CEL__TSAN)

/* The slot's memory is about to serve a new fiber. */
static inline void cel__annotate_stack_get(char *base, char *top)
{
    (void)base;
    (void)top;
#if CEL__ASAN
    __asan_unpoison_memory_region(base, (size_t)(top - base));
    __lsan_register_root_region(base, (size_t)(top - base));
#endif
}

static inline void cel__annotate_stack_put(char *base, char *top)
{
    (void)base;
    (void)top;
#if CEL__ASAN
    __lsan_unregister_root_region(base, (size_t)(top - base));
#endif
}

/* -> Valgrind's number for the stack. */
static inline uint32_t cel__annotate_slot_new(char *base, char *top)
{
    (void)base;
    (void)top;
#if CEL__VALGRIND
    return (uint32_t)VALGRIND_STACK_REGISTER(base, top - 1);
#else
    return 0;
#endif
}

static inline void cel__annotate_slot_gone(uint32_t number)
{
    (void)number;
#if CEL__VALGRIND
    VALGRIND_STACK_DEREGISTER(number);
#endif
}

#endif
