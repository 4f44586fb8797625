/* SPDX-License-Identifier: MIT */
/* What every stream promises (celadon/net.h), shown by each kind of it. A behaviour is written once
 * and knows of the kinds only their traits; kinds.h makes the pairs. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "kinds.h"
#include "support/abort.h"

typedef void behaviour_fn(struct ends *e, const struct kind *k);

struct behaviour {
    const char *name;
    behaviour_fn *run;
    unsigned needs, not_with; /* traits */
};

static void say(struct ends *e, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(cel_write(e->a, text, len), len);
    assert_int_equal(cel_stream_written(e->a), len);
}

static void hear(struct cel_stream *s, const char *text)
{
    char got[256];
    size_t len = strlen(text);

    assert_int_equal(cel_read_exactly(s, got, len), len);
    assert_memory_equal(got, text, len);
}

static void hear_end(struct cel_stream *s)
{
    char byte;

    assert_int_equal(cel_read(s, &byte, 1), 0);
}

/* ---- tasks beside ---- */

struct flow {
    struct cel_stream *stream;
    size_t size, done;
    int64_t pause; /* of a slow reader */
    ssize_t result;
};

static void *pour(void *arg)
{
    struct flow *f = arg;
    unsigned char *bytes = malloc(f->size);

    for (size_t k = 0; k < f->size; k++)
        bytes[k] = byte_at(k);
    f->result = cel_write(f->stream, bytes, f->size);
    if (f->result != -CEL_ECLOSED)
        f->done = cel_stream_written(f->stream);
    free(bytes);
    return NULL;
}

/* To the end, or to as many as are wanted. */
static void *drain(void *arg)
{
    struct flow *f = arg;
    unsigned char buf[9000];
    ssize_t n = 1;

    while (f->done < f->size && n > 0) {
        size_t most = f->size - f->done < sizeof buf ? f->size - f->done : sizeof buf;

        n = cel_read(f->stream, buf, most);
        for (ssize_t k = 0; k < n; k++)
            if (buf[k] != byte_at(f->done + (size_t)k))
                fail_msg("byte %zu is wrong", f->done + (size_t)k);
        f->done += n > 0 ? (size_t)n : 0;
        if (f->pause > 0)
            assert_int_equal(cel_sleep(f->pause), 0);
    }
    f->result = n;
    return NULL;
}

static struct cel_task *begin(cel_task_fn *fn, struct flow *f)
{
    struct cel_task *task = cel_spawn(fn, f);

    assert_non_null(task);
    return task;
}

static void finish(struct cel_task *task)
{
    assert_int_equal(cel_join(task, NULL), 0);
}

/* Until the others wait, and what goes by itself has gone. */
static void let_park(void)
{
    assert_int_equal(cel_sleep(3 * CEL_MILLISECOND), 0);
}

/* ---- reading ---- */

static void read_gives_no_more_than_asked(struct ends *e, const struct kind *k)
{
    char buf[16];
    size_t got = 0;

    say(e, "abcdefg");
    while (got < 7) {
        ssize_t n = cel_read(e->b, buf + got, got < 3 ? 3 - got : sizeof buf - got);

        assert_true(n > 0);
        assert_true(got >= 3 || got + (size_t)n <= 3);
        got += (size_t)n;
    }
    assert_int_equal(got, 7);
    assert_memory_equal(buf, "abcdefg", 7);
}

static void *drip(void *arg)
{
    for (const char *c = "abcdefghij"; *c != '\0'; c++) {
        assert_int_equal(cel_write(arg, c, 1), 1);
        assert_int_equal(cel_yield(), 0);
    }
    return NULL;
}

static void read_exactly_waits_for_all(struct ends *e, const struct kind *k)
{
    struct cel_task *task = cel_spawn(drip, e->a);

    hear(e->b, "abcd");
    hear(e->b, "efghij");
    finish(task);
}

static void read_exactly_at_the_end_leaves_what_came(struct ends *e, const struct kind *k)
{
    static char big[2000];

    say(e, "abcdefg");
    end_writing(e, k);
    assert_int_equal(cel_read_exactly(e->b, big, 10), -CEL_EEOF);
    assert_int_equal(cel_read_exactly(e->b, big, sizeof big), -CEL_EEOF);
    hear(e->b, "abcdefg");
    hear_end(e->b);
}

static void read_exactly_out_of_time_leaves_what_came(struct ends *e, const struct kind *k)
{
    static char big[2000];
    static const size_t sizes[] = {10, sizeof big};

    for (int i = 0; i < 2; i++) {
        ssize_t r = 0;

        say(e, "abcdefg");
        CEL_SCOPE (s, .timeout = 5 * CEL_MILLISECOND)
            r = cel_read_exactly(e->b, big, sizes[i]);
        assert_int_equal(r, -ETIMEDOUT);
        say(e, "hij");
        hear(e->b, "abcdefghij");
    }
}

static void read_until_gives_pieces(struct ends *e, const struct kind *k)
{
    char buf[16];

    say(e, "one\ntwo\n\nlast");
    end_writing(e, k);
    assert_int_equal(cel_read_until(e->b, '\n', buf, sizeof buf), 4);
    assert_memory_equal(buf, "one\n", 4);
    assert_int_equal(cel_read_until(e->b, '\n', buf, 4), 4);
    assert_memory_equal(buf, "two\n", 4);
    assert_int_equal(cel_read_until(e->b, '\n', buf, sizeof buf), 1);
    assert_int_equal(cel_read_until(e->b, '\n', buf, 3), -CEL_ETOOLARGE);
    assert_int_equal(cel_read_until(e->b, '\n', buf, sizeof buf), -CEL_EEOF);
    hear(e->b, "last");
    assert_int_equal(cel_read_until(e->b, '\n', buf, sizeof buf), 0);
}

static void read_line_takes_the_ends_off(struct ends *e, const struct kind *k)
{
    char buf[16];

    say(e, "one\r\n\nthree");
    end_writing(e, k);
    assert_int_equal(cel_read_line(e->b, buf, sizeof buf), 3);
    assert_memory_equal(buf, "one", 3);
    assert_int_equal(cel_read_line(e->b, buf, sizeof buf), 0);
    assert_int_equal(cel_read_line(e->b, buf, 3), -CEL_ETOOLARGE);
    assert_int_equal(cel_read_line(e->b, buf, sizeof buf), 5);
    assert_memory_equal(buf, "three", 5);
    assert_int_equal(cel_read_line(e->b, buf, sizeof buf), -CEL_EEOF);
}

static void read_until_any_tells_which(struct ends *e, const struct kind *k)
{
    const struct cel_str separators[] = {CEL_LIT("--"), CEL_LIT("\n")};
    size_t which = 9;
    char buf[16];

    say(e, "a--bc\nd");
    end_writing(e, k);
    assert_int_equal(cel_read_until_any(e->b, separators, 2, buf, sizeof buf, &which), 3);
    assert_int_equal(which, 0);
    assert_int_equal(cel_read_until_any(e->b, separators, 2, buf, sizeof buf, &which), 3);
    assert_int_equal(which, 1);
    assert_int_equal(cel_read_until_any(e->b, separators, 2, buf, sizeof buf, &which), -CEL_EEOF);
    hear(e->b, "d");
}

static void peek_lends_and_consume_takes(struct ends *e, const struct kind *k)
{
    struct cel_task *task = cel_spawn(drip, e->a);
    const char *data;

    assert_true(cel_peek(e->b, &data, 6) >= 6);
    assert_memory_equal(data, "abcdef", 6);
    cel_consume(e->b, 4);
    assert_true(cel_peek(e->b, &data, 6) >= 6);
    assert_memory_equal(data, "efghij", 6);
    finish(task);
    end_writing(e, k);
    assert_int_equal(cel_peek(e->b, &data, 100), 6);
    cel_consume(e->b, 6);
    assert_int_equal(cel_peek(e->b, &data, 1), 0);
    assert_int_equal(cel_peek(e->b, &data, (16 << 20) + 1), -CEL_ETOOLARGE);
}

static void fed_bytes_come_first(struct ends *e, const struct kind *k)
{
    const char *data;

    assert_int_equal(cel_stream_feed(e->b, "12", 2), 0);
    hear(e->b, "12");
    say(e, "abcdef");
    assert_true(cel_peek(e->b, &data, 3) >= 3);
    cel_consume(e->b, 1);
    assert_int_equal(cel_stream_feed(e->b, "xy", 2), 0);
    assert_int_equal(cel_stream_feed(e->b, NULL, 0), 0);
    hear(e->b, "xybcdef");
}

/* ---- ends ---- */

static void end_is_told_as_often_as_asked(struct ends *e, const struct kind *k)
{
    const char *data;
    char buf[600];

    say(e, "x");
    end_writing(e, k);
    assert_false(cel_stream_at_end(e->b));
    hear(e->b, "x");
    hear_end(e->b);
    assert_true(cel_stream_at_end(e->b));
    assert_int_equal(cel_read(e->b, buf, sizeof buf), 0);
    assert_int_equal(cel_peek(e->b, &data, 1), 0);
    assert_int_equal(cel_read_exactly(e->b, buf, 1), -CEL_EEOF);
    assert_int_equal(cel_read_until(e->b, '\n', buf, sizeof buf), 0);
    assert_true(cel_stream_at_end(e->b));
}

static void bytes_before_a_close_are_delivered(struct ends *e, const struct kind *k)
{
    struct flow in = {.stream = e->b, .size = SIZE_MAX};
    struct flow out = {.stream = e->a, .size = 300000};
    struct cel_task *reader, *writer = begin(pour, &out);

    reader = begin(drain, &in);
    finish(writer);
    assert_int_equal(out.result, out.size);
    if (k->traits & BORROWED)
        end_writing(e, k);
    else
        close_end(&e->a);
    finish(reader);
    assert_int_equal(in.result, 0);
    assert_int_equal(in.done, out.size);
}

static void half_close_keeps_the_other_way(struct ends *e, const struct kind *k)
{
    assert_int_equal(cel_shutdown(e->a), 0);
    hear_end(e->b);
    assert_int_equal(cel_write(e->b, "late", 4), 4);
    hear(e->a, "late");
    assert_int_equal(cel_shutdown(e->a), 0); /* twice is fine */
    assert_int_equal(cel_shutdown(e->b), 0);
    hear_end(e->a);
}

static void write_after_a_half_close_is_refused(struct ends *e, const struct kind *k)
{
    struct iovec piece = {(char[]){"xy"}, 2};

    say(e, "x");
    assert_int_equal(cel_shutdown(e->a), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel_write(e->a, "x", 1), -EPIPE);
        assert_int_equal(cel_stream_written(e->a), 0);
        assert_int_equal(cel_writev(e->a, &piece, 1), -EPIPE);
    }
    hear(e->b, "x");
    hear_end(e->b);
}

/* By the default action SIGPIPE would end us. */
static void write_to_a_closed_peer_fails_without_a_signal(struct ends *e, const struct kind *k)
{
    ssize_t r = 1;

    close_end(&e->b);
    for (int i = 0; i < 1000 && r > 0; i++) {
        r = cel_write(e->a, "x", 1);
        assert_int_equal(cel_sleep(10 * CEL_MICROSECOND), 0);
    }
    assert_true(r == -EPIPE || r == -ECONNRESET);
    assert_int_equal(cel_stream_written(e->a), 0);
    r = cel_write(e->a, "x", 1);
    assert_int_equal(r, k->traits & SEALED ? -CEL_ETLS : -EPIPE);
}

static void shutdown_of_a_pipe_says_what_it_is(struct ends *e, const struct kind *k)
{
    assert_int_equal(cel_shutdown(e->a), -ENOTSOCK);
    say(e, "still");
    hear(e->b, "still");
}

static void abort_is_seen_as_a_reset(struct ends *e, const struct kind *k)
{
    char buf[16];

    say(e, "x");
    hear(e->b, "x");
    cel_stream_abort(e->a);
    e->a = NULL;
    assert_int_equal(cel_read(e->b, buf, sizeof buf), -ECONNRESET);
    assert_true(cel_write(e->b, "x", 1) < 0);
}

/* No last word, as of somebody who cuts a connection that is none of his. */
static void end_without_a_last_word_is_a_cut(struct ends *e, const struct kind *k)
{
    char buf[600];

    say(e, "part of it");
    assert_int_equal(shutdown(cel_stream_fd(e->a), SHUT_WR), 0);
    hear(e->b, "part of it");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel_read(e->b, buf, sizeof buf), -CEL_ETRUNCATED);
        assert_int_equal(cel_read(e->b, buf, 1), -CEL_ETRUNCATED);
        assert_int_equal(cel_read_exactly(e->b, buf, 1), -CEL_ETRUNCATED);
    }
    assert_false(cel_stream_at_end(e->b));
}

/* ---- writing ---- */

static void pieces_arrive_in_order(struct ends *e, const struct kind *k)
{
    static struct iovec iov[300], before[300];
    static unsigned char bytes[300 * 7], got[300 * 7];
    size_t total = 0;

    for (int i = 0; i < 300; i++) {
        iov[i] = (struct iovec){i % 5 == 0 ? NULL : bytes + total, (size_t)i % 5 * 2};
        for (size_t n = 0; n < iov[i].iov_len; n++)
            bytes[total + n] = byte_at(total + n);
        total += iov[i].iov_len;
    }
    memcpy(before, iov, sizeof iov);
    assert_int_equal(cel_writev(e->a, iov, 300), total);
    assert_int_equal(cel_stream_written(e->a), total);
    assert_memory_equal(iov, before, sizeof iov);
    assert_int_equal(cel_read_exactly(e->b, got, total), total);
    assert_memory_equal(got, bytes, total);
}

static void nothing_at_all_is_moved_at_once(struct ends *e, const struct kind *k)
{
    const struct iovec empty[3] = {{NULL, 0}, {(char[]){"x"}, 0}, {NULL, 0}};
    char byte;

    assert_int_equal(cel_write(e->a, NULL, 0), 0);
    assert_int_equal(cel_write(e->a, "x", 0), 0);
    assert_int_equal(cel_writev(e->a, NULL, 0), 0);
    assert_int_equal(cel_writev(e->a, empty, 3), 0);
    assert_int_equal(cel_stream_written(e->a), 0);
    assert_int_equal(cel_read(e->b, &byte, 0), 0); /* though none has come */
    assert_int_equal(cel_read_exactly(e->b, &byte, 0), 0);
    say(e, "x");
    assert_int_equal(cel_read(e->b, &byte, 0), 0);
    assert_int_equal(cel_read_exactly(e->b, &byte, 0), 0);
    assert_false(cel_stream_at_end(e->b));
    hear(e->b, "x");
}

static void many_small_writes_arrive_in_order(struct ends *e, const struct kind *k)
{
    struct flow in = {.stream = e->b};
    struct cel_task *reader;
    size_t at = 0;

    for (size_t i = 0; i < 500; i++)
        in.size += 1 + i % 7;
    reader = begin(drain, &in);
    for (size_t i = 0; i < 500; i++) {
        unsigned char bytes[7];
        size_t len = 1 + i % 7;

        for (size_t n = 0; n < len; n++)
            bytes[n] = byte_at(at++);
        assert_int_equal(cel_write(e->a, bytes, len), len);
    }
    finish(reader);
    assert_int_equal(in.done, in.size);
}

static void much_arrives_whole_through_a_slow_reader(struct ends *e, const struct kind *k)
{
    struct flow out = {.stream = e->a, .size = 1500000};
    struct flow in = {.stream = e->b, .size = out.size, .pause = 1};
    struct cel_task *tasks[] = {begin(pour, &out), begin(drain, &in)};

    finish(tasks[0]);
    finish(tasks[1]);
    assert_int_equal(out.result, out.size);
    assert_int_equal(out.done, out.size);
    assert_int_equal(in.done, out.size);
}

static void much_arrives_whole_both_ways_at_once(struct ends *e, const struct kind *k)
{
    struct flow out[] = {{.stream = e->a, .size = 1200000}, {.stream = e->b, .size = 900000}};
    struct flow in[] = {{.stream = e->b, .size = 1200000, .pause = 1},
                        {.stream = e->a, .size = 900000}};
    struct cel_task *tasks[4];

    for (int i = 0; i < 2; i++) {
        tasks[i] = begin(pour, &out[i]);
        tasks[2 + i] = begin(drain, &in[i]);
    }
    for (int i = 0; i < 4; i++)
        finish(tasks[i]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(out[i].result, out[i].size);
        assert_int_equal(in[i].done, in[i].size);
    }
}

/* ---- cancelling, and deadlines ---- */

static void cancelled_read_takes_nothing(struct ends *e, const struct kind *k)
{
    struct flow in = {.stream = e->b, .size = 100};
    struct cel_task *reader = begin(drain, &in);

    let_park();
    cel_task_cancel(reader);
    finish(reader);
    assert_int_equal(in.result, -ECANCELED);
    say(e, "still there");
    hear(e->b, "still there");
}

/* Whichever is first, each byte is read once. */
static void cancel_beside_a_byte_loses_none(struct ends *e, const struct kind *k)
{
    size_t sent = 0, got = 0;

    for (int i = 0; i < 60; i++) {
        struct flow in = {.stream = e->b, .size = 1};
        struct cel_task *reader;
        unsigned char byte = byte_at(0);

        reader = begin(drain, &in);
        for (int turns = i % 4; turns > 0; turns--)
            assert_int_equal(cel_yield(), 0);
        assert_int_equal(cel_write(e->a, &byte, 1), 1);
        sent++;
        cel_task_cancel(reader);
        finish(reader);
        assert_true(in.result == 1 || in.result == -ECANCELED);
        got += in.done;
    }
    while (got < sent) {
        unsigned char byte = 0;

        assert_int_equal(cel_read(e->b, &byte, 1), 1);
        assert_int_equal(byte, byte_at(0));
        got++;
    }
}

static void call_in_a_cancelled_scope_does_nothing(struct ends *e, const struct kind *k)
{
    struct iovec piece = {(char[]){"no"}, 2};
    const char *data;
    char buf[8];

    say(e, "here");
    assert_int_equal(cel_peek(e->b, &data, 4), 4);
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_read(e->b, buf, sizeof buf), -ECANCELED);
        assert_int_equal(cel_read_exactly(e->b, buf, 1), -ECANCELED);
        assert_int_equal(cel_read_until(e->b, 'e', buf, sizeof buf), -ECANCELED);
        assert_int_equal(cel_peek(e->b, &data, 1), -ECANCELED);
        assert_int_equal(cel_write(e->a, "no", 2), -ECANCELED);
        assert_int_equal(cel_stream_written(e->a), 0);
        assert_int_equal(cel_writev(e->a, &piece, 1), -ECANCELED);
        assert_int_equal(cel_shutdown(e->a), -ECANCELED);
    }
    say(e, "!");
    hear(e->b, "here!");
}

/* -> how much went out before the deadline, of a write that nobody reads. */
static size_t write_out_of_time(struct ends *e, size_t size)
{
    unsigned char *bytes = malloc(size);
    ssize_t r = 0;

    for (size_t k = 0; k < size; k++)
        bytes[k] = byte_at(k);
    CEL_SCOPE (s, .timeout = 10 * CEL_MILLISECOND)
        r = cel_write(e->a, bytes, size);
    free(bytes);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_stream_written(e->a) < size);
    return cel_stream_written(e->a);
}

static void write_out_of_time_can_be_taken_up(struct ends *e, const struct kind *k)
{
    enum { SIZE = 8 << 20 };
    struct flow in = {.stream = e->b, .size = SIZE_MAX};
    size_t written = write_out_of_time(e, SIZE);
    struct cel_task *reader = begin(drain, &in);

    for (size_t n = written; n < written + 1000; n++) {
        unsigned char byte = byte_at(n);

        assert_int_equal(cel_write(e->a, &byte, 1), 1);
    }
    end_writing(e, k);
    finish(reader);
    assert_int_equal(in.result, 0);
    assert_int_equal(in.done, written + 1000);
}

/* What was told is there, in order, and then it is seen to be cut. */
static void sealed_write_out_of_time_breaks_that_way(struct ends *e, const struct kind *k)
{
    enum { SIZE = 8 << 20 };
    struct flow in = {.stream = e->b, .size = SIZE_MAX};
    size_t written = write_out_of_time(e, SIZE);
    struct cel_task *reader;

    assert_int_equal(cel_write(e->a, "x", 1), -CEL_ETLS);
    assert_int_equal(cel_stream_written(e->a), 0);
    assert_int_equal(cel_shutdown(e->a), -CEL_ETLS);
    assert_int_equal(cel_write(e->b, "back", 4), 4);
    hear(e->a, "back");
    close_end(&e->a);
    reader = begin(drain, &in);
    finish(reader);
    assert_int_equal(in.result, -CEL_ETRUNCATED);
    assert_true(in.done >= written);
}

/* ---- closing under others ---- */

static void close_ends_who_reads_and_writes(struct ends *e, const struct kind *k)
{
    struct flow in = {.stream = k->traits & BOTH_WAYS ? e->a : e->b, .size = 100};
    struct flow out = {.stream = e->a, .size = 8 << 20};
    struct cel_task *tasks[] = {begin(drain, &in), NULL};

    let_park();
    if (!(k->traits & BOTH_WAYS))
        close_end(&e->b);
    else
        tasks[1] = begin(pour, &out);
    let_park();
    if (k->traits & BOTH_WAYS)
        close_end(&e->a);
    finish(tasks[0]);
    assert_int_equal(in.result, -CEL_ECLOSED);
    if (tasks[1] == NULL)
        return;
    finish(tasks[1]);
    assert_int_equal(out.result, -CEL_ECLOSED);
}

static void close_ends_who_writes(struct ends *e, const struct kind *k)
{
    struct flow out = {.stream = e->a, .size = 8 << 20};
    struct cel_task *writer = begin(pour, &out);

    let_park();
    close_end(&e->a);
    finish(writer);
    assert_int_equal(out.result, -CEL_ECLOSED);
}

static void *hold_bytes(void *arg)
{
    const char *data;

    return (void *)cel_peek(arg, &data, 1000);
}

static void close_ends_who_peeks(struct ends *e, const struct kind *k)
{
    struct cel_task *task = cel_spawn(hold_bytes, e->b);
    void *result;

    say(e, "some");
    let_park();
    close_end(&e->b);
    assert_int_equal(cel_join(task, &result), 0);
    assert_int_equal((intptr_t)result, -CEL_ECLOSED);
}

static void *read_line_beside(void *arg)
{
    char buf[100];

    return (void *)cel_read_until(arg, '\n', buf, sizeof buf);
}

static void close_ends_who_reads_a_line(struct ends *e, const struct kind *k)
{
    struct cel_task *task = cel_spawn(read_line_beside, e->b);
    void *result;

    say(e, "half a li");
    let_park();
    close_end(&e->b);
    assert_int_equal(cel_join(task, &result), 0);
    assert_int_equal((intptr_t)result, -CEL_ECLOSED);
}

/* ---- what else is asked of them ---- */

static void await_noise(struct cel_stream *s)
{
    for (int i = 0; i < 5000 && cel_stream_is_quiet(s); i++)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_false(cel_stream_is_quiet(s));
}

static void stream_is_quiet_while_nothing_comes(struct ends *e, const struct kind *k)
{
    for (int i = 0; i < 4; i++) { /* over and over: io_uring reads ahead from the second on */
        assert_true(cel_stream_is_quiet(e->b));
        say(e, "ab");
        await_noise(e->b);
        hear(e->b, "a");
        assert_false(cel_stream_is_quiet(e->b));
        hear(e->b, "b");
    }
    close_end(&e->a);
    await_noise(e->b);
}

static void pipe_is_never_quiet(struct ends *e, const struct kind *k)
{
    assert_false(cel_stream_is_quiet(e->a));
    assert_false(cel_stream_is_quiet(e->b));
}

static void hang_up_of_a_terminal_is_told_behind_the_bytes(struct ends *e, const struct kind *k)
{
    char byte;

    say(e, "last words");
    close_end(&e->a);
    hear(e->b, "last words");
    for (int i = 0; i < 2; i++)
        assert_int_equal(cel_read(e->b, &byte, 1), -EIO);
    assert_false(cel_stream_at_end(e->b));
}

/* Its end is where it is now. */
static void file_that_grows_is_read_on(struct ends *e, const struct kind *k)
{
    for (int i = 0; i < 3; i++) {
        say(e, "more");
        hear(e->b, "more");
        hear_end(e->b);
    }
}

static const struct behaviour behaviours[] = {
#define SHOWS(fn, needs, not_with) \
    {                              \
#fn, fn, needs, not_with   \
    }
    SHOWS(read_gives_no_more_than_asked, 0, 0),
    SHOWS(read_exactly_waits_for_all, 0, FILED),
    SHOWS(read_exactly_at_the_end_leaves_what_came, 0, TERMINAL),
    SHOWS(read_exactly_out_of_time_leaves_what_came, 0, FILED),
    SHOWS(read_until_gives_pieces, 0, TERMINAL),
    SHOWS(read_line_takes_the_ends_off, 0, TERMINAL),
    SHOWS(read_until_any_tells_which, 0, TERMINAL),
    SHOWS(peek_lends_and_consume_takes, 0, TERMINAL | FILED),
    SHOWS(fed_bytes_come_first, 0, 0),
    SHOWS(end_is_told_as_often_as_asked, 0, TERMINAL),
    SHOWS(bytes_before_a_close_are_delivered, 0, TERMINAL | FILED),
    SHOWS(half_close_keeps_the_other_way, BOTH_WAYS, 0),
    SHOWS(write_after_a_half_close_is_refused, BOTH_WAYS, 0),
    SHOWS(write_to_a_closed_peer_fails_without_a_signal, 0, BORROWED | TERMINAL | FILED),
    SHOWS(shutdown_of_a_pipe_says_what_it_is, 0, BOTH_WAYS),
    SHOWS(abort_is_seen_as_a_reset, RESETS, 0),
    SHOWS(end_without_a_last_word_is_a_cut, SEALED, 0),
    SHOWS(pieces_arrive_in_order, 0, 0),
    SHOWS(nothing_at_all_is_moved_at_once, 0, 0),
    SHOWS(many_small_writes_arrive_in_order, 0, FILED),
    SHOWS(much_arrives_whole_through_a_slow_reader, 0, FILED),
    SHOWS(much_arrives_whole_both_ways_at_once, BOTH_WAYS, 0),
    SHOWS(cancelled_read_takes_nothing, 0, FILED),
    SHOWS(cancel_beside_a_byte_loses_none, 0, FILED),
    SHOWS(call_in_a_cancelled_scope_does_nothing, 0, 0),
    SHOWS(write_out_of_time_can_be_taken_up, 0, SEALED | TERMINAL | FILED),
    SHOWS(sealed_write_out_of_time_breaks_that_way, SEALED, 0),
    SHOWS(close_ends_who_reads_and_writes, 0, BORROWED | FILED),
    SHOWS(close_ends_who_writes, 0, BORROWED | FILED),
    SHOWS(close_ends_who_peeks, 0, BORROWED | FILED),
    SHOWS(close_ends_who_reads_a_line, 0, BORROWED | FILED),
    SHOWS(stream_is_quiet_while_nothing_comes, SOCKETS, 0),
    SHOWS(pipe_is_never_quiet, 0, SOCKETS),
    SHOWS(hang_up_of_a_terminal_is_told_behind_the_bytes, TERMINAL, 0),
    SHOWS(file_that_grows_is_read_on, FILED, 0),
};

#define KINDS      (sizeof kinds / sizeof kinds[0])
#define BEHAVIOURS (sizeof behaviours / sizeof behaviours[0])

struct showing {
    const struct kind *kind;
    const struct behaviour *behaviour;
    char name[120];
};

static bool applies(const struct kind *k, const struct behaviour *b)
{
    if (is_simulated() && (k->traits & REAL || b->run == end_without_a_last_word_is_a_cut))
        return false;
    return (k->traits & b->needs) == b->needs && !(k->traits & b->not_with);
}

static void *show_in_task(void *arg)
{
    const struct showing *showing = arg;
    struct ends e = {0};

    showing->kind->join(&e);
    showing->behaviour->run(&e, showing->kind);
    part_ends(&e);
    return NULL;
}

static void show(void **state)
{
    run_in_task_with(show_in_task, *state);
}

/* ---- mistakes of the program ---- */

static void *read_twice(void *arg)
{
    struct ends e = {0};
    struct flow in[2];

    ((const struct kind *)arg)->join(&e);
    for (int i = 0; i < 2; i++) {
        in[i] = (struct flow){.stream = e.b, .size = 1};
        (void)begin(drain, &in[i]);
    }
    let_park();
    return NULL;
}

static void *write_twice(void *arg)
{
    struct ends e = {0};
    struct flow out[2];

    ((const struct kind *)arg)->join(&e);
    for (int i = 0; i < 2; i++) {
        out[i] = (struct flow){.stream = e.a, .size = 8 << 20};
        (void)begin(pour, &out[i]);
    }
    let_park();
    return NULL;
}

static void second_reader_or_writer_is_named(void **state)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (is_simulated() && kinds[i].traits & REAL)
            continue;
        expect_abort(read_twice, (void *)&kinds[i]);
        expect_abort(write_twice, (void *)&kinds[i]);
    }
}

int main(void)
{
    static struct showing showings[KINDS * BEHAVIOURS];
    static struct CMUnitTest tests[KINDS * BEHAVIOURS + 1];
    size_t n = 0;

    for (size_t i = 0; i < KINDS * BEHAVIOURS; i++) {
        struct showing *s = &showings[n];

        s->kind = &kinds[i / BEHAVIOURS];
        s->behaviour = &behaviours[i % BEHAVIOURS];
        if (!applies(s->kind, s->behaviour))
            continue;
        snprintf(s->name, sizeof s->name, "%s: %s", s->kind->name, s->behaviour->name);
        tests[n++] = (struct CMUnitTest){s->name, show, NULL, NULL, s};
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(second_reader_or_writer_is_named);
    return _cmocka_run_group_tests("conformance", tests, n, make_certs, remove_certs);
}
