/* SPDX-License-Identifier: MIT */
/* Runs the programs of some seeds (twin.h) on the backend that the environment names.
 *
 *   soak_twin FIRST COUNT [text]
 *
 * A line for each: its seed, hashes of what it was to do and of what came of it, and how many steps
 * it had. With a third argument also what they were, for a look at what differs. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "twin.h"

#define SUBJECTS_MAX 4
#define PERIOD       251 /* a prime: no buffer's length is a multiple of it */

struct named_subject {
    const char *name;
    subject_fn *run;
};

static const struct named_subject kinds[] = {
    {"talk", talk},      {"mail", mail},          {"doors", visit_doors},  {"files", keep_files},
    {"time", keep_time}, {"values", pass_values}, {"scopes", nest_scopes}, {"threads", use_threads},
    {"web", surf},       {"talk", talk}, /* the most is to be seen there */
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- chance, and bytes ---- */

uint64_t draw(struct subject *s, uint64_t bound)
{
    uint64_t z = (s->chance += 0x9e3779b97f4a7c15u); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
}

size_t draw_size(struct subject *s, size_t bound)
{
    size_t most = 1;

    for (uint64_t bits = draw(s, 24); bits > 0 && most < bound; bits--)
        most *= 2;
    return (size_t)draw(s, most < bound ? most : bound);
}

uint64_t hash_of(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static char row[BYTES_MAX + PERIOD];

static void fill_row(void)
{
    for (size_t i = 0; i < sizeof row; i++)
        row[i] = (char)(i % PERIOD);
}

const char *bytes_from(uint64_t at)
{
    return row + at % PERIOD;
}

/* ---- traces ---- */

const char *told(int64_t result)
{
    static char texts[8][32];
    static unsigned next;
    char *text = texts[next++ % 8];

    if (result < 0 && result > -5000)
        return cel_errname((int)result);
    snprintf(text, sizeof texts[0], "%" PRId64, result);
    return text;
}

void does(struct subject *s, const char *fmt, ...)
{
    char text[400];
    va_list va;

    va_start(va, fmt);
    vsnprintf(text, sizeof text, fmt, va);
    va_end(va);
    s->script = s->script * 0x100000001b3u ^ hash_of(text, strlen(text));
    s->steps++;
    fprintf(s->trace, "\n%u: %s:", s->number, text);
}

void got(struct subject *s, const char *fmt, ...)
{
    va_list va;

    fputc(' ', s->trace);
    va_start(va, fmt);
    vfprintf(s->trace, fmt, va);
    va_end(va);
}

/* ---- cases ---- */

struct part {
    struct subject subject;
    const struct named_subject *kind;
    char *text;
    size_t len;
};

static void *run_part(void *arg)
{
    struct part *p = arg;

    does(&p->subject, "%s", p->kind->name);
    p->kind->run(&p->subject); /* parks */
    return NULL;
}

static int begin_part(struct part *p, struct subject *chance, unsigned number)
{
    p->kind = &kinds[draw(chance, KINDS)];
    p->subject = (struct subject){
        .chance = draw(chance, UINT64_MAX), .number = number, .seed = chance->seed};
    p->subject.trace = open_memstream(&p->text, &p->len);
    if (p->subject.trace == NULL)
        return -1;
    return cel_spawn_with(run_part, p, .is_detached = true, .stack_size_bytes = 256 << 10) != NULL
               ? 0
               : -1;
}

static int run_case(unsigned long seed, bool is_told)
{
    struct part parts[SUBJECTS_MAX] = {0};
    struct subject chance = {.chance = seed * 7919, .seed = seed};
    unsigned count = 1 + (unsigned)draw(&chance, SUBJECTS_MAX), steps = 0;
    uint64_t script = 0, trace = 0;
    int r = 0;

    CEL_SCOPE (all)
        for (unsigned i = 0; i < count && r == 0; i++)
            r = begin_part(&parts[i], &chance, i);
    for (unsigned i = 0; i < count && r == 0; i++) {
        fclose(parts[i].subject.trace);
        script = script * 31 + parts[i].subject.script;
        trace = trace * 31 + hash_of(parts[i].text, parts[i].len);
        steps += parts[i].subject.steps;
    }
    printf("%lu %016" PRIx64 " %016" PRIx64 " %u\n", seed, script, trace, steps);
    for (unsigned i = 0; i < count; i++) {
        if (is_told)
            printf("%s\n", parts[i].text);
        free(parts[i].text);
    }
    return r;
}

static void *run_all(void *arg)
{
    char **argv = arg;
    unsigned long first = strtoul(argv[1], NULL, 10), count = strtoul(argv[2], NULL, 10);

    for (unsigned long i = 0; i < count; i++)
        if (run_case(first + i, argv[3] != NULL) < 0)
            return cel_fail(-ENOMEM, "the case of seed %lu", first + i);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: soak_twin FIRST COUNT [text]\n");
        return 2;
    }
    fill_row();
    return cel_run(run_all, argv, NULL) < 0;
}
