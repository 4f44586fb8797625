/* SPDX-License-Identifier: MIT */
/* close, dup2 and dup3, when a task of this thread waits for the descriptor that goes away. A
 * thread that is blocked hears nothing of a close; a poll of the kernel's that goes on would keep
 * the file alive, and the number, which is given out again at once, would be mistaken. So those who
 * wait are woken with EBADF first, and the descriptor is closed when they have let go of it. */
#include <errno.h>
#include <unistd.h>

#include "real.h"
#include "pause.h"
#include "retire.h"

#define BUCKETS 1024
#define MINUTE  (60 * CEL_SECOND)

static _Thread_local struct cel__green_place *places[BUCKETS];

void cel__green_place_take(struct cel__green_place *place, struct cel__green_stay *stay, int fd)
{
    struct cel__green_place **bucket = &places[(unsigned)fd % BUCKETS];

    *place = (struct cel__green_place){.next = *bucket, .at = bucket, .stay = stay, .fd = fd};
    if (place->next != NULL)
        place->next->at = &place->next;
    *bucket = place;
}

void cel__green_place_give(struct cel__green_place *place)
{
    *place->at = place->next;
    if (place->next != NULL)
        place->next->at = place->at;
}

static bool is_waited_for(int fd)
{
    for (const struct cel__green_place *p = places[(unsigned)fd % BUCKETS]; p != NULL; p = p->next)
        if (p->fd == fd)
            return true;
    return false;
}

static void tell_all(int fd)
{
    for (struct cel__green_place *p = places[(unsigned)fd % BUCKETS]; p != NULL; p = p->next) {
        if (p->fd != fd)
            continue;
        p->is_closed = true;
        if (p->stay->is_closed)
            continue;
        p->stay->is_closed = true;
        cel_scope_cancel(&p->stay->scope);
    }
}

/* (parks) A child's descriptors are its own, though with vfork the memory is its parent's: nobody
 * waits for them. */
static void retire(int fd)
{
    int saved = errno;

    if (fd < 0 || !is_waited_for(fd) || !cel__green_is_home())
        return;
    CEL_SCOPE (going, .is_shielded = true, .timeout = MINUTE) {
        while (is_waited_for(fd)) {
            tell_all(fd);
            (void)cel_yield(); /* parks */
        }
    }
    errno = saved;
}

int close(int fd)
{
    if (GREEN_MAY_PARK())
        retire(fd); /* parks */
    return cel__green_real()->close(fd);
}

int dup2(int old, int fd)
{
    if (GREEN_MAY_PARK() && old != fd)
        retire(fd); /* parks */
    return cel__green_real()->dup2(old, fd);
}

int dup3(int old, int fd, int flags)
{
    if (GREEN_MAY_PARK() && old != fd)
        retire(fd); /* parks */
    return cel__green_real()->dup3(old, fd, flags);
}

int __close(int fd) __attribute__((alias("close")));
int __dup2(int old, int fd) __THROW __attribute__((alias("dup2")));
