/* SPDX-License-Identifier: MIT */
/* The loop over failures, and the allocator that fails. Counters are atomic because the
 * library's own threads allocate too. */
#include "support/fault.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "celadon/base.h"
#include "support/check.h"

enum { MOST_EVENTS = 100000, RUN_SECONDS = 60, CUTS_MAX = 20 };

static struct {
    atomic_size_t seen;
    atomic_size_t live;
    atomic_size_t hits;
    atomic_size_t nth;
    atomic_int times;
    fault_site *site;
} heap;

void __attribute__((noinline)) fault_hit(const char *event, size_t nth)
{
    __asm__ volatile("" : : "r"(event), "r"(nth) : "memory");
}

static bool alloc_fails(void *caller)
{
    size_t seen = atomic_fetch_add(&heap.seen, 1) + 1;
    size_t nth = atomic_load(&heap.nth);

    if (nth == 0 && heap.site != NULL)
        heap.site(caller, false);
    if (nth == 0 || seen < nth || (seen > nth && atomic_load(&heap.times) == FAULT_ONCE))
        return false;
    atomic_fetch_add(&heap.hits, 1);
    if (heap.site != NULL)
        heap.site(caller, true);
    fault_hit("allocation", seen);
    return true;
}

static void *counting_alloc(size_t size_bytes, void *arg)
{
    void *ptr = alloc_fails(__builtin_return_address(0)) ? NULL : malloc(size_bytes);

    if (ptr != NULL)
        atomic_fetch_add(&heap.live, 1);
    return ptr;
}

static void *counting_realloc(void *old, size_t size_bytes, void *arg)
{
    void *ptr = alloc_fails(__builtin_return_address(0)) ? NULL : realloc(old, size_bytes);

    if (old == NULL && ptr != NULL)
        atomic_fetch_add(&heap.live, 1);
    return ptr;
}

static void counting_free(void *ptr, void *arg)
{
    if (ptr != NULL)
        atomic_fetch_sub(&heap.live, 1);
    free(ptr);
}

void fault_alloc_begin(void)
{
    static const struct cel_allocator counting = {counting_alloc, counting_realloc, counting_free,
                                                  NULL};

    fault_alloc_arm(0, FAULT_ONCE);
    atomic_store(&heap.live, 0);
    cel_set_allocator(&counting);
}

void fault_alloc_end(void)
{
    cel_set_allocator(NULL);
}

void fault_alloc_arm(size_t nth, enum fault_times times)
{
    atomic_store(&heap.nth, nth);
    atomic_store(&heap.times, (int)times);
    atomic_store(&heap.hits, 0);
    atomic_store(&heap.seen, 0);
}

size_t fault_alloc_hits(void)
{
    return atomic_load(&heap.hits);
}

size_t fault_alloc_live(void)
{
    return atomic_load(&heap.live);
}

size_t fault_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    if (dir == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* the folder's own */
}

/* One line that tells which run this is, for the reports below and for the alarm's handler. */
static char run_name[160];

static void hang(int signo)
{
    static const char text[] = "fault: the scenario hangs when the ";
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);

    n += write(STDERR_FILENO, run_name, strlen(run_name));
    n += write(STDERR_FILENO, "\n", 1);
    abort();
}

struct tally {
    size_t live;
    size_t fds;
};

static struct tally count_up(void)
{
    return (struct tally){fault_alloc_live(), fault_open_fds()};
}

static int run(const struct fault_source *source, size_t nth, enum fault_times times,
               fault_scenario *scenario, void *arg, size_t *hits)
{
    int r;

    snprintf(run_name, sizeof run_name, "%s %zu fails %s", source->event, nth,
             times == FAULT_ONCE ? "once" : "and all after it");
    alarm(RUN_SECONDS);
    source->arm(nth, times, source->arg);
    r = scenario(arg);
    *hits = source->hits();
    source->arm(0, FAULT_ONCE, source->arg);
    alarm(0);
    return r;
}

static void compare(const struct tally *before, const struct tally *after)
{
    if (after->live > before->live)
        fail_msg("%zu allocations leak when the %s", after->live - before->live, run_name);
    if (after->fds > before->fds)
        fail_msg("%zu descriptors leak when the %s", after->fds - before->fds, run_name);
}

static size_t each_event(const struct fault_source *source, enum fault_times times,
                         fault_scenario *scenario, void *arg)
{
    int cuts = 0;

    for (size_t nth = 1; nth <= MOST_EVENTS; nth++) {
        struct tally before = count_up(), after;
        size_t hits;
        int r = run(source, nth, times, scenario, arg, &hits);

        after = count_up();
        compare(&before, &after);
        if (hits == 0 && r > 0 && ++cuts < CUTS_MAX) {
            nth--;
            continue;
        }
        cuts = 0;
        if (hits == 0 && r < 0)
            fail_msg("the scenario fails by itself with %s", cel_errname(r));
        if (hits == 0)
            return nth - 1;
    }
    fail_msg("the scenario still meets failures after %d runs", MOST_EVENTS);
    return 0;
}

size_t fault_every(const struct fault_source *source, fault_scenario *scenario, void *arg)
{
    struct sigaction act = {.sa_handler = hang}, was;
    size_t hits, once, forever;
    int r;

    sigaction(SIGALRM, &act, &was);
    r = run(source, 0, FAULT_ONCE, scenario, arg, &hits);
    if (r < 0)
        fail_msg("the scenario fails without any failure injected: %s", cel_errname(r));
    once = each_event(source, FAULT_ONCE, scenario, arg);
    forever = each_event(source, FAULT_FOREVER, scenario, arg);
    sigaction(SIGALRM, &was, NULL);
    return once > forever ? once : forever;
}

static void arm_heap(size_t nth, enum fault_times times, const void *arg)
{
    fault_alloc_arm(nth, times);
}

size_t fault_every_alloc(fault_scenario *scenario, void *arg)
{
    return fault_every_alloc_at(scenario, arg, NULL);
}

size_t fault_every_alloc_at(fault_scenario *scenario, void *arg, fault_site *site)
{
    static const struct fault_source allocations = {"allocation", arm_heap, fault_alloc_hits, NULL};
    size_t events;

    fault_alloc_begin();
    if (site != NULL)
        (void)scenario(arg); /* what is made once and kept will not be met again */
    heap.site = site;
    events = fault_every(&allocations, scenario, arg);
    heap.site = NULL;
    fault_alloc_end();
    return events;
}
