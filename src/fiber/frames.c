/* SPDX-License-Identifier: MIT */
#include "fiber/frames.h"

#include "fiber/stack.h"

#if defined(__x86_64__)
#define SAVED_FRAME 5 /* words above the suspended stack pointer */
#define SAVED_PC    6
#elif defined(__aarch64__)
#define SAVED_FRAME 0
#define SAVED_PC    1
#endif

struct cel__extent cel__frames_extent(const struct cel_fiber *f)
{
    if (f == NULL || f->stack == NULL)
        return (struct cel__extent){0, 0};
    return (struct cel__extent){(uintptr_t)cel__stack_base(f->stack), (uintptr_t)f->stack->top};
}

static bool holds_frame(struct cel__extent stack, uintptr_t frame)
{
    return frame % sizeof frame == 0 && frame >= stack.low && stack.high >= 2 * sizeof frame &&
           frame <= stack.high - 2 * sizeof frame;
}

/* What lies on a stack is not for ASan to judge here: its red zones lie between the frames. */
#define CEL__NO_ASAN __attribute__((no_sanitize("address")))

CEL__NO_ASAN size_t cel__frames_from(struct cel__extent stack, uintptr_t pc, uintptr_t frame,
                                     uintptr_t *out, size_t max)
{
    size_t n = 0;

    if (pc != 0 && n < max)
        out[n++] = pc;
    while (n < max && holds_frame(stack, frame)) {
        const uintptr_t *link = (const uintptr_t *)frame;

        if (link[1] == 0)
            break;
        out[n++] = link[1];
        if (link[0] <= frame)
            break; /* the outermost, or no frame pointer at all */
        frame = link[0];
    }
    return n;
}

CEL__NO_ASAN size_t cel__frames_parked(const struct cel_fiber *f, uintptr_t *out, size_t max)
{
    const uintptr_t *saved = f->ctx.sp;
    struct cel__extent stack = cel__frames_extent(f);

    if (f->hop_on != 0)
        return cel__frames_from(stack, (uintptr_t)f->hop_pc, (uintptr_t)f->hop_frame, out, max);
    if (!holds_frame(stack, (uintptr_t)saved) || !holds_frame(stack, (uintptr_t)&saved[SAVED_PC]))
        return 0;
    return cel__frames_from(stack, saved[SAVED_PC], saved[SAVED_FRAME], out, max);
}
