/* SPDX-License-Identifier: MIT */
/* The table of .eh_frame_hdr is sorted: a search finds the entry of a function in .eh_frame. That
 * names what is common to many (the CIE), and both have instructions of a small machine, which are
 * run up to the place asked about.
 *
 * Addresses here are those of the file. What has an encoding that Linux' linkers do not write is
 * not understood, and that is said. */
#include "base/cfi.h"

#include "base/cc.h"
#include "base/cursor.h"
#include "base/modules.h"

#define REMEMBERED_MAX 4

/* Encodings of pointers (LSB 5.0, section 10.5.1). */
#define ENC_FORMAT 0x0f
#define ENC_PCREL  0x10
#define ENC_HEADER 0x3b /* signed 4 bytes, from the table's beginning */

/* Instructions; the first three have an operand in their low bits. */
enum {
    ADVANCE_LOC = 0x40,
    OFFSET = 0x80,
    RESTORE = 0xc0,
    NOP = 0x00,
    SET_LOC = 0x01,
    ADVANCE_LOC1 = 0x02,
    ADVANCE_LOC2 = 0x03,
    ADVANCE_LOC4 = 0x04,
    OFFSET_EXTENDED = 0x05,
    RESTORE_EXTENDED = 0x06,
    UNDEFINED = 0x07,
    SAME_VALUE = 0x08,
    REGISTER = 0x09,
    REMEMBER_STATE = 0x0a,
    RESTORE_STATE = 0x0b,
    DEF_CFA = 0x0c,
    DEF_CFA_REGISTER = 0x0d,
    DEF_CFA_OFFSET = 0x0e,
    DEF_CFA_EXPRESSION = 0x0f,
    EXPRESSION = 0x10,
    OFFSET_EXTENDED_SF = 0x11,
    DEF_CFA_SF = 0x12,
    DEF_CFA_OFFSET_SF = 0x13,
    VAL_OFFSET = 0x14,
    VAL_OFFSET_SF = 0x15,
    VAL_EXPRESSION = 0x16,
    NEGATE_RA_STATE = 0x2d,
    GNU_ARGS_SIZE = 0x2e,
};

/* The segment that has the tables. */
struct place {
    const char *bytes;
    size_t size;
    uint64_t address;
};

/* What is common to many functions. */
struct common {
    struct cel__cursor code;
    uint64_t code_align;
    int64_t data_align;
    uint8_t return_reg;
    uint8_t pointers; /* how they are written */
    bool has_augmentation;
    bool is_signal;
};

struct machine {
    const struct common *common;
    const struct place *place;
    uint64_t at;     /* the instruction that the row is of */
    uint64_t wanted; /* the row of this one is asked for */
    struct cel__cfi_row *row;
    struct cel__cfi_row first; /* what the common part said */
    struct cel__cfi_row remembered[REMEMBERED_MAX];
    unsigned remembered_count;
    bool is_strange;
};

static uint64_t take_pointer(struct cel__cursor *c, const struct place *place, uint8_t encoding,
                             bool *is_strange)
{
    uint64_t here = place->address + (uint64_t)(c->at - (const uint8_t *)place->bytes);
    int64_t n = 0;

    switch (encoding & ENC_FORMAT) {
    case 0x00:
    case 0x04:
    case 0x0c:
        n = (int64_t)cel__cursor_take(c, 8);
        break;
    case 0x03:
        n = (int64_t)cel__cursor_take(c, 4);
        break;
    case 0x0b:
        n = cel__cursor_take_signed(c, 4);
        break;
    default:
        *is_strange = true;
    }
    if ((encoding & 0xf0) == ENC_PCREL)
        return here + (uint64_t)n;
    *is_strange |= (encoding & 0xf0) != 0;
    return (uint64_t)n;
}

/* ---- instructions ---- */

static void rule(struct machine *m, uint64_t reg, uint8_t how, int64_t value)
{
    if (reg >= CEL__CFI_REGS)
        return; /* of the vector unit: nobody asks */
    m->row->reg[reg] = (struct cel__cfi_rule){how, (int32_t)value};
}

static void frame(struct machine *m, uint64_t reg, int64_t value)
{
    m->is_strange |= reg >= CEL__CFI_REGS;
    m->row->frame_reg = (uint8_t)reg;
    m->row->frame = (struct cel__cfi_rule){CEL__CFI_SUM, (int32_t)value};
}

/* -> where in the segment the expression is, which is passed over. */
static int64_t take_expression(struct machine *m, struct cel__cursor *c)
{
    int64_t at = c->at - (const uint8_t *)m->place->bytes;

    cel__cursor_skip(c, cel__cursor_uleb(c));
    return at;
}

static void remember(struct machine *m)
{
    if (m->remembered_count == REMEMBERED_MAX)
        m->is_strange = true;
    else
        m->remembered[m->remembered_count++] = *m->row;
}

static void recall(struct machine *m)
{
    if (m->remembered_count == 0)
        m->is_strange = true;
    else
        *m->row = m->remembered[--m->remembered_count];
}

static void restore(struct machine *m, uint64_t reg)
{
    if (reg < CEL__CFI_REGS)
        m->row->reg[reg] = m->first.reg[reg];
}

static void run_frame(struct machine *m, uint8_t code, struct cel__cursor *c)
{
    uint64_t reg;

    switch (code) {
    case DEF_CFA:
        reg = cel__cursor_uleb(c);
        frame(m, reg, (int64_t)cel__cursor_uleb(c));
        break;
    case DEF_CFA_SF:
        reg = cel__cursor_uleb(c);
        frame(m, reg, cel__cursor_sleb(c) * m->common->data_align);
        break;
    case DEF_CFA_REGISTER:
        frame(m, cel__cursor_uleb(c), m->row->frame.value);
        break;
    case DEF_CFA_OFFSET:
        frame(m, m->row->frame_reg, (int64_t)cel__cursor_uleb(c));
        break;
    case DEF_CFA_OFFSET_SF:
        frame(m, m->row->frame_reg, cel__cursor_sleb(c) * m->common->data_align);
        break;
    default:
        m->row->frame = (struct cel__cfi_rule){CEL__CFI_EXPR, (int32_t)take_expression(m, c)};
    }
}

static void run_register(struct machine *m, uint8_t code, struct cel__cursor *c)
{
    int64_t align = m->common->data_align;
    uint64_t reg = cel__cursor_uleb(c);

    switch (code) {
    case OFFSET_EXTENDED:
        rule(m, reg, CEL__CFI_AT, (int64_t)cel__cursor_uleb(c) * align);
        break;
    case OFFSET_EXTENDED_SF:
        rule(m, reg, CEL__CFI_AT, cel__cursor_sleb(c) * align);
        break;
    case VAL_OFFSET:
        rule(m, reg, CEL__CFI_SUM, (int64_t)cel__cursor_uleb(c) * align);
        break;
    case VAL_OFFSET_SF:
        rule(m, reg, CEL__CFI_SUM, cel__cursor_sleb(c) * align);
        break;
    case RESTORE_EXTENDED:
        restore(m, reg);
        break;
    case UNDEFINED:
        rule(m, reg, CEL__CFI_UNDEFINED, 0);
        break;
    case SAME_VALUE:
        rule(m, reg, CEL__CFI_SAME, 0);
        break;
    case REGISTER:
        rule(m, reg, CEL__CFI_IN, (int64_t)cel__cursor_uleb(c));
        break;
    default:
        rule(m, reg, code == EXPRESSION ? CEL__CFI_AT_EXPR : CEL__CFI_EXPR, take_expression(m, c));
    }
}

enum family { STRANGE, OTHER, OF_FRAME, OF_REGISTER };

static const uint8_t families[] = {
    [NOP] = OTHER,
    [SET_LOC] = OTHER,
    [ADVANCE_LOC1] = OTHER,
    [ADVANCE_LOC2] = OTHER,
    [ADVANCE_LOC4] = OTHER,
    [OFFSET_EXTENDED] = OF_REGISTER,
    [RESTORE_EXTENDED] = OF_REGISTER,
    [UNDEFINED] = OF_REGISTER,
    [SAME_VALUE] = OF_REGISTER,
    [REGISTER] = OF_REGISTER,
    [REMEMBER_STATE] = OTHER,
    [RESTORE_STATE] = OTHER,
    [DEF_CFA] = OF_FRAME,
    [DEF_CFA_REGISTER] = OF_FRAME,
    [DEF_CFA_OFFSET] = OF_FRAME,
    [DEF_CFA_EXPRESSION] = OF_FRAME,
    [EXPRESSION] = OF_REGISTER,
    [OFFSET_EXTENDED_SF] = OF_REGISTER,
    [DEF_CFA_SF] = OF_FRAME,
    [DEF_CFA_OFFSET_SF] = OF_FRAME,
    [VAL_OFFSET] = OF_REGISTER,
    [VAL_OFFSET_SF] = OF_REGISTER,
    [VAL_EXPRESSION] = OF_REGISTER,
    [NEGATE_RA_STATE] = OTHER,
    [GNU_ARGS_SIZE] = OTHER,
};

static void run_other(struct machine *m, uint8_t code, struct cel__cursor *c)
{
    switch (code) {
    case GNU_ARGS_SIZE:
        (void)cel__cursor_uleb(c);
        break;
    case SET_LOC:
        m->at = take_pointer(c, m->place, m->common->pointers, &m->is_strange);
        break;
    case ADVANCE_LOC1:
    case ADVANCE_LOC2:
    case ADVANCE_LOC4:
        m->at += cel__cursor_take(c, (size_t)1 << (code - ADVANCE_LOC1)) * m->common->code_align;
        break;
    case REMEMBER_STATE:
        remember(m);
        break;
    case RESTORE_STATE:
        recall(m);
        break;
    default: /* NOP; NEGATE_RA_STATE: return addresses are stripped of signatures always */
        break;
    }
}

static void run_one(struct machine *m, struct cel__cursor *c)
{
    uint8_t code = (uint8_t)cel__cursor_take(c, 1), low = code & 0x3f;
    uint8_t family = code < sizeof families ? families[code] : STRANGE;

    if ((code & 0xc0) == ADVANCE_LOC)
        m->at += low * m->common->code_align;
    else if ((code & 0xc0) == OFFSET)
        rule(m, low, CEL__CFI_AT, (int64_t)cel__cursor_uleb(c) * m->common->data_align);
    else if ((code & 0xc0) == RESTORE)
        restore(m, low);
    else if (family == OF_FRAME)
        run_frame(m, code, c);
    else if (family == OF_REGISTER)
        run_register(m, code, c);
    else if (family == OTHER)
        run_other(m, code, c);
    else
        m->is_strange = true;
}

static bool run_code(struct machine *m, struct cel__cursor code)
{
    struct cel__cfi_row before;

    while (code.at < code.to && !m->is_strange) {
        before = *m->row;
        run_one(m, &code);
        if (m->at > m->wanted) {
            *m->row = before;
            break;
        }
    }
    return !m->is_strange && !code.is_over;
}

/* ---- entries ---- */

/* The bytes of the entry at an offset of the segment, behind its length; empty: none. */
static struct cel__cursor entry_at(const struct place *place, size_t at)
{
    struct cel__cursor c = cel__cursor_make(place->bytes, place->size, at);
    uint64_t len = cel__cursor_take(&c, 4);

    if (c.is_over || len == 0 || len > (uint64_t)(c.to - c.at)) /* 0xffffffff: beyond 4 GiB */
        return cel__cursor_make(place->bytes, 0, 0);
    c.to = c.at + len;
    return c;
}

/* "zR", "zPLR", "zRS", …: what each letter stands for follows. */
static bool take_augmentation(struct common *common, const struct place *place,
                              struct cel__cursor *c, const char *letters)
{
    bool is_strange = false;

    if (*letters == '\0')
        return true;
    if (*letters++ != 'z')
        return false;
    common->has_augmentation = true;
    (void)cel__cursor_uleb(c);
    for (; *letters != '\0'; letters++) {
        if (*letters == 'R')
            common->pointers = (uint8_t)cel__cursor_take(c, 1);
        else if (*letters == 'L')
            (void)cel__cursor_take(c, 1);
        else if (*letters == 'P')
            (void)take_pointer(c, place, (uint8_t)cel__cursor_take(c, 1) & 0x7f, &is_strange);
        else if (*letters == 'S')
            common->is_signal = true;
        else if (*letters != 'B')
            return false;
    }
    return !is_strange;
}

static bool read_common(struct common *common, const struct place *place, size_t at)
{
    struct cel__cursor c = entry_at(place, at);
    const char *letters;
    uint8_t version;

    *common = (struct common){0};
    if (cel__cursor_take(&c, 4) != 0)
        return false;
    version = (uint8_t)cel__cursor_take(&c, 1);
    letters = (const char *)c.at;
    while (cel__cursor_take(&c, 1) != 0)
        continue;
    common->code_align = cel__cursor_uleb(&c);
    common->data_align = cel__cursor_sleb(&c);
    common->return_reg = (uint8_t)(version == 1 ? cel__cursor_take(&c, 1) : cel__cursor_uleb(&c));
    if (c.is_over || (version != 1 && version != 3) || common->return_reg >= CEL__CFI_REGS ||
        !take_augmentation(common, place, &c, letters))
        return false;
    common->code = c;
    return !c.is_over;
}

static bool read_entry(const struct place *place, size_t at, uint64_t pc, struct cel__cfi_row *row)
{
    struct cel__cursor c = entry_at(place, at);
    size_t here = (size_t)(c.at - (const uint8_t *)place->bytes);
    uint64_t back = cel__cursor_take(&c, 4), from, size;
    struct common common;
    struct machine m = {.common = &common, .place = place, .wanted = UINT64_MAX, .row = row};

    if (c.is_over || back == 0 || back > here || !read_common(&common, place, here - back))
        return false;
    from = take_pointer(&c, place, common.pointers, &m.is_strange);
    size = take_pointer(&c, place, common.pointers & ENC_FORMAT, &m.is_strange);
    if (pc - from >= size)
        return false;
    if (common.has_augmentation)
        cel__cursor_skip(&c, cel__cursor_uleb(&c));
    *row = (struct cel__cfi_row){.return_reg = common.return_reg, .is_signal = common.is_signal};
    m.at = from;
    if (!run_code(&m, common.code))
        return false;
    m.first = *row;
    m.wanted = pc;
    return run_code(&m, c);
}

/* -> the address of the last entry that begins at or before pc, 0: none. */
static uint64_t search(const struct place *place, const Elf64_Phdr *head, uint64_t pc)
{
    struct cel__cursor c =
        cel__cursor_make(place->bytes, place->size, head->p_vaddr - place->address);
    uint64_t version = cel__cursor_take(&c, 1), frames = cel__cursor_take(&c, 1);
    uint64_t counts = cel__cursor_take(&c, 1), table = cel__cursor_take(&c, 1), count;
    uint64_t low = 0, high;

    if (version != 1 || counts != 0x03 || table != ENC_HEADER || (frames & ENC_FORMAT) != 0x0b)
        return 0;
    (void)cel__cursor_take(&c, 4);
    count = cel__cursor_take(&c, 4);
    if (c.is_over || count > (uint64_t)(c.to - c.at) / 8)
        return 0;
    for (high = count; low < high;) {
        uint64_t middle = low + (high - low) / 2;
        struct cel__cursor entry = c;

        cel__cursor_skip(&entry, middle * 8);
        if (head->p_vaddr + (uint64_t)cel__cursor_take_signed(&entry, 4) <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    cel__cursor_skip(&c, (low - 1) * 8 + 4);
    return head->p_vaddr + (uint64_t)cel__cursor_take_signed(&c, 4);
}

bool cel__cfi_find(const struct cel__module *m, uintptr_t pc, struct cel__cfi_row *row)
{
    struct place place;
    uint64_t entry;

    if (m == NULL || m->unwind == NULL)
        return false;
    place =
        (struct place){m->file + m->segment->p_offset, m->segment->p_filesz, m->segment->p_vaddr};
    entry = search(&place, m->unwind, pc - m->base);
    if (entry < place.address || entry - place.address >= place.size)
        return false;
    return read_entry(&place, entry - place.address, pc - m->base, row);
}
