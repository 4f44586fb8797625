/* SPDX-License-Identifier: MIT */
/* Modes of terminals. Guards that are entered stand in one list of the process, so that its exit
 * can put the terminals back: a shell behind a raw terminal is of no use to anybody. */
#include "celadon/terminal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/sys.h"
#include "celadon/signal.h"

struct cel_terminal_guard {
    struct cel__list link;
    int fd;
    struct termios before;
};

static struct cel__list entered = {&entered, &entered};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* tcsetattr may be called in a signal handler. */
static void put_back_listed(void)
{
    for (struct cel__list *node = entered.prev; node != &entered; node = node->prev) {
        const struct cel_terminal_guard *g =
            cel__container_of(node, struct cel_terminal_guard, link);

        cel__sys.tcsetattr(g->fd, TCSANOW, &g->before);
    }
}

static void put_all_back(void)
{
    pthread_mutex_lock(&lock);
    put_back_listed();
    pthread_mutex_unlock(&lock);
}

static void watch_exit(void)
{
    (void)atexit(put_all_back);
}

static struct termios changed(const struct termios *before, enum cel_terminal_mode mode)
{
    struct termios after = *before;

    if (mode == CEL_TERMINAL_NO_ECHO) {
        after.c_lflag &= ~(tcflag_t)ECHO;
        after.c_lflag |= ECHONL;
        return after;
    }
    cfmakeraw(&after);
    after.c_cc[VMIN] = 1;
    after.c_cc[VTIME] = 0;
    if (mode == CEL_TERMINAL_KEYS) {
        after.c_lflag |= ISIG;
        after.c_oflag = before->c_oflag;
    }
    return after;
}

int cel_terminal_enter(struct cel_terminal_guard **out, int fd, enum cel_terminal_mode mode)
{
    struct cel_terminal_guard *g = cel__mem_zalloc(sizeof *g);
    struct termios after;
    int r = 0;

    if (g == NULL)
        return -ENOMEM;
    g->fd = fd;
    if (cel__sys.tcgetattr(fd, &g->before) < 0)
        r = -errno;
    if (r == 0) {
        after = changed(&g->before, mode);
        if (cel__sys.tcsetattr(fd, TCSADRAIN, &after) < 0)
            r = -errno;
    }
    if (r < 0) {
        cel__mem_free(g);
        return r;
    }
    pthread_once(&once, watch_exit);
    pthread_mutex_lock(&lock);
    cel__list_append(&entered, &g->link);
    pthread_mutex_unlock(&lock);
    *out = g;
    return 0;
}

int cel_terminal_leave(struct cel_terminal_guard *g)
{
    int r = 0;

    if (g == NULL)
        return 0;
    pthread_mutex_lock(&lock);
    cel__list_unlink(&g->link);
    pthread_mutex_unlock(&lock);
    if (cel__sys.tcsetattr(g->fd, TCSADRAIN, &g->before) < 0)
        r = -errno;
    cel__mem_free(g);
    return r;
}

bool cel_terminal_is(int fd)
{
    struct termios state;

    return cel__sys.tcgetattr(fd, &state) == 0;
}

int cel_terminal_size(int fd, struct cel_terminal_size *out)
{
    struct winsize size;

    if (cel__sys.tcgetwinsize(fd, &size) < 0)
        return -errno;
    *out = (struct cel_terminal_size){size.ws_row, size.ws_col};
    return 0;
}

int cel_terminal_set_size(int fd, const struct cel_terminal_size *size)
{
    const struct winsize to = {.ws_row = (unsigned short)size->rows,
                               .ws_col = (unsigned short)size->columns};

    return cel__sys.tcsetwinsize(fd, &to) < 0 ? -errno : 0;
}

int cel_terminal_resized(int fd, struct cel_terminal_size *size)
{
    const int resize = SIGWINCH;
    struct cel_terminal_size now = *size;
    struct cel_signals *signals = NULL;
    int r = cel_checkpoint();

    if (r == 0)
        r = cel_signals_open(&signals, &resize, 1);
    if (r != 0)
        return r;
    for (;;) {
        r = cel_terminal_size(fd, &now);
        if (r < 0 || now.rows != size->rows || now.columns != size->columns)
            break;
        r = cel_signals_next(signals); /* parks */
        if (r < 0)
            break;
    }
    cel_signals_close(signals);
    if (r < 0)
        return r;
    *size = now;
    return 0;
}

int cel_terminal_reset(void)
{
    int saved = errno;

    if (pthread_mutex_trylock(&lock) != 0)
        return -EAGAIN;
    put_back_listed();
    pthread_mutex_unlock(&lock);
    errno = saved;
    return 0;
}
