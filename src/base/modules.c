/* SPDX-License-Identifier: MIT */
/* Read from /proc/self/maps, by plain system calls: the loader's own list is behind a lock that a
 * signal handler, or a process about to die, must not wait for.
 *
 * 1. Modules are only added: those below `module_count` do not change any more.
 * 2. One notes at a time; who comes meanwhile makes do with what is there, for it may be the same
 *    thread, interrupted.
 * 3. Files are taken as they come: whatever in them points outside of them counts as not there, and
 *    a file that is not what was loaded (an upgrade put another in its place) is not used. */
#include "base/modules.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cc.h"

#define MODULES_MAX 128
#define LINE_MAX_   4352 /* a path and what stands before it */

static struct cel__module modules[MODULES_MAX];
static unsigned module_count; /* atomic */
static int is_noting;         /* atomic */

/* A line of the maps: code, or the beginning of a file. */
struct area {
    uintptr_t from, to, offset;
    bool is_readable, is_code;
    char *path;
};

/* What is asked of the kernel here is meant for the real one, also on a simulated machine, and must
 * not park the task that a blocking call of a program's library would. */
static int open_file(const char *path)
{
    /* lint: seam: the real machine's files */
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

static long read_some(int fd, char *to, size_t size)
{
    /* lint: seam: the real machine's files */
    return syscall(SYS_read, fd, to, size);
}

static void close_file(int fd)
{
    /* lint: seam: the real machine's files */
    (void)syscall(SYS_close, fd);
}

static const char *map_file(int fd, size_t *size)
{
    struct stat st;
    void *file;

    /* lint: seam: the real machine's files */
    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        return NULL;
    *size = (size_t)st.st_size;
    /* lint: seam: the real machine's files */
    file = (void *)syscall(SYS_mmap, NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    return file != MAP_FAILED ? file : NULL;
}

static void unmap_file(const char *file, size_t size)
{
    /* lint: seam: the real machine's files */
    (void)syscall(SYS_munmap, file, size);
}

/* ---- what is in a file ---- */

static bool is_inside(size_t size, uint64_t offset, uint64_t bytes)
{
    return bytes <= size && offset <= size - bytes;
}

static bool is_elf(const char *file, size_t size)
{
    const Elf64_Ehdr *head = (const void *)file;

    return size >= sizeof *head && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
           head->e_ident[EI_CLASS] == ELFCLASS64 && head->e_phentsize == sizeof(Elf64_Phdr) &&
           head->e_phoff % 8 == 0 &&
           is_inside(size, head->e_phoff, (uint64_t)head->e_phnum * sizeof(Elf64_Phdr));
}

/* The table of the kind, with the names that belong to it. */
static bool find_table(struct cel__module *m, uint32_t kind)
{
    const Elf64_Ehdr *head = (const void *)m->file;
    const Elf64_Shdr *sections = (const void *)(m->file + head->e_shoff);
    size_t size = m->file_bytes;

    if (head->e_shentsize != sizeof *sections || head->e_shoff % 8 != 0 ||
        !is_inside(size, head->e_shoff, (uint64_t)head->e_shnum * sizeof *sections))
        return false;
    for (unsigned i = 0; i < head->e_shnum; i++) {
        const Elf64_Shdr *s = &sections[i], *names;

        if (s->sh_type != kind || s->sh_link >= head->e_shnum || s->sh_offset % 8 != 0 ||
            !is_inside(size, s->sh_offset, s->sh_size))
            continue;
        names = &sections[s->sh_link];
        if (names->sh_size == 0 || !is_inside(size, names->sh_offset, names->sh_size) ||
            m->file[names->sh_offset + names->sh_size - 1] != '\0')
            continue;
        m->symbols = (const void *)(m->file + s->sh_offset);
        m->symbol_count = s->sh_size / sizeof *m->symbols;
        m->names = m->file + names->sh_offset;
        m->names_bytes = names->sh_size;
        return true;
    }
    return false;
}

static const Elf64_Phdr *program_headers(const struct cel__module *m, unsigned *count)
{
    const Elf64_Ehdr *head = (const void *)m->file;

    *count = head->e_phnum;
    return (const void *)(m->file + head->e_phoff);
}

/* What leads to the call frame information, and the segment that holds both. */
static void find_unwind(struct cel__module *m)
{
    unsigned count;
    const Elf64_Phdr *p = program_headers(m, &count), *found = NULL;

    for (unsigned i = 0; i < count; i++)
        if (p[i].p_type == PT_GNU_EH_FRAME)
            found = &p[i];
    for (unsigned i = 0; i < count && found != NULL; i++) {
        if (p[i].p_type != PT_LOAD || !is_inside(m->file_bytes, p[i].p_offset, p[i].p_filesz) ||
            found->p_vaddr < p[i].p_vaddr ||
            !is_inside(p[i].p_filesz, found->p_vaddr - p[i].p_vaddr, found->p_memsz))
            continue;
        m->unwind = found;
        m->segment = &p[i];
        return;
    }
}

static bool find_base(struct cel__module *m, uintptr_t offset)
{
    unsigned count;
    const Elf64_Phdr *p = program_headers(m, &count);

    for (unsigned i = 0; i < count; i++) {
        if (p[i].p_type != PT_LOAD || !(p[i].p_flags & PF_X) ||
            offset + (m->to - m->from) <= p[i].p_offset || offset >= p[i].p_offset + p[i].p_filesz)
            continue;
        m->base = m->from - offset + p[i].p_offset - p[i].p_vaddr;
        return true;
    }
    return false;
}

static void find_tables(struct cel__module *m, const struct area *area)
{
    if (!is_elf(m->file, m->file_bytes) || !find_base(m, area->offset)) {
        m->file = NULL;
        return;
    }
    if (!find_table(m, SHT_SYMTAB))
        (void)find_table(m, SHT_DYNSYM);
    find_unwind(m);
}

/* ---- what is loaded ---- */

/* Whether the file begins as what was loaded from one of its name does. */
static bool is_loaded(const char *file, size_t size, const struct area *beginning)
{
    return size >= sizeof(Elf64_Ehdr) && beginning->is_readable &&
           memcmp(file, (const void *)beginning->from, sizeof(Elf64_Ehdr)) == 0;
}

static bool take_file(struct cel__module *m, const char *path, const struct area *beginning)
{
    int fd = open_file(path);

    if (fd < 0)
        return false;
    m->file = map_file(fd, &m->file_bytes);
    close_file(fd);
    if (m->file == NULL || is_loaded(m->file, m->file_bytes, beginning))
        return m->file != NULL;
    unmap_file(m->file, m->file_bytes);
    m->file = NULL;
    return false;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void note_area(const struct area *area, const struct area *beginning)
{
    unsigned at = module_count;
    struct cel__module *m = &modules[at];

    if (at == MODULES_MAX || cel__module_of(area->from) != NULL)
        return;
    *m =
        (struct cel__module){.base = area->from - area->offset, .from = area->from, .to = area->to};
    strncpy(m->name, last_part(area->path), sizeof m->name - 1);
    if (strcmp(area->path, "[vdso]") == 0) {
        m->file = (const void *)area->from; /* it is what it is loaded from */
        m->file_bytes = area->to - area->from;
    } else if (area->path[0] != '/' || !(take_file(m, area->path, beginning) ||
                                         take_file(m, "/proc/self/exe", beginning))) {
        m->file = NULL;
    }
    if (m->file != NULL)
        find_tables(m, area);
    __atomic_store_n(&module_count, at + 1, __ATOMIC_RELEASE);
}

static uintptr_t take_hex(char **at)
{
    uintptr_t n = 0;

    for (;; (*at)++) {
        if (**at >= '0' && **at <= '9')
            n = n << 4 | (uintptr_t)(**at - '0');
        else if (**at >= 'a' && **at <= 'f')
            n = n << 4 | (uintptr_t)(**at - 'a' + 10);
        else
            return n;
    }
}

/* "from-to rwxp offset device inode   path" */
static bool take_area(struct area *area, char *line)
{
    char *at = line;

    area->from = take_hex(&at);
    if (*at++ != '-')
        return false;
    area->to = take_hex(&at);
    if (*at++ != ' ' || strlen(at) < 5)
        return false;
    area->is_readable = at[0] == 'r';
    area->is_code = at[2] == 'x';
    at += 5;
    area->offset = take_hex(&at);
    area->path = strpbrk(at, "/[");
    return area->path != NULL;
}

/* The beginning of a file comes before its code. */
static void note_line(char *line, struct area *beginning, char *beginning_path)
{
    struct area area;

    if (!take_area(&area, line))
        return;
    if (area.offset == 0) {
        *beginning = area;
        strncpy(beginning_path, area.path, LINE_MAX_ - 1);
    }
    if (!area.is_code)
        return;
    if (strncmp(beginning_path, area.path, LINE_MAX_ - 1) != 0)
        beginning->is_readable = false;
    note_area(&area, beginning);
}

static void note_all(int fd)
{
    static char text[2 * LINE_MAX_], beginning_path[LINE_MAX_]; /* who notes is alone */
    struct area beginning = {0};
    size_t len = 0;
    long n;

    while ((n = read_some(fd, text + len, sizeof text - 1 - len)) > 0) {
        char *line = text, *end;

        len += (size_t)n;
        text[len] = '\0';
        while ((end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            note_line(line, &beginning, beginning_path);
            line = end + 1;
        }
        len -= (size_t)(line - text);
        memmove(text, line, len);
        if (len == sizeof text - 1)
            len = 0; /* no line is that long */
    }
}

void cel__modules_note(void)
{
    int fd;

    if (__atomic_exchange_n(&is_noting, 1, __ATOMIC_ACQUIRE) != 0)
        return;
    fd = open_file("/proc/self/maps");
    if (fd >= 0) {
        note_all(fd);
        close_file(fd);
    }
    __atomic_store_n(&is_noting, 0, __ATOMIC_RELEASE);
}

const struct cel__module *cel__module_of(uintptr_t address)
{
    unsigned count = __atomic_load_n(&module_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++)
        if (address >= modules[i].from && address < modules[i].to)
            return &modules[i];
    return NULL;
}

int cel__modules_known(void)
{
    return __atomic_load_n(&module_count, __ATOMIC_ACQUIRE) != 0;
}
