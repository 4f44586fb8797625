/* SPDX-License-Identifier: MIT */
/* Locks on files. The kernel has a call that waits for one and none that tells when it is free: a
 * thread of the pool that waited could not be called back, and when the lock's owner is another
 * task that needs the pool, the two would wait for each other. So it is asked for, again and again.
 */
#include <errno.h>
#include <sys/file.h>

#include "base/sys.h"
#include "celadon/task.h"
#include "io/blocking.h"
#include "io/file.h"

#define PAUSE_MIN CEL_MILLISECOND
#define PAUSE_MAX (32 * CEL_MILLISECOND)

struct lock_job {
    int fd, operation, result;
};

static void *do_lock(void *arg)
{
    struct lock_job *job = arg;

    do
        job->result = cel__sys.flock(job->fd, job->operation) < 0 ? -errno : 0;
    while (job->result == -EINTR);
    return NULL;
}

/* (parks) */
static int lock_once(struct cel_file *file, int operation)
{
    struct lock_job job = {.fd = file->fd->fd, .operation = operation};
    int r = cel__blocking_do(do_lock, &job); /* parks */

    return r < 0 ? r : job.result;
}

int cel_file_try_lock(struct cel_file *file, bool is_shared)
{
    return lock_once(file, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB); /* parks */
}

int cel_file_lock(struct cel_file *file, bool is_shared)
{
    int64_t pause = PAUSE_MIN;

    for (;;) {
        int r = cel_file_try_lock(file, is_shared); /* parks */

        if (r == -EAGAIN)
            r = cel_sleep(pause); /* parks */
        else
            return r;
        if (r < 0)
            return r;
        pause = pause < PAUSE_MAX ? 2 * pause : PAUSE_MAX;
    }
}

int cel_file_unlock(struct cel_file *file)
{
    return lock_once(file, LOCK_UN); /* parks */
}
