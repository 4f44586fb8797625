/* SPDX-License-Identifier: MIT */
/* A loop that sleeps must be woken, which costs microseconds on both sides, and tens of them where
 * the core itself has gone to sleep. One whose messages follow each other closely looks for the
 * next one instead. It learns whether that pays:
 *
 * 1. After n lookings in a row that brought nothing, 2^n - 1 sleeps go by without (MISSES_MAX
 *    bounds n), so a loop that hears from others seldom gives away little, and an idle one nothing.
 * 2. A sleep that a message ends sooner than looking would have: from now on it looks again.
 * 3. Timers and the kernel's events are not later for it: it looks no longer than until the next
 *    timer, and asks the kernel in between. */
#include "loop/linger.h"

#include "base/clock.h"
#include "loop/core.h"

#define MISSES_MAX 6
#define LOOKS      64 /* between two readings of the clock */

bool cel__linger_wants(struct cel_loop *loop)
{
    if (loop->options.spin <= 0 || loop->backend->run != NULL) /* simulated time is not spent */
        return false;
    if (loop->linger.skip == 0)
        return true;
    loop->linger.skip--;
    return false;
}

/* The line is asked for as one to be written: so it comes once when there is mail, not for looking
 * and then for taking. While nobody posts it stays here. */
static bool has_mail_soon(struct cel_loop *loop)
{
    for (int i = 0; i < LOOKS; i++) {
        cel__fetch_to_write(&loop->inbox.head);
        if (cel__inbox_has_mail(&loop->inbox))
            return true;
        cel__pause();
    }
    return false;
}

static void note(struct cel__linger *linger, bool is_hit)
{
    linger->misses = is_hit ? 0 : cel__min(linger->misses + 1, (unsigned)MISSES_MAX);
    linger->skip = (1U << linger->misses) - 1;
}

/* The loop's own reading of the time will do to begin with: it saves one where mail comes soon. */
int cel__linger(struct cel_loop *loop, int64_t until)
{
    int64_t end = cel__min(until, cel__clock_add(loop->now, loop->options.spin));
    bool is_hit;
    int r = 0;

    do {
        is_hit = has_mail_soon(loop);
        r = cel__backend_glance(loop);
        is_hit |= cel__loop_has_ready(loop);
        if (is_hit || loop->is_awaited || r < 0)
            break;
        loop->now = loop->backend->now(loop);
    } while (loop->now < end);
    if (is_hit || end != until)
        note(&loop->linger, is_hit);
    return r;
}

void cel__linger_slept(struct cel_loop *loop, int64_t from)
{
    if (loop->options.spin > 0 && cel__inbox_has_mail(&loop->inbox) &&
        loop->backend->now(loop) - from < loop->options.spin)
        note(&loop->linger, true);
}
