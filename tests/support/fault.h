/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

/* Failing on purpose, at every place where something can fail.
 *
 * A scenario is a piece of work over the library that releases all it made, also
 * when it fails. fault_every() runs it again and again: the first event of a kind
 * fails, then the second, and so on until a run meets no failure; once with only
 * that event failing and once with all later ones failing too. After each run the
 * count of live allocations and of open descriptors must be as before it. A first
 * run without failures fills what the library keeps for good.
 *
 *     static int fetch_once(void *arg) { ... return r; }
 *     assert_true(fault_every_alloc(fetch_once, NULL) > 10);
 *
 * To see where the n-th failure comes from, break on fault_hit in a debugger. */

#include <stdbool.h>
#include <stddef.h>

enum fault_times { FAULT_ONCE, FAULT_FOREVER };

/* 0, or a negative code because of the failure; > 0: it was cut short, by its own deadline on a
 * slow machine, and may not have come to the event: that run is made again. */
typedef int fault_scenario(void *arg);

/* What can be made to fail. */
struct fault_source {
    const char *event; /* "allocation" */
    /* From now on the nth event fails; 0: none. Forgets earlier hits. */
    void (*arm)(size_t nth, enum fault_times times, const void *arg);
    /* Failures delivered since arm. */
    size_t (*hits)(void);
    const void *arg;
};

/* Fails the running test on a leak, on a scenario that fails by itself, and when a run hangs.
 * Returns how many different events were failed. */
size_t fault_every(const struct fault_source *source, fault_scenario *scenario, void *arg);

/* The same over cel_set_allocator's functions. Call it while nothing of the library is alive. */
size_t fault_every_alloc(fault_scenario *scenario, void *arg);

/* The same; tells of each allocation of the runs without failures, and of each that is failed, with
 * the return address of the allocator's call. */
typedef void fault_site(void *caller, bool has_failed);
size_t fault_every_alloc_at(fault_scenario *scenario, void *arg, fault_site *site);

/* Counts allocations from here on. The counting changes no block, so blocks may outlive it. */
void fault_alloc_begin(void);
/* Brings malloc back. */
void fault_alloc_end(void);
void fault_alloc_arm(size_t nth, enum fault_times times);
size_t fault_alloc_hits(void);
/* Blocks allocated and not freed since begin. */
size_t fault_alloc_live(void);

/* Descriptors of this process that are open now. */
size_t fault_open_fds(void);

/* Called at each injected failure: a place for a breakpoint. */
void fault_hit(const char *event, size_t nth);

#endif
