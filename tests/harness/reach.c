/* SPDX-License-Identifier: MIT */
/* Counters behind the gates of parks.py. The scenarios' tasks run on one thread; those that stand
 * in a function are counted, whoever they are: between two slices all tasks stand somewhere. */
#include "harness/reach.h"

#include <string.h>

#include "support/check.h"

#define FUNCTIONS_MAX 512

#ifdef __x86_64__
extern const unsigned reach_count;
extern unsigned reach_passed[]; /* of those that are told of before only */
extern const char reach_names[];
#else /* no gates are made there */
static const unsigned reach_count;
static const unsigned reach_passed[1];
static const char reach_names[1];
#endif

/* Called by the gates. */
void reach_enter(unsigned at);
void reach_leave(unsigned at);

static struct {
    unsigned entered, inside;
    unsigned parked, struck;
} functions[FUNCTIONS_MAX];

void reach_enter(unsigned at)
{
    assert_true(at < FUNCTIONS_MAX);
    functions[at].entered++;
    functions[at].inside++;
}

void reach_leave(unsigned at)
{
    functions[at].inside--;
}

void reach_note_slice(void)
{
    for (unsigned i = 0; i < reach_count; i++)
        functions[i].parked += functions[i].inside > 0;
}

void reach_note_strike(void)
{
    for (unsigned i = 0; i < reach_count; i++)
        functions[i].struck += functions[i].inside > 0;
}

void reach_list(FILE *out)
{
    const char *name = reach_names;

    for (unsigned i = 0; i < reach_count; i++, name += strlen(name) + 1) {
        if (functions[i].entered + reach_passed[i] > 0)
            fprintf(out, "entered %s\n", name);
        if (functions[i].parked > 0)
            fprintf(out, "parked %s\n", name);
        if (functions[i].struck > 0)
            fprintf(out, "struck %s\n", name);
    }
}
