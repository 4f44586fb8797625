/* SPDX-License-Identifier: MIT */
/* How a task says that it failed: its context in front of the cause that the last failing call
 * left. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "task/error.h"
#include "task/state.h"

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
    struct cel_error *error = cel__error_of(task);
    char cause[sizeof error->text];

    task->future.code = code;
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
    char context[sizeof((struct cel_error *)0)->text];
    va_list va;

    CEL__ASSERT(task != NULL && "cel_fail is for tasks, which return what it returns");
    CEL__ASSERT(code < 0 && "cel_fail takes the negative code that a call returned");
    va_start(va, fmt);
    vsnprintf(context, sizeof context, fmt, va);
    va_end(va);
    wrap(task, file, line, code, context);
    return NULL;
}

/* The first that failed by itself; those it took along were cancelled. 0: none has failed. */
static int first_failure(union cel_awaitables x, size_t n)
{
    int cancelled = 0;

    for (size_t i = 0; i < n; i++) {
        int code = cel_outcome(x.futures[i]);

        if (code == -ECANCELED)
            cancelled = code;
        else if (code != 0 && code != -EINPROGRESS)
            return code;
    }
    return cancelled;
}

void *(cel_fail_from_at)(const char *file, int line, union cel_awaitables x, size_t n,
                         const char *context)
{
    struct cel_task *task = cel__task_here();
    int code = first_failure(x, n);

    CEL__ASSERT(task != NULL);
    if (code == 0)
        code = task->error != NULL && task->error->code < 0 ? task->error->code : -CEL_EFAILED;
    wrap(task, file, line, code, context);
    return NULL;
}
