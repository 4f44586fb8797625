/* SPDX-License-Identifier: MIT */
/* A file on a disk that is full now and then and at times fails: what was said to be written is
 * there when it is read, until a sync fails; then what was lost stays lost. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "celadon/file.h"
#include "celadon/task.h"
#include "plays.h"

#define RECORDS 40
#define SIZE    300

static void fill(unsigned char *bytes, unsigned nth)
{
    for (unsigned k = 0; k < SIZE; k++)
        bytes[k] = (unsigned char)(nth * 13 + k);
}

static bool is_disk_error(ssize_t r)
{
    return r == -EIO || r == -ENOSPC;
}

/* -> 0: it is there as written, or the disk says that it cannot tell. */
static int check(struct cel_file *file, unsigned nth)
{
    unsigned char want[SIZE], have[SIZE];
    size_t done = 0;

    fill(want, nth);
    while (done < SIZE) {
        ssize_t n = cel_file_read(file, have + done, SIZE - done, (int64_t)(nth * SIZE + done));

        if (n <= 0)
            return is_disk_error(n) ? 0 : -EPROTO;
        done += (size_t)n;
    }
    return memcmp(want, have, SIZE) == 0 ? 0 : -EPROTO;
}

static void *use(struct cel_file *file)
{
    bool is_written[RECORDS] = {false};
    unsigned char bytes[SIZE];
    int sync_error = 0;

    for (unsigned i = 0; i < RECORDS; i++) {
        ssize_t n;
        int r;

        fill(bytes, i);
        n = cel_file_write(file, bytes, SIZE, (int64_t)i * SIZE);
        HOLDS(n == SIZE || is_disk_error(n));
        is_written[i] = n == SIZE;
        r = cel_file_sync(file);
        HOLDS(r == 0 || is_disk_error(r));
        HOLDS(sync_error == 0 || r == sync_error);
        if (sync_error == 0 && r < 0) /* this record and what is left of earlier ones */
            memset(is_written, 0, sizeof is_written);
        sync_error = r;
    }
    for (unsigned i = 0; i < RECORDS; i++)
        HOLDS(!is_written[i] || check(file, i) == 0);
    return NULL;
}

static bool is_shortage(int r)
{
    return r == -EMFILE || is_disk_error(r);
}

void *play_files(void *arg)
{
    struct cel_file *file;
    int r;

    while ((r = cel_file_open(&file, "/tmp", O_TMPFILE | O_RDWR, 0600)) < 0)
        HOLDS(is_shortage(r));
    (void)use(file);
    cel_file_close(file);
    return NULL;
}
