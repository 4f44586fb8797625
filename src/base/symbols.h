/* SPDX-License-Identifier: MIT */
#ifndef CEL__SYMBOLS_H
#define CEL__SYMBOLS_H

/* Names of addresses in code, for reports, from the symbol tables of the modules (modules.h). Safe
 * in signal handlers. */

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

/* A backtrace, a line each: "    #0 name+0x12 (module)", or "module+0x1234" for addr2line, or the
 * number. All but the first are return addresses. */
void cel__report_frames(struct cel__report *to, struct cel__symbols *known, const uintptr_t *frames,
                        size_t count);

#endif
