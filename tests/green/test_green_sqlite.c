/* SPDX-License-Identifier: MIT */
/* SQLite, whose busy handler sleeps: a task that writes is slow, and the others wait for it. Were
 * one of them to hold the thread, the writer could not end, and they would give up. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <celadon/green.h>

#include "support/intask.h"

enum { WRITERS = 20, TIMES = 5, PATIENCE_MS = 100000 };

static char path[] = "/tmp/green-sqlite-XXXXXX";
static int inside;

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3 *open_file(void)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, PATIENCE_MS);
    return db;
}

static int count_of(sqlite3 *db)
{
    sqlite3_stmt *query;
    int count;

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT n FROM t", -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    count = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return count;
}

static void *count_up(void *arg)
{
    sqlite3 *db = open_file();
    char sql[64];

    for (int i = 0; i < TIMES; i++) {
        int count;

        run(db, "BEGIN IMMEDIATE"); /* parks while another task writes */
        assert_int_equal(inside++, 0);
        count = count_of(db);
        assert_int_equal(usleep(2000), 0); /* parks, with the lock */
        snprintf(sql, sizeof sql, "UPDATE t SET n = %d", count + 1);
        run(db, sql);
        inside--;
        run(db, "COMMIT");
    }
    sqlite3_close(db);
    return NULL;
}

IN_TASK(writers_of_one_database_wait_for_each_other)
{
    sqlite3 *db;

    assert_true(mkstemp(path) >= 0);
    db = open_file();
    run(db, "PRAGMA synchronous = OFF; CREATE TABLE t(n); INSERT INTO t VALUES(0)");
    CEL_SCOPE (s)
        for (int i = 0; i < WRITERS; i++)
            assert_non_null(cel_spawn_with(count_up, NULL, .stack_size_bytes = 256 * 1024));
    assert_int_equal(count_of(db), WRITERS * TIMES);
    sqlite3_close(db);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_of_one_database_wait_for_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
