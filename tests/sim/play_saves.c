/* SPDX-License-Identifier: MIT */
/* A program that saves its state over and over, and loses power in the middle of it: what it loads
 * afterwards is one of its states, whole, and none older than the last that was said to be saved. A
 * log beside it is renamed when it has grown; what was synced is in one of the two. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "celadon/file.h"
#include "plays.h"

#define LIVES     4
#define STATE_MAX 6000

struct keeper {
    unsigned begun, saved; /* states, by their numbers */
    unsigned renamed;      /* logs whose new name is kept */
};

static struct keeper keeper;

/* The length follows from the number, and so does each byte. */
static size_t state_bytes(unsigned nth, unsigned char *out)
{
    size_t len = 4 + (nth * 2654435761u >> 8) % (STATE_MAX - 4);

    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)(nth + i / 7);
    memcpy(out, &nth, sizeof nth);
    return len;
}

static int save_next(void)
{
    unsigned char bytes[STATE_MAX];
    unsigned nth = ++keeper.begun;
    int r = cel_file_save("/home/state", bytes, state_bytes(nth, bytes), 0600);

    if (r == 0)
        keeper.saved = nth;
    return r;
}

static int sync_folder(const char *path)
{
    struct cel_file *folder;
    int r = cel_file_open(&folder, path, O_RDONLY | O_DIRECTORY, 0);

    if (r < 0)
        return r;
    r = cel_file_sync(folder);
    cel_file_close(folder);
    return r;
}

/* A new file under its final name, which a crash leaves whole or not at all. */
static int turn_log(unsigned nth)
{
    char name[32], line[32];
    struct cel_file *log;
    int len = snprintf(line, sizeof line, "log %u\n", nth);
    ssize_t r = cel_file_open(&log, "/home/log", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (r < 0)
        return (int)r;
    r = cel_file_write(log, line, (size_t)len, 0);
    if (r >= 0)
        r = cel_file_sync_data(log);
    cel_file_close(log);
    snprintf(name, sizeof name, "/home/old/log.%u", nth);
    if (r >= 0)
        r = cel_path_rename("/home/log", name);
    if (r >= 0)
        r = sync_folder("/home/old");
    if (r >= 0)
        keeper.renamed = nth;
    return (int)r;
}

static void *work(void *arg)
{
    for (unsigned turn = 0; cel_checkpoint() == 0; turn++) {
        (void)save_next();
        if (turn % 3 == 2)
            (void)turn_log(keeper.renamed + 1);
        if (cel_sleep((int64_t)cel_sim_draw(20 * CEL_MILLISECOND)) < 0)
            break;
    }
    return NULL;
}

static void *check_state(struct cel_sim_host *host)
{
    unsigned char want[STATE_MAX];
    unsigned nth = 0;
    char *have;
    size_t len;

    if (cel_sim_disk_load(host, "/home/state", &have, &len) < 0) {
        HOLDS(keeper.saved == 0);
        return NULL;
    }
    if (len >= sizeof nth)
        memcpy(&nth, have, sizeof nth);
    if (nth < keeper.saved || nth > keeper.begun || nth == 0 || len != state_bytes(nth, want) ||
        memcmp(want, have, len) != 0)
        nth = 0;
    cel_free(have);
    HOLDS(nth != 0);
    return NULL;
}

static void *check_logs(struct cel_sim_host *host)
{
    for (unsigned nth = 1; nth <= keeper.renamed; nth++) {
        char name[32], line[32], *have;
        size_t len;
        bool is_right;

        snprintf(name, sizeof name, "/home/old/log.%u", nth);
        snprintf(line, sizeof line, "log %u\n", nth);
        HOLDS(cel_sim_disk_load(host, name, &have, &len) == 0);
        is_right = strcmp(have, line) == 0;
        cel_free(have);
        HOLDS(is_right);
    }
    return NULL;
}

void *play_saves(void *arg)
{
    struct cel_sim_host *host;

    memset(&keeper, 0, sizeof keeper);
    HOLDS(cel_sim_host_new(&host, "keeper", work, NULL) == 0);
    HOLDS(cel_sim_disk_save(host, "/home/old/log.0", "", 0) == 0);
    for (unsigned life = 0; life < LIVES; life++) {
        HOLDS(cel_sleep((int64_t)cel_sim_draw(300 * CEL_MILLISECOND)) == 0);
        cel_sim_kill(host);
        (void)check_state(host);
        (void)check_logs(host);
        HOLDS(cel_sim_reboot(host) == 0);
    }
    cel_sim_kill(host);
    return NULL;
}
