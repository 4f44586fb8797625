/* SPDX-License-Identifier: MIT */
/* Locks on files: flock, lockf, and fcntl with F_SETLKW. The kernel tells nobody when one is free,
 * so it is asked for again after a while. A lock of lockf and fcntl is the process's: it keeps
 * tasks from each other as little as threads. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <unistd.h>

#include "real.h"
#include "pause.h"

int flock(int fd, int operation)
{
    int64_t pause = 0;
    int r;

    if (!GREEN_MAY_PARK() || operation & (LOCK_NB | LOCK_UN))
        return cel__green_real()->flock(fd, operation);
    for (;;) {
        if (cel__green_real()->flock(fd, operation | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK)
            return -1;
        r = cel__green_back_off(&pause); /* parks */
        if (r < 0)
            return cel__green_result(r);
    }
}

static bool is_taken(int error)
{
    return error == EAGAIN || error == EACCES;
}

int lockf(int fd, int command, off_t len)
{
    int64_t pause = 0;
    int r;

    if (!GREEN_MAY_PARK() || command != F_LOCK)
        return cel__green_real()->lockf(fd, command, len);
    for (;;) {
        if (cel__green_real()->lockf(fd, F_TLOCK, len) == 0)
            return 0;
        if (!is_taken(errno))
            return -1;
        r = cel__green_back_off(&pause); /* parks */
        if (r < 0)
            return cel__green_result(r);
    }
}

int lockf64(int fd, int command, off64_t len) __attribute__((alias("lockf")));

/* (parks) */
static int claim(int fd, int command, void *lock)
{
    int once = command == F_SETLKW ? F_SETLK : F_OFD_SETLK, r;
    int64_t pause = 0;

    for (;;) {
        if (cel__green_real()->fcntl(fd, once, lock) == 0)
            return 0;
        if (!is_taken(errno))
            return -1;
        r = cel__green_back_off(&pause); /* parks */
        if (r < 0)
            return cel__green_result(r);
    }
}

/* Whatever is behind the command, a pointer's worth of it is handed on. */
int fcntl(int fd, int command, ...)
{
    va_list rest;
    void *arg;

    va_start(rest, command);
    arg = va_arg(rest, void *);
    va_end(rest);
    if ((command == F_SETLKW || command == F_OFD_SETLKW) && GREEN_MAY_PARK())
        return claim(fd, command, arg); /* parks */
    return cel__green_real()->fcntl(fd, command, arg);
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));
int __fcntl(int fd, int command, ...) __attribute__((alias("fcntl")));
