/* SPDX-License-Identifier: MIT */
/* tools/celadon-gdb.py on prog_tasks: live and on a core file, with symbols and without any. */
#include <celadon/celadon.h>

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif
#define NEEDS "needs gdb with Python, strip, leave to trace, and a build without sanitizers\n"

static char output[1 << 18];
static char folder[] = "/tmp/celadon-gdb-XXXXXX";
static const char *program; /* NULL: cannot be asked */

CEL_PRINTF(1, 2) static bool run(const char *fmt, ...)
{
    char line[4096];
    va_list va;

    va_start(va, fmt);
    vsnprintf(line, sizeof line, fmt, va);
    va_end(va);
    return system(line) == 0;
}

/* gdb's words, after `commands`, on the program and what else is named. */
static bool ask(const char *prefix, const char *commands, const char *what)
{
    char line[4096];
    size_t len;
    FILE *gdb;

    snprintf(line, sizeof line,
             "cd %s && gdb -nx -batch -ex 'set confirm off' -ex 'set width 0' "
             "-ex 'set debuginfod enabled off' %s -ex 'source %s/tools/celadon-gdb.py' %s %s 2>&1",
             folder, prefix, getenv("CELADON_SOURCE"), commands, what);
    gdb = popen(line, "r");
    if (gdb == NULL)
        return false;
    len = fread(output, 1, sizeof output - 1, gdb);
    output[len] = '\0';
    return pclose(gdb) == 0 && strstr(output, "ptrace: Operation not permitted") == NULL;
}

/* Some line is like the pattern, wholly. */
static void has_line(const char *pattern)
{
    static char copy[sizeof output];
    char *at = copy, *line;

    memcpy(copy, output, sizeof copy);
    while ((line = strsep(&at, "\n")) != NULL)
        if (fnmatch(pattern, line, 0) == 0)
            return;
    fail_msg("no line is like: %s\n%s", pattern, output);
}

#define TELL                                                                                  \
    "-ex celadon-loops -ex celadon-tasks -ex celadon-timers -ex celadon-ops -ex celadon-fds " \
    "-ex celadon-trace"

static void check_words(void)
{
    has_line("loop 0x* (*): 11 tasks, 1 operations in flight, 3 timers, 1 descriptors, 0 jobs; "
             "running task 1 \"main\"");
    has_line("task 1 0x* \"main\" (spawned by cel_run): running");
    has_line("task 2 0x* \"sleeping\" (spawned at *prog_tasks.c:*): parked sleeping, * s left; "
             "for *; stack * of 65536 bytes");
    has_line("    in scope, deadline in 9*.* s < sleeping < main");
    has_line("task 3 0x* \"awaiting\" (*): parked awaiting a future at 0x*; for *");
    has_line("task 4 0x* \"joining\" (*): parked awaiting task 2 \"sleeping\"; for *");
    has_line("task 5 0x* \"holding\" (*): parked sleeping, * left; *");
    has_line("task 6 0x* \"locking\" (*): parked waiting for a lock held by task 5 \"holding\"; *");
    has_line("task 7 0x* \"reading\" (*): parked in the kernel: read on descriptor 100; *");
    has_line("task 8 0x* \"receiving\" (*): parked receiving from a channel; *");
    has_line("task 9 0x* \"joins a scope\" (*): parked for 1 tasks of a scope to end; *");
    has_line("task 10 0x* \"child\" (*): parked awaiting a future at 0x*; *");
    has_line("    in child < scope < joins a scope < main");
    has_line("task 11 0x* \"unstarted\" (*): not started");
    has_line("timer 0x* in 4*.* s: *  of task 2 \"sleeping\"");
    has_line("timer 0x* in 9*.* s: *  of task 2 \"sleeping\"");
    has_line("timer 0x* in 5*.* s: *  of task 5 \"holding\"");
    has_line("op 0x*: read on descriptor 100  of task 7 \"reading\"");
    has_line("descriptor 100: slot 0, life 0, *; 1 waiting to read, 0 to write");
    has_line("    * ago  task_spawn  task 11 \"unstarted\"  *");
    has_line("    * ago  task_park  task 1 \"main\"  sleeping, ");
}

static void gdb_tells_a_live_process(void **state)
{
    if (program == NULL || !ask("", "-ex run " TELL " -ex kill", program)) {
        print_message(NEEDS);
        skip();
    }
    check_words();
    has_line("    * ago  op_start  *");
}

/* The library and the program without a symbol that the dynamic linker does not need. */
static void gdb_tells_a_stripped_process(void **state)
{
    const char *build = getenv("CELADON_BUILD");
    char *unstripped = NULL;

    if (program == NULL ||
        !run("strip -o %s/stripped %s && strip -o %s/libceladon.so.0 %s/libceladon.so.0", folder,
             program, folder, build) ||
        !ask("-ex 'set environment LD_LIBRARY_PATH .'",
             "-ex run " TELL " -ex 'info sharedlibrary' -ex kill", "./stripped")) {
        print_message(NEEDS);
        skip();
    }
    check_words();
    has_line("*0x*Yes*/libceladon.so.0");
    assert_true(build != NULL && asprintf(&unstripped, "%s/libceladon", build) > 0);
    assert_null(strstr(output, unstripped));
    free(unstripped);
}

/* Each of the words occurs after the one before it. */
static void check_order(const char *const words[])
{
    const char *at = output;

    for (int i = 0; words[i] != NULL; i++) {
        at = strstr(at, words[i]);
        if (at == NULL)
            fail_msg("no %s in:\n%s\n", words[i], output);
    }
}

static void gdb_tells_where_a_task_is(void **state)
{
    if (program == NULL ||
        !ask("",
             "-ex run -ex 'celadon-task 6' -ex 'celadon-task 1 bt' -ex 'celadon-task 11' -ex kill",
             program)) {
        print_message(NEEDS);
        skip();
    }
    check_order((const char *const[]){"#0 ", "locker", "abort", "fill", "has not started", NULL});
}

static bool dump_core(char *core, size_t size)
{
    snprintf(core, size, "%s/core", folder);
    return run("cd %s && ulimit -c unlimited && (%s; true) >/dev/null 2>&1; "
               "mv core.* core 2>/dev/null; test -r core",
               folder, program);
}

static void gdb_tells_a_core_file(void **state)
{
    char core[128], what[512];

    if (program != NULL && dump_core(core, sizeof core)) {
        snprintf(what, sizeof what, "%s %s", program, core);
        if (ask("", TELL " -ex 'celadon-task 6'", what)) {
            check_words();
            check_order((const char *const[]){"#1 ", "locker", NULL});
            return;
        }
    }
    print_message("needs gdb with Python, and core files written where a program runs\n");
    skip();
}

static void gdb_without_celadon_says_so(void **state)
{
    if (program == NULL || !ask("", "-ex celadon-tasks -ex 'python print(1)'", "")) {
        print_message(NEEDS);
        skip();
    }
    assert_non_null(strstr(output, "no Celadon here"));
}

static int find_program(void **state)
{
    static char path[1024];
    const char *build = getenv("CELADON_BUILD");

    if (mkdtemp(folder) == NULL)
        return -1;
    if (build == NULL || getenv("CELADON_SOURCE") == NULL || IS_SANITIZED ||
        !run("gdb -nx -batch -ex 'python print(1)' >/dev/null 2>&1"))
        return 0;
    snprintf(path, sizeof path, "%s/tests/task/tasks_parked", build);
    program = path;
    return 0;
}

static int remove_folder(void **state)
{
    return run("rm -r %s", folder) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gdb_tells_a_live_process),
        cmocka_unit_test(gdb_tells_a_stripped_process),
        cmocka_unit_test(gdb_tells_where_a_task_is),
        cmocka_unit_test(gdb_tells_a_core_file),
        cmocka_unit_test(gdb_without_celadon_says_so),
    };

    return cmocka_run_group_tests(tests, find_program, remove_folder);
}
