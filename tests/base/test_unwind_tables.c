/* SPDX-License-Identifier: MIT */
/* Backtraces read tables that somebody else has written, in signal handlers: whatever stands in
 * them, nothing is read outside of the file and of the stack. The tables are this program's own,
 * first as they are and then spoiled. */
#include "base/cfi.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/modules.h"
#include "base/rand.h"
#include "base/unwind.h"
#include "support/check.h"

#define SPOILED 2000

static const struct cel__module *self(void)
{
    const struct cel__module *m;

    cel__modules_note();
    m = cel__module_of((uintptr_t)self);
    assert_non_null(m);
    assert_non_null(m->file);
    assert_non_null(m->unwind);
    return m;
}

static void address_belongs_to_the_module_that_holds_it(void **state)
{
    const struct cel__module *m = self();

    assert_true((uintptr_t)self >= m->from && (uintptr_t)self < m->to);
    assert_non_null(cel__module_of((uintptr_t)write)); /* libc's, or in a static program ours */
    assert_null(cel__module_of((uintptr_t)&m));        /* a stack is nobody's code */
    assert_null(cel__module_of(0));
    assert_int_equal(cel__modules_known(), 1);
}

/* At the first instruction of a function, its caller's frame is where the call left it. */
static void rules_at_a_functions_beginning_are_the_calls(void **state)
{
    const struct cel__module *m = self();
    struct cel__cfi_row row;

    assert_true(cel__cfi_find(m, (uintptr_t)self, &row));
    assert_int_equal(row.frame.how, CEL__CFI_SUM);
    assert_int_equal(row.frame_reg, CEL__CFI_SP);
#if defined(__x86_64__)
    assert_int_equal(row.frame.value, 8);
    assert_int_equal(row.return_reg, 16);
    assert_int_equal(row.reg[16].how, CEL__CFI_AT);
    assert_int_equal(row.reg[16].value, -8);
#endif
    assert_false(cel__cfi_find(m, m->base, &row)); /* before all code */
    assert_false(cel__cfi_find(NULL, (uintptr_t)self, &row));
}

__attribute__((noinline)) static size_t frames_here(uintptr_t *frames, size_t max)
{
    char here;
    struct cel__extent stack = {(uintptr_t)&here - 4096, (uintptr_t)&here + 65536};

    return cel__unwind_all(cel__unwind_here(), stack, frames, max);
}

static void frames_lead_to_main_and_no_further(void **state)
{
    uintptr_t frames[64];
    size_t count = frames_here(frames, 64);

    assert_true(count >= 4 && count < 64);
    assert_true(frames[0] - (uintptr_t)frames_here < 4096);
    assert_true(frames[1] - (uintptr_t)frames_lead_to_main_and_no_further < 4096);
    assert_int_equal(frames_here(frames, 2), 2);
    assert_int_equal(frames_here(frames, 0), 0);
}

static void stack_without_room_has_one_frame(void **state)
{
    uintptr_t frames[8];

    self();
    assert_int_equal(cel__unwind_all(cel__unwind_here(), (struct cel__extent){0, 0}, frames, 8), 1);
}

/* A copy whose segment ends where memory does, so that reading on is a fault. */
static char *copy_at_the_edge(const struct cel__module *m, size_t bytes, char **mapping,
                              size_t *mapped)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    char *at = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at + room, page, PROT_NONE), 0);
    *mapping = at;
    *mapped = room + page;
    memcpy(at + room - bytes, m->file + m->segment->p_offset, bytes);
    return at + room - bytes;
}

static void spoiled_tables_are_survived(void **state)
{
    const struct cel__module *m = self();
    size_t bytes = m->segment->p_filesz, mapped, found = 0;
    size_t head = m->unwind->p_vaddr - m->segment->p_vaddr;
    struct cel__module spoiled = *m;
    Elf64_Phdr segment = *m->segment;
    struct cel__rand dice;
    char *mapping, *copy = copy_at_the_edge(m, bytes, &mapping, &mapped);

    cel__rand_seed(&dice, 7);
    segment.p_offset = 0;
    spoiled.file = copy;
    spoiled.segment = &segment;
    for (int i = 0; i < SPOILED; i++) {
        size_t at = head + cel__rand_below(&dice, bytes - head);
        size_t count = 1 + cel__rand_below(&dice, 8);
        uintptr_t pc = m->from + cel__rand_below(&dice, m->to - m->from);
        struct cel__cfi_row row;

        for (size_t k = at; k < at + count && k < bytes; k++)
            copy[k] = (char)cel__rand_next(&dice);
        for (int k = 0; k < 50; k++)
            found += cel__cfi_find(&spoiled, pc + (uintptr_t)k * 16, &row);
    }
    assert_true(found > 0);
    assert_int_equal(munmap(mapping, mapped), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_belongs_to_the_module_that_holds_it),
        cmocka_unit_test(rules_at_a_functions_beginning_are_the_calls),
        cmocka_unit_test(frames_lead_to_main_and_no_further),
        cmocka_unit_test(stack_without_room_has_one_frame),
        cmocka_unit_test(spoiled_tables_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
