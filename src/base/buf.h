/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUF_H
#define CEL__BUF_H

/* Growable bytes. A zeroed buf is empty and valid. After an append failed the
 * buf is as before, so a sequence of appends may be checked once by `failed`. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

struct cel__buf {
    char *ptr;
    size_t len;
    size_t cap;
    bool failed; /* sticky: some append ran out of memory */
};

/* Room for `more` bytes behind len. -ENOMEM. */
CEL_NODISCARD int cel__buf_reserve(struct cel__buf *b, size_t more);
/* Each appends; 0 or -ENOMEM, which also sets `failed`. */
int cel__buf_add(struct cel__buf *b, const void *bytes, size_t len);
int cel__buf_add_str(struct cel__buf *b, struct cel_str s);
int cel__buf_add_text(struct cel__buf *b, const char *text);
int cel__buf_add_char(struct cel__buf *b, char c);
/* As decimal digits, without printf's price. */
int cel__buf_add_decimal(struct cel__buf *b, uint64_t n);
int cel__buf_printf(struct cel__buf *b, const char *fmt, ...) CEL_PRINTF(2, 3);
/* NUL behind the end, not counted; NULL when out of memory. */
const char *cel__buf_cstr(struct cel__buf *b);
/* Drops the first `len` bytes. */
void cel__buf_drop(struct cel__buf *b, size_t len);
void cel__buf_clear(struct cel__buf *b);
/* Frees the bytes; the buf is empty and valid again. */
void cel__buf_fini(struct cel__buf *b);

static inline struct cel_str cel__buf_str(const struct cel__buf *b)
{
    return (struct cel_str){b->ptr, b->len};
}

#endif
