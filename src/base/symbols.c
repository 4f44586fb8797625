/* SPDX-License-Identifier: MIT */
#include "base/symbols.h"

#include <elf.h>
#include <stdbool.h>

#include "base/cc.h"
#include "base/modules.h"

static const Elf64_Sym *find_symbol(const struct cel__module *m, uintptr_t address)
{
    uintptr_t at = address - m->base;

    for (size_t i = 0; i < m->symbol_count; i++) {
        const Elf64_Sym *s = &m->symbols[i];

        if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && at - s->st_value < s->st_size &&
            s->st_shndx != SHN_UNDEF && s->st_name < m->names_bytes)
            return s;
    }
    return NULL;
}

/* A return address may lie behind its function, when that ends with the call: its name is that of
 * the byte before. */
static void tell(struct cel__symbols *known, struct cel__report *to, uintptr_t address,
                 bool is_return)
{
    uintptr_t asked = address - is_return;
    size_t at = asked * UINT64_C(0x9e3779b97f4a7c15) >> 58;
    const struct cel__module *m;
    const Elf64_Sym *s;

    static_assert(cel__countof(known->recent) == 1 << (64 - 58), "the hash names a place");
    if (known->recent[at].address != asked || known->recent[at].module == NULL) {
        m = cel__module_of(asked);
        known->recent[at].address = asked;
        known->recent[at].module = m;
        known->recent[at].symbol = m != NULL ? find_symbol(m, asked) : NULL;
    }
    m = known->recent[at].module;
    s = known->recent[at].symbol;
    if (m == NULL) {
        cel__report_hex(to, address);
        return;
    }
    cel__report_str(to, s != NULL ? m->names + s->st_name : m->name);
    cel__report_str(to, "+");
    cel__report_hex(to, address - m->base - (s != NULL ? s->st_value : 0));
    if (s == NULL)
        return;
    cel__report_str(to, " (");
    cel__report_str(to, m->name);
    cel__report_str(to, ")");
}

void cel__report_frames(struct cel__report *to, struct cel__symbols *known, const uintptr_t *frames,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cel__report_str(to, "    #");
        cel__report_number(to, (int64_t)i);
        cel__report_str(to, " ");
        tell(known, to, frames[i], i > 0);
        cel__report_end(to);
    }
}
