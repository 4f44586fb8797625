/* SPDX-License-Identifier: MIT */
/* The dump on a signal needs neither heap nor locks. A child process breaks its heap, dumps, and
 * then dies of its next allocation, which shows that the heap was broken; and a signal comes while
 * the process is in the midst of malloc, which nobody may enter then. */
#include <celadon/celadon.h>
#include <celadon/debug.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_PLAIN_HEAP 1
#else
#define HAS_PLAIN_HEAP 0
#endif

#define HEADER 16    /* before the heap's first chunk, which has the lists of free ones */
#define SMASH  0x280 /* of that chunk */

/* Where the heap begins; read without using it. 0: there is none. */
static uintptr_t heap_start(void)
{
    static char maps[1 << 16];
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;
    char *line;

    while ((n = read(fd, maps + len, sizeof maps - 1 - len)) > 0)
        len += (size_t)n;
    close(fd);
    line = strstr(maps, "[heap]");
    while (line != NULL && line > maps && line[-1] != '\n')
        line--;
    return line != NULL ? (uintptr_t)strtoull(line, NULL, 16) : 0;
}

static void *sleeper(void *arg)
{
    (void)cel_sleep(1000 * CEL_SECOND);
    return arg;
}

static void *break_heap_and_dump(void *arg)
{
    uintptr_t heap = heap_start();

    if (heap == 0 || cel_dump_on_signal(SIGUSR2) < 0)
        _exit(2);
    for (int i = 0; i < 100; i++)
        if (cel_spawn_with(sleeper, NULL, .name = "one of many") == NULL)
            _exit(3);
    if (cel_yield() < 0 || dup2(*(int *)arg, STDERR_FILENO) < 0)
        _exit(4);
    memset((void *)(heap + HEADER), 0x41, SMASH);
    (void)raise(SIGUSR2);
    for (size_t size = 8; size < 256; size += 16) {
        char *volatile p = malloc(size);

        *p = 1;
    }
    _exit(5);
    return arg;
}

static void dump_works_while_the_heap_is_broken(void **state)
{
    static char text[1 << 18];
    int fd = memfd_create("dump", MFD_CLOEXEC), status;
    unsigned count = 0;
    ssize_t n;
    pid_t pid;

    if (!HAS_PLAIN_HEAP) {
        print_message("needs the heap of the GNU C library, and no sanitizer in its place\n");
        skip();
    }
    assert_true(fd >= 0);
    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!cel_run(break_heap_and_dump, &fd, NULL);
        _exit(6);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) &&
                (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGABRT));
    n = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    for (const char *at = text; (at = strstr(at, "\"one of many\" (spawned at ")) != NULL; at++)
        count++;
    assert_int_equal(count, 1);
    assert_non_null(strstr(text, "    and 99 more like it, "));
    assert_non_null(strstr(text, " sleeper+0x"));
    assert_non_null(strstr(text, "celadon: end of the dump\n"));
}

/* ---- in the midst of malloc ---- */

#if HAS_PLAIN_HEAP
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static int is_armed;       /* the next malloc raises the signal */
static int is_in_malloc;   /* that one has not returned */
static unsigned intruders; /* calls of the heap meanwhile */

__attribute__((noipa)) void *malloc(size_t size)
{
    void *p;

    intruders += (unsigned)is_in_malloc;
    if (!is_armed)
        return __libc_malloc(size);
    is_armed = 0;
    is_in_malloc = 1;
    (void)raise(SIGUSR2);
    is_in_malloc = 0;
    p = __libc_malloc(size);
    return p;
}

void *calloc(size_t nmemb, size_t size)
{
    intruders += (unsigned)is_in_malloc;
    return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    intruders += (unsigned)is_in_malloc;
    return __libc_realloc(ptr, size);
}

void free(void *ptr)
{
    intruders += (unsigned)is_in_malloc;
    __libc_free(ptr);
}

static void *dump_in_malloc(void *arg)
{
    int fd = *(int *)arg, usual_stderr = dup(STDERR_FILENO);
    void *volatile p;

    if (cel_dump_on_signal(SIGUSR2) < 0 || dup2(fd, STDERR_FILENO) < 0)
        return NULL;
    CEL_SCOPE (scope) {
        (void)!cel_spawn_with(sleeper, NULL, .name = "asleep");
        (void)cel_yield();
        is_armed = 1;
        p = malloc(100);
        free(p);
        cel_scope_cancel(&scope);
    }
    (void)!dup2(usual_stderr, STDERR_FILENO);
    close(usual_stderr);
    return arg;
}
#endif

static void dump_in_the_midst_of_malloc_does_not_enter_it(void **state)
{
#if HAS_PLAIN_HEAP
    static char text[1 << 16];
    int fd = memfd_create("dump", MFD_CLOEXEC);
    void *result = NULL;
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(cel_run(dump_in_malloc, &fd, &result), 0);
    assert_ptr_equal(result, &fd);
    assert_int_equal(intruders, 0);
    n = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, " malloc+0x"));
    assert_non_null(strstr(text, " dump_in_malloc+0x"));
    assert_non_null(strstr(text, "\"asleep\" (spawned at "));
    assert_non_null(strstr(text, "celadon: end of the dump\n"));
#else
    print_message("needs the heap of the GNU C library, and no sanitizer in its place\n");
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump_in_the_midst_of_malloc_does_not_enter_it),
        cmocka_unit_test(dump_works_while_the_heap_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
