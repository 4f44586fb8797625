/* SPDX-License-Identifier: MIT */
/* Growth doubles, so that n appends cost O(n) copies. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buggify.h"
#include "base/mem.h"

int cel__buf_reserve(struct cel__buf *b, size_t more)
{
    size_t cap = b->cap != 0 ? b->cap : 64;
    char *grown;

    if (b->cap - b->len >= more)
        return 0;
    if (more > SIZE_MAX / 2 - b->len)
        goto fail;
    while (cap - b->len < more)
        cap *= 2;
    if (CEL__BUGGIFY())
        cap = b->len + more;
    grown = cel__mem_realloc(b->ptr, cap);
    if (grown == NULL)
        goto fail;
    b->ptr = grown;
    b->cap = cap;
    return 0;

fail:
    b->failed = true;
    return -ENOMEM;
}

int cel__buf_add(struct cel__buf *b, const void *bytes, size_t len)
{
    int r;

    if (len == 0)
        return 0;
    r = cel__buf_reserve(b, len);
    if (r < 0)
        return r;
    memcpy(b->ptr + b->len, bytes, len);
    b->len += len;
    return 0;
}

int cel__buf_add_str(struct cel__buf *b, struct cel_str s)
{
    return cel__buf_add(b, s.ptr, s.len);
}

int cel__buf_add_text(struct cel__buf *b, const char *text)
{
    return cel__buf_add(b, text, strlen(text));
}

int cel__buf_add_char(struct cel__buf *b, char c)
{
    return cel__buf_add(b, &c, 1);
}

int cel__buf_add_decimal(struct cel__buf *b, uint64_t n)
{
    char digits[20], *at = digits + sizeof digits;

    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    return cel__buf_add(b, at, (size_t)(digits + sizeof digits - at));
}

static int add_formatted(struct cel__buf *b, const char *fmt, va_list va)
{
    va_list again;
    int len, r;

    va_copy(again, va);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0)
        return -EINVAL;
    r = cel__buf_reserve(b, (size_t)len + 1);
    if (r < 0)
        return r;
    vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, va);
    b->len += (size_t)len;
    return 0;
}

int cel__buf_printf(struct cel__buf *b, const char *fmt, ...)
{
    va_list va;
    int r;

    va_start(va, fmt);
    r = add_formatted(b, fmt, va);
    va_end(va);
    return r;
}

const char *cel__buf_cstr(struct cel__buf *b)
{
    if (cel__buf_reserve(b, 1) < 0)
        return NULL;
    b->ptr[b->len] = '\0';
    return b->ptr;
}

void cel__buf_drop(struct cel__buf *b, size_t len)
{
    b->len -= len;
    if (b->len != 0)
        memmove(b->ptr, b->ptr + len, b->len);
}

void cel__buf_clear(struct cel__buf *b)
{
    b->len = 0;
    b->failed = false;
}

void cel__buf_fini(struct cel__buf *b)
{
    cel__mem_free(b->ptr);
    *b = (struct cel__buf){0};
}
