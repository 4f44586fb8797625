/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cc.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static void to_stderr(enum cel_log_level level, const char *line, void *arg)
{
    (void)arg;
    fprintf(stderr, "celadon: %s: %s\n", level_names[level], line);
}

static void (*the_sink)(enum cel_log_level, const char *, void *) = to_stderr;
static void *the_arg;

void cel_set_log(void (*sink)(enum cel_log_level level, const char *line, void *arg), void *arg)
{
    the_sink = sink != NULL ? sink : to_stderr;
    the_arg = arg;
}

static enum cel_log_level level_let_through(void)
{
    static int cached = -1;
    int level = __atomic_load_n(&cached, __ATOMIC_RELAXED);
    const char *wanted;
    bool is_known;

    if (level >= 0)
        return (enum cel_log_level)level;
    level = CEL_LOG_WARN;
    wanted = getenv("CELADON_LOG");
    is_known = wanted == NULL || wanted[0] == '\0';
    for (size_t i = 0; !is_known && i < cel__countof(level_names); i++) {
        is_known = strcmp(wanted, level_names[i]) == 0;
        level = is_known ? (int)i : level;
    }
    __atomic_store_n(&cached, level, __ATOMIC_RELAXED);
    if (!is_known)
        cel__log(CEL_LOG_WARN, "CELADON_LOG is '%s': say error, warn, info or debug", wanted);
    return (enum cel_log_level)level;
}

static void escape_controls(char *line)
{
    for (; *line != '\0'; line++)
        if ((unsigned char)*line < 0x20 || *line == 0x7f)
            *line = '?';
}

void cel__log(enum cel_log_level level, const char *fmt, ...)
{
    char line[1024];
    va_list va;

    if (level > level_let_through())
        return;
    va_start(va, fmt);
    vsnprintf(line, sizeof line, fmt, va);
    va_end(va);
    escape_controls(line);
    the_sink(level, line, the_arg);
}
