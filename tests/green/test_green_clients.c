/* SPDX-License-Identifier: MIT */
/* Clients that know nothing of tasks, unmodified: libpq and hiredis, a hundred of each on one
 * thread. That all are under way at once is what the servers count: every query waits for a lock
 * that is given when the hundredth waits for it, every pop for an element that is pushed when the
 * hundredth client is blocked. */
#include <dirent.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/green.h>

#include "support/intask.h"

enum { CLIENTS = 100, LOCK = 7 };

static int answers_right;

static PGconn *open_postgres(void)
{
    char info[512];
    PGconn *db;

    snprintf(info, sizeof info, "host=%s user=green dbname=postgres", getenv("GREEN_SERVERS"));
    db = PQconnectdb(info);
    if (PQstatus(db) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(db));
    return db;
}

static redisContext *open_redis(void)
{
    char path[512];
    redisContext *redis;

    snprintf(path, sizeof path, "%s/redis.sock", getenv("GREEN_SERVERS"));
    redis = redisConnectUnix(path);
    assert_non_null(redis);
    if (redis->err != 0)
        fail_msg("%s", redis->errstr);
    return redis;
}

/* The last field of the only row. */
static long ask_number(PGconn *db, const char *query)
{
    PGresult *result = PQexec(db, query);
    long number;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s", PQerrorMessage(db));
    number = strtol(PQgetvalue(result, 0, PQnfields(result) - 1), NULL, 10);
    PQclear(result);
    return number;
}

static void query_of(long i)
{
    PGconn *db = open_postgres();
    char query[128];

    snprintf(query, sizeof query, "SELECT pg_advisory_lock_shared(%d), pg_sleep(0.2), %ld * 3",
             LOCK, i);
    assert_int_equal(ask_number(db, query), i * 3);
    PQfinish(db);
}

static void pop_of(long i)
{
    redisContext *redis = open_redis();
    redisReply *reply = redisCommand(redis, "BLPOP queue:%ld 0", i);
    char expected[32];

    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->elements, 2);
    snprintf(expected, sizeof expected, "value %ld", i);
    assert_string_equal(reply->element[1]->str, expected);
    freeReplyObject(reply);
    redisFree(redis);
}

static void *client(void *arg)
{
    long i = (long)(intptr_t)arg;

    query_of(i); /* parks: the library does not know */
    pop_of(i);   /* parks */
    answers_right++;
    return NULL;
}

static void release_queries(PGconn *db)
{
    while (ask_number(db, "SELECT count(*) FROM pg_locks "
                          "WHERE locktype = 'advisory' AND NOT granted") < CLIENTS)
        assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
    assert_int_equal(answers_right, 0);
    ask_number(db, "SELECT CASE WHEN pg_advisory_unlock(7) THEN 1 ELSE 0 END");
}

static long blocked_clients(redisContext *redis)
{
    redisReply *reply = redisCommand(redis, "INFO clients");
    const char *at = strstr(reply->str, "blocked_clients:");
    long count = strtol(at + strlen("blocked_clients:"), NULL, 10);

    freeReplyObject(reply);
    return count;
}

static void push_values(redisContext *redis)
{
    while (blocked_clients(redis) < CLIENTS)
        assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
    assert_int_equal(answers_right, 0);
    for (int i = CLIENTS - 1; i >= 0; i--)
        freeReplyObject(redisCommand(redis, "RPUSH queue:%d %s%d", i, "value ", i));
}

static int threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int count = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

IN_TASK(hundred_clients_of_each_wait_at_once_on_one_thread)
{
    PGconn *db = open_postgres();
    redisContext *redis = open_redis();

    assert_true(cel_green_is_active());
    ask_number(db, "SELECT 1 FROM (SELECT pg_advisory_lock(7)) AS taken");
    CEL_SCOPE (s) {
        for (int i = 0; i < CLIENTS; i++)
            assert_non_null(
                cel_spawn_with(client, (void *)(intptr_t)i, .stack_size_bytes = 256 * 1024));
        release_queries(db);
        push_values(redis);
        if (strcmp(cel_loop_backend(cel_loop_current()), "epoll") == 0)
            assert_int_equal(threads(), 1); /* io_uring has the kernel's workers beside */
    }
    assert_int_equal(answers_right, CLIENTS);
    PQfinish(db);
    redisFree(redis);
}

IN_TASK(query_obeys_the_deadline_of_its_scope)
{
    PGconn *db = open_postgres();
    PGresult *result = NULL;
    bool has_expired = false;

    CEL_SCOPE (late, .timeout = 20 * CEL_MILLISECOND) {
        result = PQexec(db, "SELECT pg_sleep(600)");
        has_expired = cel_scope_expired(&late);
    }
    assert_true(has_expired);
    assert_int_not_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);
    PQfinish(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundred_clients_of_each_wait_at_once_on_one_thread),
        cmocka_unit_test(query_obeys_the_deadline_of_its_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
