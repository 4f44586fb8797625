/* SPDX-License-Identifier: MIT */
#ifndef CEL__RUN_H
#define CEL__RUN_H

struct cel_loop;

/* Logs the tasks that have not ended, one a line. */
void cel__run_report(struct cel_loop *loop);

#endif
