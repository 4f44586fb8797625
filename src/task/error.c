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

static struct cel_error *record_of(struct cel_task *task)
{
    if (task->error == NULL)
        task->error = cel__mem_zalloc(sizeof *task->error);
    return task->error;
}

int cel__raise_at(const char *file, int line, int code, const char *phase, const char *fmt, ...)
{
    struct cel_task *task = cel__task_here();
    struct cel_error *error = task != NULL ? record_of(task) : NULL;
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

/* Cuts what does not fit. */
static void CEL_PRINTF(3, 4) put(char *out, size_t cap, const char *fmt, ...)
{
    va_list va;

    va_start(va, fmt);
    vsnprintf(out, cap, fmt, va);
    va_end(va);
}

/* "context: cause", where the cause is what the last failing call said, if it failed with this
 * code. */
static void wrap(struct cel_task *task, const char *file, int line, int code, const char *context)
{
    struct cel_error *error = record_of(task);
    char cause[sizeof error->text];

    task->failed = code;
    if (error == NULL)
        return;
    put(cause, sizeof cause, "%s",
        error->code == code && error->text[0] != '\0' ? error->text : cel_strerror(code));
    if (error->code != code)
        error->phase = NULL;
    error->code = code;
    error->file = file;
    error->line = line;
    put(error->text, sizeof error->text, "%s%s%s", context, context[0] != '\0' ? ": " : "", cause);
}

void *cel_fail_at(const char *file, int line, int code, const char *fmt, ...)
{
    struct cel_task *task = cel__task_here();
    char context[sizeof nothing.text];
    va_list va;

    CEL__ASSERT(task != NULL && code < 0);
    va_start(va, fmt);
    vsnprintf(context, sizeof context, fmt, va);
    va_end(va);
    wrap(task, file, line, code, context);
    return NULL;
}

void *cel_fail_from_at(const char *file, int line, union cel_awaitables x, size_t n,
                       const char *context)
{
    struct cel_task *task = cel__task_here();

    CEL__ASSERT(task != NULL);
    for (size_t i = 0; i < n; i++) {
        int code = cel_outcome(x.futures[i]);

        if (code == 0 || code == -EINPROGRESS)
            continue;
        wrap(task, file, line, code, context);
        return NULL;
    }
    wrap(task, file, line,
         task->error != NULL && task->error->code < 0 ? task->error->code : -CEL_EFAILED, context);
    return NULL;
}
