/* SPDX-License-Identifier: MIT */
/* An event loop without tasks: it calls functions when their time has come, in the order of their
 * times, whatever the order in which they were asked for. It ends when nothing is left to come. */
#include <stdio.h>

#include <celadon/loop.h>

static void say(struct cel_timer *timer, void *arg)
{
    puts(arg);
}

static void tick(struct cel_timer *timer, void *count)
{
    int *left = count;

    printf("tick, %d to go\n", --*left);
    if (*left > 0)
        cel_timer_start(cel_loop_current(), timer, 10 * CEL_MILLISECOND);
}

int main(void)
{
    struct cel_loop *loop;
    struct cel_timer last, first, ticking;
    int left = 3;

    if (cel_loop_new(&loop, NULL) < 0)
        return 1;
    int64_t now = cel_now();

    cel_timer_init(&last, say, "a second later");
    cel_timer_start_at(loop, &last, now + CEL_SECOND);
    cel_timer_init(&first, say, "at once");
    cel_timer_start_at(loop, &first, now);
    cel_timer_init(&ticking, tick, &left);
    cel_timer_start_at(loop, &ticking, now + 10 * CEL_MILLISECOND);

    int r = cel_loop_run(loop); /* until nothing is left */
    return cel_loop_close(loop) != 0 || r < 0;
}
