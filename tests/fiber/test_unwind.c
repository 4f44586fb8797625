/* SPDX-License-Identifier: MIT */
/* Whether debuggers and unwinders find their way on a fiber's stack, and its end. */
#include "support/check.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/fiber.h"
#include "fiber/annotate.h"
#include "fiber/hop.h"
#include "fiber/switch.h"

static char output[1 << 16];

/* gdb's words on prog_parked, stopped where `commands` say, or on its core file; false when there
 * is no gdb. */
static bool run_gdb(const char *commands, const char *core)
{
    const char *build = getenv("CELADON_BUILD");
    const char *source = getenv("CELADON_SOURCE");
    char line[2048];
    size_t len;
    FILE *gdb;

    if (CEL__ANNOTATED || build == NULL || source == NULL ||
        system("gdb -nx -batch -ex 'python print(1)' >/dev/null 2>&1") != 0)
        return false;
    snprintf(line, sizeof line,
             "gdb -nx -batch -ex 'set confirm off' -ex 'set debuginfod enabled off' "
             "-ex 'source %s/tools/celadon-gdb.py' %s %s/tests/fiber/fiber_parked %s 2>&1",
             source, commands, build, core);
    gdb = popen(line, "r");
    assert_non_null(gdb);
    len = fread(output, 1, sizeof output - 1, gdb);
    output[len] = '\0';
    assert_int_equal(pclose(gdb), 0);
    return strstr(output, "ptrace: Operation not permitted") == NULL;
}

#define NEED_GDB(commands)                                                                  \
    do {                                                                                    \
        if (!run_gdb(commands, "")) {                                                       \
            print_message(                                                                  \
                "needs gdb with Python, leave to trace, and a build without sanitizers\n"); \
            skip();                                                                         \
        }                                                                                   \
    } while (0)

/* Each of the words occurs after the one before it, and none of `never` anywhere. */
static void check_order(const char *words[], const char *never)
{
    const char *at = output;

    for (int i = 0; words[i] != NULL; i++) {
        at = strstr(at, words[i]);
        if (at == NULL)
            print_message("no %s in:\n%s\n", words[i], output);
        assert_non_null(at);
    }
    if (strstr(output, never) != NULL)
        print_message("%s\n", output);
    assert_null(strstr(output, never));
    assert_null(strstr(output, "Backtrace stopped"));
    assert_null(strstr(output, "??"));
}

static void gdb_unwinds_a_running_fiber(void **state)
{
    (void)state;
    NEED_GDB("-ex 'break running_here' -ex run -ex bt -ex kill");
    check_order((const char *[]){"#0 ", "running_here", "park_inner", "park_outer", "park_entry",
                                 "run_task", "ctx_entry", NULL},
                " main (");
}

static void gdb_unwinds_a_parked_fiber(void **state)
{
    (void)state;
    NEED_GDB("-ex 'break stopped_here' -ex run -ex 'celadon-bt &parked_fiber' -ex continue");
    check_order((const char *[]){"#0 ", "park_inner", "park_outer", "park_entry", "run_task",
                                 "ctx_entry", "exited normally", NULL},
                " main (");
}

static void gdb_unwinds_a_suspended_greenlet(void **state)
{
    (void)state;
    NEED_GDB("-ex 'break stopped_here' -ex run -ex 'celadon-bt *(void**)&suspended_fiber' "
             "-ex bt -ex continue");
    check_order((const char *[]){"#0 ", "switch_inner", "switch_entry", "run_greenlet", "ctx_entry",
                                 "#0 ", "stopped_here", "main", "exited normally", NULL},
                "park_inner");
}

/* In the swap's every instruction the caller is known. */
static void gdb_unwinds_out_of_the_swap(void **state)
{
    (void)state;
    NEED_GDB("-ex 'break running_here' -ex run -ex 'break cel__ctx_swap' -ex continue "
             "-ex bt -ex 'stepi 5' -ex bt -ex 'stepi 8' -ex bt -ex kill");
    check_order((const char *[]){"ctx_swap", "park_inner", "ctx_entry", "ctx_swap", "park_inner",
                                 "ctx_entry", "ctx_swap", "park_inner", "ctx_entry", NULL},
                " main (");
}

static bool tells(const char *at, const char *end, const char *word)
{
    return memmem(at, (size_t)(end - at), word, strlen(word)) != NULL;
}

/* How many backtraces from inside a function name the fiber's frames, and how many those of main.
 */
static void count_sides(const char *function, int *in_fiber, int *in_main)
{
    *in_fiber = *in_main = 0;
    for (const char *at = output; (at = strstr(at, function)) != NULL; at++) {
        const char *end = strstr(at, "#0 ");

        if (end == NULL)
            end = strchr(at, '\0');
        *in_fiber += tells(at, end, "in hop_inner") && tells(at, end, "in hop_outer") &&
                     tells(at, end, "ctx_entry");
        *in_main += tells(at, end, "in main (");
    }
    if (strstr(output, "Backtrace stopped") != NULL || strstr(output, "??") != NULL)
        *in_fiber = *in_main = 0;
}

#define EACH_INSTRUCTION(n) \
    "-ex 'python [(gdb.execute(\"bt\"), gdb.execute(\"stepi\")) for i in range(" #n ")]' -ex kill"

/* In every instruction one of the two fibers is known, never a mixture. */
static void gdb_unwinds_out_of_the_hop(void **state)
{
    int in_fiber, in_main;

    (void)state;
    if (!CEL__HOPS) {
        print_message("a switch is a call here\n");
        skip();
    }
    NEED_GDB("-ex 'break hops_here' -ex run -ex 'tbreak cel__fiber_hop' "
             "-ex continue " EACH_INSTRUCTION(20));
    count_sides("fiber_hop ()\n#1", &in_fiber, &in_main);
    if (in_fiber + in_main != 20 || in_fiber < 15 || in_main < 2)
        print_message("%s\n", output);
    assert_true(in_fiber + in_main == 20 && in_fiber >= 15 && in_main >= 2);

    /* a throw from main into what a hop suspended */
    NEED_GDB("-ex 'tbreak cel__ctx_hop' -ex run " EACH_INSTRUCTION(16));
    count_sides("ctx_hop ()\n#1", &in_fiber, &in_main);
    if (in_fiber + in_main != 16 || in_main < 13 || in_fiber < 2)
        print_message("%s\n", output);
    assert_true(in_fiber + in_main == 16 && in_main >= 13 && in_fiber >= 2);
}

/* In a folder of its own, if this system writes core files where the program runs. */
static bool dump_core(const char *folder)
{
    const char *build = getenv("CELADON_BUILD");
    char line[1024], core[256];

    snprintf(line, sizeof line,
             "cd %s && ulimit -c unlimited && %s/tests/fiber/fiber_parked dump >/dev/null 2>&1;"
             "mv core.* core 2>/dev/null; true",
             folder, build != NULL ? build : ".");
    snprintf(core, sizeof core, "%s/core", folder);
    return system(line) == 0 && access(core, R_OK) == 0;
}

/* What gdb says of the place where the program died is the C library's matter. */
static void from_first_caller(void)
{
    char *at = strstr(output, "#1 ");

    if (at != NULL)
        memmove(output, at, strlen(at) + 1);
}

/* The kernel's, not gcore's, which cannot read past the guards within a slab of stacks. */
static void gdb_unwinds_a_parked_fiber_of_a_core_file(void **state)
{
    char folder[] = "/tmp/celadon-core-XXXXXX", core[64];
    bool has_core, has_gdb = false;

    assert_non_null(mkdtemp(folder));
    snprintf(core, sizeof core, "%s/core", folder);
    has_core = !CEL__ANNOTATED && dump_core(folder);
    if (has_core)
        has_gdb = run_gdb("-ex 'celadon-bt &parked_fiber' "
                          "-ex 'celadon-bt *(void**)&suspended_fiber'",
                          core);
    unlink(core);
    assert_int_equal(rmdir(folder), 0);
    if (!has_gdb) {
        print_message("needs gdb with Python, and core files written where a program runs\n");
        skip();
    }
    from_first_caller();
    check_order((const char *[]){"#1 ", "park_inner", "park_outer", "park_entry", "run_task",
                                 "ctx_entry", "#1 ", "switch_inner", "switch_entry", "run_greenlet",
                                 "ctx_entry", NULL},
                " main (");
}

static void *frames[64];

static CEL__NOINLINE void *takes_backtrace(void *arg)
{
    *(int *)arg = backtrace(frames, 64);
    return arg;
}

static void backtrace_ends_at_the_entry(void **state)
{
    struct cel_fiber *f;
    int count = 0;

    (void)state;
    f = cel_fiber_new(takes_backtrace, &count);
    cel_fiber_switch(f, NULL);
    assert_true(count >= 3 && count < 8);
    assert_true((char *)frames[count - 1] > cel__ctx_entry &&
                (char *)frames[count - 1] < cel__ctx_entry + 64);
    assert_int_equal(cel_fiber_free(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gdb_unwinds_a_running_fiber),
        cmocka_unit_test(gdb_unwinds_a_parked_fiber),
        cmocka_unit_test(gdb_unwinds_a_suspended_greenlet),
        cmocka_unit_test(gdb_unwinds_out_of_the_swap),
        cmocka_unit_test(gdb_unwinds_out_of_the_hop),
        cmocka_unit_test(gdb_unwinds_a_parked_fiber_of_a_core_file),
        cmocka_unit_test(backtrace_ends_at_the_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
