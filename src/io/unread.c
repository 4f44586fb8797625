/* SPDX-License-Identifier: MIT */
#include "io/unread.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "loop/core.h"

#define GROWTH_MIN 4096

static void let_go(struct cel__unread *u)
{
    if (u->loan.data != NULL) {
        cel__loop_here->backend->loan_return(cel__loop_here, &u->loan);
        u->loan.data = NULL;
    }
    cel__mem_free(u->own);
    u->own = NULL;
    u->cap = 0;
}

void cel__unread_take_loan(struct cel__unread *u, const struct cel__loan *loan)
{
    u->loan = *loan;
    u->ptr = loan->data;
    u->len = loan->len;
}

void cel__unread_take_own(struct cel__unread *u, char *own, size_t cap, size_t len)
{
    u->own = u->ptr = own;
    u->cap = cap;
    u->len = len;
}

size_t cel__unread_room(const struct cel__unread *u)
{
    return u->own != NULL ? (size_t)(u->own + u->cap - (u->ptr + u->len)) : 0;
}

int cel__unread_reserve(struct cel__unread *u, size_t more)
{
    size_t need = u->len + more, len = u->len;
    char *own;

    if (cel__unread_room(u) >= more)
        return 0;
    if (u->own != NULL && need <= u->cap) {
        memmove(u->own, u->ptr, len);
        u->ptr = u->own;
        return 0;
    }
    need = cel__max(need, cel__max(2 * u->cap, (size_t)GROWTH_MIN));
    own = cel__mem_alloc(need);
    if (own == NULL)
        return -ENOMEM;
    if (len > 0)
        memcpy(own, u->ptr, len);
    let_go(u);
    cel__unread_take_own(u, own, need, len);
    return 0;
}

void cel__unread_drop(struct cel__unread *u, size_t n)
{
    CEL__ASSERT(n <= u->len);
    u->ptr += n;
    u->len -= n;
    if (u->len == 0)
        let_go(u);
}

size_t cel__unread_copy(struct cel__unread *u, void *out, size_t len)
{
    size_t n = cel__min(len, u->len);

    if (n > 0)
        memcpy(out, u->ptr, n);
    cel__unread_drop(u, n);
    return n;
}

void cel__unread_fini(struct cel__unread *u)
{
    u->len = 0;
    let_go(u);
}
