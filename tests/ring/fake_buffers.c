/* SPDX-License-Identifier: MIT */
#include "ring/fake_buffers.h"

#include "base/cc.h"
#include "ring/fake_state.h"

#define IDS  65536
#define MARK 48 /* bytes at the head of a buffer that tell whether it was touched */

#define UNCHECKED __attribute__((no_sanitize("address", "thread"), noinline))

/* A loop that no sanitizer sees and that does not become a call which it does see. */
UNCHECKED void fake_memory_put(char *to, const char *from, size_t len)
{
    volatile char *at = to;

    for (size_t i = 0; i < len; i++)
        at[i] = from[i];
}

static char mark_at(uint16_t id, size_t i)
{
    return (char)(id * 31 + i * 7 + 0x5a);
}

UNCHECKED static void put_mark(const struct fake_buffer *buffer, uint16_t id)
{
    volatile char *at = (char *)(uintptr_t)buffer->addr;

    for (size_t i = 0; i < cel__min(buffer->len, MARK); i++)
        at[i] = mark_at(id, i);
}

UNCHECKED static bool has_mark(const struct fake_buffer *buffer, uint16_t id)
{
    const volatile char *at = (char *)(uintptr_t)buffer->addr;

    for (size_t i = 0; i < cel__min(buffer->len, MARK); i++)
        if (at[i] != mark_at(id, i))
            return false;
    return true;
}

void fake_buffers_register(struct fake_buffers *b, const struct io_uring_buf_reg *reg)
{
    *b = (struct fake_buffers){
        .shared = (struct io_uring_buf_ring *)(uintptr_t)reg->ring_addr,
        .entries = reg->ring_entries,
        .all = cel__machine_alloc(IDS * sizeof *b->all),
    };
}

void fake_buffers_end(struct fake_buffers *b)
{
    cel__machine_release(b->all);
    *b = (struct fake_buffers){0};
}

static void take_note(struct fake_buffers *b)
{
    uint16_t tail = __atomic_load_n(&b->shared->tail, __ATOMIC_ACQUIRE);

    if ((uint16_t)(tail - b->head) > b->entries)
        fake_break("more buffers than the ring has room for");
    for (; b->seen != tail; b->seen++) {
        const struct io_uring_buf *slot = &b->shared->bufs[b->seen & (b->entries - 1)];
        struct fake_buffer *buffer = &b->all[slot->bid];

        if (buffer->is_ours)
            fake_break("buffer %u was given twice", slot->bid);
        *buffer = (struct fake_buffer){.is_ours = true, .addr = slot->addr, .len = slot->len};
        put_mark(buffer, slot->bid);
    }
}

bool fake_buffers_have(struct fake_buffers *b)
{
    if (b->shared == NULL)
        return false;
    take_note(b);
    return b->head != b->seen;
}

uint16_t fake_buffers_pick(struct fake_buffers *b)
{
    uint16_t id = b->shared->bufs[b->head++ & (b->entries - 1)].bid;

    if (!has_mark(&b->all[id], id))
        fake_break("buffer %u was written to while it was the kernel's", id);
    b->all[id].is_ours = false;
    return id;
}
