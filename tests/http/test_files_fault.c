/* SPDX-License-Identifier: MIT */
/* Folders where the kernel has no openat2, and where calls fail midway. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "http/site.h"
#include "loop/core.h"
#include "support/check.h"
#include "support/intask.h"
#include "support/sysfault.h"

static char base[] = "/tmp/celadon-files-XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", base, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int lay_out(void **state)
{
    char path[128];

    assert_non_null(mkdtemp(base));
    snprintf(path, sizeof path, "%s/sub", base);
    assert_int_equal(mkdir(path, 0755), 0);
    put_file("index.html", "root");
    put_file("sub/index.html", "sub");
    put_file("sub/a.txt", "0123456789");
    snprintf(path, sizeof path, "%s/inside.txt", base);
    assert_int_equal(symlink("sub/a.txt", path), 0);
    snprintf(path, sizeof path, "%s/outside.txt", base);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/dir", base);
    assert_int_equal(symlink("sub", path), 0);
    return 0;
}

static int clear_away(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

static void add_folder(struct cel_server *s)
{
    assert_int_equal(cel_route_files(s, "/", base), 0);
}

static void check_folder(void)
{
    struct cel_server *s = site_open(NULL, add_folder);

    SAYS(site_ask(s, GET("/", CLOSE)), "\r\n\r\nroot");
    SAYS(site_ask(s, GET("/sub/", CLOSE)), "\r\n\r\nsub");
    SAYS(site_ask(s, GET("/sub", CLOSE)), "Location: /sub/\r\n");
    SAYS(site_ask(s, GET("/sub/a.txt", CLOSE)), "\r\n\r\n0123456789");
    SAYS(site_ask(s, GET("/sub/a.txt/", CLOSE)), "404 ");
    SAYS(site_ask(s, GET("/inside.txt", CLOSE)), "404 "); /* no link at all is followed */
    SAYS(site_ask(s, GET("/outside.txt", CLOSE)), "404 ");
    SAYS(site_ask(s, GET("/dir/a.txt", CLOSE)), "404 ");
    SAYS(site_ask(s, GET("/sub/../../etc/passwd", CLOSE)), "404 ");
    site_close(s);
}

IN_TASK(folder_without_openat2_is_served_without_links)
{
    static const int reasons[] = {ENOSYS, EPERM};

    for (size_t i = 0; i < 2; i++) {
        struct sysfault_plan plan = {
            .calls = SYSFAULT_BIT(openat2), .error = reasons[i], .nth = 1, .times = FAULT_FOREVER};

        sysfault_begin(&plan);
        check_folder();
        assert_true(sysfault_hits() >= 9);
        sysfault_end();
    }
}

static void put_large(void)
{
    char path[128];

    put_file("large.bin", "x");
    snprintf(path, sizeof path, "%s/large.bin", base);
    assert_int_equal(truncate(path, 100000), 0);
}

/* -> bytes of the body that came. */
static size_t ask_for_large(struct cel_server *s)
{
    struct cel_stream *c = site_dial(s);
    static char sink[200000];
    size_t len = 0;
    char *end;
    ssize_t n;

    assert_true(site_say(c, GET("/large.bin", CLOSE)));
    while ((n = cel_read(c, sink + len, sizeof sink - 1 - len)) > 0)
        len += (size_t)n;
    sink[len] = '\0';
    cel_close(c);
    end = memmem(sink, len, "\r\n\r\n", 4);
    return end != NULL ? len - (size_t)(end + 4 - sink) : 0;
}

IN_TASK(file_goes_out_by_reading_where_sendfile_cannot)
{
    static const int reasons[] = {EAGAIN, EINVAL, EINTR, ENOSYS};
    struct cel_server *s = site_open(NULL, add_folder);

    put_large();
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct sysfault_plan plan = {
            .calls = SYSFAULT_BIT(sendfile), .error = reasons[i], .nth = 1, .times = FAULT_FOREVER};

        sysfault_begin(&plan);
        assert_int_equal(ask_for_large(s), 100000);
        assert_true(sysfault_hits() >= 1);
        sysfault_end();
    }
    site_close(s);
}

IN_TASK(file_that_cannot_be_read_ends_short)
{
    struct cel_server *s = site_open(NULL, add_folder);
    struct sysfault_plan plan = {.calls = SYSFAULT_BIT(sendfile) | SYSFAULT_BIT(pread),
                                 .error = EIO,
                                 .nth = 1,
                                 .times = FAULT_FOREVER};

    put_large();
    sysfault_begin(&plan);
    assert_true(ask_for_large(s) < 100000);
    assert_null(strstr(site_ask(s, GET("/sub/a.txt", CLOSE)), "0123456789"));
    sysfault_end();
    assert_int_equal(ask_for_large(s), 100000);
    site_close(s);
}

static unsigned in_turn, in_turn_most;
static uint32_t last_turn;

static ssize_t send_little(int out, int in, off_t *offset, size_t len)
{
    uint32_t turn = cel__loop_here->beat / 2;

    in_turn = turn == last_turn ? in_turn + 1 : 1;
    last_turn = turn;
    in_turn_most = in_turn > in_turn_most ? in_turn : in_turn_most;
    return cel__sys_floor.sendfile(out, in, offset, len < 32768 ? len : 32768);
}

/* However much the socket takes, the others have their turn after 256 KiB. */
IN_KERNEL(large_file_lets_the_others_run)
{
    struct cel_server *s = site_open(NULL, add_folder);
    struct cel_stream *c = site_dial(s);
    char path[128], buf[4096];
    size_t len = 0;
    ssize_t n;

    put_file("wide.bin", "x");
    snprintf(path, sizeof path, "%s/wide.bin", base);
    assert_int_equal(truncate(path, 4 << 20), 0);
    in_turn = in_turn_most = 0;
    cel__sys.sendfile = send_little;
    assert_true(site_say(c, GET("/wide.bin", CLOSE)));
    while ((n = cel_read(c, buf, sizeof buf)) > 0)
        len += (size_t)n;
    cel__sys_reset();
    assert_true(len > 4 << 20);
    assert_in_range(in_turn_most, 1, CEL__CREDIT * CEL__CREDIT_BYTES / 32768);
    cel_close(c);
    site_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_without_openat2_is_served_without_links),
        cmocka_unit_test(file_goes_out_by_reading_where_sendfile_cannot),
        cmocka_unit_test(file_that_cannot_be_read_ends_short),
        cmocka_unit_test(large_file_lets_the_others_run),
    };

    return cmocka_run_group_tests(tests, lay_out, clear_away);
}
