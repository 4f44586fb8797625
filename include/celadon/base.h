/* SPDX-License-Identifier: MIT */
#ifndef CELADON_BASE_H
#define CELADON_BASE_H

/* What every other header speaks of: time, slices, errors, memory, logging.
 *
 * Results are `>= 0` or a negative code of errno.h, which comes along: `r == -ECANCELED` needs no
 * other header. `errno` itself is never part of the interface. Time is `int64_t` nanoseconds on the
 * monotonic clock. No function here parks. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CEL_PUBLIC    __attribute__((visibility("default")))
#define CEL_NODISCARD __attribute__((warn_unused_result))
/* Called by way of one jump less, where compilers know how: for calls of a few nanoseconds. */
#if defined(__has_attribute)
#if __has_attribute(noplt)
#define CEL__DIRECT __attribute__((noplt))
#endif
#endif
#ifndef CEL__DIRECT
#define CEL__DIRECT
#endif

/* For a function that takes a format as printf does: which argument that is, and which is the first
 * of the values; 0: they come as a va_list. */
#define CEL_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))

#define CEL_MICROSECOND INT64_C(1000)
#define CEL_MILLISECOND INT64_C(1000000)
#define CEL_SECOND      INT64_C(1000000000)
#define CEL_MINUTE      (60 * CEL_SECOND)
#define CEL_FOREVER     INT64_MAX

/* A slice of bytes somebody else owns; not NUL-terminated. */
struct cel_str {
    const char *ptr;
    size_t len;
};

/* For printf's "%.*s". */
#define CEL_STR(s)   (int)(s).len, (s).ptr
#define CEL_LIT(lit) ((struct cel_str){(lit), sizeof(lit) - 1})

/* Codes beside those of errno.h, outside the kernel's range. */
#define CEL_EEOF       4096 /* the stream ended before the bytes asked for */
#define CEL_EFORK      4097 /* used in a forked child of the loop's process */
#define CEL_ETHREAD    4098 /* called from a thread that does not own the loop */
#define CEL_ECLOSED    4099 /* the handle was closed while in use */
#define CEL_EDNS       4100 /* the name does not resolve; the error's text says why */
#define CEL_ETLS       4101 /* TLS handshake or record failure; the error's text says why */
#define CEL_EPROTOCOL  4102 /* the peer broke its protocol */
#define CEL_ETOOLARGE  4103 /* a stated limit was exceeded */
#define CEL_EREDIRECT  4104 /* too many redirects, or one that leads nowhere */
#define CEL_EDECODE    4105 /* a content coding is broken or unknown */
#define CEL_EURL       4106 /* not a URL this function takes */
#define CEL_ESELECTOR  4107 /* not a selector this library knows */
#define CEL_EFAILED    4108 /* a task failed without naming a code */
#define CEL_ETRUNCATED 4109 /* the body ended short of its stated length */
#define CEL_ESTATUS    4110 /* the answer's status was not the one demanded */

/* Monotonic time now, ns; in a simulated loop its virtual time. Any thread. */
CEL_PUBLIC int64_t cel_now(void);

/* A sentence for a code (negative or positive), never NULL; static. Any thread. */
CEL_PUBLIC const char *cel_strerror(int code);

/* The symbolic name ("ECONNREFUSED"), never NULL; static. Any thread. */
CEL_PUBLIC const char *cel_errname(int code);

/* One failure: what, where it arose, and the cause in words. */
struct cel_error {
    int code;          /* negative; 0 when there is none */
    int line;          /* of `file` */
    const char *file;  /* source position that raised it, static */
    const char *phase; /* "dns", "connect", "tls", "headers", "body", … or NULL; static */
    char text[232];    /* cause for people; may be empty */
};

/* Replaceable memory functions; each pointer must be set. `realloc` with a
 * NULL pointer allocates. They must be usable from any thread. */
struct cel_allocator {
    void *(*alloc)(size_t size_bytes, void *arg);
    void *(*realloc)(void *ptr, size_t size_bytes, void *arg);
    void (*free)(void *ptr, void *arg);
    void *arg;
};

/* Call before anything else of the library, or while nothing of it is alive. NULL restores malloc.
 *
 * All memory of Celadon's own comes from here, and what zlib and brotli take for it. Of the other
 * libraries below, c-ares, OpenSSL, libpsl and libidn2, zstd, libxml2 and myhtml take theirs from
 * libc, because they have no hooks, or hooks for the whole process, which are not ours to set, or
 * such as only their static libraries have (zstd). Their failures are told as -ENOMEM, with one
 * exception: myhtml may crash when malloc itself fails, which under Linux's usual overcommit only
 * happens below a limit on the address space. */
CEL_PUBLIC void cel_set_allocator(const struct cel_allocator *allocator);

/* Frees what a function of this library handed over "freed with cel_free". NULL is fine. Any
 * thread. */
CEL_PUBLIC void cel_free(void *ptr);

enum cel_log_level { CEL_LOG_ERROR, CEL_LOG_WARN, CEL_LOG_INFO, CEL_LOG_DEBUG };

/* Where log lines go; `line` has no newline and is gone after the call. NULL restores stderr.
 * The level that is let through comes from CELADON_LOG=error|warn|info|debug (default warn). */
CEL_PUBLIC void cel_set_log(void (*sink)(enum cel_log_level level, const char *line, void *arg),
                            void *arg);

/* "major.minor.patch" of the library that runs. */
CEL_PUBLIC const char *cel_version(void);

#ifdef __cplusplus
}
#endif

#endif
