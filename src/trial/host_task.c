/* SPDX-License-Identifier: MIT */
/* Hosts as the program under test sees them: a machine's host, and a task that runs on it. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "loop/simulated.h"
#include "machine/datagram.h"
#include "machine/station.h"
#include "machine/pair.h"
#include "machine/zone.h"
#include "task/wait.h"
#include "trial/trial.h"

#define SLOWEST  200 /* times as slow as others, some hosts are at most */
#define DOWN_MAX (2 * CEL_SECOND)

static struct cel__machine *machine(void)
{
    return cel__trial_here()->machine;
}

static int start_program(struct cel_sim_host *h)
{
    if (h->fn == NULL)
        return 0;
    h->task = cel_spawn_with(h->fn, h->arg, .name = h->host->name, .in_root = true);
    return h->task != NULL ? 0 : -ENOMEM;
}

/* What is wrong with it from the beginning. */
static void draw_flaws(struct cel__station *h)
{
    struct cel__machine *m = h->m;
    int64_t skew = m->options.skew;

    if (m->is_calm)
        return;
    if (skew != 0)
        h->skew = (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, 2 * (uint64_t)skew + 1) - skew;
    if (CEL__CHANCE(m, slow))
        h->slowness = 2 + cel__machine_draw(m, CEL__DRAW_FAULT, SLOWEST);
}

int cel_sim_host_new(struct cel_sim_host **out, const char *name, void *(*fn)(void *arg), void *arg)
{
    struct cel__machine *m = machine();
    struct cel_sim_host *h;
    int r;

    if (cel__zone_find(m, name) != NULL)
        return -EEXIST;
    h = cel__machine_alloc(sizeof *h);
    h->host = cel__station_new(m, name);
    h->fn = fn;
    h->arg = arg;
    draw_flaws(h->host);
    cel__list_append(&cel__trial_here()->hosts, &h->link);
    r = cel__zone_add(m, name, h->host->address);
    if (r == 0)
        r = start_program(h);
    if (r == 0)
        *out = h;
    return r;
}

const char *cel_sim_host_address(const struct cel_sim_host *host)
{
    return host->host->address;
}

struct cel_sim_host *cel_sim_home(void)
{
    return cel__trial_here()->home;
}

/* Those that stand in a listener's line go with it. */
static struct cel__socket *find_living_socket(const struct cel__station *host)
{
    CEL__LIST_EACH (node, &host->m->sockets) {
        struct cel__socket *s = cel__container_of(node, struct cel__socket, link);

        if (s->host == host && !s->is_gone && s->fd >= 0)
            return s;
    }
    return NULL;
}

void cel_sim_kill(struct cel_sim_host *host)
{
    struct cel__socket *s;

    cel__sim_cut_power(cel__loop_here, host->host);
    while ((s = find_living_socket(host->host)) != NULL) {
        cel__pair_vanish(s);
        cel__datagram_drop_all(s);
    }
    if (host->task != NULL)
        cel_task_cancel(host->task);
}

/* (parks) Until what ran there has ended. */
static int start_anew(struct cel_sim_host *host)
{
    int r = host->task != NULL ? cel_join(host->task, NULL) : cel_checkpoint(); /* parks */

    if (r == -ECANCELED || r == -ETIMEDOUT)
        return r;
    host->task = NULL;
    host->host->power = CEL__STATION_UP;
    return start_program(host);
}

int cel_sim_reboot(struct cel_sim_host *host)
{
    return host->is_coming_back ? -EALREADY : start_anew(host); /* parks */
}

/* ---- a loss of power by chance ---- */

static void *bring_back(void *arg)
{
    struct cel_sim_host *host = arg;
    int64_t down = (int64_t)cel__machine_draw(machine(), CEL__DRAW_FAULT, DOWN_MAX);
    int r = cel_sleep(down);

    if (r == 0)
        r = start_anew(host); /* parks */
    host->is_coming_back = false;
    return r == 0 ? NULL : cel_fail(r, "host %s does not come back", host->host->name);
}

/* Called between the steps of tasks. */
static void on_outage(struct cel__station *station)
{
    struct cel_sim_host *host = station->owner;

    host->is_coming_back =
        cel_spawn_with(bring_back, host, .name = "power", .in_root = true) != NULL;
    if (host->is_coming_back)
        cel_sim_kill(host);
}

void cel_sim_mortal(struct cel_sim_host *host)
{
    CEL__ASSERT(host != cel_sim_home());
    host->host->is_mortal = true;
    host->host->owner = host;
    machine()->on_outage = on_outage;
}

void cel_sim_pause(struct cel_sim_host *host, int64_t duration)
{
    CEL__ASSERT(host != cel_sim_home());
    cel__station_pause(host->host, duration);
}

void cel_sim_skew(struct cel_sim_host *host, int64_t by)
{
    host->host->skew = by;
}

void cel_sim_partition_one_way(struct cel_sim_host *from, struct cel_sim_host *to)
{
    cel__station_cut(from->host, to->host, true);
}

void cel_sim_partition(struct cel_sim_host *a, struct cel_sim_host *b)
{
    cel_sim_partition_one_way(a, b);
    cel_sim_partition_one_way(b, a);
}

void cel_sim_heal(struct cel_sim_host *a, struct cel_sim_host *b)
{
    cel__station_cut(a->host, b->host, false);
    cel__station_cut(b->host, a->host, false);
}

void cel_sim_clog(struct cel_sim_host *a, struct cel_sim_host *b, int64_t duration)
{
    int64_t until = machine()->now + duration;

    cel__station_clog(a->host, b->host, until);
    cel__station_clog(b->host, a->host, until);
}

int cel_sim_name(const char *name, const char *address)
{
    return cel__zone_add(machine(), name, address);
}

struct settling {
    struct cel__soon soon;
    struct cel_task *task;
    int code;
};

static void on_settled(struct cel__soon *soon)
{
    cel__unpark(cel__container_of(soon, struct settling, soon)->task);
}

static void stop_settling(struct cel_task *task, int code)
{
    struct settling *s = task->wait_on;

    if (!cel__sim_unsettle(cel__loop_here, &s->soon))
        return;
    s->code = code;
    cel__unpark(task);
}

static const struct cel__wait settling = {"for all to settle", stop_settling, NULL, NULL};

int cel_sim_settle(void)
{
    struct cel_task *task = cel__task_parking();
    struct settling s = {.task = task, .soon.run = on_settled};
    int code = cel__checkpoint(task);

    if (code != 0)
        return code;
    cel__sim_when_settled(cel__loop_here, &s.soon);
    cel__park(task, &settling, &s); /* parks */
    return s.code;
}
