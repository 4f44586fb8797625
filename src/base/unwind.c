/* SPDX-License-Identifier: MIT */
/* Each step applies a row of rules to the registers of a frame. It ends where the information says
 * that there is no caller, where an address is in no module that is known, and where a frame would
 * not lie above the one before: no stack, however broken, is walked for ever. */
#include "base/unwind.h"

#include <ucontext.h>

#include "base/cc.h"
#include "base/cursor.h"
#include "base/modules.h"

#define STACK_MAX 16 /* of an expression */

/* What lies on a stack is not for ASan to judge here: its red zones lie between the frames. */
#define CEL__NO_ASAN __attribute__((no_sanitize("address")))

CEL__NO_ASAN static bool load(struct cel__extent stack, uintptr_t at, uintptr_t *out)
{
    if (at == 0 || at % sizeof at != 0 || at < stack.low || stack.high < sizeof at ||
        at > stack.high - sizeof at)
        return false;
    *out = *(const uintptr_t *)at;
    return true;
}

/* ---- expressions, of the few kinds that occur: in PLTs and in frames of signals ---- */

struct value_stack {
    uint64_t at[STACK_MAX + 1];
    unsigned count;
};

static uint64_t pop(struct value_stack *s)
{
    return s->count > 0 ? s->at[--s->count] : 0;
}

static bool push(struct value_stack *s, uint64_t n)
{
    if (s->count == STACK_MAX)
        return false;
    s->at[s->count++] = n;
    return true;
}

static bool compute_two(struct value_stack *s, uint8_t code)
{
    uint64_t b = pop(s), a = pop(s);

    switch (code) {
    case 0x1a:
        return push(s, a & b);
    case 0x22:
        return push(s, a + b);
    case 0x24:
        return push(s, b < 64 ? a << b : 0);
    case 0x2a:
        return push(s, (int64_t)a >= (int64_t)b);
    default:
        return false;
    }
}

static bool compute_one(const struct cel__unwind *u, struct cel__extent stack,
                        struct value_stack *s, struct cel__cursor *c)
{
    uint8_t code = (uint8_t)cel__cursor_take(c, 1);
    uintptr_t word;

    if (code >= 0x30 && code < 0x50) /* a number below 32 */
        return push(s, code - 0x30u);
    if (code >= 0x70 && code < 0x70 + CEL__CFI_REGS) { /* a register and a number */
        uint64_t base = code == 0x80 && CEL__CFI_REGS == 17 ? u->pc : u->reg[code - 0x70];

        return push(s, base + (uint64_t)cel__cursor_sleb(c));
    }
    switch (code) {
    case 0x06:
        return load(stack, pop(s), &word) && push(s, word);
    case 0x08:
        return push(s, cel__cursor_take(c, 1));
    case 0x0a:
        return push(s, cel__cursor_take(c, 2));
    case 0x23:
        return push(s, pop(s) + cel__cursor_uleb(c));
    default:
        return compute_two(s, code);
    }
}

/* `first`: what is on its stack at the beginning; 0: nothing is. */
static bool compute(const struct cel__unwind *u, struct cel__extent stack,
                    const struct cel__module *m, int32_t at, uint64_t first, uintptr_t *out)
{
    struct cel__cursor c =
        cel__cursor_make(m->file + m->segment->p_offset, m->segment->p_filesz, (size_t)at);
    struct value_stack s = {.count = 0};
    uint64_t len = cel__cursor_uleb(&c);

    if (len > (uint64_t)(c.to - c.at))
        return false;
    c.to = c.at + len;
    if (first != 0)
        (void)push(&s, first);
    while (c.at < c.to)
        if (!compute_one(u, stack, &s, &c))
            return false;
    *out = pop(&s);
    return !c.is_over;
}

/* ---- steps ---- */

static bool frame_address(const struct cel__unwind *u, struct cel__extent stack,
                          const struct cel__module *m, const struct cel__cfi_row *row,
                          uintptr_t *out)
{
    if (row->frame.how == CEL__CFI_EXPR)
        return compute(u, stack, m, row->frame.value, 0, out);
    *out = u->reg[row->frame_reg] + (uintptr_t)(intptr_t)row->frame.value;
    return true;
}

static bool apply(const struct cel__unwind *u, struct cel__extent stack,
                  const struct cel__module *m, const struct cel__cfi_rule *rule, uintptr_t frame,
                  uintptr_t *reg)
{
    uintptr_t value = (uintptr_t)(intptr_t)rule->value;

    switch (rule->how) {
    case CEL__CFI_AT:
        return load(stack, frame + value, reg);
    case CEL__CFI_SUM:
        *reg = frame + value;
        return true;
    case CEL__CFI_IN:
        if (value >= CEL__CFI_REGS)
            return false;
        *reg = u->reg[value];
        return true;
    case CEL__CFI_AT_EXPR:
        return compute(u, stack, m, rule->value, frame, &frame) && load(stack, frame, reg);
    case CEL__CFI_EXPR:
        return compute(u, stack, m, rule->value, frame, reg);
    default:
        return true;
    }
}

/* Without the signature that pointer authentication leaves in them. */
static uintptr_t code_address(uintptr_t n)
{
#if defined(__aarch64__)
    return n & ((UINT64_C(1) << 48) - 1);
#else
    return n;
#endif
}

static bool step_by_rules(struct cel__unwind *u, struct cel__extent stack,
                          const struct cel__module *m, const struct cel__cfi_row *row)
{
    struct cel__unwind next = *u;
    uintptr_t frame;

    if (row->reg[row->return_reg].how == CEL__CFI_UNDEFINED ||
        !frame_address(u, stack, m, row, &frame) || frame < u->reg[CEL__CFI_SP])
        return false;
    next.reg[CEL__CFI_SP] = frame; /* unless a rule says otherwise */
    for (unsigned i = 0; i < CEL__CFI_REGS; i++)
        if (!apply(u, stack, m, &row->reg[i], frame, &next.reg[i]))
            return false;
    next.pc = code_address(next.reg[row->return_reg]);
    next.is_exact = row->is_signal;
    if (next.pc == u->pc && frame == u->reg[CEL__CFI_SP])
        return false;
    *u = next;
    return true;
}

static bool step_by_frame_pointer(struct cel__unwind *u, struct cel__extent stack)
{
    uintptr_t frame = u->reg[CEL__CFI_FP], pc, before;

    if (frame < u->reg[CEL__CFI_SP] || !load(stack, frame, &before) ||
        !load(stack, frame + sizeof frame, &pc))
        return false;
    u->pc = code_address(pc);
    u->reg[CEL__CFI_FP] = before;
    u->reg[CEL__CFI_SP] = frame + 2 * sizeof frame;
    u->is_exact = false;
    return true;
}

static bool step(struct cel__unwind *u, struct cel__extent stack)
{
    uintptr_t pc = u->is_exact ? u->pc : u->pc - 1; /* behind a call may be another function */
    const struct cel__module *m = cel__module_of(pc);
    struct cel__cfi_row row;
    bool found;

    if (cel__cfi_find(m, pc, &row))
        found = step_by_rules(u, stack, m, &row);
    else
        found = step_by_frame_pointer(u, stack);
    if (!found || u->pc == 0)
        return false;
    return !cel__modules_known() || cel__module_of(u->pc) != NULL;
}

struct cel__unwind cel__unwind_of(const void *context)
{
    const ucontext_t *u = context;
    struct cel__unwind at = {.is_exact = true};
#if defined(__x86_64__)
    static const uint8_t by_dwarf[CEL__CFI_REGS] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

    for (unsigned i = 0; i < CEL__CFI_REGS; i++)
        at.reg[i] = (uintptr_t)u->uc_mcontext.gregs[by_dwarf[i]];
    at.pc = at.reg[16];
#elif defined(__aarch64__)
    for (unsigned i = 0; i < CEL__CFI_SP; i++)
        at.reg[i] = (uintptr_t)u->uc_mcontext.regs[i];
    at.reg[CEL__CFI_SP] = (uintptr_t)u->uc_mcontext.sp;
    at.pc = (uintptr_t)u->uc_mcontext.pc;
#endif
    return at;
}

size_t cel__unwind_all(struct cel__unwind from, struct cel__extent stack, uintptr_t *out,
                       size_t max)
{
    size_t n = 0;

    if (from.pc == 0 || max == 0)
        return 0;
    do
        out[n++] = from.pc;
    while (n < max && step(&from, stack));
    return n;
}
