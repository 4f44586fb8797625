/* SPDX-License-Identifier: MIT */
/* Work given to many: pools, maps, races, jobs on threads that may be abandoned. Whoever gave it
 * may run out of time at any moment. Each call ends before who waits for it goes on, results are
 * those of their items, slots come back, and each thing that was made is taken by somebody or
 * dropped, once. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/compose.h"
#include "celadon/offload.h"
#include "celadon/pool.h"
#include "plays.h"

#define MASTERS   4
#define ACTS      8
#define WIDTH_MAX 6
#define NAP_MAX   (2 * CEL_MILLISECOND)

struct master {
    struct shop *shop;
    struct cel_scope scope;
    bool is_busy;
};

struct shop {
    struct master masters[MASTERS];
    struct cel_pool *pool;
    unsigned spawning, pooled;     /* who waits for a slot, and who has one */
    unsigned made, taken, dropped; /* by jobs */
    unsigned locals, locals_gone;
    unsigned ended;
    const char *flaw;
};

static struct shop shop;

static void blame(bool is_wrong, const char *what)
{
    if (is_wrong && shop.flaw == NULL)
        shop.flaw = what;
}

static bool is_explained(int r)
{
    return r >= 0 || r == -ECANCELED || r == -ETIMEDOUT || r == -CEL_EFAILED || r == -EAGAIN;
}

/* ---- what is done ---- */

struct piece {
    unsigned nth;
    bool may_stay;   /* until its task has ended */
    bool is_awaited; /* else nobody would hear that it fails */
    bool is_begun, has_ended;
    unsigned cleaned;
    unsigned *at_work, width; /* of a map; else NULL */
    struct cel_at_end at_end;
};

static void clean_up(void *arg)
{
    struct piece *p = arg;

    blame(cel_sleep(1 + (int64_t)cel_sim_draw(NAP_MAX)) < 0, "an end that is cancelled");
    p->cleaned++;
}

static void forget_local(void *value)
{
    shop.locals_gone++;
    free(value);
}

static const struct cel_local note = {.destroy = forget_local};

static void leave_note(unsigned nth)
{
    unsigned *own = malloc(sizeof *own);

    if (own == NULL)
        return;
    *own = nth;
    shop.locals++;
    if (cel_local_set(&note, own) < 0) {
        shop.locals--;
        free(own);
    }
}

/* Its number squared; some fail. */
static void *do_piece(void *arg)
{
    struct piece *p = arg;
    int r = 0;

    p->is_begun = true;
    if (p->may_stay && cel_sim_draw(2) == 0)
        cel_task_at_end(&p->at_end, clean_up, p);
    else
        p->cleaned = 1;
    leave_note(p->nth);
    if (p->at_work != NULL)
        blame(++*p->at_work > p->width, "more at a time than was asked for");
    for (uint64_t naps = cel_sim_draw(3); naps > 0 && r == 0; naps--)
        r = cel_sleep((int64_t)cel_sim_draw(NAP_MAX));
    blame(*(unsigned *)cel_local_get(&note) != p->nth, "another's value");
    p->has_ended = true;
    if (p->at_work != NULL)
        --*p->at_work;
    if (r < 0)
        return cel_fail(r, "called off");
    if (p->is_awaited && cel_sim_draw(12) == 0)
        return cel_fail(-EDOM, "spoilt");
    return (void *)(uintptr_t)(p->nth * p->nth + 1);
}

static void check_ended(const struct piece *pieces, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        blame(pieces[i].is_begun && (!pieces[i].has_ended || pieces[i].cleaned != 1),
              "a call that goes on behind the back of who waited for it");
}

static unsigned lay_out(struct piece *pieces, bool may_stay)
{
    unsigned n = 1 + (unsigned)cel_sim_draw(WIDTH_MAX);

    for (unsigned i = 0; i < n; i++)
        pieces[i] = (struct piece){
            .nth = i + 10 * (unsigned)cel_sim_draw(9), .may_stay = may_stay, .is_awaited = true};
    return n;
}

/* ---- many at a time ---- */

static unsigned limit_width(struct piece *pieces, unsigned n, unsigned *at_work)
{
    unsigned width = 1 + (unsigned)cel_sim_draw(3);

    *at_work = 0;
    for (unsigned i = 0; i < n; i++) {
        pieces[i].at_work = at_work;
        pieces[i].width = width;
    }
    return width;
}

static int map_them(void)
{
    struct piece pieces[WIDTH_MAX];
    void *items[WIDTH_MAX], *results[WIDTH_MAX];
    unsigned n = lay_out(pieces, false), at_work; /* a worker calls many */
    int r;

    for (unsigned i = 0; i < n; i++)
        items[i] = &pieces[i];
    r = cel_map(do_piece, items, n, limit_width(pieces, n, &at_work), results);
    check_ended(pieces, n);
    for (unsigned i = 0; r == 0 && i < n; i++)
        blame((uintptr_t)results[i] != pieces[i].nth * pieces[i].nth + 1, "another's result");
    return r;
}

struct supply {
    struct piece *pieces;
    unsigned n, given;
};

static int next_piece(void *arg, void **item)
{
    struct supply *s = arg;

    if (s->given == s->n)
        return 0;
    *item = &s->pieces[s->given++];
    return 1;
}

/* One after the other, as they come or as they were given, and not always to the end. */
static int map_on_demand(void)
{
    struct piece pieces[WIDTH_MAX];
    struct supply s = {.pieces = pieces, .n = lay_out(pieces, true)};
    bool is_unordered = cel_sim_draw(2) == 0;
    unsigned wanted = (unsigned)cel_sim_draw(s.n + 2), got = 0;
    unsigned at_work, width = limit_width(pieces, s.n, &at_work);
    struct cel_imap *map;
    int r = cel_imap_new(&map, do_piece, next_piece, &s,
                         &(struct cel_imap_options){.width = width, .is_unordered = is_unordered});

    while (r >= 0 && got < wanted) {
        void *value;

        r = cel_imap_next(map, &value);
        blame(r == 0 && got != s.n, "a map that ends early");
        if (r == 0)
            break;
        if (r == 1 && !is_unordered)
            blame((uintptr_t)value != pieces[got].nth * pieces[got].nth + 1, "another's result");
        got++;
        r = r == -CEL_EFAILED ? 1 : r;
    }
    cel_imap_free(map);
    check_ended(pieces, s.n);
    return r < 0 ? r : 0;
}

/* The one that wins, and nobody who runs on. */
static int race_them(void)
{
    struct piece pieces[WIDTH_MAX];
    struct cel_task *tasks[WIDTH_MAX];
    unsigned n = lay_out(pieces, true);
    void *value = NULL;
    int r;

    for (unsigned i = 0; i < n; i++)
        tasks[i] = cel_spawn(do_piece, &pieces[i]);
    r = cel_sim_draw(2) == 0 ? cel_race(tasks, n, &value) : cel_race_success(tasks, n, &value);
    check_ended(pieces, n);
    blame(r >= 0 && (uintptr_t)value != pieces[r].nth * pieces[r].nth + 1, "another's result");
    for (unsigned i = 0; i < n; i++)
        cel_task_free(tasks[i]);
    return r;
}

static int gather_them(void)
{
    struct piece pieces[WIDTH_MAX];
    struct cel_task *tasks[WIDTH_MAX];
    void *values[WIDTH_MAX];
    unsigned n = lay_out(pieces, true);
    int r;

    for (unsigned i = 0; i < n; i++)
        tasks[i] = cel_spawn(do_piece, &pieces[i]);
    r = cel_gather(tasks, n, values);
    check_ended(pieces, n);
    for (unsigned i = 0; r == 0 && i < n; i++)
        blame((uintptr_t)values[i] != pieces[i].nth * pieces[i].nth + 1, "another's result");
    for (unsigned i = 0; i < n; i++)
        cel_task_free(tasks[i]);
    return r;
}

static void call_off_another(void)
{
    struct master *m = &shop.masters[cel_sim_draw(MASTERS)];

    if (m->is_busy && cel_sim_draw(3) == 0)
        cel_scope_cancel(&m->scope);
}

/* ---- a pool that all share ---- */

static void *work_in_pool(void *arg)
{
    struct piece p = {.nth = 1};

    shop.pooled++;
    blame(shop.pooled > cel_pool_size(shop.pool) + 1, "more than a pool has slots");
    (void)do_piece(&p);
    shop.pooled--;
    return NULL;
}

static int work_in_turn(void)
{
    int r = 0;

    for (uint64_t n = 1 + cel_sim_draw(4); n > 0 && r == 0; n--) {
        shop.spawning++;
        r = cel_pool_spawn(shop.pool, work_in_pool, NULL, NULL);
        shop.spawning--;
    }
    if (r == 0 && cel_sim_draw(6) == 0)
        r = cel_pool_wait_available(shop.pool);
    return r;
}

/* ---- jobs whose results must not get lost ---- */

static void *make(void *arg)
{
    *(unsigned *)arg += 1;
    return arg;
}

static void drop_made(void *arg, void *result)
{
    blame(result != NULL && result != arg, "another's result");
    blame(result != NULL && *(unsigned *)arg != 1, "a job that ran twice");
    blame(result == NULL && *(unsigned *)arg != 0, "a result that is not told");
    shop.dropped++;
    free(arg);
}

static int have_one_made(void)
{
    unsigned *thing = calloc(1, sizeof *thing);
    void *result = NULL;
    int r;

    if (thing == NULL)
        return 0;
    shop.made++;
    r = cel_offload_or_abandon(make, thing, drop_made, &result);
    if (r == 0 || r == -EAGAIN || r == -ENOMEM) {
        blame(r == 0 && (result != thing || *thing != 1), "another's result");
        shop.taken++;
        free(thing);
    }
    return r;
}

/* One after the other, with an eye on who else waits. */
static int have_it_made(void)
{
    int r = 0;

    for (uint64_t n = 1 + cel_sim_draw(5); n > 0 && r == 0; n--) {
        r = have_one_made();
        call_off_another();
    }
    return r;
}

/* ---- who gives work ---- */

static void *give_work(void *arg)
{
    static int (*const ways[])(void) = {map_them,    map_on_demand, race_them,
                                        gather_them, work_in_turn,  have_it_made};
    struct master *self = arg;

    for (unsigned act = 0; act < ACTS; act++) {
        int64_t timeout = cel_sim_draw(2) == 0 ? (int64_t)cel_sim_draw(2 * NAP_MAX) : 0;
        int r;

        cel_scope_enter(&self->scope, &(struct cel_scope_options){.timeout = timeout});
        self->is_busy = true;
        r = ways[cel_sim_draw(sizeof ways / sizeof ways[0])]();
        self->is_busy = false;
        call_off_another();
        (void)cel_scope_leave(&self->scope);
        blame(!is_explained(r), "a call that fails");
    }
    shop.ended++;
    return NULL;
}

static void look_around(void)
{
    blame(shop.spawning > 0 && cel_pool_running(shop.pool) < cel_pool_size(shop.pool),
          "waiting beside a free slot");
}

static void *watch(void *arg)
{
    while (shop.ended < MASTERS && shop.flaw == NULL) {
        if (cel_sleep(1 + (int64_t)cel_sim_draw(NAP_MAX)) < 0 || cel_sim_settle() < 0)
            break;
        look_around();
        if (cel_sim_draw(4) == 0)
            cel_pool_resize(shop.pool, 1 + cel_sim_draw(4));
        else if (cel_sim_draw(8) == 0)
            (void)!cel_pool_kill(shop.pool);
    }
    return NULL;
}

void *play_pools(void *arg)
{
    memset(&shop, 0, sizeof shop);
    HOLDS(cel_pool_new(&shop.pool, 1 + cel_sim_draw(3)) == 0);
    CEL_SCOPE (all, .timeout = 30 * CEL_SECOND) {
        for (unsigned i = 0; i < MASTERS; i++) {
            shop.masters[i].shop = &shop;
            (void)!cel_go(give_work, &shop.masters[i]);
        }
        (void)!cel_go(watch, NULL);
    }
    (void)!cel_sleep(20 * CEL_SECOND); /* abandoned jobs end */
    if (shop.flaw == NULL && cel_scope_expired(&all))
        shop.flaw = "somebody waits for ever";
    if (shop.flaw == NULL && cel_pool_free_count(shop.pool) != cel_pool_size(shop.pool))
        shop.flaw = "a slot was lost";
    if (shop.flaw == NULL && shop.made != shop.taken + shop.dropped)
        shop.flaw = "a result was lost";
    if (shop.flaw == NULL && shop.locals != shop.locals_gone)
        shop.flaw = "a value of a task was lost";
    if (shop.flaw != NULL)
        return cel_fail(-EPROTO, "%s", shop.flaw);
    cel_pool_free(shop.pool);
    return NULL;
}
