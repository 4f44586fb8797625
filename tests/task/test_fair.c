/* SPDX-License-Identifier: MIT */
/* Who has had more than its share goes behind whoever has just become ready, and is not forgotten.
 * Nothing is timed: turns of the loop are counted, and what tasks do in them. */
#include "celadon/task.h"

#include <fcntl.h>

#include "celadon/chan.h"
#include "celadon/net.h"
#include "loop/core.h"
#include "support/check.h"
#include "support/intask.h"

#define MANY        300
#define TIRED_MAX   8  /* of the tired that run in a turn of the loop */
#define TURN_MAX    64 /* switches in a turn */
#define PIECE       65536
#define PIECES_EACH (CEL__CREDIT * CEL__CREDIT_BYTES / PIECE) /* that are one's share */
#define DOOR        150

static bool is_over;
static unsigned long done; /* by those that never have to wait */

static uint32_t turns(void)
{
    return cel__loop_here->beat / 2;
}

/* Its results are there at once, as often as it likes. */
static void *never_waits(void *arg)
{
    struct cel_chan *chan;
    int value = 0;

    assert_int_equal(cel_chan_new(&chan, sizeof value, 1), 0);
    while (!is_over) {
        assert_int_equal(cel_chan_send(chan, &value), 0);
        done++;
        assert_int_equal(cel_chan_recv(chan, &value), 0);
        done++;
    }
    cel_chan_free(chan);
    return arg;
}

static void begin(cel_task_fn *fn, int count)
{
    is_over = false;
    done = 0;
    for (int i = 0; i < count; i++)
        assert_int_equal(cel_go(fn, NULL), 0);
}

/* (parks) What they do while somebody waits for the shortest of times, at most; once each of them
 * has had its first turn. */
static unsigned long done_in_one_wait(unsigned long first)
{
    unsigned long most = 0;

    while (done < first)
        assert_int_equal(cel_sleep(1), 0);
    for (int i = 0; i < 50; i++) {
        unsigned long before = done;
        uint32_t turn = turns();

        assert_int_equal(cel_sleep(1), 0);
        assert_in_range(turns() - turn, 1, 2);
        most = done - before > most ? done - before : most;
    }
    return most;
}

IN_TASK(newcomer_waits_for_few_of_many_that_never_wait)
{
    CEL_SCOPE (all) {
        begin(never_waits, MANY);
        assert_in_range(done_in_one_wait(2 * MANY * CEL__CREDIT), 1, 2 * TIRED_MAX * CEL__CREDIT);
        is_over = true;
    }
}

/* A large write counts by its bytes. */
static void *never_waits_to_write(void *arg)
{
    static const char piece[PIECE];
    struct cel_stream *s;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    assert_int_equal(cel_stream_open(&s, fd, true), 0);
    while (!is_over) {
        assert_int_equal(cel_write(s, piece, sizeof piece), sizeof piece);
        done++;
    }
    cel_close(s);
    return arg;
}

IN_TASK(newcomer_waits_for_few_of_many_that_write_much)
{
    CEL_SCOPE (all) {
        begin(never_waits_to_write, MANY);
        assert_in_range(done_in_one_wait(2 * MANY * PIECES_EACH), 1, 2 * TIRED_MAX * PIECES_EACH);
        is_over = true;
    }
}

/* Those that wait each time are never tired, and there are always some of them ready. */
static void *passes_on(void *arg)
{
    struct cel_chan *chan = arg;
    int value = 0;

    while (!is_over && cel_chan_send(chan, &value) == 0)
        continue;
    cel_chan_close(chan);
    return NULL;
}

static void *takes(void *arg)
{
    struct cel_chan *chan = arg;
    int value;

    while (cel_chan_recv(chan, &value) == 0)
        continue;
    return NULL;
}

IN_TASK(tired_among_endless_newcomers_gets_its_share)
{
    struct cel_chan *chans[MANY / 2];
    uint32_t turn;

    CEL_SCOPE (all) {
        begin(never_waits, 1);
        for (int i = 0; i < MANY / 2; i++) {
            assert_int_equal(cel_chan_new(&chans[i], sizeof(int), 0), 0);
            assert_int_equal(cel_go(passes_on, chans[i]), 0);
            assert_int_equal(cel_go(takes, chans[i]), 0);
        }
        assert_int_equal(cel_sleep(1), 0);
        turn = turns();
        done = 0;
        while (done < 20 * CEL__CREDIT)
            assert_int_equal(cel_sleep(1), 0);
        /* for each share it waits for the ring, once */
        assert_in_range(turns() - turn, 1, 22 * (MANY / TURN_MAX + 2));
        is_over = true;
    }
    for (int i = 0; i < MANY / 2; i++)
        cel_chan_free(chans[i]);
}

/* Whose write ends only when the peer has read, but moves much each time. */
struct pair {
    struct cel_stream *writer, *reader;
};

static uint32_t last_turn;
static unsigned in_turn, in_turn_most;

static void *writes_much(void *arg)
{
    static const char much[4 * PIECE];
    struct pair *p = arg;

    while (!is_over && cel_write(p->writer, much, sizeof much) == sizeof much) {
        done++;
        in_turn = turns() == last_turn ? in_turn + 1 : 1;
        last_turn = turns();
        in_turn_most = in_turn > in_turn_most ? in_turn : in_turn_most;
    }
    assert_int_equal(cel_shutdown(p->writer), 0);
    return NULL;
}

static void *reads_all(void *arg)
{
    struct pair *p = arg;
    char buf[4096];

    while (cel_read(p->reader, buf, sizeof buf) > 0)
        continue;
    return NULL;
}

IN_TASK(few_whose_writes_end_late_go_on_in_a_turn)
{
    static struct pair pairs[64];

    is_over = false;
    done = in_turn = in_turn_most = 0;
    CEL_SCOPE (all) {
        for (int i = 0; i < 64; i++) {
            assert_int_equal(cel_stream_pair(&pairs[i].writer, &pairs[i].reader), 0);
            assert_int_equal(cel_go(writes_much, &pairs[i]), 0);
            assert_int_equal(cel_go(reads_all, &pairs[i]), 0);
        }
        while (done < 4 * 64)
            assert_int_equal(cel_yield(), 0);
        is_over = true;
    }
    assert_in_range(in_turn_most, 1, TIRED_MAX);
    for (int i = 0; i < 64; i++) {
        cel_close(pairs[i].writer);
        cel_close(pairs[i].reader);
    }
}

/* Who accepts lets newcomers in, and does not stand with the tired. */
IN_TASK(acceptor_among_the_tired_takes_in_all_at_once)
{
    static struct cel_stream *clients[DOOR], *served[DOOR];
    struct cel_listener *l;
    uint32_t turn;

    assert_int_equal(cel_listen(&l, "127.0.0.1:0", NULL), 0);
    for (int i = 0; i < DOOR; i++)
        assert_int_equal(cel_connect(&clients[i], cel_listener_address(l), NULL), 0);
    CEL_SCOPE (all) {
        begin(never_waits, MANY);
        while (done < 2 * MANY * CEL__CREDIT)
            assert_int_equal(cel_sleep(1), 0);
        turn = turns();
        for (int i = 0; i < DOOR; i++)
            assert_int_equal(cel_accept(l, &served[i]), 0);
        assert_in_range(turns() - turn, 0, 2 * (DOOR / CEL__CREDIT + 1));
        is_over = true;
    }
    for (int i = 0; i < DOOR; i++) {
        cel_close(clients[i]);
        cel_close(served[i]);
    }
    cel_listener_close(l);
}

/* One that often finds its result at once does not pay for what others took before it. */
static unsigned long mine, mine_late;

static void *takes_few(void *arg)
{
    struct cel_chan *chan;
    int value = 0;

    assert_int_equal(cel_chan_new(&chan, sizeof value, 1), 0);
    while (!is_over) {
        uint32_t turn;

        assert_int_equal(cel_sleep(1), 0);
        turn = turns();
        for (int i = 0; i < CEL__CREDIT / 4; i++) {
            assert_int_equal(cel_chan_send(chan, &value), 0);
            assert_int_equal(cel_chan_recv(chan, &value), 0);
        }
        mine++;
        mine_late += turns() != turn;
    }
    cel_chan_free(chan);
    return arg;
}

IN_TASK(share_of_one_is_not_used_up_by_others)
{
    mine = mine_late = 0;
    CEL_SCOPE (all) {
        begin(never_waits, 10);
        for (int i = 0; i < 10; i++)
            assert_int_equal(cel_go(takes_few, NULL), 0);
        while (mine < 1000)
            assert_int_equal(cel_sleep(1), 0);
        is_over = true;
    }
    assert_int_equal(mine_late, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newcomer_waits_for_few_of_many_that_never_wait),
        cmocka_unit_test(newcomer_waits_for_few_of_many_that_write_much),
        cmocka_unit_test(tired_among_endless_newcomers_gets_its_share),
        cmocka_unit_test(few_whose_writes_end_late_go_on_in_a_turn),
        cmocka_unit_test(acceptor_among_the_tired_takes_in_all_at_once),
        cmocka_unit_test(share_of_one_is_not_used_up_by_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
