/* SPDX-License-Identifier: MIT */
/* How long a client waits for a server that takes its time: by simulated time, so to the moment and
 * at no cost. */
#include <errno.h>
#include <string.h>

#include <celadon/http.h>
#include <celadon/net.h>
#include <celadon/sim.h>
#include <celadon/task.h>
#include "support/check.h"
#include "support/holds.h"

#define GAP   (2 * CEL_SECOND)         /* that the client bears */
#define PAUSE (1500 * CEL_MILLISECOND) /* less than that, and before each text but the first */

struct story {
    const char *texts[8]; /* to NULL */
    const char *body;     /* NULL: it times out */
    int64_t pause;
};

static void *tell(void *arg)
{
    const struct story *story = arg;
    struct cel_listener *door;
    struct cel_stream *s;
    char line[200];

    HOLDS(cel_listen(&door, ":80", NULL) == 0);
    HOLDS(cel_accept(door, &s) == 0);
    while (cel_read_line(s, line, sizeof line) > 0)
        continue;
    for (const char *const *text = story->texts; *text != NULL; text++) {
        if (text != story->texts && cel_sleep(story->pause) < 0)
            break;
        if (cel_write(s, *text, strlen(*text)) < 0)
            break;
    }
    cel_close(s);
    cel_listener_close(door);
    return NULL;
}

static void *listen_to(void *arg)
{
    const struct story *story = arg;
    struct cel_session *web =
        cel_session_new(&(struct cel_session_options){.timeouts = {.read = GAP}});
    struct cel_response *page = NULL;
    struct cel_sim_host *host;
    bool is_right;
    int r;

    HOLDS(cel_sim_host_new(&host, "teller", tell, arg) == 0);
    HOLDS(cel_sleep(CEL_MILLISECOND) == 0);
    r = cel_get(web, "http://teller/", &page);
    is_right = story->body != NULL ? r == 0 && strcmp(cel_text(page).ptr, story->body) == 0
                                   : r == -ETIMEDOUT;
    if (r == 0)
        cel_response_free(page);
    cel_session_free(web);
    HOLDS(is_right);
    return NULL;
}

static int run_story(struct story *story)
{
    struct cel_sim_options calm;

    cel_sim_options_calm(&calm);
    return cel_sim_run(1, &calm, listen_to, story, NULL);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define PAGE    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define HINTS   "HTTP/1.1 103 Early Hints\r\n\r\n"

static void chunk_sizes_in_pieces_are_no_silence(void **state)
{
    struct story story = {
        {CHUNKED, "0", "000", "5;a", "=b\r", "\nhello\r", "\n0\r\n\r\n"}, "hello", PAUSE};

    assert_int_equal(run_story(&story), 0);
}

static void informational_answers_are_no_silence(void **state)
{
    struct story story = {{HINTS, HINTS, "HTTP/1.1 102 Processing\r\n\r\n", PAGE}, "hi", PAUSE};

    assert_int_equal(run_story(&story), 0);
}

static void silence_amid_a_chunk_size_is_one(void **state)
{
    struct story story = {{CHUNKED, "0", "5\r\nhello\r\n0\r\n\r\n"}, NULL, 2 * GAP};

    assert_int_equal(run_story(&story), 0);
}

static void silence_behind_an_informational_answer_is_one(void **state)
{
    struct story story = {{HINTS, PAGE}, NULL, 2 * GAP};

    assert_int_equal(run_story(&story), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunk_sizes_in_pieces_are_no_silence),
        cmocka_unit_test(informational_answers_are_no_silence),
        cmocka_unit_test(silence_amid_a_chunk_size_is_one),
        cmocka_unit_test(silence_behind_an_informational_answer_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
