/* SPDX-License-Identifier: MIT */
#ifndef CEL__FIBER_H
#define CEL__FIBER_H

/* A fiber: a context, the stack under it, and its place in the run queue and in the tree.
 *
 * One struct serves two kinds. A *greenlet* (celadon/fiber.h) is switched to by name and has a
 * parent. A *scheduled* fiber is the first member of a task and is resumed by a run queue only
 * (fiber/sched.h); it is the root of the tree of greenlets that run inside it. The main fiber of a
 * thread is a greenlet without a parent.
 *
 * 1. A fiber runs on the thread that made it, for life.
 * 2. It has a stack from its making until it ends, and none after.
 * 3. `link` is NULL exactly while a scheduled fiber is neither running nor ready.
 * 4. `switchable_on` is the thread's id while cel_fiber_switch may resume the fiber.
 * 5. `hop_on` is the same id while the fiber is suspended by a hop (fiber/hop.h), else 0.
 * 6. Before a fiber's memory goes, cel__fiber_orphan (fiber/family.h) hands its children on. */

#include "celadon/fiber.h"
#include "fiber/switch.h"

struct cel__greenlet;
struct cel__stack;

enum cel__fiber_state {
    CEL__FIBER_NEW,
    CEL__FIBER_STARTED, /* running, or suspended in a switch or in a park */
    CEL__FIBER_DONE,
};

/* `switchable_on` otherwise; 0 is the id of a thread that has not used fibers yet. */
#define CEL__FIBER_NOWHERE UINT32_MAX

enum cel__fiber_kind { CEL__FIBER_MAIN, CEL__FIBER_GREENLET, CEL__FIBER_SCHEDULED };

struct cel_fiber {
    struct cel__ctx ctx;
    union {
        struct {                    /* scheduled */
            struct cel_fiber *link; /* ring of ready fibers */
            struct cel_fiber *top;  /* the fiber of its tree to resume; itself mostly */
        };
        struct { /* the others, while suspended by a hop: where they go on */
            const void *hop_pc;
            void *hop_frame;
        };
    };
    struct cel__stack *stack; /* NULL for a main fiber */
    uint32_t thread_id;
    uint32_t switchable_on;
    int thrown; /* how the last switch to it ended: 0 or a negative code */
    uint32_t hop_on;
    uint8_t state; /* enum cel__fiber_state */
    uint8_t kind;  /* enum cel__fiber_kind */
    bool is_done;
    int line; /* where it was made */
    /* --- what starts, ends and names it --- */
    void (*entry)(struct cel_fiber *self);   /* scheduled */
    void (*on_exit)(struct cel_fiber *self); /* scheduled; may be NULL */
    struct cel_fiber *parent;                /* NULL: the root of wherever it runs */
    struct cel__greenlet *children;
    const char *name; /* NULL or the caller's, for as long as the fiber lives */
    const char *file; /* where it was made; static, or NULL */
    uint32_t since;   /* when it was parked, for reports; its owner's business */
#if CEL__ASAN
    void *asan_stack; /* its fake stack while the fiber is suspended */
#endif
#if CEL__TSAN
    void *tsan_fiber; /* its name for the fiber */
#endif
};

static_assert(offsetof(struct cel_fiber, entry) <= 64, "what switches touch is one cache line");
static_assert(CEL__ASAN || CEL__TSAN || sizeof(struct cel_fiber) == 120, "a parked task is small");

#endif
