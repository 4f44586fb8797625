/* SPDX-License-Identifier: MIT */
/* What looking costs: ours_debug dump TASKS, ours_debug trace|plain PARKS. */
#include "../report.h"

#include <celadon/celadon.h>
#include <celadon/debug.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static long count;

static void fail(const char *what)
{
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

/* dump: so many parked tasks, each with a few frames, with the names of functions. */

static void *sleeper(void *arg)
{
    (void)cel_sleep(1000 * CEL_SECOND);
    return arg;
}

static void *run_dump(void *arg)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct bench_span s;

    if (fd < 0 || cel_dump_on_signal(SIGUSR2) < 0)
        fail("cel_dump_on_signal");
    CEL_SCOPE (scope) {
        for (long i = 0; i < count; i++)
            if (cel_spawn_with(sleeper, NULL, .name = "sleeper") == NULL)
                fail("cel_spawn");
        if (cel_yield() < 0 || cel_dump(fd) < 0)
            fail("cel_dump");
        s = bench_start();
        (void)cel_dump(fd);
        s = bench_stop(s);
        printf("{\"dump_ms\":%.3f}\n", (double)s.cpu / 1e6);
        cel_scope_cancel(&scope);
    }
    close(fd);
    return arg;
}

/* trace, plain: the same parks with and without; each is two events. */

static struct cel_chan *chan;

static void *sender(void *arg)
{
    for (long i = 0; i < count; i++)
        if (cel_chan_send(chan, &i) < 0)
            break;
    return arg;
}

static void *run_parks(void *arg)
{
    struct bench_span s;
    long value;

    if (strcmp(arg, "trace") == 0 && cel_trace_start(0) < 0)
        fail("cel_trace_start");
    if (cel_chan_new(&chan, sizeof(long), 0) < 0 || cel_go(sender, NULL) < 0)
        fail("cel_chan_new");
    s = bench_start();
    for (long i = 0; i < count; i++)
        if (cel_chan_recv(chan, &value) < 0)
            fail("cel_chan_recv");
    s = bench_stop(s);
    printf("{\"ns_per_park\":%.3f}\n", (double)s.cpu / (double)count);
    cel_chan_free(chan);
    return arg;
}

int main(int argc, char **argv)
{
    bool is_dump;

    if (argc != 3) {
        fprintf(stderr, "ours_debug dump TASKS | trace PARKS | plain PARKS\n");
        return 2;
    }
    is_dump = strcmp(argv[1], "dump") == 0;
    count = strtol(argv[2], NULL, 10);
    return cel_run(is_dump ? run_dump : run_parks, argv[1], NULL) < 0;
}
