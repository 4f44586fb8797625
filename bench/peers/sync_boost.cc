// SPDX-License-Identifier: MIT
//
// Boost.Fiber's mutex and channels: sync_boost lock|channel N.
#include "../report.h"

#include <boost/fiber/all.hpp>

namespace fib = boost::fibers;

static void run_lock(long n)
{
    fib::mutex mutex;
    struct bench_span s = bench_start();

    for (long i = 0; i < n; i++) {
        mutex.lock();
        mutex.unlock();
    }
    s = bench_stop(s);
    printf("{\"lock\":%.3f}\n", (double)s.cpu / (double)n);
}

template <typename Channel> static double send_through(Channel &words, long n)
{
    fib::fiber receiver(fib::launch::post, [&] {
        void *word;

        for (long i = 0; i < n; i++)
            words.pop(word);
    });
    struct bench_span s = bench_start();

    for (long i = 0; i < n; i++)
        words.push(nullptr);
    receiver.join();
    s = bench_stop(s);
    return (double)s.cpu / (double)n;
}

static void run_channel(long n)
{
    fib::unbuffered_channel<void *> meeting;
    fib::buffered_channel<void *> buffered(128);
    double first = send_through(meeting, n), second = send_through(buffered, n);

    printf("{\"rendezvous\":%.3f,\"buffered\":%.3f}\n", first, second);
}

int main(int argc, char **argv)
{
    long n = bench_arg(argc, argv, 2, 1000000);

    if (argc > 1 && strcmp(argv[1], "lock") == 0)
        run_lock(n);
    else if (argc > 1 && strcmp(argv[1], "channel") == 0)
        run_channel(n);
    else
        return 2;
    return 0;
}
