/* SPDX-License-Identifier: MIT */
/* For test_gdb.c: a loop whose tasks stand in known states, then an abort, which a debugger sees
 * live and in a core file. */
#include <celadon/celadon.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUR_END 100 /* descriptors that the test knows */
#define FAR_END 101

static struct cel_lock lock = CEL_LOCK_INIT;

static void *sleeper(void *arg)
{
    CEL_SCOPE (scope, .timeout = 1000 * CEL_SECOND)
        (void)cel_sleep(500 * CEL_SECOND);
    return arg;
}

static void *awaiter(void *arg)
{
    return cel_await((struct cel_future *)arg, NULL) < 0 ? NULL : arg;
}

static void *joiner(void *arg)
{
    return cel_await((struct cel_task *)arg, NULL) < 0 ? NULL : arg;
}

static void *holder(void *arg)
{
    if (cel_lock_acquire(&lock) < 0)
        return NULL;
    (void)cel_sleep(600 * CEL_SECOND);
    cel_lock_release(&lock);
    return arg;
}

static void *locker(void *arg)
{
    if (cel_lock_acquire(&lock) == 0)
        cel_lock_release(&lock);
    return arg;
}

static void *reader(void *arg)
{
    char c;

    return cel_read(arg, &c, 1) <= 0 ? NULL : arg;
}

static void *receiver(void *arg)
{
    void *value;

    return cel_chan_recv(arg, &value) < 0 ? NULL : arg;
}

static struct cel_task *start(cel_task_fn *fn, void *arg, const char *name)
{
    struct cel_task *task = cel_spawn_with(fn, arg, .name = name);

    if (task == NULL)
        exit(2);
    return task;
}

static void *parent(void *arg)
{
    CEL_SCOPE (scope)
        (void)start(awaiter, arg, "child");
    return arg;
}

static void *never(void *arg)
{
    return arg;
}

static struct cel_stream *stream(void)
{
    struct cel_stream *s = NULL;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 || dup2(fds[0], OUR_END) < 0 ||
        dup2(fds[1], FAR_END) < 0 || cel_stream_open(&s, OUR_END, true) < 0)
        exit(2);
    return s;
}

static void *fill(void *arg)
{
    struct cel_future *f = cel_future_new();
    struct cel_task *sleeping;
    struct cel_chan *chan;

    if (cel_trace_start(0) < 0 || f == NULL || cel_chan_new(&chan, sizeof(void *), 0) < 0)
        exit(2);
    sleeping = start(sleeper, NULL, "sleeping");
    (void)start(awaiter, f, "awaiting");
    (void)start(joiner, sleeping, "joining");
    (void)start(holder, NULL, "holding");
    (void)start(locker, NULL, "locking");
    (void)start(reader, stream(), "reading");
    (void)start(receiver, chan, "receiving");
    (void)start(parent, f, "joins a scope");
    if (cel_sleep(CEL_MILLISECOND) < 0)
        exit(2);
    (void)start(never, NULL, "unstarted");
    abort();
    return arg;
}

int main(void)
{
    return cel_run(fill, NULL, NULL) < 0;
}
