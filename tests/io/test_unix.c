/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "celadon/unix.h"
#include "io/pairs.h"
#include "support/fault.h"

/* A descriptor that leads to the same pipe. */
static bool is_other_end(int reader, int writer)
{
    char c = 0;

    return write(writer, "x", 1) == 1 && read(reader, &c, 1) == 1 && c == 'x';
}

IN_TASK(descriptor_sent_arrives_as_a_copy)
{
    struct joined j = join(PAIR_UNIX);
    int ends[2], got[4] = {-1, -1, -1, -1};
    size_t count = 4;
    char buf[8];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(cel_send_fds(j.a, "hello", 5, ends, 2), 5);
    assert_int_equal(cel_recv_fds(j.b, buf, sizeof buf, got, &count), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(count, 2);
    assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    assert_true(is_other_end(got[0], ends[1]));
    assert_true(is_other_end(ends[0], got[1]));
    close(got[0]);
    close(got[1]);
    assert_int_equal(cel_send_fds(j.a, "plain", 5, NULL, 0), 5);
    count = 4;
    assert_int_equal(cel_recv_fds(j.b, buf, 2, got, &count), 2);
    assert_int_equal(count, 0);
    assert_int_equal(cel_recv_fds(j.b, buf, 8, got, &count), 3);
    cel_close(j.a);
    assert_int_equal(cel_recv_fds(j.b, buf, 8, got, &count), 0);
    cel_close(j.b);
    close(ends[0]);
    close(ends[1]);
}

static void *receive_one(void *arg)
{
    size_t count = 1;
    int fd = -1;
    char c;

    assert_int_equal(cel_recv_fds(arg, &c, 1, &fd, &count), 1);
    assert_int_equal(count, 1);
    return (void *)(intptr_t)fd;
}

IN_TASK(descriptor_wakes_a_parked_receiver)
{
    struct joined j = join(PAIR_SOCKETS);
    struct cel_task *t = cel_spawn(receive_one, j.b);
    int ends[2];
    void *fd;

    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(cel_send_fds(j.a, "x", 1, &ends[1], 1), 1);
    assert_int_equal(cel_join(t, &fd), 0);
    assert_true(is_other_end(ends[0], (int)(intptr_t)fd));
    close((int)(intptr_t)fd);
    close(ends[0]);
    close(ends[1]);
    part(j);
}

IN_TASK(descriptors_beyond_the_room_are_closed)
{
    struct joined j = join(PAIR_SOCKETS);
    size_t before, count = 2;
    int fds[CEL_FDS_MAX], got[2];
    char c;

    for (int i = 0; i < CEL_FDS_MAX; i++)
        fds[i] = 1;
    before = fault_open_fds();
    assert_int_equal(cel_send_fds(j.a, "x", 1, fds, CEL_FDS_MAX), 1);
    assert_int_equal(cel_recv_fds(j.b, &c, 1, got, &count), 1);
    assert_int_equal(count, CEL_FDS_MAX);
    assert_int_equal(fault_open_fds(), before + 2);
    close(got[0]);
    close(got[1]);
    part(j);
}

IN_KERNEL(descriptors_without_room_in_the_table_are_all_closed)
{
    struct joined j = join(PAIR_SOCKETS);
    struct rlimit was, few;
    size_t before, count = 20;
    int fds[20], got[20];
    char c;

    for (int i = 0; i < 20; i++)
        fds[i] = 1;
    assert_int_equal(cel_send_fds(j.a, "x", 1, fds, 20), 1);
    before = fault_open_fds();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    few = was;
    few.rlim_cur = (rlim_t)dup(1) + 3;
    close((int)few.rlim_cur - 3);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(cel_recv_fds(j.b, &c, 1, got, &count), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(fault_open_fds(), before);
    part(j);
}

IN_TASK(misuse_is_refused)
{
    struct joined j = join(PAIR_SOCKETS), tcp = join(PAIR_TCP);
    int fd = 1, bad = 999;

    assert_int_equal(cel_send_fds(j.a, "", 0, &fd, 1), -EINVAL);
    assert_int_equal(cel_send_fds(j.a, "x", 1, &fd, CEL_FDS_MAX + 1), -EINVAL);
    assert_int_equal(cel_send_fds(j.a, "x", 1, &bad, 1), -EBADF);
    assert_int_equal(cel_send_fds(tcp.a, "x", 1, &fd, 1), -EOPNOTSUPP);
    part(j);
    part(tcp);
}

struct much {
    struct cel_stream *stream;
    size_t got, fds;
};

static void *receive_all(void *arg)
{
    struct much *m = arg;
    static char buf[65536];
    int fds[4];
    size_t count;
    ssize_t n;

    while (count = 4, (n = cel_recv_fds(m->stream, buf, sizeof buf, fds, &count)) > 0) {
        m->got += (size_t)n;
        m->fds += count;
        for (size_t i = 0; i < count; i++)
            close(fds[i]);
    }
    return NULL;
}

IN_TASK(descriptors_ride_with_more_bytes_than_fit)
{
    struct joined j = join(PAIR_SOCKETS);
    struct much m = {.stream = j.b};
    size_t len = 4 << 20;
    char *bytes = calloc(1, len);
    int fds[] = {0, 1, 2};

    CEL_SCOPE (s) {
        assert_int_equal(cel_go(receive_all, &m), 0);
        assert_int_equal(cel_send_fds(j.a, bytes, len, fds, 3), len);
        assert_int_equal(cel_stream_written(j.a), len);
        assert_int_equal(cel_shutdown(j.a), 0);
    }
    assert_int_equal(m.got, len);
    assert_int_equal(m.fds, 3);
    free(bytes);
    part(j);
}

IN_TASK(cancelled_receiver_takes_nothing)
{
    struct joined j = join(PAIR_SOCKETS);
    size_t count = 1;
    int fd = 1, got;
    char c;

    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_recv_fds(j.b, &c, 1, &got, &count), -ETIMEDOUT);
    assert_int_equal(cel_send_fds(j.a, "x", 1, &fd, 1), 1);
    assert_int_equal(cel_recv_fds(j.b, &c, 1, &got, &count), 1);
    assert_int_equal(count, 1);
    close(got);
    part(j);
}

IN_TASK(peer_is_who_the_kernel_says)
{
    struct joined j = join(PAIR_UNIX), tcp = join(PAIR_TCP);
    struct cel_peer_id id;

    assert_int_equal(cel_stream_peer_id(j.a, &id), 0);
    assert_int_equal(id.pid, getpid());
    assert_int_equal(id.uid, getuid());
    assert_int_equal(id.gid, getgid());
    assert_int_equal(cel_stream_peer_id(tcp.a, &id), -EOPNOTSUPP);
    part(j);
    part(tcp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_sent_arrives_as_a_copy),
        cmocka_unit_test(descriptor_wakes_a_parked_receiver),
        cmocka_unit_test(descriptors_beyond_the_room_are_closed),
        cmocka_unit_test(descriptors_without_room_in_the_table_are_all_closed),
        cmocka_unit_test(misuse_is_refused),
        cmocka_unit_test(descriptors_ride_with_more_bytes_than_fit),
        cmocka_unit_test(cancelled_receiver_takes_nothing),
        cmocka_unit_test(peer_is_who_the_kernel_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
