/* SPDX-License-Identifier: MIT */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

/* A command's options as one table, from which parsing and help are made. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_spec {
    char letter;       /* 0: none */
    const char *name;  /* without "--"; NULL ends the table */
    const char *value; /* what the help calls its value; NULL: takes none */
    const char *help;
    /* false: complained already. */
    bool (*take)(void *config, const char *value);
};

struct command_spec {
    const char *name, *arguments, *summary;
    const struct option_spec *options;
    const char *notes; /* under the options in the help */
};

/* -> index of the first argument that is no option; -1: usage error, complained; -2: help was
 * printed. Options may stand anywhere before "--". */
int options_parse(const struct command_spec *command, int argc, char **argv, void *config);

/* Values. false: complained, naming the option and the remedy. */
bool take_count(const char *option, const char *value, unsigned min, unsigned max, unsigned *out);
bool take_duration(const char *option, const char *value, int64_t *out_ns);
bool take_size(const char *option, const char *value, size_t *out_bytes);

#endif
