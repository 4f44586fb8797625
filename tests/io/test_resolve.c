/* SPDX-License-Identifier: MIT */
/* Names to addresses, against a name server of our own. */
#include <netinet/in.h>

#include "fake_dns.h"
#include "support/intask.h"

static const char *text_of(const struct sockaddr_storage *at)
{
    static char text[136];

    return cel_address_format(at, text, sizeof text);
}

IN_TASK(resolve_numeric_asks_nobody)
{
    struct sockaddr_storage at[4];
    size_t count = 4;

    assert_int_equal(cel_resolve("192.0.2.7", 80, at, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(text_of(&at[0]), "192.0.2.7:80");
    count = 4;
    assert_int_equal(cel_resolve("2001:db8::1", 443, at, &count), 0);
    assert_string_equal(text_of(&at[0]), "[2001:db8::1]:443");
    count = 0;
    assert_int_equal(cel_resolve("192.0.2.7", 80, at, &count), -EINVAL);
}

IN_TASK(resolve_localhost_is_loopback)
{
    struct sockaddr_storage at[8];
    size_t count = 8;

    assert_int_equal(cel_resolve("localhost", 80, at, &count), 0);
    assert_true(count >= 1);
    for (size_t i = 0; i < count; i++)
        assert_true(strcmp(text_of(&at[i]), "127.0.0.1:80") == 0 ||
                    strcmp(text_of(&at[i]), "[::1]:80") == 0);
}

IN_TASK(resolve_gives_addresses_in_order)
{
    struct sockaddr_storage at[8];
    struct fake_dns dns;
    size_t count = 8;

    fake_dns_start(&dns);
    assert_int_equal(cel_resolve("two.test", 8080, at, &count), 0);
    assert_int_equal(count, 2);
    assert_string_equal(text_of(&at[0]), "127.0.0.3:8080");
    assert_string_equal(text_of(&at[1]), "127.0.0.1:8080");
    count = 1;
    assert_int_equal(cel_resolve("two.test", 8080, at, &count), 0);
    assert_int_equal(count, 1);
    fake_dns_stop(&dns);
}

/* Each lie has the right shape and two of the three things that must be right. */
IN_TASK(resolve_takes_no_forged_answer)
{
    struct sockaddr_storage at[8];
    struct fake_dns dns;

    fake_dns_start(&dns);
    for (int i = 0; i < 20; i++) {
        size_t count = 8;

        assert_int_equal(cel_resolve("forged.test", 80, at, &count), 0);
        assert_int_equal(count, 1);
        assert_string_equal(text_of(&at[0]), "127.0.0.9:80");
    }
    fake_dns_stop(&dns);
}

static void check_cause(const char *name, const char *cause)
{
    struct sockaddr_storage at[8];
    size_t count = 8;
    int r = cel_resolve(name, 80, at, &count);

    assert_int_equal(r, -CEL_EDNS);
    assert_int_equal(cel_last_error()->code, -CEL_EDNS);
    assert_string_equal(cel_last_error()->phase, "dns");
    if (strstr(cel_last_error()->text, cause) == NULL)
        fail_msg("%s: '%s' does not say '%s'", name, cel_last_error()->text, cause);
    assert_non_null(strstr(cel_last_error()->text, name));
}

IN_TASK(resolve_failures_name_their_causes)
{
    struct fake_dns dns;

    fake_dns_start(&dns);
    check_cause("none.test", "no such name");
    check_cause("empty.test", "no address");
    check_cause("failing.test", "SERVFAIL");
    check_cause("refused.test", "refuse");
    check_cause("mute.test", "do not answer");
    check_cause("bad..name", "not a valid host name");
    check_cause("", "not a valid host name");
    fake_dns_stop(&dns);
}

IN_TASK(resolve_without_a_server_says_so)
{
    struct cel__dns_options nobody = {.servers = "127.0.0.1:1", .timeout_ms = 60, .tries = 1};

    assert_int_equal(cel__resolve_configure(&nobody), 0);
    check_cause("one.test", "name server");
}

static void *resolve_slow(void *arg)
{
    struct sockaddr_storage at;
    size_t count = 1;

    *(int *)arg = cel_resolve("slow.test", 80, &at, &count);
    return NULL;
}

IN_TASK(resolve_same_name_shares_one_lookup_and_survives_a_cancel)
{
    struct cel_task *tasks[10];
    struct fake_dns dns;
    int results[10];

    fake_dns_start(&dns);
    for (int i = 0; i < 10; i++)
        tasks[i] = cel_spawn(resolve_slow, &results[i]);
    assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
    cel_task_cancel(tasks[0]);
    cel_task_cancel(tasks[7]);
    assert_int_equal(cel_gather(tasks, 10, NULL), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(results[i], i == 0 || i == 7 ? -ECANCELED : 0);
    assert_int_equal(dns.asked, 1);
    fake_dns_stop(&dns);
}

static void *resolve_forgotten(void *arg)
{
    struct sockaddr_storage at;
    size_t count = 1;

    *(int *)arg = cel_resolve("forgetful.test", 80, &at, &count);
    return NULL;
}

/* A question is lost and will not be asked again for half a minute. */
IN_TASK(resolve_after_a_lost_question_asks_anew)
{
    struct cel__dns_options patient = {.timeout_ms = 30000, .tries = 1};
    struct cel_task *first, *joins;
    int results[3] = {1, 1, 1};
    struct fake_dns dns;

    fake_dns_start(&dns);
    patient.servers = cel_socket_address(dns.socket);
    assert_int_equal(cel__resolve_configure(&patient), 0);
    first = cel_spawn(resolve_forgotten, &results[0]);
    assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
    joins = cel_spawn(resolve_forgotten, &results[1]);
    assert_int_equal(cel_sleep(600 * CEL_MILLISECOND), 0);
    assert_int_equal(dns.asked, 1);
    CEL_SCOPE (s, .timeout = 10 * CEL_SECOND)
        resolve_forgotten(&results[2]);
    assert_int_equal(results[2], 0);
    assert_int_equal(dns.asked, 2);
    cel_task_cancel(first);
    cel_task_cancel(joins);
    assert_int_equal(cel_join(first, NULL), 0);
    assert_int_equal(cel_join(joins, NULL), 0);
    assert_int_equal(results[0], -ECANCELED);
    assert_int_equal(results[1], -ECANCELED);
    fake_dns_stop(&dns);
}

IN_TASK(resolve_out_of_time_leaves_nothing_behind)
{
    struct sockaddr_storage at;
    struct fake_dns dns;
    size_t count = 1;
    int r = 0;

    fake_dns_start(&dns);
    CEL_SCOPE (s, .timeout = 5 * CEL_MILLISECOND)
        r = cel_resolve("slow.test", 80, &at, &count);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_scope_expired(&s));
    fake_dns_stop(&dns); /* the loop closes while the question is out */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolve_numeric_asks_nobody),
        cmocka_unit_test(resolve_localhost_is_loopback),
        cmocka_unit_test(resolve_gives_addresses_in_order),
        cmocka_unit_test(resolve_takes_no_forged_answer),
        cmocka_unit_test(resolve_failures_name_their_causes),
        cmocka_unit_test(resolve_without_a_server_says_so),
        cmocka_unit_test(resolve_same_name_shares_one_lookup_and_survives_a_cancel),
        cmocka_unit_test(resolve_after_a_lost_question_asks_anew),
        cmocka_unit_test(resolve_out_of_time_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
