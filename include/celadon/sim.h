/* SPDX-License-Identifier: MIT */
#ifndef CELADON_SIM_H
#define CELADON_SIM_H

/* Deterministic simulation: a program of tasks runs on a machine that exists only in memory. Its
 * clock jumps to whatever happens next, its network delays, cuts and breaks, and each choice comes
 * from one seed: the same seed and options give the same run, to the nanosecond.
 *
 * cel_sim_run is called outside of tasks, everything else from tasks inside of a run. The tasks use
 * the library as they always do; what is simulated is the clock, sockets, names, the thread pool,
 * randomness, and files. What is not (processes, signals, threads, terminals, news of files,
 * descriptors of the real kernel) is refused by -ENOSYS. Times are ns, chances are in a million.
 * docs/simulation.md is a tutorial. None of these calls may be made where no simulation runs, but
 * for the first group. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which ready task runs next. */
enum cel_sim_policy {
    CEL_SIM_FIFO,   /* first ready, first run, as outside of simulations */
    CEL_SIM_RANDOM, /* any */
    CEL_SIM_LIFO,   /* the one that became ready last */
    CEL_SIM_PCT,    /* the one of the highest random priority; priorities fall at random moments */
    CEL_SIM_STARVE, /* one task out of three runs only when nobody else can */
    CEL_SIM_POLICIES,
};

/* What the machine does to the program. All of a run is in these and the seed. */
struct cel_sim_options {
    int64_t policy;      /* enum cel_sim_policy */
    int64_t pct_changes; /* moments at which a priority falls, in each thousand switches */
    int64_t latency;     /* one way between hosts: mean of an exponential distribution */
    int64_t tail;        /* chance of 20 times that */
    int64_t loss;        /* chance that a segment must be sent again, or a datagram is lost */
    int64_t duplicate;   /* chance that a datagram comes twice */
    int64_t clog;        /* chance per segment that its link stands still for up to a second */
    int64_t reset;       /* chance that a connection is reset at some byte */
    int64_t partition;   /* chance per 100 ms that two hosts lose each other for up to 2 s */
    int64_t window;      /* bytes a reader takes in before it has read */
    int64_t segment;     /* bytes that travel together, at most */
    int64_t send_buffer; /* bytes a writer may be ahead */
    int64_t cut;         /* chance that a read or a write moves less than it could */
    int64_t late;        /* chance that an operation that could end at once does so in a turn */
    int64_t late_cancel; /* chance that a cancelled operation ends in a later turn */
    int64_t job_delay;   /* mean time until a job of the thread pool runs */
    int64_t io_error;    /* chance that a read, write or sync of a file fails by EIO; a sync does so
                          * once, and what it was to keep is given up */
    int64_t disk_full;   /* chance that a write of a file, or a new name, fails by ENOSPC; or a sync
                          * of what was written does, and gives that up */
    int64_t pause;       /* chance per 100 ms that a host, not home, stands still for up to 1 s */
    int64_t slow;       /* chance that a host, not home, takes up to 200 times as long for a step */
    int64_t jump;       /* chance per 100 ms that a host's wall clock jumps, by up to 2 h */
    int64_t outage;     /* chance per 100 ms that a host loses its power: those of cel_sim_mortal */
    int64_t swizzle;    /* chance per 100 ms that half of the hosts are clogged one after the other,
                         * for up to 1 s each */
    int64_t bad_name;   /* chance that a name is not found, is told 5 s late, or by an address
                         * where nobody is */
    int64_t corrupt;    /* chance that a byte of a datagram, or of a segment, is another one when it
                         * arrives. Never drawn: checksums catch nearly all of these */
    int64_t shortage;   /* chance that a descriptor is refused by EMFILE */
    int64_t skew;       /* hosts' wall clocks are wrong by up to this */
    int64_t buggify;    /* 1: rare paths of the library itself are taken more often */
    int64_t faults_for; /* faults stop that long after the start */
    int64_t patience;   /* from then on everything must end within this; 0: whenever */
};

/* What a run was. */
struct cel_sim_report {
    uint64_t seed;
    uint64_t hash;     /* of every event, its time, and each draw: equal runs have equal hashes */
    uint64_t events;   /* of the machine */
    uint64_t switches; /* to tasks */
    uint64_t faults;   /* that were injected */
    int64_t elapsed;   /* virtual */
    uint64_t runs;     /* 1, and for cel_sim_sweep the seeds that were run */
};

/* Options without any fault: FIFO, 50 us of latency, endless patience. */
CEL_PUBLIC void cel_sim_options_calm(struct cel_sim_options *out);
/* Options as the seed wants them: each kind of fault is on or off, and more or less of it. */
CEL_PUBLIC void cel_sim_options_draw(struct cel_sim_options *out, uint64_t seed);

/* Runs fn(arg) as the first task of a simulated machine, to its end. options NULL: drawn from the
 * seed. report may be NULL. 0: fn's task and all others ended well in time and left nothing open.
 * Else the run has failed, and a line that replays it is logged: a failure of fn's task as in
 * cel_run; -EDEADLK all wait for what cannot come; -ETIMEDOUT not at an end within
 * options->patience after the last fault; -EBUSY something was left open; -EPROTO an invariant
 * (cel_sim_always) is broken; -ENOMEM.
 *
 * The environment as that line has it runs it again: CEL_SEED and CEL_CFG take the place of seed
 * and options, and CEL_BUILD names the program that it was. Besides, CEL_FAULTS=1-4,9- lets only
 * those happen of the faults that chance brings, by their numbers, and CEL_TRACE=FILE ("-":
 * standard error) writes down all that happens. A signal that ends the program meanwhile tells the
 * line as well. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_run(uint64_t seed, const struct cel_sim_options *options,
                                         void *(*fn)(void *arg), void *arg,
                                         struct cel_sim_report *report);
/* The same for `count` seeds from `first` on, or until one fails; every twentieth is run twice and
 * must not differ: -EILSEQ, and the log says where the two parted and what the usual causes are.
 * With CEL_SEED in the environment that seed alone. report (may be NULL) has sums, and the seed
 * that failed. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_sweep(uint64_t first, uint64_t count,
                                           const struct cel_sim_options *options,
                                           void *(*fn)(void *arg), void *arg,
                                           struct cel_sim_report *report);

/* ---- inside a run: hosts ---- */

struct cel_sim_host;

/* A host with an address of its own (10.0.0.x), which its name resolves to; fn(arg) runs on it as a
 * task of the loop's root scope, and so do the tasks that it spawns. The task that cel_sim_run runs
 * is on a host of its own, "home". Tasks of one host reach each other by 127.0.0.1 too. fn NULL: an
 * address where nobody listens. The name is copied. Owner: the run. -ENOMEM, -EEXIST. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_host_new(struct cel_sim_host **out, const char *name,
                                              void *(*fn)(void *arg), void *arg);
/* "10.0.0.2". Valid until the run ends. */
CEL_PUBLIC const char *cel_sim_host_address(const struct cel_sim_host *host);
/* The host that cel_sim_run's task is on. */
CEL_PUBLIC struct cel_sim_host *cel_sim_home(void);
/* Power goes: its sockets are gone without a word to their peers, its tasks are cancelled, and of
 * what they did to files only what was synced is sure to be left. Until they have ended, what they
 * do with files fails by -EIO. */
CEL_PUBLIC void cel_sim_kill(struct cel_sim_host *host);
/* From now on its power may fail by chance (the option outage): as by cel_sim_kill, and within 2 s
 * it comes back as by cel_sim_reboot, which meanwhile returns -EALREADY. Not for home. */
CEL_PUBLIC void cel_sim_mortal(struct cel_sim_host *host);
/* After a kill: fn(arg) runs anew. The peers of old connections are told by a reset when they next
 * send. (parks) until the tasks of the earlier life have ended. -ECANCELED, -ETIMEDOUT, -ENOMEM,
 * -EALREADY it comes back by itself. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_reboot(struct cel_sim_host *host);
/* Its tasks stand still and nothing reaches it for that long. Not for home. */
CEL_PUBLIC void cel_sim_pause(struct cel_sim_host *host, int64_t duration);
/* Its wall clock goes wrong by that, from now on. */
CEL_PUBLIC void cel_sim_skew(struct cel_sim_host *host, int64_t by);

/* ---- inside a run: disks ---- */

/* Each host has a disk of its own, empty but for /tmp, and relative paths begin at its root. What
 * begins with /proc, /sys or /dev is the real machine's. A kill (cel_sim_kill) leaves of bytes that
 * were not synced some sectors of 512, of names (made, moved, removed) of which the folder was not
 * synced some, and of modes and times the old or the new ones: the seed decides. */

/* Does not park, and needs no power: the file as who reads it now would get it, after a kill what
 * was left of it. *out has a NUL behind the end and is freed with cel_free. -ENOENT, -ENOTDIR,
 * -EISDIR, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_disk_load(struct cel_sim_host *host, const char *path,
                                               char **out, size_t *len);
/* Does not park. The file has these bytes from now on, also after a kill; folders that are missing
 * are made. -ENOTDIR, -EISDIR, -EFBIG, -ENAMETOOLONG. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_disk_save(struct cel_sim_host *host, const char *path,
                                               const void *bytes, size_t len);
/* Files there may have that many bytes in all: then writes are cut short, and fail by -ENOSPC. -1:
 * no limit. */
CEL_PUBLIC void cel_sim_disk_limit(struct cel_sim_host *host, int64_t bytes);

/* ---- inside a run: the network ---- */

/* Nothing passes between a and b any more, in both directions. */
CEL_PUBLIC void cel_sim_partition(struct cel_sim_host *a, struct cel_sim_host *b);
/* Nothing passes from one to the other; the other direction is as it was. */
CEL_PUBLIC void cel_sim_partition_one_way(struct cel_sim_host *from, struct cel_sim_host *to);
/* What passed before passes again. */
CEL_PUBLIC void cel_sim_heal(struct cel_sim_host *a, struct cel_sim_host *b);
/* What is under way between the two, in both directions, waits that long. */
CEL_PUBLIC void cel_sim_clog(struct cel_sim_host *a, struct cel_sim_host *b, int64_t duration);
/* The name has this address ("10.0.0.9", "::1") too. address NULL: it does not exist. -EINVAL not
 * an address, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_name(const char *name, const char *address);

/* ---- inside a run: time and faults ---- */

/* Does a run go on in the calling thread? May be asked anywhere. */
CEL_PUBLIC bool cel_sim_is_running(void);
/* Virtual time since the run began. */
CEL_PUBLIC int64_t cel_sim_now(void);
/* What the wall clock of the calling task's host says: ns since 1970. */
CEL_PUBLIC int64_t cel_sim_wall(void);
/* Faults by chance end now and the network is healed: the phase in which everything must end has
 * begun. */
CEL_PUBLIC void cel_sim_calm(void);
/* (parks) Until no other task can run and nothing happens any more at this instant. -ECANCELED,
 * -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_settle(void);
/* An invariant: check(arg) is asked after each step of each task from now on, and tells in words
 * what is broken (static, or the caller's); NULL: all is well. It must not park. When it is broken
 * the run ends right there, and fails by -EPROTO. Up to 8 of them, until the run ends. -ENOSPC. */
CEL_PUBLIC CEL_NODISCARD int cel_sim_always(const char *(*check)(void *arg), void *arg);
/* A line of the play's own among those that a failed run tells and CEL_TRACE=FILE writes down. At
 * most 60 bytes of it are kept. */
CEL_PUBLIC void cel_sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A number below `bound` (> 0) that the seed decides: for choices that a test makes. */
CEL_PUBLIC uint64_t cel_sim_draw(uint64_t bound);

#ifdef __cplusplus
}
#endif

#endif
