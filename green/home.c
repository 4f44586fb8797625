/* SPDX-License-Identifier: MIT */
/* A child of fork runs on upon a copy of its parent's task, whose loop it must not touch; a child
 * of vfork upon the task itself, in its parent's memory, where switching to another task would end
 * in chaos. Both are told by the process's number, which the kernel is asked for: nothing in memory
 * could tell the second from its parent. */
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <celadon/task.h>

#include "pause.h"

static pid_t process;
static const struct cel_task *forked; /* the task that this process was forked in */
static _Thread_local pid_t thread;

static void note_fork(void)
{
    process = getpid();
    forked = cel_task_current();
    thread = 0;
}

__attribute__((constructor)) static void note_process(void)
{
    process = getpid();
    (void)pthread_atfork(NULL, NULL, note_fork);
}

bool cel__green_is_home(void)
{
    const struct cel_task *task = cel_task_current();

    return task != NULL && task != forked && getpid() == process;
}

pid_t cel__green_thread_id(void)
{
    if (thread == 0)
        thread = (pid_t)syscall(SYS_gettid);
    return thread;
}
