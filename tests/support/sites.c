/* SPDX-License-Identifier: MIT */
/* A table of return addresses. The frames of base/mem.c itself are stepped over: they lie between
 * its first function and a little behind its last. */
#include "support/sites.h"

#include <errno.h>
#include <execinfo.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define SITES_MAX  4096
#define FRAMES_MAX 12
#define LAST_BYTES 256

struct site {
    uintptr_t at;
    size_t met, failed;
};

static struct site sites[SITES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_of_mem(uintptr_t pc)
{
    const uintptr_t functions[] = {(uintptr_t)cel__mem_alloc,   (uintptr_t)cel__mem_zalloc,
                                   (uintptr_t)cel__mem_array,   (uintptr_t)cel__mem_strdup,
                                   (uintptr_t)cel__mem_strndup, (uintptr_t)cel__mem_realloc};
    uintptr_t low = UINTPTR_MAX, high = 0;

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        low = functions[i] < low ? functions[i] : low;
        high = functions[i] > high ? functions[i] : high;
    }
    return pc > low && pc < high + LAST_BYTES;
}

static uintptr_t site_above(void *caller)
{
    void *frames[FRAMES_MAX];
    int n, i = 0;

    if (!is_of_mem((uintptr_t)caller))
        return (uintptr_t)caller;
    n = backtrace(frames, FRAMES_MAX);
    while (i < n && frames[i] != caller)
        i++;
    while (i < n && is_of_mem((uintptr_t)frames[i]))
        i++;
    return i < n ? (uintptr_t)frames[i] : (uintptr_t)caller;
}

void sites_note(void *caller, bool has_failed)
{
    uintptr_t at = site_above(caller);
    size_t i = at / 4 % SITES_MAX;

    pthread_mutex_lock(&lock);
    while (sites[i].at != 0 && sites[i].at != at)
        i = (i + 1) % SITES_MAX;
    sites[i].at = at;
    if (has_failed)
        sites[i].failed++;
    else
        sites[i].met++;
    pthread_mutex_unlock(&lock);
}

static int take_base(struct dl_phdr_info *info, size_t size, void *base)
{
    *(uintptr_t *)base = info->dlpi_addr; /* the program itself comes first */
    return 1;
}

/* "function" by the program's own symbols, else the address. */
static void name_of(uintptr_t at, char *out, size_t cap)
{
    uintptr_t base = 0;
    char command[128];
    FILE *names;

    dl_iterate_phdr(take_base, &base);
    snprintf(out, cap, "%#" PRIxPTR, at - base);
    snprintf(command, sizeof command, "addr2line -f -s -p -e /proc/%d/exe %#" PRIxPTR " 2>&1",
             (int)getpid(), at - base - 1);
    names = popen(command, "r");
    if (names == NULL)
        return;
    if (fgets(out, (int)cap, names) != NULL)
        out[strcspn(out, "\n")] = '\0';
    pclose(names);
}

/* Timers that crowd in one slot are sorted: on a slow machine those of a scenario may meet there in
 * one run and not in the next. tests/loop/test_timer.c fails it. */
static bool is_by_chance(const char *name)
{
    return strncmp(name, "sort_slot ", strlen("sort_slot ")) == 0;
}

size_t sites_report(size_t *count)
{
    size_t all = 0, never = 0;
    char name[256];

    for (size_t i = 0; i < SITES_MAX; i++) {
        const struct site *s = &sites[i];

        if (s->at == 0)
            continue;
        all++;
        name_of(s->at, name, sizeof name);
        never += s->failed == 0 && !is_by_chance(name);
        printf("# allocation in %s: met %zu, failed %zu%s\n", name, s->met, s->failed,
               s->failed == 0 ? " NEVER FAILED" : "");
    }
    printf("# %zu places that allocate, %zu never failed\n", all, never);
    if (count != NULL)
        *count = all;
    return never;
}

void sites_list(FILE *out)
{
    char name[256];

    for (size_t i = 0; i < SITES_MAX; i++)
        if (sites[i].failed > 0) {
            name_of(sites[i].at, name, sizeof name);
            name[strcspn(name, " ")] = '\0';
            fprintf(out, "place %s\n", name);
        }
}

FILE *sites_open_findings(const char *mode)
{
    const char *build = getenv("CELADON_BUILD"), *backend = getenv("CELADON_BACKEND");
    char path[512];

    if (build == NULL || getenv("CELADON_SCENARIO") != NULL ||
        getenv("CELADON_TEST_KERNEL") != NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/tests/%s.%s.found", build, program_invocation_short_name,
             backend != NULL ? backend : "any");
    return fopen(path, mode);
}
