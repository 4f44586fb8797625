/* SPDX-License-Identifier: MIT */
#ifndef CEL__MODULES_H
#define CEL__MODULES_H

/* The ELF files behind the process: whose code an address is in, and the tables of that file. Safe
 * in signal handlers, as everything here: no lock that anybody waits for, no memory of the heap,
 * nothing of the loader. */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

struct cel__module {
    uintptr_t base;     /* what the file's addresses are counted from */
    uintptr_t from, to; /* its code */
    char name[48];
    const char *file; /* mapped for good; NULL: not to be had */
    size_t file_bytes;
    const Elf64_Sym *symbols;
    size_t symbol_count;
    const char *names;
    size_t names_bytes;
    const Elf64_Phdr *unwind;  /* of .eh_frame_hdr, NULL: none */
    const Elf64_Phdr *segment; /* which that lies in */
};

/* Looks for what is loaded now; again: for what has been loaded since. What cannot be read has a
 * name and no tables. */
void cel__modules_note(void);
/* NULL: nobody's, or not noted. */
const struct cel__module *cel__module_of(uintptr_t address);
/* Whether anything was noted. */
int cel__modules_known(void);

#endif
