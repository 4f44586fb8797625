/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* The commands and what they have in common. */

enum exit_code {
    EXIT_ALL_DONE = 0,
    EXIT_FATAL = 1,
    EXIT_USAGE = 2,
    EXIT_SOME_FAILED = 3,
    EXIT_INTERRUPTED = 5,
};

int command_extract(int argc, char **argv);
int command_fetch(int argc, char **argv);
int command_html(int argc, char **argv);
int command_serve(int argc, char **argv);

/* "celadon: …" to stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
