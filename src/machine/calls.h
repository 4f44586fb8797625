/* SPDX-License-Identifier: MIT */
#ifndef CEL__CALLS_H
#define CEL__CALLS_H

/* The simulated machine's system calls. A descriptor that is not simulated goes to the real
 * kernel, and so does everything in a thread without a machine. */

/* From now on they stand in the table, beneath whatever a test has put there. For good. */
void cel__calls_install(void);
/* poll(2)'s events of a simulated descriptor that are true now, of those asked for. */
short cel__calls_poll(int fd, short events);

#endif
