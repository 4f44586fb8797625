/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RING_PROGRAMS_H
#define TESTS_RING_PROGRAMS_H

/* Programs for the io_uring backend on the fake ring. Whatever the ring does, each has one right
 * outcome, to the byte: nothing here is allowed to fail. */

#include <stddef.h>
#include <stdint.h>

#include "celadon/net.h"
#include "celadon/task.h"
#include "ring/fake_ring.h"
#include "support/holds.h"

struct program {
    const char *name;
    cel_task_fn *run;
    bool has_few_buffers; /* one or two */
};

extern const struct program programs[];
extern const size_t program_count;

cel_task_fn program_echo, program_deadlines, program_cancels, program_accepts, program_buffers,
    program_closing, program_bulk, program_ops, program_datagrams, program_wakes, program_files,
    program_queue, program_busy, program_http;

/* Runs it on a machine, a ring and sizes of the seed's. 0, or why it failed is printed with the
 * seed. counts (may be NULL) gets this run's added. */
int program_run(const struct program *p, uint64_t seed, struct fake_counts *counts);
/* Its allocator, for the life of the process. */
void program_count_memory(void);

/* ---- for programs, inside of a run ---- */

/* Below bound, as the seed decides. */
uint64_t ring_draw(uint64_t bound);
/* Listens at home or on another host. */
CEL_NODISCARD int ring_listen(struct cel_listener **out);
/* Two joined streams of a drawn kind. */
CEL_NODISCARD int ring_join(struct cel_stream **a, struct cel_stream **b);
/* Time that the task computes for. */
void ring_work(int64_t ns);
/* Parks for some time or none. */
void ring_pause(void);
/* The k-th byte that stream number `serial` carries. */
static inline char ring_byte(unsigned serial, size_t k)
{
    return (char)(serial * 37 + k * 31 + (k >> 8) * 7);
}

#endif
