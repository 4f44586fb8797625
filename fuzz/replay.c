/* SPDX-License-Identifier: MIT */
/* Feeds every file of a folder to a fuzz target, in the order of their names, so that what a
 * fuzzer once found stays found without a fuzzer. A missing folder is an empty one. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay(const char *folder, const char *name)
{
    char path[4096];
    uint8_t *bytes;
    size_t len;
    FILE *f;
    long end;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) < 0 || (end = ftell(f)) < 0) {
        perror(path);
        return 1;
    }
    rewind(f);
    /* The block has the input's exact size, so that reading past its end is seen. */
    bytes = malloc(end > 0 ? (size_t)end : 1);
    len = bytes != NULL ? fread(bytes, 1, (size_t)end, f) : 0;
    fclose(f);
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int failed = 0;
    int n = argc == 2 ? scandir(argv[1], &entries, is_file, alphasort) : 0;

    for (int i = 0; i < n; i++) {
        failed |= replay(argv[1], entries[i]->d_name);
        free(entries[i]);
    }
    if (n > 0)
        free(entries);
    printf("%d inputs replayed\n", n > 0 ? n : 0);
    return failed;
}
