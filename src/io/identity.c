/* SPDX-License-Identifier: MIT */
/* To the kernel, user, groups and (unshared) umask belong to the thread. So a thread is made that
 * takes them on for good, starts the child, to whom they pass, and ends: none of our code runs in
 * the child, and no other thread is ever another user. The kernel marks the process as not to be
 * dumped when one of its threads changes its user; that is put back. */
#include "io/identity.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>

#include "base/sys.h"

struct errand {
    const struct cel_process_options *options;
    void (*fn)(void *arg);
    void *arg;
    int result;
};

static int take_on(const struct cel_process_options *options)
{
    const struct cel_identity *who = options->identity;

    if (options->has_umask) {
        if (cel__sys.unshare(CLONE_FS) < 0)
            return -errno;
        umask(options->umask);
    }
    if (who == NULL)
        return 0;
    if (cel__sys.setgroups(who->groups_count, who->groups) < 0 ||
        cel__sys.setresgid(who->gid, who->gid, who->gid) < 0 ||
        cel__sys.setresuid(who->uid, who->uid, who->uid) < 0)
        return -errno;
    return 0;
}

static void *run(void *arg)
{
    struct errand *errand = arg;

    errand->result = take_on(errand->options);
    if (errand->result == 0)
        errand->fn(errand->arg);
    return NULL;
}

int cel__identity_run(const struct cel_process_options *options, void (*fn)(void *arg), void *arg)
{
    struct errand errand = {.options = options, .fn = fn, .arg = arg};
    int dumpable = prctl(PR_GET_DUMPABLE), r; /* lint: seam: cannot fail */
    pthread_t thread;

    r = cel__sys.pthread_create(&thread, NULL, run, &errand);
    if (r != 0)
        return -r;
    pthread_join(thread, NULL);
    if (dumpable == 1 && options->identity != NULL)
        (void)prctl(PR_SET_DUMPABLE, 1); /* lint: seam: cannot fail */
    return errand.result;
}
