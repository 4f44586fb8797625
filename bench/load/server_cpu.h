/* SPDX-License-Identifier: MIT */
/* The CPU time of another process, all threads, user and kernel, in nanoseconds. */
#ifndef BENCH_SERVER_CPU_H
#define BENCH_SERVER_CPU_H

#include "../report.h"

#include <unistd.h>

static inline int64_t server_cpu_ns(long pid)
{
    clockid_t id;

    if (pid == 0)
        return 0;
    if (clock_getcpuclockid((pid_t)pid, &id) != 0) {
        fprintf(stderr, "process %ld is gone\n", pid);
        exit(1);
    }
    return bench_clock_ns(id);
}

#endif
