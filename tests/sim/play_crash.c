/* SPDX-License-Identifier: MIT */
/* A ledger whose machine loses power now and then, and clients who try again until they are told
 * that their entry is in. The ledger keeps its entries in a file, and says that one is in when it
 * is synced. In the end each entry is in, and none that was acknowledged was lost. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "celadon/file.h"
#include "celadon/net.h"
#include "celadon/sync.h"
#include "plays.h"

#define CLIENTS 3
#define ENTRIES 6
#define CRASHES 3
#define PATH    "/books/ledger"

/* What the server knows in one life. */
struct ledger {
    unsigned char has[CLIENTS * ENTRIES];
    struct cel_file *file; /* NULL: to be written anew */
    struct cel_lock lock;
};

static struct ledger ledger;

/* What the disk has refused once it must be given once more, all of it, and in another file. */
static int write_anew(void)
{
    int r = cel_file_save(PATH, ledger.has, sizeof ledger.has, 0600);

    return r < 0 ? r : cel_file_open(&ledger.file, PATH, O_WRONLY, 0);
}

static int keep(unsigned char id)
{
    ssize_t r = ledger.file == NULL ? write_anew() : 0;
    unsigned char yes = 1;

    if (r == 0)
        r = cel_file_write(ledger.file, &yes, 1, id);
    if (r == 1)
        r = cel_file_sync(ledger.file);
    if (r == 0) {
        ledger.has[id] = 1;
        return 0;
    }
    cel_file_close(ledger.file);
    ledger.file = NULL;
    return (int)r;
}

static int keep_in_turn(unsigned char id)
{
    int r = cel_lock_acquire(&ledger.lock);

    if (r < 0)
        return r;
    r = keep(id);
    cel_lock_release(&ledger.lock);
    return r;
}

static void *serve_one(void *arg)
{
    struct cel_stream *s = arg;
    unsigned char id, answer;

    while (cel_read_exactly(s, &id, 1) == 1) {
        if (id >= CLIENTS * ENTRIES || keep_in_turn(id) < 0)
            break;
        answer = (unsigned char)~id;
        if (cel_write(s, &answer, 1) < 0)
            break;
    }
    cel_close(s);
    return NULL;
}

/* A disk that fails today may work tomorrow. */
static int load(void)
{
    size_t len;
    char *bytes;
    int r;

    memset(&ledger, 0, sizeof ledger);
    while ((r = cel_file_load(PATH, sizeof ledger.has, &bytes, &len)) < 0 && r != -ENOENT)
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return -ECANCELED;
    if (r == -ENOENT)
        return 0;
    memcpy(ledger.has, bytes, len < sizeof ledger.has ? len : sizeof ledger.has);
    cel_free(bytes);
    return 0;
}

static void *serve(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;
    int r;

    if (load() < 0)
        return NULL;
    while ((r = cel_listen(&door, ":9", NULL)) < 0) {
        if (r != -EMFILE)
            return cel_fail(r, "the ledger cannot listen");
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    }
    while (cel_accept(door, &s) == 0)
        if (cel_go(serve_one, s) < 0)
            cel_close(s);
    cel_listener_close(door);
    return NULL;
}

/* The tasks that use the file end with this one. */
static void *live(void *arg)
{
    CEL_SCOPE (life, .timeout = 0)
        (void)serve(arg);
    cel_file_close(ledger.file);
    return NULL;
}

/* -> 0: it is in. */
static int enter(unsigned char id)
{
    struct cel_stream *s;
    unsigned char answer = 0;
    int r = -ETIMEDOUT;

    CEL_SCOPE (patience, .timeout = 3 * CEL_SECOND) {
        r = cel_connect(&s, "ledger:9", NULL);
        if (r == 0) {
            r = cel_write(s, &id, 1) == 1 && cel_read_exactly(s, &answer, 1) == 1 ? 0 : -EAGAIN;
            cel_close(s);
        }
    }
    if (r == 0 && answer != (unsigned char)~id)
        return -EPROTO;
    return r;
}

static void *keep_books(void *arg)
{
    unsigned client = *(const unsigned *)arg;

    for (unsigned i = 0; i < ENTRIES; i++) {
        unsigned char id = (unsigned char)(client * ENTRIES + i);
        int r;

        while ((r = enter(id)) < 0) {
            HOLDS(r != -EPROTO);
            HOLDS(cel_sleep(200 * CEL_MILLISECOND) == 0);
        }
        HOLDS(cel_sleep((int64_t)cel_sim_draw(2 * CEL_SECOND)) == 0);
    }
    return NULL;
}

/* What a loss of power has left. */
static bool is_complete(struct cel_sim_host *host)
{
    size_t len;
    char *bytes;
    bool is_there;

    if (cel_sim_disk_load(host, PATH, &bytes, &len) < 0)
        return false;
    is_there = len == sizeof ledger.has && memchr(bytes, 0, len) == NULL;
    cel_free(bytes);
    return is_there;
}

void *play_crash(void *arg)
{
    static const unsigned numbers[CLIENTS] = {0, 1, 2};
    struct cel_task *tasks[CLIENTS];
    struct cel_sim_host *host;

    HOLDS(cel_sim_host_new(&host, "ledger", live, NULL) == 0);
    HOLDS(cel_sim_disk_save(host, "/books/readme", "", 0) == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        tasks[i] = cel_spawn(keep_books, (void *)&numbers[i]);
        HOLDS(tasks[i] != NULL);
    }
    for (unsigned i = 0; i < CRASHES; i++) {
        HOLDS(cel_sleep((int64_t)cel_sim_draw(3 * CEL_SECOND)) == 0);
        cel_sim_kill(host);
        HOLDS(cel_sleep((int64_t)cel_sim_draw(2 * CEL_SECOND)) == 0);
        HOLDS(cel_sim_reboot(host) == 0);
    }
    HOLDS(cel_gather(tasks, CLIENTS, NULL) == 0);
    cel_sim_kill(host);
    HOLDS(is_complete(host));
    return NULL;
}
