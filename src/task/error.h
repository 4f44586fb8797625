/* SPDX-License-Identifier: MIT */
#ifndef CEL__TASK_ERROR_H
#define CEL__TASK_ERROR_H

/* The words behind a code: the current task keeps those of its last failing call. */

#include "celadon/base.h"

struct cel_task;

/* Records the failure in the current task, if there is one and memory for it. -> code. */
#define cel__raise(code, phase, ...) cel__raise_at(__FILE__, __LINE__, (code), (phase), __VA_ARGS__)
int cel__raise_at(const char *file, int line, int code, const char *phase, const char *fmt, ...)
    CEL_PRINTF(5, 6);

/* What was not made is used: the code, and the words, of the last failure if it arose in `phase`;
 * else that is raised with -EINVAL and this text. */
int cel__raise_missing(const char *phase, const char *text);

/* A record for `code` in words, or NULL when memory is out. */
struct cel_error *cel__error_new(const char *file, int line, int code, const char *text);

/* The record of the task's last failing call, made when first asked for; NULL when memory is out.
 */
struct cel_error *cel__error_of(struct cel_task *task);

/* The task's last error becomes this one (owned); NULL is fine. */
void cel__error_give(struct cel_task *task, struct cel_error *error);

#endif
