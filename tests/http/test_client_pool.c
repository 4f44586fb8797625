/* SPDX-License-Identifier: MIT */
/* Who gets which connection: limits, lines, idle ones, stale ones, cancels. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <celadon/http.h>
#include "http/door.h"
#include "support/intask.h"

#define OK "HTTP/1.1 200 OK\r\n"

static struct cel_session_stats stats_of(struct cel_session *web)
{
    struct cel_session_stats stats;

    cel_session_stats(web, &stats);
    return stats;
}

struct job {
    struct cel_session *web;
    const char *url;
    int r, order;
    int *next;
};

static void *get(void *arg)
{
    struct job *job = arg;
    struct cel_response *page;

    job->r = cel_get(job->web, job->url, &page);
    job->order = job->next != NULL ? (*job->next)++ : 0;
    if (job->r == 0)
        cel_response_free(page);
    return NULL;
}

static struct cel_task *start(struct job *job)
{
    struct cel_task *task = cel_spawn(get, job);

    assert_non_null(task);
    return task;
}

static void wait_for(const unsigned *count, unsigned value)
{
    while (*count < value)
        assert_int_equal(cel_sleep(100 * CEL_MICROSECOND), 0);
}

static void join_all(struct cel_task **tasks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(cel_join(tasks[i], NULL), 0);
}

IN_TASK(limits_hold_and_the_line_is_first_come_first_served)
{
    DOOR(door, {OK "Content-Length: 2\r\n\r\nok", .pause = CEL_MILLISECOND});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.per_host_max = 3});
    struct cel_task *tasks[30];
    struct job jobs[30];
    int next = 0;

    for (int i = 0; i < 30; i++) {
        jobs[i] = (struct job){web, door_url(door, "/0"), -1, -1, &next};
        tasks[i] = start(&jobs[i]);
    }
    join_all(tasks, 30);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(jobs[i].r, 0);
        assert_in_range(jobs[i].order, i >= 3 ? i - 3 : 0, i + 3);
    }
    assert_int_equal(door->accepted, 3);
    assert_int_equal(door->at_once_max, 3);
    assert_int_equal(stats_of(web).open, 3);
    assert_int_equal(stats_of(web).waiting, 0);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(total_limit_is_shared_among_hosts)
{
    DOOR(a, {OK "Content-Length: 1\r\n\r\na", .pause = CEL_MILLISECOND});
    DOOR(b, {OK "Content-Length: 1\r\n\r\nb", .pause = CEL_MILLISECOND});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.connections_max = 2});
    const char *urls[] = {door_url(a, "/0"), door_url(b, "/0")};
    struct cel_task *tasks[20];
    struct job jobs[20];
    int next = 0;

    for (int i = 0; i < 20; i++) {
        jobs[i] = (struct job){web, urls[i >= 16], -1, -1, &next};
        tasks[i] = start(&jobs[i]);
    }
    join_all(tasks, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(jobs[i].r, 0);
    assert_true(a->at_once_max <= 2 && b->at_once_max <= 2);
    assert_true(stats_of(web).open <= 2);
    cel_session_free(web);
    door_close(a);
    door_close(b);
}

static void *get_on_and_on(void *arg)
{
    struct job *job = arg;
    struct cel_response *page;

    while ((job->r = cel_get(job->web, job->url, &page)) == 0)
        cel_response_free(page);
    return NULL;
}

/* A host that is always asked for must not keep the others out. */
IN_TASK(busy_host_does_not_starve_another)
{
    DOOR(a, {OK "Content-Length: 1\r\n\r\na"});
    DOOR(b, {OK "Content-Length: 1\r\n\r\nb"});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.connections_max = 1});
    struct job busy = {web, door_url(a, "/0")}, other = {web, door_url(b, "/0"), -1};
    struct cel_task *tasks[3];

    for (int i = 0; i < 3; i++)
        assert_non_null(tasks[i] = cel_spawn(get_on_and_on, &busy));
    wait_for(&a->request_count, 5);
    for (int i = 0; i < 5; i++) {
        get(&other);
        assert_int_equal(other.r, 0);
    }
    for (int i = 0; i < 3; i++)
        cel_task_cancel(tasks[i]);
    join_all(tasks, 3);
    cel_session_free(web);
    door_close(a);
    door_close(b);
}

IN_TASK(idle_connection_makes_room_for_another_host)
{
    DOOR(a, {OK "Content-Length: 1\r\n\r\na"});
    DOOR(b, {OK "Content-Length: 1\r\n\r\nb"});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.connections_max = 1});
    struct job on_a = {web, door_url(a, "/0")}, on_b = {web, door_url(b, "/0")};

    for (int i = 0; i < 3; i++) {
        get(&on_a);
        get(&on_b);
        assert_int_equal(on_a.r, 0);
        assert_int_equal(on_b.r, 0);
        assert_int_equal(stats_of(web).open, 1);
    }
    assert_int_equal(a->accepted, 3);
    cel_session_free(web);
    door_close(a);
    door_close(b);
}

IN_TASK(idle_connection_is_closed_in_time)
{
    DOOR(door, {OK "Content-Length: 1\r\n\r\na"});
    struct cel_session *web =
        cel_session_new(&(struct cel_session_options){.idle_timeout = 3 * CEL_MILLISECOND});
    struct job job = {web, door_url(door, "/0")};

    get(&job);
    assert_int_equal(stats_of(web).idle, 1);
    wait_for(&door->closed, 1);
    assert_int_equal(stats_of(web).open, 0);
    get(&job);
    assert_int_equal(job.r, 0);
    assert_int_equal(door->accepted, 2);
    cel_session_free(web);
    door_close(door);
}

/* ---- stale connections ---- */

IN_TASK(connection_closed_while_idle_is_not_used)
{
    DOOR(door, {OK "Content-Length: 2\r\n\r\nok", CLOSE});
    struct cel_session *web = cel_session_new(NULL);
    struct job job = {web, door_url(door, "/0")};

    for (unsigned i = 0; i < 5; i++) {
        get(&job);
        assert_int_equal(job.r, 0);
        wait_for(&door->closed, i + 1);
    }
    assert_int_equal(door->accepted, 5);
    assert_int_equal(stats_of(web).retried, 0);
    cel_session_free(web);
    door_close(door);
}

static unsigned strays_sent;

static void send_stray(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    while (door_read(door, peer, head, sizeof head)) {
        door_say(peer, OK "Content-Length: 2\r\n\r\nok");
        cel_sleep(CEL_MILLISECOND);
        door_say(peer, OK "Content-Length: 4\r\n\r\nevil");
        strays_sent++;
    }
}

IN_TASK(unasked_bytes_on_an_idle_connection_poison_it)
{
    struct door *door = door_open(NULL, 0);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    door->play = send_stray;
    strays_sent = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(cel_get(web, door_url(door, "/"), &page), 0);
        CHECK_STR(cel_text(page), "ok");
        cel_response_free(page);
        wait_for(&strays_sent, i + 1);
    }
    assert_int_equal(door->accepted, 3);
    cel_session_free(web);
    door_close(door);
}

static const char *last_words; /* to a second request, before the end */

/* The first connection answers once and hangs up on the second request. */
static void die_when_used_again(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    while (door_read(door, peer, head, sizeof head)) {
        if (nth == 0 && door->request_count == 2) {
            door_say(peer, last_words);
            return;
        }
        door_say(peer, OK "Content-Length: 2\r\n\r\nok");
    }
}

static int ask_again(const char *words, const struct cel_fetch_options *options, unsigned *retried,
                     unsigned *requests)
{
    struct door *door = door_open(NULL, 0);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    int r;

    last_words = words;
    door->play = die_when_used_again;
    assert_int_equal(cel_get(web, door_url(door, "/"), &page), 0);
    cel_response_free(page);
    r = cel_fetch(web, door_url(door, "/"), options, &page);
    if (r == 0)
        cel_response_free(page);
    *retried = (unsigned)stats_of(web).retried;
    *requests = door->request_count;
    assert_int_equal(stats_of(web).open, stats_of(web).idle);
    cel_session_free(web);
    door_close(door);
    return r;
}

static ssize_t no_bytes(void *arg, void *buf, size_t cap)
{
    return 0;
}

IN_TASK(stale_connection_is_retried_once_if_that_is_harmless)
{
    unsigned retried, requests;

    assert_int_equal(ask_again("", NULL, &retried, &requests), 0);
    assert_int_equal(retried, 1);
    assert_int_equal(requests, 3);
    assert_int_equal(ask_again("",
                               &(struct cel_fetch_options){.method = "PUT", .body = CEL_LIT("x")},
                               &retried, &requests),
                     0);
    assert_int_equal(retried, 1);
    assert_int_equal(
        ask_again("", &(struct cel_fetch_options){.body = CEL_LIT("x")}, &retried, &requests),
        -CEL_EEOF);
    assert_int_equal(retried, 0);
    assert_int_equal(requests, 2);
    assert_int_equal(ask_again("",
                               &(struct cel_fetch_options){.method = "PUT", .body_read = no_bytes},
                               &retried, &requests),
                     -CEL_EEOF);
    assert_int_equal(retried, 0);
    assert_int_equal(ask_again("HTTP/1.1", NULL, &retried, &requests), -CEL_EEOF);
    assert_int_equal(retried, 0);
}

/* ---- cancels ---- */

static void stall_everywhere(struct door *door, struct cel_stream *peer, unsigned nth)
{
    static const char whole[] = OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    char head[HEAD_MAX];

    while (door_read(door, peer, head, sizeof head))
        for (size_t i = 0; i < sizeof whole - 1; i++) {
            if (cel_write(peer, whole + i, 1) < 0)
                return;
            cel_sleep(20 * CEL_MICROSECOND);
        }
}

/* Whenever the cancel comes, nothing is left behind and the session works on. */
IN_TASK(cancel_at_any_point_leaves_the_session_sound)
{
    struct door *door = door_open(NULL, 0);
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.per_host_max = 2});
    struct job jobs[5];
    struct cel_task *tasks[5];

    door->play = stall_everywhere;
    for (int pauses = 0; pauses < 120; pauses++) {
        for (int i = 0; i < 5; i++) {
            jobs[i] = (struct job){web, door_url(door, "/"), -1};
            tasks[i] = start(&jobs[i]);
        }
        for (int i = 0; i < pauses; i++)
            cel_yield();
        for (int i = pauses % 2; i < 5; i += 2)
            cel_task_cancel(tasks[i]);
        join_all(tasks, 5);
        for (int i = 0; i < 5; i++)
            assert_true(jobs[i].r == 0 || (i % 2 == pauses % 2 && jobs[i].r == -ECANCELED));
        assert_int_equal(stats_of(web).waiting, 0);
        assert_int_equal(stats_of(web).open, stats_of(web).idle);
        assert_true(stats_of(web).open <= 2);
    }
    assert_true(door->at_once_max <= 8);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(cancelled_waiter_leaves_the_line)
{
    DOOR(door, {NULL, STALL}, {OK "Content-Length: 2\r\n\r\nok"});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.per_host_max = 1});
    struct job holder = {web, door_url(door, "/0"), -1}, waiter = {web, door_url(door, "/1"), -1},
               last = waiter;
    struct cel_task *tasks[] = {start(&holder), NULL, NULL};

    wait_for(&door->request_count, 1);
    tasks[1] = start(&waiter);
    tasks[2] = start(&last);
    cel_yield();
    assert_int_equal(stats_of(web).waiting, 2);
    cel_task_cancel(tasks[1]);
    cel_task_cancel(tasks[0]);
    join_all(tasks, 3);
    assert_int_equal(holder.r, -ECANCELED);
    assert_int_equal(waiter.r, -ECANCELED);
    assert_int_equal(last.r, 0);
    assert_int_equal(stats_of(web).open, 1);
    cel_session_free(web);
    door_close(door);
}

/* ---- many ---- */

IN_TASK(two_thousand_at_once_are_all_served)
{
    enum { COUNT = 2000 };
    DOOR(door, {OK "Content-Length: 10\r\n\r\n0123456789"});
    struct cel_session *web =
        cel_session_new(&(struct cel_session_options){.connections_max = 200});
    const char *url = door_url(door, "/0");
    struct cel_task **tasks = calloc(COUNT, sizeof *tasks);
    struct job *jobs = calloc(COUNT, sizeof *jobs);

    for (int i = 0; i < COUNT; i++) {
        jobs[i] = (struct job){web, url, -1};
        tasks[i] = start(&jobs[i]);
    }
    join_all(tasks, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(jobs[i].r, 0);
    assert_int_equal(door->request_count, COUNT);
    assert_true(door->at_once_max <= 200);
    cel_session_free(web);
    door_close(door);
    free(tasks);
    free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_and_the_line_is_first_come_first_served),
        cmocka_unit_test(total_limit_is_shared_among_hosts),
        cmocka_unit_test(busy_host_does_not_starve_another),
        cmocka_unit_test(idle_connection_makes_room_for_another_host),
        cmocka_unit_test(idle_connection_is_closed_in_time),
        cmocka_unit_test(connection_closed_while_idle_is_not_used),
        cmocka_unit_test(unasked_bytes_on_an_idle_connection_poison_it),
        cmocka_unit_test(stale_connection_is_retried_once_if_that_is_harmless),
        cmocka_unit_test(cancel_at_any_point_leaves_the_session_sound),
        cmocka_unit_test(cancelled_waiter_leaves_the_line),
        cmocka_unit_test(two_thousand_at_once_are_all_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
