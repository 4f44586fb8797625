/* SPDX-License-Identifier: MIT */
#include "trial/verdict.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/sys.h"
#include "machine/recipe.h"
#include "trial/program.h"

#define SHOWN 16 /* of the last entries */

char *cel__verdict_replay(uint64_t seed, const struct cel_sim_options *options, char *out)
{
    char config[1024];
    const char *faults = getenv("CEL_FAULTS");

    (void)snprintf(out, CEL__REPLAY_MAX, "CEL_SEED=%llu CEL_BUILD=%s CEL_CFG=%s%s%s %s",
                   (unsigned long long)seed, cel__program_build(),
                   cel__options_format(options, config, sizeof config),
                   faults != NULL ? " CEL_FAULTS=" : "", faults != NULL ? faults : "",
                   cel__program_command());
    return out;
}

static void say_last(const struct cel__machine *m)
{
    unsigned count = 0;
    char line[256];

    while (cel__diary_line(m->diary, count, line, sizeof line))
        count++;
    if (count > 0)
        cel__log(CEL_LOG_ERROR, "the last of what happened:");
    for (unsigned i = count > SHOWN ? count - SHOWN : 0; i < count; i++)
        if (cel__diary_line(m->diary, i, line, sizeof line))
            cel__log(CEL_LOG_ERROR, "  %s", line);
}

static void say_cause(const struct cel__verdict *v, int code)
{
    if (v->broken != NULL)
        cel__log(CEL_LOG_ERROR, "the simulation failed: %s", v->broken);
    else if (v->cause.code != 0)
        cel__log(CEL_LOG_ERROR, "the simulation failed: %s (%s:%d)",
                 v->cause.text[0] != '\0' ? v->cause.text : cel_strerror(code), v->cause.file,
                 v->cause.line);
    else if (code == -EBUSY && v->left > 0)
        cel__log(CEL_LOG_ERROR, "the simulation failed: %d left open", v->left);
    else
        cel__log(CEL_LOG_ERROR, "the simulation failed: %s", cel_strerror(code));
}

/* ---- two runs of a seed that differ ---- */

static __thread char kept[SHOWN][256];
static __thread unsigned kept_count;

void cel__verdict_keep(struct cel__machine *m)
{
    unsigned count = 0;

    while (cel__diary_line(m->diary, count, kept[0], sizeof kept[0]))
        count++;
    kept_count = cel__min(count, (unsigned)SHOWN);
    for (unsigned i = 0; i < kept_count; i++)
        (void)cel__diary_line(m->diary, count - kept_count + i, kept[i], sizeof kept[i]);
}

static void say_step(const char *which, const struct cel__step *step)
{
    char where[256] = "";

    if (step->file != NULL && step->line != 0)
        (void)snprintf(where, sizeof where, " of %s:%d", step->file, step->line);
    else if (step->file != NULL)
        (void)snprintf(where, sizeof where, " of %s", step->file);
    cel__log(CEL_LOG_ERROR, "  the %s run: at %lld ns, %s%s", which, (long long)step->when,
             cel__mark_name(step->mark), where);
}

void cel__verdict_say_difference(const struct cel__track *trace, uint64_t seed)
{
    cel__log(CEL_LOG_ERROR,
             "seed %llu is not the whole truth: two runs of it differ from step %zu on",
             (unsigned long long)seed, trace->at + 1);
    if (trace->at < trace->count)
        say_step("first", &trace->steps[trace->at]);
    if (trace->differs)
        say_step("second", &trace->other);
    cel__log(CEL_LOG_ERROR, "the last that happened in the second:");
    for (unsigned i = 0; i < kept_count; i++)
        cel__log(CEL_LOG_ERROR, "  %s", kept[i]);
    kept_count = 0;
    cel__log(CEL_LOG_ERROR,
             "the program depends on something else than its seed. Usual causes: state that an "
             "earlier run has left (statics, caches, pools); the real clock (time, clock_gettime); "
             "rand, getrandom (see cel_sim_draw); an order by addresses (pointers as keys, "
             "uninitialized memory); threads; real files, sockets or processes. "
             "LD_PRELOAD=libceladon-sim.so makes libc's clocks and randomness the machine's");
}

void cel__verdict_say(const struct cel__machine *m, const struct cel__verdict *v, int code,
                      uint64_t seed)
{
    char counts[512], replay[CEL__REPLAY_MAX];
    int64_t elapsed = m->now - m->began;

    say_cause(v, code);
    cel__log(CEL_LOG_ERROR, "it took %lld.%03lld s of its time, %llu events, and %llu faults (%s)",
             (long long)(elapsed / CEL_SECOND), (long long)(elapsed % CEL_SECOND / CEL_MILLISECOND),
             (unsigned long long)m->events, (unsigned long long)m->faults,
             cel__diary_counts(m->diary, counts, sizeof counts));
    say_last(m);
    cel__log(CEL_LOG_ERROR, "again with %s", cel__verdict_replay(seed, &m->options, replay));
    if (getenv("CEL_TRACE") == NULL)
        cel__log(CEL_LOG_ERROR, "CEL_TRACE=FILE before it writes down all that happens; "
                                "celadon-shrink before it finds the faults that matter");
}

const char *cel__verdict_wanted_faults(void)
{
    const char *wanted = getenv("CEL_FAULTS");
    static bool is_told;

    if (wanted == NULL || cel__diary_understands(wanted))
        return wanted;
    if (!is_told)
        cel__log(CEL_LOG_WARN, "CEL_FAULTS is '%s': say numbers, as in 1-4,7,9-", wanted);
    is_told = true;
    return NULL;
}

/* One file for all runs of the process. */
int cel__verdict_follower(uint64_t seed)
{
    static int fd = -2;
    const char *path = getenv("CEL_TRACE");
    char line[64];

    if (fd == -2 && path != NULL)
        fd = strcmp(path, "-") == 0
                 ? STDERR_FILENO
                 : cel__sys.openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (path == NULL || fd < 0)
        return -1;
    (void)snprintf(line, sizeof line, "--- seed %llu\n", (unsigned long long)seed);
    return cel__sys.write(fd, line, strlen(line)) < 0 ? -1 : fd;
}

void cel__verdict_check_build(void)
{
    static bool is_told;
    const char *wanted = getenv("CEL_BUILD"), *here = cel__program_build();

    if (wanted == NULL || is_told || strcmp(wanted, here) == 0)
        return;
    is_told = true;
    cel__log(CEL_LOG_WARN, "the run was one of build %s, and this is %s: it may go another way",
             wanted, here);
}
