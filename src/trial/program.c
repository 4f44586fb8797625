/* SPDX-License-Identifier: MIT */
/* A program is known by the build id that the linker puts into it. */
#include "trial/program.h"

#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/sys.h"

#define ID_BYTES 4

static char name[64], command[1024];

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

/* -> the id in a segment of notes; NULL. */
static const unsigned char *find_id(const unsigned char *at, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)at;
        size_t len = sizeof *note + padded(note->n_namesz) + padded(note->n_descsz);

        if (len > size)
            return NULL;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz >= ID_BYTES &&
            memcmp(note + 1, "GNU", 4) == 0)
            return at + sizeof *note + padded(note->n_namesz);
        at += len;
        size -= len;
    }
    return NULL;
}

/* The first object is the program itself. */
static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    const unsigned char **id = arg;

    for (int i = 0; i < info->dlpi_phnum && *id == NULL; i++)
        if (info->dlpi_phdr[i].p_type == PT_NOTE)
            *id = find_id((const unsigned char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
                          info->dlpi_phdr[i].p_memsz);
    return 1;
}

static void note_name(void)
{
    const unsigned char *id = NULL;

    (void)dl_iterate_phdr(look, &id);
    if (id == NULL)
        (void)snprintf(name, sizeof name, "%s", CEL__VERSION);
    else
        (void)snprintf(name, sizeof name, "%s-%02x%02x%02x%02x", CEL__VERSION, id[0], id[1], id[2],
                       id[3]);
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./=,:+@%";

    return *word != '\0' && word[strspn(word, plain)] == '\0';
}

/* 'word', with a quote in it as '\''. -> the length; `cap` when it does not fit. */
static size_t quote(const char *word, char *out, size_t cap)
{
    size_t len = 0;

    if (is_plain(word))
        return cel__min((size_t)snprintf(out, cap, "%s", word), cap);
    for (const char *at = word; len + 7 < cap; at++) {
        if (at == word)
            out[len++] = '\'';
        if (*at == '\0') {
            out[len++] = '\'';
            out[len] = '\0';
            return len;
        }
        if (*at == '\'') {
            memcpy(out + len, "'\\''", 4);
            len += 4;
        } else {
            out[len++] = *at;
        }
    }
    return cap;
}

/* -> whether it fits. */
static bool join(const char *words, size_t n)
{
    size_t len = 0;

    for (const char *word = words; word < words + n; word += strlen(word) + 1) {
        if (len > 0 && len + 1 < sizeof command)
            command[len++] = ' ';
        len += quote(word, command + len, sizeof command - len);
        if (len >= sizeof command)
            return false;
    }
    return true;
}

static void note_command(void)
{
    char words[sizeof command];
    int fd = cel__sys.openat(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    ssize_t n = fd < 0 ? -1 : cel__sys.read(fd, words, sizeof words);

    if (fd >= 0)
        cel__sys.close(fd);
    if (n <= 0 || n == (ssize_t)sizeof words || words[n - 1] != '\0' || !join(words, (size_t)n))
        command[0] = '\0';
}

static void note(void)
{
    note_name();
    note_command();
}

void cel__program_note(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, note);
}

const char *cel__program_build(void)
{
    return name;
}

const char *cel__program_command(void)
{
    return command;
}
