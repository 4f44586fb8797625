/* SPDX-License-Identifier: MIT */
/* Children of other users, with other groups and masks; and that nothing of it stays behind. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "celadon/process.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

#define ARGV(...)  ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(cmd) ARGV("sh", "-c", cmd)
#define NOBODY     65534

static const gid_t groups[] = {7, 9};
static const struct cel_identity nobody = {
    .uid = NOBODY, .gid = 5, .groups = groups, .groups_count = 2};

static void assert_says(const char *command, const struct cel_process_options *o, const char *text)
{
    struct cel_output output;

    assert_int_equal(cel_process_run(SHELL(command), o, "", 0, 1 << 16, &output), 0);
    assert_string_equal(output.out, text);
    cel_output_free(&output);
}

static bool is_root(void)
{
    return geteuid() == 0;
}

static void assert_still_root(void)
{
    uid_t real, effective, saved;

    assert_int_equal(getresuid(&real, &effective, &saved), 0);
    assert_int_equal(real + effective + saved, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

IN_TASK(child_has_the_identity_given)
{
    const struct cel_process_options o = {.identity = &nobody, .cwd = "/"};

    if (!is_root())
        return;
    assert_says("id -u; id -ru; id -g; id -G", &o, "65534\n65534\n5\n5 7 9\n");
    assert_says("grep -E '^(Uid|CapPrm|CapEff)' /proc/self/status | tr '\\t' ' '", &o,
                "Uid: 65534 65534 65534 65534\nCapPrm: 0000000000000000\nCapEff: "
                "0000000000000000\n");
    assert_still_root();
    assert_says("id -u", NULL, "0\n"); /* the pool's threads are who they were */
}

IN_TASK(identity_without_groups_has_none)
{
    const struct cel_identity bare = {.uid = NOBODY, .gid = NOBODY};
    const struct cel_process_options o = {.identity = &bare};

    if (is_root())
        assert_says("id -G", &o, "65534\n");
}

/* The program is looked for with the rights of the child. */
IN_TASK(identity_that_may_not_run_it_is_told)
{
    const struct cel_process_options o = {.identity = &nobody};
    char folder[] = "/tmp/celadon-identity-XXXXXX", path[64];
    struct cel_process *p = NULL;

    if (!is_root())
        return;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/program", folder);
    assert_int_equal(cel_process_spawn(&p, ARGV(path), &o), -EACCES);
    rmdir(folder);
    assert_still_root();
}

IN_TASK(identity_takes_privileges)
{
    const struct cel_process_options o = {.identity = &nobody};
    struct cel_process *p = NULL;

    if (is_root())
        return;
    assert_int_equal(cel_process_spawn(&p, ARGV("true"), &o), -EPERM);
}

IN_TASK(child_has_the_umask_given)
{
    const struct cel_process_options o = {.has_umask = true, .umask = 0137};
    mode_t before = umask(022);

    assert_says("umask", &o, "0137\n");
    assert_says("umask", NULL, "0022\n");
    assert_int_equal(umask(before), 022);
}

static void *live(void *arg)
{
    const struct cel_process_options o = {.identity = is_root() ? &nobody : NULL,
                                          .has_umask = true,
                                          .umask = 077,
                                          .out = {CEL_STDIO_PIPE}};
    struct cel_output output = {0};

    *(int *)arg = cel_process_run(SHELL("umask"), &o, "", 0, 100, &output);
    if (*(int *)arg == 0)
        assert_string_equal(output.out, "0077\n");
    cel_output_free(&output);
    return NULL;
}

static int live_once(void *arg)
{
    int code = -EIO, r = cel_run(live, &code, NULL);

    return r < 0 ? r : code;
}

static void identity_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(unshare) | SYSFAULT_BIT(setgroups) |
                                                SYSFAULT_BIT(setresgid) | SYSFAULT_BIT(setresuid)};

    assert_true(fault_every_syscall(&plan, live_once, NULL) >= (is_root() ? 4 : 1));
    if (is_root())
        assert_still_root();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_has_the_identity_given),
        cmocka_unit_test(identity_without_groups_has_none),
        cmocka_unit_test(identity_that_may_not_run_it_is_told),
        cmocka_unit_test(identity_takes_privileges),
        cmocka_unit_test(child_has_the_umask_given),
        cmocka_unit_test(identity_survives_each_failed_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
