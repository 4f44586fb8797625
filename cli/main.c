/* SPDX-License-Identifier: MIT */
/* celadon: fetches and scrapes pages, shows their trees, serves a folder. stdout carries data only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <celadon/base.h>

#include "command.h"

void complain(const char *fmt, ...)
{
    va_list va;

    fputs("celadon: ", stderr);
    va_start(va, fmt);
    vfprintf(stderr, fmt, va);
    va_end(va);
    fputc('\n', stderr);
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"extract", command_extract, "try selectors on one page, and be told why one finds nothing"},
    {"fetch", command_fetch, "fetch a list of URLs, select fields from each page, print them"},
    {"html", command_html, "print the tree that the parser makes of a page"},
    {"serve", command_serve, "serve the files of a folder over HTTP"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

/* -> its index, or -1. */
static int command_of(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* One letter wrong, missing, too many, or changed places with its neighbour. */
static bool is_slip(const char *a, const char *b)
{
    size_t same = 0, tail_a, tail_b;

    while (a[same] != '\0' && a[same] == b[same])
        same++;
    a += same;
    b += same;
    tail_a = strlen(a);
    tail_b = strlen(b);
    if (tail_a == tail_b)
        return tail_a > 0 &&
               (strcmp(a + 1, b + 1) == 0 ||
                (tail_a > 1 && a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0));
    return tail_a == tail_b + 1 ? strcmp(a + 1, b) == 0
                                : tail_b == tail_a + 1 && strcmp(a, b + 1) == 0;
}

/* What may have been meant, or NULL. */
static const char *command_near(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_slip(name, commands[i].name) ||
            (strlen(name) > 1 && strncmp(name, commands[i].name, strlen(name)) == 0))
            return commands[i].name;
    return NULL;
}

static void usage(FILE *to)
{
    fputs("usage: celadon COMMAND [OPTION…] [ARGUMENT…]\n\n", to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'celadon help COMMAND' tells more; 'celadon --version' names the version.\n", to);
}

/* A descriptor that the program was started without would be taken by the next file or socket, and
 * what is printed would go there. Now it is one that refuses, so that what is printed is an error.
 */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_FATAL);
}

/* Each connection needs a descriptor; the system's soft limit is meant for programs that use few.
 */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* else it stays as it was */
}

static int no_command(const char *name)
{
    const char *near = command_near(name);

    if (near != NULL)
        complain("no command is called '%s'; is '%s' meant?", name, near);
    else
        complain("no command is called '%s'", name);
    usage(stderr);
    return EXIT_USAGE;
}

/* celadon help, celadon help COMMAND */
static int help(int argc, char **argv)
{
    char long_option[] = "--help", *command_argv[] = {NULL, long_option, NULL};
    int i;

    if (argc < 3) {
        usage(stdout);
        return EXIT_ALL_DONE;
    }
    i = command_of(argv[2]);
    if (i < 0)
        return no_command(argv[2]);
    command_argv[0] = argv[2];
    return commands[i].run(2, command_argv);
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    int i;

    if (name == NULL) {
        usage(stderr);
        return EXIT_USAGE;
    }
    i = command_of(name);
    if (i >= 0)
        return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) {
        printf("celadon %s\n", cel_version());
        return EXIT_ALL_DONE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc, argv);
    return no_command(name);
}

int main(int argc, char **argv)
{
    int result;

    fill_standard_descriptors();
    raise_descriptor_limit();
    result = run(argc, argv);
    if (fflush(stdout) != 0 && result == EXIT_ALL_DONE) {
        complain("not all of the output was written: %s", cel_strerror(errno));
        result = EXIT_FATAL;
    }
    return result;
}
