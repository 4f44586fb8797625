/* SPDX-License-Identifier: MIT */
/* The replaceable allocator. It is set before the library is used and never
 * while anything of it is alive, so reading it needs no lock. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *libc_alloc(size_t size_bytes, void *arg)
{
    (void)arg;
    return malloc(size_bytes);
}

static void *libc_realloc(void *ptr, size_t size_bytes, void *arg)
{
    (void)arg;
    return realloc(ptr, size_bytes);
}

static void libc_free(void *ptr, void *arg)
{
    (void)arg;
    free(ptr);
}

static const struct cel_allocator libc_allocator = {libc_alloc, libc_realloc, libc_free, NULL};
static struct cel_allocator the = {libc_alloc, libc_realloc, libc_free, NULL};

void cel_set_allocator(const struct cel_allocator *allocator)
{
    the = allocator != NULL ? *allocator : libc_allocator;
}

void *cel__mem_alloc(size_t size_bytes)
{
    return the.alloc(size_bytes != 0 ? size_bytes : 1, the.arg);
}

void *cel__mem_zalloc(size_t size_bytes)
{
    void *ptr = cel__mem_alloc(size_bytes);

    if (ptr != NULL)
        memset(ptr, 0, size_bytes);
    return ptr;
}

void *cel__mem_array(size_t count, size_t size_bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, size_bytes, &total))
        return NULL;
    return cel__mem_zalloc(total);
}

void *cel__mem_realloc(void *ptr, size_t size_bytes)
{
    return the.realloc(ptr, size_bytes != 0 ? size_bytes : 1, the.arg);
}

char *cel__mem_strndup(const char *text, size_t len)
{
    char *copy = cel__mem_alloc(len + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *cel__mem_strdup(const char *text)
{
    return cel__mem_strndup(text, strlen(text));
}

void cel__mem_free(void *ptr)
{
    if (ptr != NULL)
        the.free(ptr, the.arg);
}

void cel_free(void *ptr)
{
    cel__mem_free(ptr);
}
