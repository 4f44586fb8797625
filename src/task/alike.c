/* SPDX-License-Identifier: MIT */
#include "task/alike.h"

static uint64_t mix(uint64_t key, uint64_t n)
{
    key = (key ^ n) * UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 29;
}

uint64_t cel__alike_key(const struct cel_task *task, const uintptr_t *frames, size_t count)
{
    uint64_t key = mix((uintptr_t)task->fiber.file, (uint64_t)task->fiber.line);

    key = mix(key, (uintptr_t)task->wait);
    key = mix(key, task->fiber.state == CEL__FIBER_NEW ? 1 : task->fiber.link != NULL ? 2 : 3);
    for (size_t i = 0; i < count; i++)
        key = mix(key, frames[i]);
    return key;
}

/* -> the place of the key, a free one, or NULL. */
static struct cel__alike *place_of(const struct cel__alikes *alikes, uint64_t key)
{
    for (unsigned i = 0; i < CEL__ALIKE_MAX; i++) {
        const struct cel__alike *a = &alikes->all[(key + i) % CEL__ALIKE_MAX];

        if (a->count == 0 || a->key == key)
            return (struct cel__alike *)a;
    }
    return NULL;
}

/* Instants go round: differences count. */
static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

void cel__alikes_add(struct cel__alikes *alikes, const struct cel_task *task, uint64_t key)
{
    struct cel__alike *a = place_of(alikes, key);

    if (a == NULL)
        return;
    if (a->count == 0 || is_before(task->fiber.since, a->told->fiber.since))
        a->told = task;
    if (a->count == 0 || is_before(a->since, task->fiber.since))
        a->since = task->fiber.since;
    a->key = key;
    a->count++;
}

const struct cel__alike *cel__alikes_find(const struct cel__alikes *alikes, uint64_t key)
{
    const struct cel__alike *a = place_of(alikes, key);

    return a != NULL && a->count != 0 ? a : NULL;
}
