/* SPDX-License-Identifier: MIT */
#include "loop/alive.h"

#include <pthread.h>

struct cel__list cel__loops_alive = {&cel__loops_alive, &cel__loops_alive};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void cel__loop_appear(struct cel_loop *loop)
{
    (void)pthread_mutex_lock(&lock);
    cel__list_append(&cel__loops_alive, &loop->alive);
    (void)pthread_mutex_unlock(&lock);
}

void cel__loop_vanish(struct cel_loop *loop)
{
    (void)pthread_mutex_lock(&lock);
    cel__list_unlink(&loop->alive);
    (void)pthread_mutex_unlock(&lock);
}

void cel__loops_forget(void)
{
    (void)pthread_mutex_init(&lock, NULL);
    cel__list_init(&cel__loops_alive);
}
