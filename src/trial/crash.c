/* SPDX-License-Identifier: MIT */
/* A run that ends in a crash must not take its seed with it: the signals that end programs say how
 * to have it again, and then do what they did before. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "base/sys.h"
#include "machine/under.h"
#include "trial/verdict.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGINT, SIGTERM};
static struct sigaction before[cel__countof(signals)];
static unsigned watchers; /* threads with runs */

static __thread struct {
    const struct cel_sim_options *options; /* NULL: no run goes on here */
    uint64_t seed;
} run;

/* The old action is back when this returns: a fault happens again and meets it, and what was sent
 * is sent again. Numbers are formatted without memory and locks. */
static void tell(int signo, siginfo_t *info, void *context)
{
    static const char before_it[] = "celadon: the simulation was ended by a signal; again with ";
    char replay[CEL__REPLAY_MAX];
    int kept = errno;

    if (run.options != NULL) {
        cel__verdict_replay(run.seed, run.options, replay);
        (void)!cel__under.write(STDERR_FILENO, before_it, sizeof before_it - 1);
        (void)!cel__under.write(STDERR_FILENO, replay, strlen(replay));
        (void)!cel__under.write(STDERR_FILENO, "\n", 1);
    }
    for (size_t i = 0; i < cel__countof(signals); i++)
        if (signals[i] == signo)
            (void)cel__under.sigaction(signo, &before[i], NULL);
    if (info->si_code <= 0 && signo != SIGABRT)
        (void)raise(signo);
    errno = kept;
}

void cel__crash_watch(void)
{
    struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (__atomic_fetch_add(&watchers, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < cel__countof(signals); i++) {
        (void)cel__sys.sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            (void)cel__sys.sigaction(signals[i], &action, NULL);
    }
}

/* What the program has put there meanwhile stays. */
void cel__crash_unwatch(void)
{
    struct sigaction now;

    if (__atomic_sub_fetch(&watchers, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < cel__countof(signals); i++)
        if (cel__sys.sigaction(signals[i], NULL, &now) == 0 && now.sa_sigaction == tell)
            (void)cel__sys.sigaction(signals[i], &before[i], NULL);
}

void cel__crash_run(uint64_t seed, const struct cel_sim_options *options)
{
    run.seed = seed;
    run.options = options;
}
