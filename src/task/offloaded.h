/* SPDX-License-Identifier: MIT */
#ifndef CEL__OFFLOADED_H
#define CEL__OFFLOADED_H

struct cel_future;

/* The future of a job, given up by its owner; freed when the job has ended. */
void cel__offloaded_free(struct cel_future *f);

#endif
