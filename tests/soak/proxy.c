/* SPDX-License-Identifier: MIT */
/* A bad network: a relay between clients and a server that spoils what it carries, by a seed.
 *
 *   soak_proxy TARGET SEED
 *
 * It starts sound. A line on its input changes that: "hurt", "heal", "hole" (nothing passes, of old
 * connections and new ones, until the next word), "resets" (of a hundred pieces one resets its
 * connection instead of being carried on). What else a connection suffers is drawn when it comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <celadon/net.h>
#include <celadon/task.h>

enum harm { NONE, LATE, SLICED, CUT, HALF_CLOSED, HARMS };

static const char *target;
static bool is_hurting, is_hole, is_resetting;
static unsigned long drawn[HARMS];

struct way {
    struct cel_stream *from, *to;
    enum harm harm;
    size_t left; /* bytes until a cut or half close */
    bool is_cut; /* to be reset, once nobody uses it any more */
};

struct link {
    struct cel_stream *client;
    enum harm harm;
    size_t left;
};

static int pass(struct way *w, const char *data, size_t len)
{
    size_t piece = w->harm == SLICED ? 1 + (size_t)rand() % 7 : len;

    while (len > 0) {
        piece = piece < len ? piece : len;
        if (w->harm == LATE && cel_sleep((1 + rand() % 20) * CEL_MILLISECOND) < 0) /* parks */
            return -1;
        if (cel_write(w->to, data, piece) < 0) /* parks */
            return -1;
        data += piece;
        len -= piece;
    }
    return 0;
}

/* -> whether the way goes on. */
static bool carry(struct way *w)
{
    char buf[2048];
    size_t room = w->harm >= CUT && w->left < sizeof buf ? w->left : sizeof buf;
    ssize_t n = room > 0 ? cel_read(w->from, buf, room) : 0; /* parks */

    while (is_hole)
        if (cel_sleep(20 * CEL_MILLISECOND) < 0) /* parks */
            return false;
    if ((room == 0 && w->harm == CUT) || (is_resetting && rand() % 100 == 0)) {
        w->is_cut = true;
        return false;
    }
    if (n <= 0 || pass(w, buf, (size_t)n) < 0)
        return false;
    w->left -= w->harm >= CUT ? (size_t)n : 0;
    return true;
}

static void *carry_all(void *arg)
{
    struct way *w = arg;

    while (carry(w))
        continue;
    if (!w->is_cut)
        (void)!cel_shutdown(w->to);
    return NULL;
}

/* Both ways end before the streams are closed; a cut is made then. */
static void *relay(void *arg)
{
    struct link link = *(struct link *)arg;
    struct cel_stream *server = NULL;
    struct way there, back;

    free(arg);
    while (is_hole)
        if (cel_sleep(20 * CEL_MILLISECOND) < 0) /* parks */
            break;
    if (cel_connect(&server, target, NULL) < 0) { /* parks */
        cel_stream_abort(link.client);
        return NULL;
    }
    there = (struct way){link.client, server, link.harm == CUT ? NONE : link.harm, link.left};
    back = (struct way){server, link.client, link.harm, link.left};
    CEL_SCOPE (both, .timeout = 30 * CEL_SECOND) {
        if (cel_go(carry_all, &there) == 0)
            carry_all(&back); /* parks */
        if (back.is_cut)
            cel_scope_cancel(&both);
    }
    cel_close(server);
    if (back.is_cut)
        cel_stream_abort(link.client);
    else
        cel_close(link.client);
    return NULL;
}

static void *obey(void *arg)
{
    struct cel_stream *input;
    char line[16];

    if (cel_stream_open(&input, STDIN_FILENO, false) < 0)
        return arg;
    for (ssize_t n; (n = cel_read_line(input, line, sizeof line - 1)) >= 0;) { /* parks */
        line[n] = '\0';
        is_hurting = strcmp(line, "hurt") == 0;
        is_hole = strcmp(line, "hole") == 0;
        is_resetting = strcmp(line, "resets") == 0;
    }
    cel_close(input);
    cel_listener_close(*(struct cel_listener **)arg);
    return NULL;
}

static int admit(struct cel_stream *client)
{
    struct link *link = malloc(sizeof *link);

    if (link == NULL)
        return -1;
    *link = (struct link){client, NONE, (size_t)rand() % 1500};
    if (is_hurting)
        link->harm = (enum harm)(rand() % HARMS);
    drawn[link->harm]++;
    if (cel_background(relay, link) == 0)
        return 0;
    free(link);
    return -1;
}

static void *serve(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *client;
    int r = cel_listen(&door, "127.0.0.1:0", NULL);

    if (r < 0)
        return cel_fail(r, "listening");
    printf("%s\n", cel_listener_address(door));
    fflush(stdout);
    if (cel_go(obey, &door) < 0)
        return cel_fail(-1, "listening to orders");
    while (cel_accept(door, &client) == 0) /* parks */
        if (admit(client) < 0)
            cel_close(client);
    printf("{\"sound\": %lu, \"late\": %lu, \"sliced\": %lu, \"cut\": %lu, \"half_closed\": %lu}\n",
           drawn[NONE], drawn[LATE], drawn[SLICED], drawn[CUT], drawn[HALF_CLOSED]);
    return arg;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: soak_proxy TARGET SEED\n");
        return 2;
    }
    target = argv[1];
    srand((unsigned)strtoul(argv[2], NULL, 10));
    return cel_run(serve, NULL, NULL) < 0;
}
