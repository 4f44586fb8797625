/* SPDX-License-Identifier: MIT */
/* The task face of the loop's signals: what has come stands in line until it is asked for. */
#include <errno.h>
#include <signal.h>

#include "base/cc.h"
#include "base/mem.h"
#include "celadon/signal.h"
#include "loop/core.h"
#include "task/wait.h"

struct cel_signals {
    struct cel__waitq waiting;
    int line[NSIG]; /* that came, each at most once; the oldest first */
    size_t in_line;
    size_t count;
    struct cel_signal *watchers[];
};

static void on_signal(void *arg, int signo)
{
    struct cel_signals *s = arg;

    for (size_t i = 0; i < s->in_line; i++)
        if (s->line[i] == signo)
            return;
    s->line[s->in_line++] = signo;
    (void)cel__waitq_wake_one(&s->waiting);
}

int cel_signals_open(struct cel_signals **out, const int *signos, size_t count)
{
    struct cel_signals *s;

    if (count == 0 || count > NSIG)
        return -EINVAL;
    s = cel__mem_zalloc(sizeof *s + count * sizeof(struct cel_signal *));
    if (s == NULL)
        return -ENOMEM;
    cel__waitq_init(&s->waiting);
    s->waiting.what = "a signal";
    for (; s->count < count; s->count++) {
        int r = cel_signal_start(cel__loop_here, &s->watchers[s->count], signos[s->count],
                                 on_signal, s);

        if (r < 0) {
            cel_signals_close(s);
            return r;
        }
    }
    *out = s;
    return 0;
}

static int take(struct cel_signals *s)
{
    int signo = s->line[0];

    s->in_line--;
    for (size_t i = 0; i < s->in_line; i++)
        s->line[i] = s->line[i + 1];
    return signo;
}

int cel_signals_next(struct cel_signals *s)
{
    int r = cel__checkpoint(cel__task_parking());

    while (r == 0 && s->in_line == 0)
        r = cel__waitq_park(&s->waiting); /* parks */
    return r < 0 ? r : take(s);
}

void cel_signals_close(struct cel_signals *s)
{
    if (s == NULL)
        return;
    CEL__ASSERT(cel__waitq_is_empty(&s->waiting) && "nobody waits for what is closed");
    for (size_t i = 0; i < s->count; i++)
        cel_signal_stop(s->watchers[i]);
    cel__mem_free(s);
}

int cel_signal_wait(const int *signos, size_t count)
{
    struct cel_signals *s = NULL;
    int r = cel_checkpoint();

    if (r == 0)
        r = cel_signals_open(&s, signos, count);
    if (r != 0)
        return r;
    r = cel_signals_next(s); /* parks */
    cel_signals_close(s);
    return r;
}
