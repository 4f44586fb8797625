/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAKE_RING_H
#define TESTS_FAKE_RING_H

/* An io_uring that no kernel has: it stands in the table of system calls, over the thread's
 * simulated machine, and does what a kernel may do but seldom does. Completions come late, out of
 * order, a few at a time; what goes on and on ends early; cancels and results race; enters are
 * refused. All by a seed, and all within what the interface allows.
 *
 * It also knows what its user has to keep, and says which rule was broken first:
 * 1. No descriptor is closed while a request names it, and no ring while requests are out.
 * 2. A request's memory stays as it was until the request's last completion has been told.
 * 3. A name is not used again before that.
 * 4. A provided buffer is given once, and not touched while it is the kernel's.
 * 5. Only what the restrictions allow is asked for.
 *
 * One a thread at most, and only where a machine has been booted (machine/boot.h). */

#include <stdbool.h>
#include <stdint.h>

/* What may go other than usual, each with a chance. */
#define FAKE_QUIRKS(X)                                                          \
    X(late)        /* a completion is told some time after it was made */       \
    X(punt)        /* a request is begun some time after it was submitted */    \
    X(shuffle)     /* completions are told in another order */                  \
    X(hoard)       /* an enter brings some of the completions only */           \
    X(part)        /* an enter takes some of the requests only */               \
    X(again)       /* an enter is refused: EAGAIN, EBUSY, ENOMEM */             \
    X(signal)      /* an enter that waits is interrupted, or ends for naught */ \
    X(interrupt)   /* a request ends with EINTR, EAGAIN or ECONNABORTED */      \
    X(cut)         /* a transfer moves less than it could */                    \
    X(stop)        /* what goes on and on ends with this completion */          \
    X(no_buffers)  /* there was no buffer, for once */                          \
    X(end_buffer)  /* the end of a stream uses one up */                        \
    X(cancel_late) /* a cancel finds its target too far gone: EALREADY */       \
    X(cancel_lost) /* ... or just ended: ENOENT */                              \
    X(stale)       /* an old completion is told again, which no kernel should */

enum fake_quirk {
#define FAKE_ENUM(name) FAKE_##name,
    FAKE_QUIRKS(FAKE_ENUM)
#undef FAKE_ENUM
        FAKE_QUIRK_COUNT
};

struct fake_options {
    uint8_t percent[FAKE_QUIRK_COUNT];
    int64_t delay;          /* mean of what is late, ns */
    unsigned refused_setup; /* flags that this kernel does not know */
    bool lacks_multishot, lacks_buffer_rings, lacks_ring_fds, lacks_restrictions;
};

struct fake_counts {
    uint64_t enters, requests, completions, overflows;
    uint64_t quirks[FAKE_QUIRK_COUNT];
    uint64_t not_found, already; /* cancels */
};

/* Half of the quirks are off, the others are rare to frequent; an older kernel now and then. */
void fake_options_draw(struct fake_options *out, uint64_t seed);

/* In the table from now on. */
void fake_ring_install(uint64_t seed, const struct fake_options *options);
/* The table is as before. -> the first rule that was broken, static; NULL: none. */
const char *fake_ring_remove(struct fake_counts *counts);
const char *fake_quirk_name(enum fake_quirk quirk);

#endif
