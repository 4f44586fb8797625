/* SPDX-License-Identifier: MIT */
/* Descriptors that go away while a task waits for them; locks on files, signals, terminals, names,
 * and tasks that look again and again. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"

static int ends[2];

static void open_pair(void)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_it(int fd)
{
    assert_int_equal(close(fd), 0);
}

static void *read_closed(void *arg)
{
    char c;

    assert_int_equal(read(ends[0], &c, 1), -1);
    assert_int_equal(errno, EBADF);
    ++*(int *)arg;
    return NULL;
}

/* The peer sees the end at once, and the number's next owner is not mistaken for the last. */
IN_TASK(close_wakes_all_who_wait)
{
    int told = 0, again[2];
    char c;

    open_pair();
    CEL_SCOPE (s) {
        for (int i = 0; i < 5; i++)
            assert_int_equal(cel_go(read_closed, &told), 0);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(read(ends[1], &c, 1), 0);
        close(ends[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, again), 0);
        assert_int_equal(send(again[0], "x", 1, 0), 1);
        assert_int_equal(send(again[1], "x", 1, 0), 1);
    }
    assert_int_equal(told, 5);
    assert_int_equal(read(again[0], &c, 1), 1);
    close(again[0]);
    close(again[1]);
}

static int other;

static void put_other_in_place(int fd)
{
    assert_int_equal(dup2(other, fd), fd);
}

static void put_other_in_place_too(int fd)
{
    assert_int_equal(dup3(other, fd, O_CLOEXEC), fd);
}

IN_TASK(dup2_wakes_who_waits)
{
    char c;

    other = open("/dev/null", O_RDONLY);
    open_pair();
    LATER (put_other_in_place, ends[0]) {
        assert_int_equal(recv(ends[0], &c, 1, 0), -1);
        assert_int_equal(errno, EBADF);
    }
    assert_int_equal(read(ends[0], &c, 1), 0); /* /dev/null by now */
    LATER (put_other_in_place_too, ends[1]) {
        struct pollfd one = {.fd = ends[1], .events = POLLPRI};

        assert_int_equal(poll(&one, 1, 20), 1); /* a hang-up */
    }
    close(ends[0]);
    close(ends[1]);
    close(other);
}

IN_TASK(polls_tell_a_closed_descriptor)
{
    struct pollfd fds[2];
    struct epoll_event event;
    fd_set in;
    int ep = epoll_create1(0), keep;

    open_pair();
    keep = ends[1];
    fds[0] = (struct pollfd){.fd = ends[1], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    LATER (close_it, ends[0])
        assert_int_equal(poll(fds, 2, -1), 1);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, POLLNVAL);
    close(keep);
    open_pair();
    FD_ZERO(&in);
    FD_SET(ends[0], &in);
    LATER (close_it, ends[0]) {
        assert_int_equal(select(ends[0] + 1, &in, NULL, NULL, NULL), -1);
        assert_int_equal(errno, EBADF);
    }
    close(ends[1]);
    LATER (close_it, ep) {
        assert_int_equal(epoll_wait(ep, &event, 1, -1), -1);
        assert_int_equal(errno, EBADF);
    }
}

/* ---- locks on files ---- */

static int open_locked(int *second)
{
    char path[] = "/tmp/green-claims-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    *second = open(path, O_RDWR);
    unlink(path);
    assert_true(*second >= 0);
    return fd;
}

static void unlock(int fd)
{
    assert_int_equal(flock(fd, LOCK_UN), 0);
}

IN_TASK(flock_parks_until_it_is_free)
{
    int second, first = open_locked(&second);

    assert_int_equal(flock(first, LOCK_EX), 0);
    assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    LATER (unlock, first)
        assert_int_equal(flock(second, LOCK_EX), 0);
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        assert_int_equal(flock(first, LOCK_SH), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    assert_int_equal(flock(-1, LOCK_EX), -1);
    assert_int_equal(errno, EBADF);
    close(first);
    close(second);
}

static void unclaim(int fd)
{
    struct flock whole = {.l_type = F_UNLCK};

    assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
}

IN_TASK(record_locks_park_until_they_are_free)
{
    struct flock whole = {.l_type = F_WRLCK};
    int second, first = open_locked(&second);

    assert_int_equal(fcntl(first, F_OFD_SETLKW, &whole), 0);
    LATER (unclaim, first)
        assert_int_equal(fcntl(second, F_OFD_SETLKW, &whole), 0);
    LATER (unclaim, second)
        assert_int_equal(fcntl(first, F_SETLKW, &whole), 0);
    whole.l_type = F_UNLCK;
    assert_int_equal(fcntl(first, F_SETLK, &whole), 0);
    whole.l_type = F_WRLCK;
    assert_int_equal(fcntl(second, F_OFD_SETLKW, &whole), 0);
    LATER (unclaim, second)
        assert_int_equal(lockf(first, F_LOCK, 0), 0);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(fcntl(second, F_OFD_SETLKW, &whole), -1);
        assert_int_equal(errno, ECANCELED);
    }
    assert_int_equal(lockf(first, F_ULOCK, 0), 0);
    close(first);
    close(second);
}

/* ---- signals ---- */

static void raise_it(int signo)
{
    raise(signo);
}

IN_TASK(each_wait_for_signals_parks)
{
    struct timespec few = {.tv_nsec = 1000000}, minute = {.tv_sec = 60};
    sigset_t set, before;
    siginfo_t info;
    int signo = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, &before);
    LATER (raise_it, SIGUSR2)
        assert_int_equal(sigwait(&set, &signo), 0);
    assert_int_equal(signo, SIGUSR2);
    LATER (raise_it, SIGUSR2)
        assert_int_equal(sigwaitinfo(&set, &info), SIGUSR2);
    assert_int_equal(info.si_pid, getpid());
    LATER (raise_it, SIGUSR2)
        assert_int_equal(sigtimedwait(&set, NULL, &minute), SIGUSR2);
    assert_int_equal(sigtimedwait(&set, NULL, &few), -1);
    assert_int_equal(errno, EAGAIN);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(sigwait(&set, &signo), ECANCELED);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- terminals ---- */

static void type_line(int fd)
{
    assert_int_equal(write(fd, "typed\n", 6), 6);
}

IN_TASK(reading_a_terminal_parks)
{
    int master, slave;
    char buf[16];

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    LATER (type_line, master)
        assert_int_equal(read(slave, buf, sizeof buf), 6);
    assert_memory_equal(buf, "typed\n", 6);
    assert_int_equal(write(slave, "shown", 5), 5);
    assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
    close(slave);
    close(master);
}

/* ---- looking again and again ---- */

static bool is_done;

static void be_done(int unused)
{
    is_done = true;
}

IN_TASK(who_asks_without_waiting_lets_the_others_run)
{
    struct pollfd one = {.events = POLLIN};
    struct epoll_event event;
    int ep = epoll_create1(0);
    char c;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    one.fd = ends[0];
    is_done = false;
    LATER (be_done, 0)
        while (!is_done)
            assert_int_equal(poll(&one, 1, 0), 0);
    is_done = false;
    LATER (be_done, 0)
        while (!is_done)
            assert_int_equal(epoll_wait(ep, &event, 1, 0), 0);
    is_done = false;
    LATER (be_done, 0)
        while (!is_done)
            assert_int_equal(read(ends[0], &c, 1), -1);
    is_done = false;
    LATER (be_done, 0)
        while (!is_done)
            assert_int_equal(sched_yield(), 0);
    if (epoll_pwait2(ep, &event, 1, &(struct timespec){.tv_nsec = 1000}, NULL) != 0)
        assert_int_equal(errno, ENOSYS); /* before Linux 5.11 */
    close(ep);
    close(ends[0]);
    close(ends[1]);
}

/* ---- names ---- */

/* Of /etc/hosts. One task's answer outlives another's question. */
static void *ask_again(void *arg)
{
    /* lint: banned: libraries call it, and this is its test */
    struct hostent *found = gethostbyname("127.0.0.3");

    assert_non_null(found);
    assert_memory_equal(found->h_addr_list[0], "\x7f\0\0\x03", 4);
    return NULL;
}

IN_TASK(hosts_are_found_in_memory_of_the_task)
{
    const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    /* lint: banned: libraries call it, and this is its test */
    struct hostent *found = gethostbyname("localhost"), entry, *out = NULL;
    char buf[2048];
    int error = 0;

    assert_non_null(found);
    assert_string_equal(found->h_name, "localhost");
    CEL_SCOPE (s)
        assert_int_equal(cel_go(ask_again, NULL), 0);
    assert_memory_equal(found->h_addr_list[0], "\x7f\0\0\x01", 4);
    /* lint: banned: libraries call it, and this is its test */
    assert_null(gethostbyname("no such name"));
    assert_int_not_equal(h_errno, 0);
    for (int odd = 0; odd < 3; odd++) {
        assert_int_equal(
            gethostbyname_r("localhost", &entry, buf + odd, sizeof buf - 3, &out, &error), 0);
        assert_ptr_equal(out, &entry);
        assert_string_equal(entry.h_name, "localhost");
        assert_in_range((uintptr_t)entry.h_name, (uintptr_t)buf, (uintptr_t)buf + sizeof buf);
        assert_int_equal(entry.h_length, 4);
        assert_memory_equal(entry.h_addr_list[0], &loopback, 4);
        assert_in_range((uintptr_t)entry.h_addr_list[0], (uintptr_t)buf,
                        (uintptr_t)buf + sizeof buf);
    }
    assert_int_equal(gethostbyname_r("localhost", &entry, buf, 8, &out, &error), ERANGE);
    /* lint: banned: libraries call it, and this is its test */
    found = gethostbyaddr(&loopback, sizeof loopback, AF_INET);
    assert_non_null(found);
    assert_string_equal(found->h_name, "localhost");
    assert_int_equal(
        gethostbyaddr_r(&loopback, sizeof loopback, AF_INET, &entry, buf, sizeof buf, &out, &error),
        0);
    assert_string_equal(out->h_name, "localhost");
}

IN_TASK(addresses_are_named)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char host[64], service[16];

    at.sin_port = htons(80);
    assert_int_equal(getnameinfo((struct sockaddr *)&at, sizeof at, host, sizeof host, service,
                                 sizeof service, NI_NUMERICSERV),
                     0);
    assert_string_equal(host, "localhost");
    assert_string_equal(service, "80");
    assert_int_equal(getnameinfo((struct sockaddr *)&at, sizeof at, host, 3, NULL, 0, 0),
                     EAI_OVERFLOW);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(
            getnameinfo((struct sockaddr *)&at, sizeof at, host, sizeof host, NULL, 0, 0),
            EAI_SYSTEM);
        assert_int_equal(errno, ECANCELED);
        /* lint: banned: libraries call it, and this is its test */
        assert_null(gethostbyname("localhost"));
        assert_int_equal(errno, ECANCELED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_wakes_all_who_wait),
        cmocka_unit_test(dup2_wakes_who_waits),
        cmocka_unit_test(polls_tell_a_closed_descriptor),
        cmocka_unit_test(flock_parks_until_it_is_free),
        cmocka_unit_test(record_locks_park_until_they_are_free),
        cmocka_unit_test(each_wait_for_signals_parks),
        cmocka_unit_test(reading_a_terminal_parks),
        cmocka_unit_test(who_asks_without_waiting_lets_the_others_run),
        cmocka_unit_test(hosts_are_found_in_memory_of_the_task),
        cmocka_unit_test(addresses_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
