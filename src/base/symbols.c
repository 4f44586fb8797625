/* SPDX-License-Identifier: MIT */
/* The ELF files behind the process, mapped for good. An address belongs to the module whose
 * executable segment holds it; its name is looked for in that module's symbol table.
 *
 * Files are taken as they come: whatever in them points outside of them counts as not there. */
#include "base/symbols.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

#include "base/cc.h"
#include "base/sys.h"

#define MODULES_MAX 64

struct cel__module {
    uintptr_t base; /* what the file's addresses are counted from */
    uintptr_t from, to;
    char name[48];
    const Elf64_Sym *symbols;
    size_t symbol_count;
    const char *names;
    size_t names_bytes;
};

static struct cel__module modules[MODULES_MAX];
static unsigned module_count; /* atomic: those below it do not change any more */
static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* The table of the kind in a file of `size` bytes, with the names that belong to it. */
static bool find_table(struct cel__module *m, const char *file, size_t size, uint32_t kind)
{
    const Elf64_Ehdr *head = (const void *)file;
    const Elf64_Shdr *sections = (const void *)(file + head->e_shoff);

    for (unsigned i = 0; i < head->e_shnum; i++) {
        const Elf64_Shdr *s = &sections[i], *names = &sections[s->sh_link];

        if (s->sh_type != kind || s->sh_link >= head->e_shnum || s->sh_size > size ||
            s->sh_offset > size - s->sh_size || names->sh_size > size || names->sh_size == 0 ||
            names->sh_offset > size - names->sh_size || s->sh_offset % 8 != 0 ||
            file[names->sh_offset + names->sh_size - 1] != '\0')
            continue;
        m->symbols = (const void *)(file + s->sh_offset);
        m->symbol_count = s->sh_size / sizeof *m->symbols;
        m->names = file + names->sh_offset;
        m->names_bytes = names->sh_size;
        return true;
    }
    return false;
}

static bool is_elf(const char *file, size_t size)
{
    const Elf64_Ehdr *head = (const void *)file;

    return size >= sizeof *head && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
           head->e_ident[EI_CLASS] == ELFCLASS64 && head->e_shentsize == sizeof(Elf64_Shdr) &&
           head->e_shoff % 8 == 0 && head->e_shoff < size &&
           head->e_shnum <= (size - head->e_shoff) / sizeof(Elf64_Shdr);
}

static void map_symbols(struct cel__module *m, const char *path)
{
    int fd = cel__sys.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    struct stat st;
    char *file = MAP_FAILED;
    size_t size = 0;

    if (fd < 0)
        return;
    if (cel__sys.fstat(fd, &st) == 0 && st.st_size > 0) {
        size = (size_t)st.st_size;
        file = cel__sys.mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)cel__sys.close(fd);
    if (file == MAP_FAILED)
        return;
    if (!is_elf(file, size) ||
        !(find_table(m, file, size, SHT_SYMTAB) || find_table(m, file, size, SHT_DYNSYM)))
        (void)cel__sys.munmap(file, size);
}

static const struct cel__module *module_of(uintptr_t address)
{
    unsigned count = __atomic_load_n(&module_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++)
        if (address >= modules[i].from && address < modules[i].to)
            return &modules[i];
    return NULL;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    bool is_program = info->dlpi_name == NULL || info->dlpi_name[0] == '\0';
    const char *path = is_program ? "/proc/self/exe" : info->dlpi_name;
    unsigned at = module_count;
    struct cel__module *m = &modules[at];

    if (at == MODULES_MAX)
        return 1;
    *m = (struct cel__module){.base = info->dlpi_addr};
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
            m->from = m->base + p->p_vaddr;
            m->to = m->from + p->p_memsz;
        }
    }
    if (m->from == 0 || module_of(m->from) != NULL)
        return 0;
    strncpy(m->name, is_program ? program_invocation_short_name : last_part(path),
            sizeof m->name - 1);
    map_symbols(m, path);
    __atomic_store_n(&module_count, at + 1, __ATOMIC_RELEASE);
    return 0;
}

void cel__symbols_note(void)
{
    (void)pthread_mutex_lock(&noting);
    (void)dl_iterate_phdr(note_object, NULL);
    (void)pthread_mutex_unlock(&noting);
}

static const Elf64_Sym *find_symbol(const struct cel__module *m, uintptr_t address)
{
    uintptr_t at = address - m->base;

    for (size_t i = 0; i < m->symbol_count; i++) {
        const Elf64_Sym *s = &m->symbols[i];

        if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && at - s->st_value < s->st_size &&
            s->st_name < m->names_bytes)
            return s;
    }
    return NULL;
}

void cel__symbols_tell(struct cel__symbols *known, struct cel__report *to, uintptr_t address)
{
    size_t at = address * UINT64_C(0x9e3779b97f4a7c15) >> 58;
    const struct cel__module *m;
    const Elf64_Sym *s;

    static_assert(cel__countof(known->recent) == 1 << (64 - 58), "the hash names a place");
    if (known->recent[at].address != address || known->recent[at].module == NULL) {
        m = module_of(address);
        known->recent[at].address = address;
        known->recent[at].module = m;
        known->recent[at].symbol = m != NULL ? find_symbol(m, address) : NULL;
    }
    m = known->recent[at].module;
    s = known->recent[at].symbol;
    if (m == NULL) {
        cel__report_hex(to, address);
        return;
    }
    cel__report_str(to, s != NULL ? m->names + s->st_name : m->name);
    cel__report_str(to, "+");
    cel__report_hex(to, address - m->base - (s != NULL ? s->st_value : 0));
    if (s == NULL)
        return;
    cel__report_str(to, " (");
    cel__report_str(to, m->name);
    cel__report_str(to, ")");
}
