/* SPDX-License-Identifier: MIT */
#ifndef TESTS_REACH_H
#define TESTS_REACH_H

/* Which of the public functions that park the scenarios have called, in which of them a task was
 * standing when its slice ended, and in which it was struck there. Their list is made of the
 * headers (parks.py); each call of one comes through here. */

#include <stdio.h>

/* A slice of a task has ended: it stands in the calls that have not returned. */
void reach_note_slice(void);
/* The task is cancelled, or its deadline moved into the past, between two slices. */
void reach_note_strike(void);
/* "entered NAME", "parked NAME", "struck NAME", a line each. */
void reach_list(FILE *out);

#endif
