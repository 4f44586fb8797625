/* SPDX-License-Identifier: MIT */
#ifndef CEL__REPORT_H
#define CEL__REPORT_H

/* Text for reports from places where nothing may be allocated or locked: signal handlers, a heap
 * that is broken. Goes to a descriptor in pieces; what the descriptor does not take is dropped. Or,
 * from quieter places, line by line to the program's log. */

#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

struct cel__report {
    int fd;
    int64_t now; /* for what tells how long something takes; its owner's business */
    size_t len;
    char bytes[512];
};

#define CEL__REPORT_LOG (-1) /* instead of a descriptor; lines beyond the buffer are parted */

static inline void cel__report_init(struct cel__report *to, int fd)
{
    to->fd = fd;
    to->now = 0;
    to->len = 0;
}

/* NULL is "". Control bytes become '?'. */
void cel__report_str(struct cel__report *to, const char *text);
void cel__report_slice(struct cel__report *to, struct cel_str text);
void cel__report_number(struct cel__report *to, int64_t n);
void cel__report_hex(struct cel__report *to, uint64_t n);
/* Nanoseconds, as people say them: "12 us", "1.250 s". */
void cel__report_duration(struct cel__report *to, int64_t ns);
/* The end of a line. */
void cel__report_end(struct cel__report *to);
/* Writes what is still held back; errno is as before. */
void cel__report_flush(struct cel__report *to);

#endif
