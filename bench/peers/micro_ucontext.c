/* SPDX-License-Identifier: MIT */
/* glibc's swapcontext, what C has without a library: micro_ucontext switch N. */
#include "../report.h"

#include <ucontext.h>

static ucontext_t here, there;

static void other(void)
{
    for (;;) {
        swapcontext(&there, &here);
        swapcontext(&there, &here);
    }
}

int main(int argc, char **argv)
{
    static char stack[64 * 1024];
    long n = bench_arg(argc, argv, 2, 8000000) / 4;
    struct bench_span s;

    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    makecontext(&there, other, 0);
    s = bench_start();
    for (long i = 0; i < n; i++) {
        swapcontext(&here, &there);
        swapcontext(&here, &there);
    }
    s = bench_stop(s);
    printf("{\"switch\":%.3f}\n", (double)s.cpu / (double)(n * 4));
}
