// SPDX-License-Identifier: MIT
//
// Boost.Context's fiber class and Boost.Fiber's scheduler: micro_boost switch|yield|spawn|tasks N
// [TASKS].
#include "../report.h"

#include <boost/context/fiber.hpp>
#include <boost/fiber/all.hpp>
#include <vector>

namespace ctx = boost::context;
namespace fib = boost::fibers;

static void run_switch(long n)
{
    ctx::fiber f([](ctx::fiber &&back) {
        for (;;) {
            back = std::move(back).resume();
            back = std::move(back).resume();
            back = std::move(back).resume();
            back = std::move(back).resume();
        }
        return std::move(back);
    });

    struct bench_span s = bench_start();
    for (long i = 0; i < n / 8; i++) {
        f = std::move(f).resume();
        f = std::move(f).resume();
        f = std::move(f).resume();
        f = std::move(f).resume();
    }
    s = bench_stop(s);
    printf("{\"switch\":%.3f}\n", (double)s.cpu / (double)n);
    fflush(stdout);
    _Exit(0); // the fiber's loop has no end
}

static void run_yield(long n, long tasks)
{
    std::vector<fib::fiber> all;

    for (long i = 0; i < tasks; i++)
        all.emplace_back(fib::launch::post, [=] {
            for (long k = 0; k < n / tasks; k++)
                boost::this_fiber::yield();
        });
    struct bench_span s = bench_start();
    for (auto &f : all)
        f.join();
    s = bench_stop(s);
    printf("{\"yield\":%.3f}\n", (double)s.cpu / (double)n);
}

static void run_spawn(long n, long alive)
{
    fib::pooled_fixedsize_stack pool(64 * 1024);
    auto nothing = [] {};

    fib::fiber(fib::launch::post, std::allocator_arg, pool, nothing).join();
    struct bench_span one = bench_start();
    for (long i = 0; i < n; i++)
        fib::fiber(fib::launch::post, std::allocator_arg, pool, nothing).join();
    one = bench_stop(one);

    std::vector<fib::fiber> all;
    all.reserve((size_t)alive);
    struct bench_span many = {};
    for (long round = 0; round <= n / alive; round++) {
        all.clear();
        if (round == 1) // the first one warms up
            many = bench_start();
        for (long i = 0; i < alive; i++)
            all.emplace_back(fib::launch::post, std::allocator_arg, pool, nothing);
        for (auto &f : all)
            f.join();
    }
    many = bench_stop(many);
    printf("{\"one\":%.3f,\"many\":%.3f}\n", (double)one.cpu / (double)n,
           (double)many.cpu / (double)(n / alive * alive));
}

static void run_tasks(long n)
{
    std::vector<fib::fiber> all;
    fib::mutex lock;
    fib::condition_variable bell, leave;
    bool rung = false, is_over = false;
    long woken = 0;

    all.reserve((size_t)n);
    long before = bench_rss_kib();
    struct bench_span spawn = bench_start();
    for (long i = 0; i < n; i++)
        all.emplace_back(fib::launch::post, std::allocator_arg, fib::fixedsize_stack(64 * 1024),
                         [&] {
                             std::unique_lock<fib::mutex> held(lock);
                             bell.wait(held, [&] { return rung; });
                             woken++;
                             leave.wait(held, [&] { return is_over; });
                         });
    boost::this_fiber::yield();
    spawn = bench_stop(spawn);
    long parked = bench_rss_kib();
    struct bench_span wake = bench_start();
    rung = true;
    bell.notify_all();
    while (woken < n)
        boost::this_fiber::yield();
    wake = bench_stop(wake);
    struct bench_span end = bench_start();
    is_over = true;
    leave.notify_all();
    for (auto &f : all)
        f.join();
    end = bench_stop(end);
    bench_report_tasks(n, spawn, parked - before, wake, end);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n = bench_arg(argc, argv, 2, 1000000), tasks = bench_arg(argc, argv, 3, 2);

    if (strcmp(mode, "switch") == 0)
        run_switch(n);
    else if (strcmp(mode, "yield") == 0)
        run_yield(n, tasks);
    else if (strcmp(mode, "spawn") == 0)
        run_spawn(n, tasks);
    else if (strcmp(mode, "tasks") == 0)
        run_tasks(n);
    else
        return 2;
}
