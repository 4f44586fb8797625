// SPDX-License-Identifier: MIT
//
// Boost.Context's bare switch: micro_fcontext switch N.
// Four call sites on each side, so that no single branch target is learnt.
#include "../report.h"

#include <boost/context/detail/fcontext.hpp>

using namespace boost::context::detail;

static void other(transfer_t t)
{
    for (;;) {
        t = jump_fcontext(t.fctx, t.data);
        t = jump_fcontext(t.fctx, t.data);
        t = jump_fcontext(t.fctx, t.data);
        t = jump_fcontext(t.fctx, t.data);
    }
}

int main(int argc, char **argv)
{
    static char stack[64 * 1024];
    long n = bench_arg(argc, argv, 2, 8000000) / 8;
    transfer_t t = {make_fcontext(stack + sizeof stack, sizeof stack, other), nullptr};

    struct bench_span s = bench_start();
    for (long i = 0; i < n; i++) {
        t = jump_fcontext(t.fctx, nullptr);
        t = jump_fcontext(t.fctx, nullptr);
        t = jump_fcontext(t.fctx, nullptr);
        t = jump_fcontext(t.fctx, nullptr);
    }
    s = bench_stop(s);
    printf("{\"switch\":%.3f}\n", (double)s.cpu / (double)(n * 8));
}
