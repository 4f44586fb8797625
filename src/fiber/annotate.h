/* SPDX-License-Identifier: MIT */
#ifndef CEL__ANNOTATE_H
#define CEL__ANNOTATE_H

/* What sanitizers and Valgrind are told of stacks and switches. Nothing of it is in a plain build,
 * except that Valgrind, if its header was there, is told of each new stack once, and, when it runs
 * us, of what the kernel wrote without its seeing it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define CEL__VALGRIND 1
#endif
#endif
#ifndef CEL__VALGRIND
#define CEL__VALGRIND 0
#endif

/* Whether a switch has something to tell, and therefore cannot be a jump. */
#define CEL__ANNOTATED (CEL__ASAN || CEL__TSAN)

/* TSan keeps the calls of each fiber; a function in which the fiber changes must not count. */
#if CEL__TSAN
#define CEL__NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define CEL__NO_TSAN
#endif

/* Whether Valgrind runs us. */
static inline bool cel__annotate_is_watched(void)
{
#if CEL__VALGRIND
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

/* For who is watched: the kernel has filled this, by no call that Valgrind knows. */
static inline void cel__annotate_written(const void *at, size_t size)
{
    (void)at;
    (void)size;
#if CEL__VALGRIND
    (void)VALGRIND_MAKE_MEM_DEFINED(at, size);
#endif
}

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

/* What is known of a slot from its first use to its unmapping. */
struct cel__annotation {
#if CEL__VALGRIND
    unsigned valgrind_id;
#endif
#if CEL__TSAN
    void *tsan_fiber; /* making one costs TSan a fraction of a millisecond: it serves again */
#endif
};

static inline void cel__annotate_slot_new(struct cel__annotation *note, char *base, char *top)
{
    (void)base;
    (void)top;
    memset(note, 0, sizeof *note); /* of no size, mostly */
#if CEL__VALGRIND
    note->valgrind_id = VALGRIND_STACK_REGISTER(base, top - 1);
#endif
#if CEL__TSAN
    note->tsan_fiber = __tsan_create_fiber(0);
#endif
}

static inline void cel__annotate_slot_gone(struct cel__annotation *note)
{
    (void)note;
#if CEL__VALGRIND
    VALGRIND_STACK_DEREGISTER(note->valgrind_id);
#endif
#if CEL__TSAN
    __tsan_destroy_fiber(note->tsan_fiber);
#endif
}

#endif
