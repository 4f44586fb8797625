/* SPDX-License-Identifier: MIT */
/* Regular files and datagrams. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "loop/proactor.h"
#include "support/check.h"
#include "support/intask.h"

static char directory[] = "/tmp/celadon-file-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    unlink(path);
    return rmdir(directory);
}

IN_TASK(file_written_is_read_back)
{
    struct cel_file *file;
    struct stat st;
    char buf[32];

    assert_int_equal(cel_file_open(&file, path, O_RDWR | O_CREAT | O_TRUNC, 0600), 0);
    assert_int_equal(cel_file_write(file, "0123456789", 10, 0), 10);
    assert_int_equal(cel_file_write(file, "ab", 2, 4), 2);
    assert_int_equal(cel_file_sync(file), 0);
    assert_int_equal(cel_file_stat(file, &st), 0);
    assert_int_equal(st.st_size, 10);
    assert_int_equal(cel_file_read(file, buf, sizeof buf, 2), 8);
    assert_memory_equal(buf, "23ab6789", 8);
    assert_int_equal(cel_file_read(file, buf, sizeof buf, 10), 0);
    assert_true(cel_file_fd(file) >= 0);
    cel_file_close(file);
    cel_file_close(NULL);
}

IN_TASK(file_errors_are_told)
{
    struct cel_file *file;
    char *bytes;
    size_t len;

    assert_int_equal(cel_file_open(&file, "/nowhere/at/all", O_RDONLY, 0), -ENOENT);
    assert_int_equal(cel_file_load("/nowhere/at/all", 100, &bytes, &len), -ENOENT);
    assert_int_equal(cel_file_load(directory, 100, &bytes, &len), -EISDIR);
    assert_int_equal(cel_file_open(&file, path, O_RDONLY, 0), 0);
    assert_int_equal(cel_file_write(file, "x", 1, 0), -EBADF);
    cel_file_close(file);
}

IN_TASK(file_load_takes_all_up_to_max)
{
    size_t len;
    char *bytes;

    assert_int_equal(cel_file_load(path, 10, &bytes, &len), 0);
    assert_int_equal(len, 10);
    assert_string_equal(bytes, "0123ab6789");
    cel_free(bytes);
    assert_int_equal(cel_file_load(path, 9, &bytes, &len), -CEL_ETOOLARGE);
    assert_int_equal(cel_file_load("/proc/self/status", 1 << 20, &bytes, &len), 0); /* size 0 */
    assert_non_null(strstr(bytes, "VmSize"));
    assert_int_equal(strlen(bytes), len);
    cel_free(bytes);
}

IN_TASK(file_call_in_a_cancelled_scope_has_no_effect)
{
    struct cel_file *file;
    char buf[32];

    assert_int_equal(cel_file_open(&file, path, O_RDWR, 0), 0);
    CEL_SCOPE (s, .timeout = 0) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_file_write(file, "XXXX", 4, 0), -ECANCELED);
        assert_int_equal(cel_file_read(file, buf, sizeof buf, 0), -ECANCELED);
    }
    assert_int_equal(cel_file_read(file, buf, 4, 0), 4);
    assert_memory_equal(buf, "0123", 4);
    cel_file_close(file);
}

IN_TASK(datagrams_keep_their_borders_and_sender)
{
    struct cel_socket *server, *client;
    struct sockaddr_storage to, from;
    char buf[8], text[64];

    assert_int_equal(cel_udp_open(&server, "127.0.0.1:0"), 0);
    assert_int_equal(cel_udp_open(&client, NULL), 0);
    assert_int_equal(cel_address_parse(cel_socket_address(server), &to), 0);
    assert_int_equal(cel_send_to(client, "one", 3, &to), 3);
    assert_int_equal(cel_send_to(client, "", 0, &to), 0);
    assert_int_equal(cel_send_to(client, "far too long", 12, &to), 12);
    assert_int_equal(cel_recv_from(server, buf, sizeof buf, &from), 3);
    assert_memory_equal(buf, "one", 3);
    assert_memory_equal(cel_address_format(&from, text, sizeof text), "127.0.0.1:", 10);
    assert_int_equal(cel_recv_from(server, buf, sizeof buf, NULL), 0);
    assert_int_equal(cel_recv_from(server, buf, sizeof buf, NULL), -EMSGSIZE);
    assert_int_equal(cel_send_to(server, "back", 4, &from), 4);
    assert_int_equal(cel_recv_from(client, buf, sizeof buf, &from), 4);
    assert_string_equal(cel_address_format(&from, text, sizeof text), cel_socket_address(server));
    cel_socket_close(server);
    cel_socket_close(client);
}

static void *receive(void *arg)
{
    char buf[8];

    return (void *)cel_recv_from(arg, buf, sizeof buf, NULL);
}

IN_TASK(datagram_socket_closed_ends_the_parked)
{
    struct cel_socket *socket;
    struct cel_task *task;
    void *result;

    assert_int_equal(cel_udp_open(&socket, "not an address"), -EINVAL);
    assert_int_equal(cel_udp_open(&socket, "127.0.0.1:0"), 0);
    task = cel_spawn(receive, socket);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    cel_socket_close(socket);
    assert_int_equal(cel_join(task, &result), 0);
    assert_int_equal((ssize_t)result, -CEL_ECLOSED);
}

#define FILE_LEN 17

static pthread_t reader;
static int (*real_enter)(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                         void *arg, size_t arg_size);

static ssize_t read_elsewhere(int fd, void *buf, size_t len, off_t offset)
{
    reader = pthread_self();
    memcpy(buf, "slow", 4);
    return 4;
}

/* What some filesystems say, whatever ours said. */
static int enter_of_such_a_filesystem(int fd, unsigned to_submit, unsigned min_complete,
                                      unsigned flags, void *arg, size_t arg_size)
{
    const struct cel__ring *ring = &cel__proactor_of(cel_loop_current())->ring;
    int n = real_enter(fd, to_submit, min_complete, flags, arg, arg_size);

    for (unsigned at = *ring->cq_khead; at != *ring->cq_ktail; at++)
        if (ring->cqes[at & ring->cq_mask].res == FILE_LEN)
            ring->cqes[at & ring->cq_mask].res = -EAGAIN;
    return n;
}

static void *read_by_the_pool(void *arg)
{
    struct cel_file *file;
    char buf[FILE_LEN];

    assert_int_equal(cel_file_open(&file, path, O_RDWR | O_CREAT | O_TRUNC, 0600), 0);
    assert_int_equal(cel_file_write(file, "a longer content.", FILE_LEN, 0), FILE_LEN);
    reader = pthread_self();
    assert_int_equal(cel_file_read(file, buf, FILE_LEN, 0), 4);
    assert_memory_equal(buf, "slow", 4);
    assert_false(pthread_equal(reader, pthread_self()));
    cel_file_close(file);
    return arg;
}

static void file_read_that_would_block_is_done_by_the_pool(void **state)
{
    if (is_simulated())
        skip(); /* there is no ring to be asked */
    real_enter = cel__sys.io_uring_enter;
    cel__sys.io_uring_enter = enter_of_such_a_filesystem;
    cel__sys.pread = read_elsewhere;
    run_in_task(read_by_the_pool);
    cel__sys_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_written_is_read_back),
        cmocka_unit_test(file_errors_are_told),
        cmocka_unit_test(file_load_takes_all_up_to_max),
        cmocka_unit_test(file_call_in_a_cancelled_scope_has_no_effect),
        cmocka_unit_test(datagrams_keep_their_borders_and_sender),
        cmocka_unit_test(datagram_socket_closed_ends_the_parked),
        cmocka_unit_test(file_read_that_would_block_is_done_by_the_pool),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
