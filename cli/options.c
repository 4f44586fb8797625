/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define OPTIONS_MAX 48
#define LONG_ONLY   1000 /* getopt's value of an option without a letter: this and its index */

struct getopt_tables {
    char letters[2 * OPTIONS_MAX + 4];
    struct option names[OPTIONS_MAX + 2];
};

static void build(const struct option_spec *specs, struct getopt_tables *t)
{
    char *letter = t->letters;
    int n = 0;

    *letter++ = ':';
    for (; specs[n].name != NULL && n < OPTIONS_MAX; n++) {
        const struct option_spec *o = &specs[n];

        t->names[n] = (struct option){o->name, o->value != NULL ? required_argument : no_argument,
                                      NULL, o->letter != 0 ? o->letter : LONG_ONLY + n};
        if (o->letter == 0)
            continue;
        *letter++ = o->letter;
        if (o->value != NULL)
            *letter++ = ':';
    }
    *letter++ = 'h';
    *letter = '\0';
    t->names[n++] = (struct option){"help", no_argument, NULL, 'h'};
    t->names[n] = (struct option){0};
}

static void print_help(const struct command_spec *command)
{
    printf("usage: celadon %s %s\n%s\n\n", command->name, command->arguments, command->summary);
    for (const struct option_spec *o = command->options; o->name != NULL; o++) {
        char left[64];

        if (o->letter != 0)
            snprintf(left, sizeof left, "-%c, --%s%s%s", o->letter, o->name,
                     o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        else
            snprintf(left, sizeof left, "    --%s%s%s", o->name, o->value != NULL ? " " : "",
                     o->value != NULL ? o->value : "");
        printf("  %-30s %s\n", left, o->help);
    }
    printf("  %-30s %s\n", "-h, --help", "this text");
    if (command->notes != NULL)
        printf("\n%s\n", command->notes);
}

static const struct option_spec *find(const struct option_spec *specs, int code)
{
    if (code >= LONG_ONLY)
        return &specs[code - LONG_ONLY];
    for (; specs->name != NULL; specs++)
        if (specs->letter == code)
            return specs;
    return NULL;
}

int options_parse(const struct command_spec *command, int argc, char **argv, void *config)
{
    struct getopt_tables tables;
    int code;

    build(command->options, &tables);
    optind = 1;
    while ((code = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
        const struct option_spec *spec;

        if (code == 'h') {
            print_help(command);
            return -2;
        }
        spec = code != '?' && code != ':' ? find(command->options, code) : NULL;
        if (spec == NULL) {
            complain("%s '%s'; 'celadon %s --help' lists the options",
                     code == ':' ? "a value is missing behind" : "unknown option", argv[optind - 1],
                     command->name);
            return -1;
        }
        if (!spec->take(config, optarg))
            return -1;
    }
    return optind;
}

bool take_count(const char *option, const char *value, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(value, &end, 10);
    if (errno != 0 || *end != '\0' || end == value || value[0] == '-' || n < min || n > max) {
        complain("%s takes a number from %u to %u, not '%s'", option, min, max, value);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

/* A number with a unit: the factor it stands for, 0 when unknown. */
static double factor_of(const char *unit, const char *const *names, const double *factors)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(unit, names[i]) == 0)
            return factors[i];
    return 0;
}

static bool take_scaled(const char *value, const char *const *names, const double *factors,
                        double *out)
{
    char *unit;
    double n = strtod(value, &unit), factor = factor_of(unit, names, factors);

    if (unit == value || !(n >= 0) || factor == 0 || n * factor > 9e18)
        return false;
    *out = n * factor;
    return true;
}

bool take_duration(const char *option, const char *value, int64_t *out_ns)
{
    static const char *const names[] = {"", "s", "ms", "m", "h", NULL};
    static const double factors[] = {1e9, 1e9, 1e6, 60e9, 3600e9};
    double ns;

    if (!take_scaled(value, names, factors, &ns) || ns < 1) {
        complain("%s takes a time such as 30s, 500ms or 2m, not '%s'", option, value);
        return false;
    }
    *out_ns = (int64_t)ns;
    return true;
}

bool take_size(const char *option, const char *value, size_t *out_bytes)
{
    static const char *const names[] = {"", "k", "K", "M", "G", NULL};
    static const double factors[] = {1, 1024, 1024, 1048576, 1073741824};
    double bytes;

    if (!take_scaled(value, names, factors, &bytes) || bytes < 1) {
        complain("%s takes a size such as 500k, 10M or 1G, not '%s'", option, value);
        return false;
    }
    *out_bytes = (size_t)bytes;
    return true;
}
