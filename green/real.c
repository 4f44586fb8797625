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

/* There are two of that name, for conditions of two shapes. */
static void find_newer(void *slot, const char *name, const char *version)
{
    *(void **)slot = dlvsym(RTLD_NEXT, name, version);
    if (*(void **)slot == NULL)
        find(slot, name);
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
    find(&next.recvmmsg, "recvmmsg");
    find(&next.sendmmsg, "sendmmsg");
    find(&next.sendfile, "sendfile");
    find(&next.splice, "splice");
    find(&next.tee, "tee");
}

static void resolve_waits(void)
{
    find(&next.poll, "poll");
    find(&next.ppoll, "ppoll");
    find(&next.select, "select");
    find(&next.pselect, "pselect");
    find(&next.epoll_pwait, "epoll_pwait");
    find(&next.epoll_pwait2, "epoll_pwait2");
    find(&next.clock_nanosleep, "clock_nanosleep");
    find(&next.sched_yield, "sched_yield");
    find(&next.sigtimedwait, "sigtimedwait");
    find(&next.wait4, "wait4");
    find(&next.waitid, "waitid");
    find(&next.system, "system");
    find(&next.pclose, "pclose");
}

static void resolve_names(void)
{
    find(&next.getaddrinfo, "getaddrinfo");
    find(&next.getnameinfo, "getnameinfo");
    find(&next.gethostbyname, "gethostbyname");
    find(&next.gethostbyname2, "gethostbyname2");
    find(&next.gethostbyaddr, "gethostbyaddr");
    find(&next.gethostbyname2_r, "gethostbyname2_r");
    find(&next.gethostbyaddr_r, "gethostbyaddr_r");
}

static void resolve_descriptors(void)
{
    find(&next.close, "close");
    find(&next.dup2, "dup2");
    find(&next.dup3, "dup3");
    find(&next.fcntl, "fcntl");
    find(&next.flock, "flock");
    find(&next.lockf, "lockf");
}

static void resolve_threads(void)
{
    find(&next.mutex_lock, "pthread_mutex_lock");
    find(&next.mutex_trylock, "pthread_mutex_trylock");
    find(&next.mutex_timedlock, "pthread_mutex_timedlock");
    find(&next.mutex_clocklock, "pthread_mutex_clocklock");
    find(&next.mutex_unlock, "pthread_mutex_unlock");
    find_newer(&next.cond_wait, "pthread_cond_wait", "GLIBC_2.3.2");
    find_newer(&next.cond_timedwait, "pthread_cond_timedwait", "GLIBC_2.3.2");
    find(&next.cond_clockwait, "pthread_cond_clockwait");
    find_newer(&next.cond_signal, "pthread_cond_signal", "GLIBC_2.3.2");
    find_newer(&next.cond_broadcast, "pthread_cond_broadcast", "GLIBC_2.3.2");
    find(&next.rwlock_rdlock, "pthread_rwlock_rdlock");
    find(&next.rwlock_wrlock, "pthread_rwlock_wrlock");
    find(&next.join, "pthread_join");
    find(&next.sem_wait, "sem_wait");
    find(&next.sem_timedwait, "sem_timedwait");
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
    resolve_names();
    resolve_descriptors();
    resolve_threads();
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
