/* SPDX-License-Identifier: MIT */
/* libmariadb, unmodified: a hundred blocking queries wait on one thread, which the server counts,
 * for a lock that is given when the hundredth waits for it. */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include <celadon/green.h>

#include "support/intask.h"

enum { CLIENTS = 100 };

static int right;

static MYSQL *open_server(void)
{
    MYSQL *db = mysql_init(NULL);
    char path[512];

    assert_non_null(db);
    snprintf(path, sizeof path, "%s/maria.sock", getenv("GREEN_SERVERS"));
    if (mysql_real_connect(db, NULL, "root", NULL, NULL, 0, path, 0) == NULL)
        fail_msg("%s", mysql_error(db));
    return db;
}

static long ask_number(MYSQL *db, const char *query)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    long number;

    if (mysql_query(db, query) != 0)
        fail_msg("%s: %s", query, mysql_error(db));
    result = mysql_store_result(db);
    assert_non_null(result);
    row = mysql_fetch_row(result);
    assert_non_null(row);
    number = strtol(row[0], NULL, 10);
    mysql_free_result(result);
    return number;
}

static void *client(void *arg)
{
    long i = (long)(intptr_t)arg;
    MYSQL *db = open_server();
    char query[128];

    snprintf(query, sizeof query, "SELECT GET_LOCK('door', 100) * %ld", 3 * i);
    assert_int_equal(ask_number(db, query), 3 * i); /* parks: the library does not know */
    right++;
    assert_int_equal(ask_number(db, "SELECT RELEASE_LOCK('door')"), 1);
    mysql_close(db);
    return NULL;
}

IN_TASK(hundred_queries_wait_at_once_on_one_thread)
{
    MYSQL *db = open_server();

    assert_true(cel_green_is_active());
    assert_int_equal(ask_number(db, "SELECT GET_LOCK('door', 0)"), 1);
    CEL_SCOPE (s) {
        for (int i = 1; i <= CLIENTS; i++)
            assert_non_null(
                cel_spawn_with(client, (void *)(intptr_t)i, .stack_size_bytes = 256 * 1024));
        while (ask_number(db, "SELECT count(*) FROM information_schema.processlist "
                              "WHERE state = 'User lock'") < CLIENTS)
            assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
        assert_int_equal(right, 0);
        assert_int_equal(ask_number(db, "SELECT RELEASE_LOCK('door')"), 1);
    }
    assert_int_equal(right, CLIENTS);
    mysql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundred_queries_wait_at_once_on_one_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
