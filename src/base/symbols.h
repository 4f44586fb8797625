/* SPDX-License-Identifier: MIT */
#ifndef CEL__SYMBOLS_H
#define CEL__SYMBOLS_H

/* Names of addresses in code, for reports. The symbol tables are mapped beforehand, so that asking
 * neither allocates nor locks. */

#include <stdint.h>

#include "base/report.h"

struct cel__module;

/* Recent answers, the asker's own: parked tasks have the same few addresses. Zeroed at first. */
struct cel__symbols {
    struct {
        uintptr_t address;
        const struct cel__module *module;
        const void *symbol;
    } recent[64];
};

/* Maps the tables of what is loaded now; again: of what has been loaded since. Not in a signal
 * handler. What cannot be read is left out: its addresses are told as numbers. */
void cel__symbols_note(void);

/* "name+0x12 (module)", or "module+0x1234" for addr2line, or the number. Safe in a signal handler.
 */
void cel__symbols_tell(struct cel__symbols *known, struct cel__report *to, uintptr_t address);

#endif
