/* SPDX-License-Identifier: MIT */
/* The buffers lie in chunks, each a mapping of its own that fork does not copy. Neighbours are a
 * cache line further apart than their size, so the first lines of many buffers, which is all
 * that short messages touch, do not fall into the same few cache sets.
 *
 * In ASan builds a buffer is poisoned from `give` to `take`: whoever reads one that is the
 * kernel's is found out. */
#include "loop/buffers.h"

#include <errno.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/ring.h"

#if CEL__ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len)   ASAN_POISON_MEMORY_REGION(ptr, len)
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION(ptr, len)
#else
#define POISON(ptr, len)   ((void)0)
#define UNPOISON(ptr, len) ((void)0)
#endif

#define CHUNK 64
#define GAP   64

static size_t stride(const struct cel__buffers *b)
{
    return b->size_bytes + GAP;
}

static size_t chunk_size(const struct cel__buffers *b)
{
    return CHUNK * stride(b);
}

static size_t shared_size(const struct cel__buffers *b)
{
    return b->max * sizeof(struct io_uring_buf);
}

/* Private and out of a child's sight: a child that wrote here would take pages from the kernel. */
static void *map_private(size_t size)
{
    void *map =
        cel__sys.mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    cel__sys.madvise(map, size, MADV_DONTFORK);
    return map;
}

static int add_chunk(struct cel__buffers *b)
{
    char *chunk = map_private(chunk_size(b));
    uint32_t first = b->count;

    if (chunk == NULL)
        return -ENOMEM;
    b->chunks[first / CHUNK] = chunk;
    b->count = cel__min(first + CHUNK, b->max);
    for (uint32_t id = first; id < b->count; id++)
        cel__buffers_give(b, id);
    return 0;
}

static int register_shared(struct cel__buffers *b, struct cel__ring *ring)
{
    struct io_uring_buf_reg reg = {
        .ring_addr = (uint64_t)(uintptr_t)b->shared,
        .ring_entries = b->max,
    };

    unsigned tries = 0;
    int r;

    do
        r = cel__sys.io_uring_register(ring->fd, IORING_REGISTER_PBUF_RING, &reg, 1) < 0 ? -errno
                                                                                         : 0;
    while (cel__ring_tries_again(r, &tries));
    return r;
}

int cel__buffers_open(struct cel__buffers *b, struct cel__ring *ring, uint32_t first, uint32_t max,
                      uint32_t size_bytes)
{
    int r = -ENOMEM;

    *b = (struct cel__buffers){.max = max, .size_bytes = size_bytes};
    if (!ring->has_multishot)
        return 0;
    b->states = cel__mem_array(max, sizeof *b->states);
    b->chunks = cel__mem_array((max + CHUNK - 1) / CHUNK, sizeof *b->chunks);
    b->shared = map_private(shared_size(b));
    if (b->states == NULL || b->chunks == NULL || b->shared == NULL)
        goto fail;
    r = register_shared(b, ring);
    if (r == -EINVAL) {
        cel__buffers_close(b);
        ring->has_multishot = false;
        return 0;
    }
    while (r == 0 && b->count < cel__min(first, max))
        r = add_chunk(b);
    if (r == 0)
        return 0;
fail:
    cel__buffers_close(b);
    return r;
}

void cel__buffers_close(struct cel__buffers *b)
{
    for (uint32_t id = 0; id < b->count; id += CHUNK) {
        UNPOISON(b->chunks[id / CHUNK], chunk_size(b));
        cel__sys.munmap(b->chunks[id / CHUNK], chunk_size(b));
    }
    if (b->shared != NULL)
        cel__sys.munmap(b->shared, shared_size(b));
    cel__mem_free(b->chunks);
    cel__mem_free(b->states);
    *b = (struct cel__buffers){0};
}

bool cel__buffers_grow(struct cel__buffers *b)
{
    uint32_t goal = cel__min(b->count * 2, b->max), before = b->count;

    while (b->count < goal && add_chunk(b) == 0)
        continue;
    return b->count > before;
}

char *cel__buffers_data(const struct cel__buffers *b, uint32_t id)
{
    return b->chunks[id / CHUNK] + (id % CHUNK) * stride(b);
}

void cel__buffers_take(struct cel__buffers *b, uint32_t id, uint32_t len)
{
    CEL__ASSERT(id < b->count && b->with_kernel > 0);
    b->with_kernel--;
    b->states[id] = (struct cel__buffer){.len = len};
    UNPOISON(cel__buffers_data(b, id), len);
}

void cel__buffers_give(struct cel__buffers *b, uint32_t id)
{
    struct io_uring_buf *slot = &b->shared->bufs[b->tail & (b->max - 1)];

    POISON(cel__buffers_data(b, id), b->size_bytes);
    slot->addr = (uint64_t)(uintptr_t)cel__buffers_data(b, id);
    slot->len = b->size_bytes;
    slot->bid = (uint16_t)id;
    b->tail++;
    b->with_kernel++;
    __atomic_store_n(&b->shared->tail, b->tail, __ATOMIC_RELEASE);
}
