/* SPDX-License-Identifier: MIT */
/* The client against a server that plays exact bytes. */
#include <errno.h>

#include "celadon/http.h"
#include "http/door.h"
#include "support/intask.h"

static struct cel_session_stats stats_of(struct cel_session *web)
{
    struct cel_session_stats stats;

    cel_session_stats(web, &stats);
    return stats;
}

IN_TASK(get_returns_status_fields_and_body)
{
    DOOR(door, {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    assert_int_equal(cel_get(web, door_url(door, "/0"), &page), 0);
    assert_int_equal(page->status, 200);
    CHECK_STR(page->reason, "OK");
    CHECK_STR(cel_text(page), "hello");
    CHECK_STR(cel_response_header(page, "content-TYPE"), "text/plain");
    assert_null(cel_response_header(page, "X-B").ptr);
    assert_string_equal(page->url, door_url(door, "/0"));
    cel_response_free(page);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(get_uses_one_connection_again)
{
    DOOR(door, {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    for (int i = 0; i < 10; i++) {
        assert_int_equal(cel_get(web, door_url(door, "/%d", i % 2), &page), 0);
        CHECK_STR(cel_text(page), i % 2 ? "hello world" : "hello");
        cel_response_free(page);
    }
    assert_int_equal(door->accepted, 1);
    assert_int_equal(door->request_count, 10);
    assert_int_equal(stats_of(web).reused, 9);
    assert_int_equal(stats_of(web).open, 1);
    assert_int_equal(stats_of(web).idle, 1);
    cel_session_free(web);
    door_close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_returns_status_fields_and_body),
        cmocka_unit_test(get_uses_one_connection_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
