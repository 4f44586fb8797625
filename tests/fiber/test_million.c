/* SPDX-License-Identifier: MIT */
/* Many fibers: a million parked at once with the system's default limits, and many one after
 * another. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fiber/sched.h"
#include "fiber/thread.h"

#define PARKED      1000000
#define MEMORY_NEED ((size_t)8 << 30)
#define PER_FIBER   (43 * 1024 / 10)

static struct cel__sched sched;
static size_t arrived;

static size_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size, resident;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &size, &resident), 2);
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t available_bytes(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    size_t kib = 0;

    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "MemAvailable: %zu", &kib) == 1)
            break;
    fclose(f);
    return kib << 10;
}

static size_t mapping_count(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    size_t lines = 0;
    int c;

    assert_non_null(f);
    while ((c = getc(f)) != EOF)
        lines += c == '\n';
    fclose(f);
    return lines;
}

/* What is kept on purpose: little beside a million, not beside some thousands. */
static size_t warm_stacks(void)
{
    size_t count = 0;

    for (int i = 0; i < CEL__STACK_CLASSES; i++)
        count += cel__thread_state.stacks.pools[i].warm_count;
    return count;
}

static void parks(struct cel_fiber *f)
{
    (void)f;
    arrived++;
    cel__sched_park(&sched);
    arrived--;
}

static bool has_markers(void)
{
    return cel__thread_state.stacks.guards.kind == CEL__GUARD_MARKER;
}

/* Where guards split mappings (before Linux 6.13), as many as the usual limit allows. The stacks of
 * the test before have shown which. */
static void million_fibers_park_with_guards(void **state)
{
    size_t count = CEL__TSAN ? 2000 : CEL__ASAN || !has_markers() ? 10000 : PARKED;
    size_t before, used;
    struct cel_fiber *fibers;

    (void)state;
    if (!CEL__ANNOTATED && available_bytes() < MEMORY_NEED) {
        print_message("needs 8 GiB of free memory\n");
        skip();
    }
    fibers = calloc(count, sizeof fibers[0]);
    assert_non_null(fibers);
    cel__sched_init(&sched);
    memset(fibers, 0, count * sizeof fibers[0]);
    arrived = 0;
    before = resident_bytes();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(cel__fiber_init(&fibers[i], 0, parks), 0);
        cel__sched_ready(&sched, &fibers[i]);
    }
    while (cel__sched_run(&sched, 10000))
        ;
    assert_int_equal(arrived, count);
    used = resident_bytes() - before;
    print_message("%zu bytes each beside the record, %zu mappings\n", used / count,
                  mapping_count());
    if (!CEL__ANNOTATED)
        assert_true(used / count <= PER_FIBER);
    if (!CEL__TSAN && has_markers())
        assert_true(mapping_count() < 2000);

    for (size_t i = 0; i < count; i++)
        cel__sched_ready(&sched, &fibers[i]);
    while (cel__sched_run(&sched, 10000))
        ;
    assert_int_equal(arrived, 0);
    if (!CEL__ANNOTATED) { /* beside the fewer of a sanitizer it is not little */
        assert_true(warm_stacks() < count / 4);
        assert_true(resident_bytes() - before < used / 20 + warm_stacks() * PER_FIBER);
    }
    cel__sched_fini(&sched);
    free(fibers);
}

static void ends(struct cel_fiber *f)
{
    (void)f;
    arrived++;
}

static void hundred_thousand_in_turn_grow_nothing(void **state)
{
    size_t before = 0;
    struct cel_fiber f;

    (void)state;
    arrived = 0;
    cel__sched_init(&sched);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(cel__fiber_init(&f, 0, ends), 0);
        cel__sched_ready(&sched, &f);
        assert_false(cel__sched_run(&sched, 1));
        if (i == 1000)
            before = resident_bytes();
    }
    assert_int_equal(arrived, 100000);
    if (!CEL__ANNOTATED)
        assert_true(resident_bytes() <= before + (256 << 10));
    cel__sched_fini(&sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundred_thousand_in_turn_grow_nothing),
        cmocka_unit_test(million_fibers_park_with_guards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
