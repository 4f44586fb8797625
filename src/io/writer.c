/* SPDX-License-Identifier: MIT */
/* Two buffers: one is filled while the other is written. The task that writes exists only while
 * there is something to write, so an idle writer keeps no scope open. It belongs to the scope of
 * who made the writer and not of who puts: a guest who leaves must not take along what was for
 * another. The memory goes with the last of the two who hold it, the owner and that task. */
#include "celadon/writer.h"

#include <errno.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/mem.h"
#include "task/spawn.h"
#include "task/wait.h"

#define HIGH_DEFAULT 65536
#define PIECE        65536 /* written between two looks at who waits */

struct cel_writer {
    struct cel_stream *stream;
    struct cel__scope *scope; /* the task's */
    struct cel__buf filling;
    size_t sending; /* bytes of the other buffer that are not written */
    size_t low, high;
    struct cel_task *task; /* NULL: nothing is being written */
    struct cel__waitq waiting;
    int error;
    bool is_freed;
};

int cel_writer_new(struct cel_writer **out, struct cel_stream *stream, size_t low, size_t high)
{
    struct cel_writer *w;

    high = high != 0 ? high : HIGH_DEFAULT;
    low = low != 0 ? low : high / 4;
    if (low > high)
        return -EINVAL;
    w = cel__mem_zalloc(sizeof *w);
    if (w == NULL)
        return -ENOMEM;
    w->stream = stream;
    w->scope = cel__task_parking()->scope;
    w->low = low;
    w->high = high;
    cel__waitq_init(&w->waiting);
    w->waiting.what = "what was put to be written";
    *out = w;
    return 0;
}

static void writer_free(struct cel_writer *w)
{
    cel__buf_fini(&w->filling);
    cel__mem_free(w);
}

/* (parks) */
static ssize_t write_out(struct cel_writer *w, struct cel__buf *bytes)
{
    size_t at = 0;

    w->sending = bytes->len;
    while (at < bytes->len && !w->is_freed) {
        size_t n = cel__min(bytes->len - at, (size_t)PIECE);
        ssize_t r = cel_write(w->stream, bytes->ptr + at, n); /* parks */

        if (r < 0)
            return r;
        at += n;
        w->sending -= n;
        cel__waitq_wake_all(&w->waiting);
    }
    return 0;
}

static void *write_behind(void *arg)
{
    struct cel_writer *w = arg;
    ssize_t r = 0;

    while (r == 0 && w->filling.len > 0 && !w->is_freed) {
        struct cel__buf bytes = w->filling;

        w->filling = (struct cel__buf){0};
        r = write_out(w, &bytes); /* parks */
        cel__buf_fini(&bytes);
    }
    w->task = NULL;
    w->sending = 0;
    if (w->is_freed) {
        writer_free(w);
        return NULL;
    }
    if (r < 0) {
        w->error = (int)r;
        cel__buf_fini(&w->filling);
    }
    cel__waitq_wake_all(&w->waiting);
    return NULL;
}

size_t cel_writer_pending(const struct cel_writer *w)
{
    return w->filling.len + w->sending;
}

int cel_writer_put(struct cel_writer *w, const void *buf, size_t len)
{
    size_t before = w->filling.len;

    if (w->error != 0)
        return w->error;
    if (cel_writer_pending(w) > w->high)
        return -EAGAIN;
    if (len == 0)
        return 0;
    if (cel__buf_add(&w->filling, buf, len) < 0) {
        w->filling.failed = false;
        return -ENOMEM;
    }
    if (w->task == NULL) {
        const struct cel_spawn_options options = {.name = "writer", .is_detached = true};

        w->task = cel__task_spawn(w->scope, write_behind, w, &options, __FILE__, __LINE__);
        if (w->task == NULL) {
            w->filling.len = before;
            return -ENOMEM;
        }
    }
    return 0;
}

/* (parks) */
static int wait_until(struct cel_writer *w, size_t level)
{
    int r = cel_checkpoint();

    while (r == 0 && w->error == 0 && cel_writer_pending(w) > level)
        r = cel__waitq_park(&w->waiting); /* parks */
    return r < 0 ? r : w->error;
}

int cel_writer_drain(struct cel_writer *w)
{
    return wait_until(w, w->low); /* parks */
}

int cel_writer_flush(struct cel_writer *w)
{
    return wait_until(w, 0); /* parks */
}

void cel_writer_free(struct cel_writer *w)
{
    if (w == NULL)
        return;
    CEL__ASSERT(cel__waitq_is_empty(&w->waiting) && "nobody waits for a writer that is freed");
    if (w->task == NULL) {
        writer_free(w);
        return;
    }
    w->is_freed = true;
    cel_task_cancel(w->task);
}
