/* SPDX-License-Identifier: MIT */
/* Lines and other pieces of a stream, what is put back into it, and its options. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "io/pairs.h"

static void put(struct joined j, const char *text)
{
    assert_int_equal(cel_write(j.a, text, strlen(text)), strlen(text));
}

IN_TASK(line_is_given_without_its_end)
{
    struct joined j = join(PAIR_SOCKETS);
    char line[8];

    put(j, "one\r\n\ntwo\rx\nlast");
    assert_int_equal(cel_shutdown(j.a), 0);
    assert_int_equal(cel_read_line(j.b, line, sizeof line), 3);
    assert_memory_equal(line, "one", 3);
    assert_int_equal(cel_read_line(j.b, line, sizeof line), 0);
    assert_int_equal(cel_read_line(j.b, line, sizeof line), 5);
    assert_memory_equal(line, "two\rx", 5);
    assert_false(cel_stream_at_end(j.b));
    assert_int_equal(cel_read_line(j.b, line, sizeof line), 4);
    assert_memory_equal(line, "last", 4);
    assert_true(cel_stream_at_end(j.b));
    assert_int_equal(cel_read_line(j.b, line, sizeof line), -CEL_EEOF);
    part(j);
}

IN_TASK(line_over_the_limit_stays_unread)
{
    struct joined j = join(PAIR_SOCKETS);
    char line[16];

    put(j, "12345678\r\n123456789\n");
    assert_int_equal(cel_read_line(j.b, line, 8), 8);
    assert_int_equal(cel_read_line(j.b, line, 8), -CEL_ETOOLARGE);
    assert_int_equal(cel_read_line(j.b, line, 9), 9);
    put(j, "a line without an end");
    assert_int_equal(cel_read_line(j.b, line, 8), -CEL_ETOOLARGE);
    assert_int_equal(cel_read(j.b, line, 6), 6);
    assert_memory_equal(line, "a line", 6);
    part(j);
}

static void *drip(void *arg)
{
    const char *text = "ab\r\ncd;;e\n\nf;";

    for (; *text != '\0'; text++) {
        assert_int_equal(cel_write(arg, text, 1), 1);
        assert_int_equal(cel_yield(), 0);
    }
    assert_int_equal(cel_shutdown(arg), 0);
    return NULL;
}

IN_TASK(piece_ends_at_the_first_of_several_separators)
{
    const struct cel_str any[] = {CEL_LIT("\n"), CEL_LIT("\r\n"), CEL_LIT(";;"), CEL_LIT("\n\n")};
    struct joined j = join(PAIR_SOCKETS);
    size_t which = 9;
    char buf[8];

    CEL_SCOPE (s) {
        assert_int_equal(cel_go(drip, j.a), 0);
        assert_int_equal(cel_read_until_any(j.b, any, 4, buf, sizeof buf, &which), 4);
        assert_memory_equal(buf, "ab\r\n", 4);
        assert_int_equal(which, 1);
        assert_int_equal(cel_read_until_any(j.b, any, 4, buf, sizeof buf, &which), 4);
        assert_int_equal(which, 2);
        assert_int_equal(cel_read_until_any(j.b, any, 4, buf, sizeof buf, &which), 2);
        assert_int_equal(which, 0); /* the shortest piece */
        assert_int_equal(cel_read_until_any(j.b, any, 4, buf, sizeof buf, NULL), 1);
        assert_int_equal(cel_read_until_any(j.b, any, 4, buf, sizeof buf, NULL), -CEL_EEOF);
        assert_int_equal(cel_read(j.b, buf, sizeof buf), 2);
        assert_int_equal(cel_read_until_any(j.b, any, 4, buf, sizeof buf, NULL), 0);
    }
    assert_int_equal(cel_read_until_any(j.b, any, 0, buf, sizeof buf, NULL), -EINVAL);
    assert_int_equal(cel_read_until_any(j.b, &(struct cel_str){"", 0}, 1, buf, 8, NULL), -EINVAL);
    part(j);
}

IN_TASK(piece_over_the_limit_stays_unread)
{
    const struct cel_str any[] = {CEL_LIT("--")};
    struct joined j = join(PAIR_SOCKETS);
    char buf[16];

    put(j, "123456--");
    assert_int_equal(cel_read_until_any(j.b, any, 1, buf, 7, NULL), -CEL_ETOOLARGE);
    assert_int_equal(cel_read_until_any(j.b, any, 1, buf, 8, NULL), 8);
    part(j);
}

IN_TASK(bytes_fed_come_first)
{
    struct joined j = join(PAIR_SOCKETS);
    char buf[16];

    assert_int_equal(cel_stream_feed(j.b, "fed ", 4), 0);
    assert_int_equal(cel_stream_feed(j.b, "", 0), 0);
    assert_int_equal(cel_stream_feed(j.b, "well ", 5), 0);
    put(j, "and more");
    assert_int_equal(cel_read(j.b, buf, 5), 5);
    assert_memory_equal(buf, "well ", 5);
    assert_int_equal(cel_stream_feed(j.b, "x", 1), 0);
    assert_int_equal(cel_read_exactly(j.b, buf, 13), 13);
    assert_memory_equal(buf, "xfed and more", 13);
    part(j);
}

IN_TASK(abort_resets_the_peer)
{
    struct joined j = join(PAIR_TCP);
    char c;

    put(j, "unread");
    cel_stream_abort(j.b);
    cel_stream_abort(NULL);
    assert_int_equal(cel_read(j.a, &c, 1), -ECONNRESET);
    cel_close(j.a);
}

static int option(struct cel_stream *s, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(cel_stream_fd(s), level, name, &value, &len), 0);
    return value;
}

IN_KERNEL(options_reach_the_socket)
{
    struct joined j = join(PAIR_TCP), unix_pair = join(PAIR_SOCKETS);

    assert_int_equal(cel_stream_set_nodelay(j.a, false), 0);
    assert_int_equal(option(j.a, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(cel_stream_set_nodelay(j.a, true), 0);
    assert_int_equal(option(j.a, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(cel_stream_set_keepalive(j.a, 1500 * CEL_MILLISECOND, CEL_SECOND, 3), 0);
    assert_int_equal(option(j.a, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(j.a, IPPROTO_TCP, TCP_KEEPIDLE), 2);
    assert_int_equal(option(j.a, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(cel_stream_set_keepalive(j.a, 0, 0, 0), 0);
    assert_int_equal(option(j.a, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(cel_stream_set_keepalive(j.a, CEL_SECOND, 0, 3), -EINVAL);
    assert_int_equal(cel_stream_set_keepalive(j.a, CEL_FOREVER, CEL_SECOND, 3), -EINVAL);
    assert_int_equal(cel_stream_set_user_timeout(j.a, CEL_SECOND + 1), 0);
    assert_int_equal(option(j.a, IPPROTO_TCP, TCP_USER_TIMEOUT), 1001);
    assert_int_equal(cel_stream_set_user_timeout(j.a, -1), -EINVAL);
    assert_int_equal(cel_stream_set_nodelay(unix_pair.a, true), -EOPNOTSUPP);
    part(j);
    part(unix_pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_given_without_its_end),
        cmocka_unit_test(line_over_the_limit_stays_unread),
        cmocka_unit_test(piece_ends_at_the_first_of_several_separators),
        cmocka_unit_test(piece_over_the_limit_stays_unread),
        cmocka_unit_test(bytes_fed_come_first),
        cmocka_unit_test(abort_resets_the_peer),
        cmocka_unit_test(options_reach_the_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
