/* SPDX-License-Identifier: MIT */
/* No rare path of the library is dead: over some seeds of the plays each of them is taken. */
#include <stdio.h>
#include <string.h>

#include "base/buggify.h"
#include "plays.h"
#include "support/check.h"

#define ROUNDS 300 /* of a seed of each play, at most: some places are seldom come to */

/* A place in a header is taken when it is in any of the files that include it. */
static bool is_taken(const struct cel__rare *places, size_t count, const struct cel__rare *place)
{
    for (size_t i = 0; i < count; i++)
        if (places[i].line == place->line && strcmp(places[i].file, place->file) == 0 &&
            places[i].taken > 0)
            return true;
    return false;
}

static const struct cel__rare *find_untaken(void)
{
    size_t count;
    const struct cel__rare *places = cel__rare_places(&count);

    for (size_t i = 0; i < count; i++)
        if (!is_taken(places, count, &places[i]))
            return &places[i];
    return NULL;
}

static int run_all(uint64_t seed)
{
    int r = 0;

    for (size_t i = 0; i < play_count && r == 0; i++) {
        struct cel_sim_options o;

        cel_sim_options_draw(&o, seed);
        o.buggify = 1;
        r = cel_sim_run(seed, &o, plays[i].run, NULL, NULL);
    }
    return r;
}

static void every_rare_path_is_taken(void **state)
{
    const struct cel__rare *left = find_untaken();
    size_t count;
    uint64_t seed = 1;

    (void)cel__rare_places(&count);
    assert_true(count >= 10);
    for (; left != NULL && seed <= ROUNDS; seed++) {
        assert_int_equal(run_all(seed), 0);
        left = find_untaken();
    }
    if (left != NULL)
        fail_msg("%s:%lld is never taken", left->file, (long long)left->line);
    print_message("# %llu seeds of each play\n", (unsigned long long)seed - 1);
}

static void hush(enum cel_log_level level, const char *line, void *arg)
{
    if (level == CEL_LOG_ERROR)
        print_error("%s\n", line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rare_path_is_taken)};

    cel_set_log(hush, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
