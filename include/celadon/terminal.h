/* SPDX-License-Identifier: MIT */
#ifndef CELADON_TERMINAL_H
#define CELADON_TERMINAL_H

/* The program's own input and output, whatever they are, and terminals. All functions belong to the
 * loop's thread. */

#include <stdbool.h>

#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (parks) A stream over a descriptor whose open file others may share, as 0, 1 and 2 are shared
 * with the shell and whoever was started beside: nothing about that file is changed, above all not
 * O_NONBLOCK. It may be a terminal, a pipe, a socket, a regular file (at its position, which moves
 * for all), /dev/null. Terminals and pipes are opened anew where that is allowed; what cannot be is
 * waited for and then read or written by a thread, and such a call cannot be cancelled once it has
 * begun. fd stays the caller's and may be closed. Owner: the caller. -EBADF, -ENOMEM, -EMFILE,
 * -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_share(struct cel_stream **out, int fd);

/* Does not park. Is it a terminal? */
CEL_PUBLIC bool cel_terminal_is(int fd);

struct cel_terminal_size {
    unsigned rows, columns;
};

/* Does not park. -ENOTTY. */
CEL_PUBLIC CEL_NODISCARD int cel_terminal_size(int fd, struct cel_terminal_size *out);
/* Does not park. Who runs in the terminal gets SIGWINCH. -ENOTTY, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_terminal_set_size(int fd, const struct cel_terminal_size *size);
/* (parks) Until the terminal has another size than *size, which becomes that; at once if it has
 * already. Watches SIGWINCH meanwhile. -ENOTTY, -ECANCELED, -ETIMEDOUT, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_terminal_resized(int fd, struct cel_terminal_size *size);

enum cel_terminal_mode {
    CEL_TERMINAL_RAW,     /* each key as it is typed: no echo, no editing, no signals */
    CEL_TERMINAL_KEYS,    /* the same, but ^C and its kin raise signals, and output stays lines */
    CEL_TERMINAL_NO_ECHO, /* lines, which are not shown: for secrets */
};

struct cel_terminal_guard;

/* Does not park. Puts the terminal into the mode; when the program exits (not when a signal kills
 * it) what is still so is put back. fd must stay open. Guards of one terminal are left in reverse
 * order. Owner: the caller. -ENOTTY, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_terminal_enter(struct cel_terminal_guard **out, int fd,
                                                enum cel_terminal_mode mode);
/* Does not park. Puts the terminal back to what it was. NULL is fine. -errno: it could not be; the
 * guard is gone all the same. */
CEL_PUBLIC int cel_terminal_leave(struct cel_terminal_guard *guard);
/* Does not park. Puts all terminals back that guards have changed; the guards stay. It is for a
 * program's own handlers of signals that end it (SIGSEGV, SIGTERM, …), may be called there, and
 * from any thread. -EAGAIN a guard is entered or left at this moment: nothing was done. */
CEL_PUBLIC int cel_terminal_reset(void);

#ifdef __cplusplus
}
#endif

#endif
