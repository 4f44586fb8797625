/* SPDX-License-Identifier: MIT */
#ifndef CEL__PROGRAM_H
#define CEL__PROGRAM_H

/* Which program this is, and how it was called: a seed and options replay a run of one build, and
 * of another one perhaps not. */

/* "0.1.0-1a2b3c4d": the library's version and the beginning of the program's build id, if it has
 * one. */
const char *cel__program_build(void);
/* The command line as a shell takes it; "" when it cannot be told. */
const char *cel__program_command(void);
/* Finds both out. Fine to call again. */
void cel__program_note(void);

#endif
