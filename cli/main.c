/* SPDX-License-Identifier: MIT */
/* celadon: fetches and scrapes pages, shows their trees, serves a folder. stdout carries data only.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static void usage(FILE *to)
{
    fputs("usage: celadon COMMAND [OPTION…] [ARGUMENT…]\n\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'celadon COMMAND --help' tells more; 'celadon --version' names the version.\n", to);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (name == NULL) {
        usage(stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) {
        printf("celadon %s\n", cel_version());
        return EXIT_ALL_DONE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EXIT_ALL_DONE;
    }
    complain("no command is called '%s'", name);
    usage(stderr);
    return EXIT_USAGE;
}
