/* SPDX-License-Identifier: MIT */
/* Who comes next, who calls, and whether anybody calls at all.
 *
 * 1. Names are looked up before main and not when first called: that may be in a signal handler.
 * 2. The runtime's calls are known by where they return to: its text is one range of addresses. A
 *    flag of the thread would not do, since parking, which sets it, runs other tasks. */
#include "real.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>

#include <celadon/green.h>
#include <celadon/task.h>

static struct cel__green_real next;
static atomic_bool is_resolved;
static uintptr_t runtime_begin, runtime_end;
static _Thread_local unsigned calls;

static void find(void *slot, const char *name)
{
    *(void **)slot = dlsym(RTLD_NEXT, name);
}

static void resolve_transfers(void)
{
    find(&next.connect, "connect");
    find(&next.accept4, "accept4");
    find(&next.read, "read");
    find(&next.readv, "readv");
    find(&next.write, "write");
    find(&next.writev, "writev");
    find(&next.send, "send");
    find(&next.sendto, "sendto");
    find(&next.sendmsg, "sendmsg");
    find(&next.recv, "recv");
    find(&next.recvfrom, "recvfrom");
    find(&next.recvmsg, "recvmsg");
}

static void resolve_waits(void)
{
    find(&next.poll, "poll");
    find(&next.ppoll, "ppoll");
    find(&next.select, "select");
    find(&next.pselect, "pselect");
    find(&next.epoll_pwait, "epoll_pwait");
    find(&next.clock_nanosleep, "clock_nanosleep");
    find(&next.getaddrinfo, "getaddrinfo");
}

/* The object that has cel_task_current: from its first byte that runs to its last. */
static int note_runtime(struct dl_phdr_info *object, size_t size, void *arg)
{
    uintptr_t inside = (uintptr_t)cel_task_current, begin = UINTPTR_MAX, end = 0;

    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t at = object->dlpi_addr + part->p_vaddr;

        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        begin = at < begin ? at : begin;
        end = at + part->p_memsz > end ? at + part->p_memsz : end;
    }
    if (inside < begin || inside >= end)
        return 0;
    runtime_begin = begin;
    runtime_end = end;
    return 1;
}

/* Two threads may come at once, before there is a constructor's turn: both write the same. */
__attribute__((constructor)) static void resolve(void)
{
    resolve_transfers();
    resolve_waits();
    dl_iterate_phdr(note_runtime, NULL);
    atomic_store_explicit(&is_resolved, true, memory_order_release);
}

const struct cel__green_real *cel__green_real(void)
{
    if (!atomic_load_explicit(&is_resolved, memory_order_acquire))
        resolve();
    return &next;
}

bool cel__green_may_park(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;

    calls++;
    if (cel_task_current() == NULL)
        return false;
    return at < runtime_begin || at >= runtime_end;
}

/* Whatever stands in between, a sanitizer's own interposer perhaps: what counts is that a call that
 * the program would make gets here. This one has no effect. */
bool cel_green_is_active(void)
{
    int (*first)(int, const struct sockaddr *, socklen_t);
    unsigned before = calls;

    *(void **)&first = dlsym(RTLD_DEFAULT, "connect");
    if (first != NULL)
        (void)first(-1, NULL, 0);
    return calls != before;
}
