/* SPDX-License-Identifier: MIT */
#ifndef CEL__CC_H
#define CEL__CC_H

/* What the compiler is told: hints, layout, asserts. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define cel__likely(x)   __builtin_expect(!!(x), 1)
#define cel__unlikely(x) __builtin_expect(!!(x), 0)

#define CEL__NOINLINE __attribute__((noinline))
#define CEL__NORETURN __attribute__((noreturn))
#define CEL__UNUSED   __attribute__((unused))
/* cel__pause tells the core that it waits in a loop for another one. cel__fetch_to_write brings a
 * cache line that another core has written, for writing; compilers make a plain prefetch of it
 * where the oldest x86-64 might not know the instruction, and those take it for a no-op. */
#if defined(__x86_64__)
#define cel__pause()             __builtin_ia32_pause()
#define cel__fetch_to_write(ptr) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(ptr)))
#else
#define cel__pause()             __asm__ volatile("yield")
#define cel__fetch_to_write(ptr) __builtin_prefetch(ptr, 1)
#endif
/* So far apart lie what two cores write: lines are fetched in pairs. */
#define CEL__APART      128
#define CEL__ALIGNED(n) __attribute__((aligned(n)))

#define cel__container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define cel__countof(array)                  (sizeof(array) / sizeof((array)[0]))
#define cel__min(a, b)                       ((a) < (b) ? (a) : (b))
#define cel__max(a, b)                       ((a) > (b) ? (a) : (b))

/* Cheap invariants stay on in release builds: a broken one must not limp on. */
#define CEL__ASSERT(cond)                                  \
    do {                                                   \
        if (cel__unlikely(!(cond)))                        \
            cel__assert_failed(#cond, __FILE__, __LINE__); \
    } while (0)

CEL__NORETURN __attribute__((cold)) void cel__assert_failed(const char *cond, const char *file,
                                                            int line);
/* Says more, of what ran, before the end. Set by a higher floor; NULL: nothing more. */
extern void (*cel__assert_hook)(void);

#if defined(__SANITIZE_ADDRESS__)
#define CEL__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CEL__ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define CEL__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CEL__TSAN 1
#endif
#endif
#ifndef CEL__ASAN
#define CEL__ASAN 0
#endif
#ifndef CEL__TSAN
#define CEL__TSAN 0
#endif

#endif
