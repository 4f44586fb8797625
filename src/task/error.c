/* SPDX-License-Identifier: MIT */
/* A failure is a code that every caller sees and words that travel beside it, best effort: when
 * memory for the words is out, the code alone arrives. */
#include "task/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "task/state.h"

static const struct cel_error nothing;

struct cel_error *cel__error_new(const char *file, int line, int code, const char *text)
{
    struct cel_error *error = cel__mem_alloc(sizeof *error);

    if (error == NULL)
        return NULL;
    *error = (struct cel_error){.code = code, .line = line, .file = file};
    snprintf(error->text, sizeof error->text, "%s", text);
    return error;
}

void cel__error_give(struct cel_task *task, struct cel_error *error)
{
    if (error == NULL)
        return;
    cel__mem_free(task->error);
    task->error = error;
}

struct cel_error *cel__error_of(struct cel_task *task)
{
    if (task->error == NULL)
        task->error = cel__mem_zalloc(sizeof *task->error);
    return task->error;
}

int cel__raise_at(const char *file, int line, int code, const char *phase, const char *fmt, ...)
{
    struct cel_task *task = cel__task_here();
    struct cel_error *error = task != NULL ? cel__error_of(task) : NULL;
    va_list va;

    if (error == NULL)
        return code;
    error->code = code;
    error->file = file;
    error->line = line;
    error->phase = phase;
    va_start(va, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, va);
    va_end(va);
    return code;
}

const struct cel_error *cel_last_error(void)
{
    struct cel_task *task = cel__task_here();

    return task != NULL && task->error != NULL ? task->error : &nothing;
}

int cel__raise_missing(const char *phase, const char *text)
{
    const struct cel_error *last = cel_last_error();

    if (last->code < 0 && last->phase != NULL && strcmp(last->phase, phase) == 0)
        return last->code;
    return cel__raise(-EINVAL, phase, "%s", text);
}
