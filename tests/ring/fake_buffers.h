/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAKE_BUFFERS_H
#define TESTS_FAKE_BUFFERS_H

/* The kernel's side of a ring of provided buffers, with its books kept. */

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_buffer {
    bool is_ours; /* the kernel's */
    uint64_t addr;
    uint32_t len;
};

struct fake_buffers {
    struct io_uring_buf_ring *shared; /* NULL: none */
    unsigned entries;
    uint16_t head, seen;
    struct fake_buffer *all; /* by id */
};

void fake_buffers_register(struct fake_buffers *b, const struct io_uring_buf_reg *reg);
void fake_buffers_end(struct fake_buffers *b);
/* Is there one? What was given since is taken note of. */
bool fake_buffers_have(struct fake_buffers *b);
/* The next one is its user's from now on. -> its id. */
uint16_t fake_buffers_pick(struct fake_buffers *b);

/* Memory of the user's that a sanitizer may hold for unusable while it is the kernel's. */
void fake_memory_put(char *to, const char *from, size_t len);

#endif
