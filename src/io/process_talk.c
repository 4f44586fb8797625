/* SPDX-License-Identifier: MIT */
/* Writing to a child while reading from it: each direction is a task of its own in one group, so
 * that no full pipe stops the others. */
#include <errno.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "io/process.h"

#define STEP 16384

struct talk {
    struct cel_process *process;
    const void *input;
    size_t len, max;
    struct cel__buf bytes[2]; /* of stdout, stderr */
};

/* A wait that the scopes around ended is told by who awaits the group. */
static void *outcome(ssize_t r, const char *what)
{
    return r < 0 && cel_checkpoint() == 0 ? cel_fail((int)r, "%s", what) : NULL;
}

static void *write_input(void *arg)
{
    struct talk *t = arg;
    ssize_t r = cel_write(t->process->pipes[0], t->input, t->len); /* parks */

    if (r == -EPIPE)
        r = 0; /* the child had enough */
    if (cel_checkpoint() == 0)
        cel_process_close_stdin(t->process);
    return outcome(r, "writing to the child");
}

static ssize_t read_all(struct talk *t, struct cel_stream *from, struct cel__buf *to)
{
    ssize_t n;

    do {
        if (to->cap - to->len < STEP / 2 && cel__buf_reserve(to, STEP) < 0)
            return -ENOMEM;
        n = cel_read(from, to->ptr + to->len, to->cap - to->len); /* parks */
        if (n < 0)
            return n;
        to->len += (size_t)n;
        if (to->len > t->max)
            return -CEL_ETOOLARGE;
    } while (n > 0);
    return cel__buf_cstr(to) != NULL ? 0 : -ENOMEM;
}

static void *read_out(void *arg)
{
    struct talk *t = arg;

    return outcome(read_all(t, t->process->pipes[1], &t->bytes[0]), "reading the child's output");
}

static void *read_err(void *arg)
{
    struct talk *t = arg;

    return outcome(read_all(t, t->process->pipes[2], &t->bytes[1]), "reading the child's errors");
}

/* (parks) */
static int talk(struct talk *t)
{
    static cel_task_fn *const sides[] = {write_input, read_out, read_err};
    struct cel_scope group;
    int r = 0, failed;

    cel_scope_enter(&group, &(struct cel_scope_options){.is_group = true});
    for (int i = 0; r == 0 && i < 3; i++)
        if (t->process->pipes[i] != NULL)
            r = cel_go(sides[i], t);
    if (r < 0)
        cel_scope_cancel(&group);
    failed = cel_scope_leave(&group); /* parks */
    return r < 0 ? r : failed;
}

int cel_process_communicate(struct cel_process *p, const void *input, size_t len, size_t max,
                            struct cel_output *output)
{
    struct talk t = {.process = p, .input = input, .len = len, .max = max};
    struct cel_exit exit;
    int r = cel_checkpoint();

    if (r == 0)
        r = talk(&t); /* parks */
    if (r == 0)
        r = cel_process_wait(p, &exit); /* parks */
    if (r < 0) {
        cel__buf_fini(&t.bytes[0]);
        cel__buf_fini(&t.bytes[1]);
        return r;
    }
    *output = (struct cel_output){.out = t.bytes[0].ptr,
                                  .out_len = t.bytes[0].len,
                                  .err = t.bytes[1].ptr,
                                  .err_len = t.bytes[1].len,
                                  .exit = exit};
    return 0;
}

static void collect(struct cel_stdio *io)
{
    if (io->kind == CEL_STDIO_INHERIT)
        io->kind = CEL_STDIO_PIPE;
}

int cel_process_run(const char *const argv[], const struct cel_process_options *options,
                    const void *input, size_t len, size_t max, struct cel_output *output)
{
    struct cel_process_options o = {0};
    struct cel_process *p;
    int r;

    if (options != NULL)
        o = *options;
    if (o.terminal != NULL)
        return -EINVAL; /* nobody would read what it shows */
    if (o.in.kind == CEL_STDIO_INHERIT)
        o.in.kind = len > 0 ? CEL_STDIO_PIPE : CEL_STDIO_NULL;
    collect(&o.out);
    collect(&o.err);
    r = cel_process_spawn(&p, argv, &o); /* parks */
    if (r < 0)
        return r;
    r = cel_process_communicate(p, input, len, max, output); /* parks */
    if (r < 0)
        cel_process_stop(p, 0, NULL); /* parks */
    cel_process_close(p);
    return r;
}

void cel_output_free(struct cel_output *output)
{
    if (output == NULL)
        return;
    cel__mem_free(output->out);
    cel__mem_free(output->err);
    *output = (struct cel_output){0};
}
