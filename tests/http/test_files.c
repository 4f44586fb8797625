/* SPDX-License-Identifier: MIT */
/* A folder as a client sees it: nothing outside of it, nothing hidden in it, and all that caches
 * and resumed downloads ask for. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/site.h"
#include "support/check.h"
#include "support/intask.h"

#define CANARY "the canary outside of the folder"
#define BIG    (8 << 20)

static char base[] = "/tmp/celadon-files-XXXXXX";

static char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, 256, "%s/%s", base, name);
    return path;
}

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void put_dir(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0755), 0);
}

static void put_link(const char *to, const char *name)
{
    assert_int_equal(symlink(to, path_of(name)), 0);
}

static void put_big(void)
{
    int fd = open(path_of("www/big.bin"), O_CREAT | O_WRONLY, 0644);
    uint32_t block[4096];

    assert_true(fd >= 0);
    for (uint32_t at = 0; at < BIG / 4; at += 4096) {
        for (uint32_t i = 0; i < 4096; i++)
            block[i] = at + i;
        assert_int_equal(write(fd, block, sizeof block), sizeof block);
    }
    assert_int_equal(close(fd), 0);
}

/* Is old unless told otherwise. */
static void age(const char *name, time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void put_variants(void)
{
    put_file("www/v.js", "plain");
    put_file("www/v.js.gz", "gzipped");
    put_file("www/v.js.br", "brotli");
    put_file("www/v.js.zst", "zstd");
    put_file("www/stale.js", "plain");
    put_file("www/stale.js.gz", "gzipped");
    put_file("www/leads.js", "plain");
    put_link("../secret.txt", "www/leads.js.gz");
    put_file("www/gz.js", "plain");
    put_file("www/gz.js.gz", "gzipped");
    put_file("www/only.js.gz", "gzipped");
    age("www/stale.js.gz", 1000);
}

static int lay_out(void **state)
{
    static const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    char absolute[300];

    assert_non_null(mkdtemp(base));
    assert_int_equal(chmod(base, 0755), 0);
    put_file("secret.txt", CANARY);
    put_dir("outside");
    put_file("outside/secret.txt", CANARY);
    put_dir("www");
    put_dir("www/sub");
    put_dir("www/empty");
    put_dir("www/.hidden");
    put_file("www/.hidden/file.txt", CANARY);
    put_file("www/.dot", CANARY);
    put_file("www/index.html", "<p>root</p>");
    put_file("www/a.txt", "0123456789");
    put_file("www/none", "");
    put_file("www/with space.txt", "spaced");
    put_file("www/100%.txt", "percent");
    put_file("www/sub/index.html", "<p>sub</p>");
    put_file("www/sub/b.css", "b{}");
    put_link("../secret.txt", "www/out.txt");
    put_link("../outside", "www/outdir");
    put_link("..", "www/up");
    put_link("sub/../../secret.txt", "www/zigzag.txt");
    put_link("out.txt", "www/twice.txt");
    put_link("loop", "www/loop");
    put_link("sub/b.css", "www/inside.css");
    snprintf(absolute, sizeof absolute, "%s/secret.txt", base);
    put_link(absolute, "www/absolute.txt");
    put_link("/proc/self/root/etc/passwd", "www/magic.txt");
    assert_int_equal(mkfifo(path_of("www/fifo"), 0644), 0);
    put_big();
    put_variants();
    assert_int_equal(utimensat(AT_FDCWD, path_of("www/a.txt"), times, 0), 0);
    return 0;
}

static int clear_away(void **state)
{
    char command[300];

    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

static int send_own(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_file(req, reply, path_of(cel_param(req, "name")));

    return r == -ENOENT || r == -EISDIR ? cel_reply_text(reply, 404, "%s", cel_errname(r)) : r;
}

static void add_compressed(struct cel_server *s)
{
    struct cel_files_options options = {.is_precompressed = true,
                                        .cache_control = "public, max-age=60"};

    assert_int_equal(cel_route_files_with(s, "/", path_of("www"), &options), 0);
    options.cache_control = "a\r\nb: c";
    assert_int_equal(cel_route_files_with(s, "/x/", path_of("www"), &options), -EINVAL);
}

static void add_folders(struct cel_server *s)
{
    assert_int_equal(cel_route_files(s, "/", path_of("www")), 0);
    assert_int_equal(cel_route_files(s, "/static/", path_of("www")), 0);
    assert_int_equal(cel_route(s, "GET /own/{name...}", send_own, NULL), 0);
    assert_int_equal(cel_route_files(s, "static/", path_of("www")), -EINVAL);
    assert_int_equal(cel_route_files(s, "/static", path_of("www")), -EINVAL);
    assert_int_equal(cel_route_files(s, "/x/", path_of("www/nowhere")), -ENOENT);
    assert_int_equal(cel_route_files(s, "/x/", path_of("www/a.txt")), -ENOTDIR);
}

static const char *get(struct cel_server *s, const char *path, const char *fields)
{
    char request[2048];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST CLOSE "%s\r\n", path, fields);
    return site_ask(s, request);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

/* ---- what must not be had ---- */

static unsigned tried;

static void demand_refusal(struct cel_server *s, const char *path)
{
    const char *answer = get(s, path, "");
    unsigned status = site_status(answer);

    tried++;
    if (strstr(answer, CANARY) != NULL || strstr(answer, "root:") != NULL ||
        (status != 400 && status != 403 && status != 404))
        fail_msg("%u for %s", status, path);
}

IN_TASK(no_spelling_of_a_way_up_leads_out)
{
    static const char *const ups[] = {
        "..",
        "%2e%2e",
        ".%2e",
        "%2e.",
        "%2E%2E",
        "%252e%252e",
        "%25252e%25252e",
        "..%00",
        "%2e%2e%00",
        "...",
        "....",
        "..;",
        "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae",
        "%f0%80%80%ae%f0%80%80%ae",
        "%uff0e%uff0e",
        "%ef%bc%8e%ef%bc%8e",
        "..%20",
        "%20..",
        "..%09",
        "..%0d%0a",
        "..%01",
        "%2e%2e%2f..",
        ".%00.",
    };
    static const char *const slashes[] = {
        "/",     "%2f",    "%2F",       "\\",   "%5c",  "%5C", "//",   "/./",       "%252f",
        "%255c", "%c0%af", "%e0%80%af", "/%2f", "%2f/", "/\\", "%00/", "%ef%bc%8f",
    };
    static const char *const befores[] = {"/", "/sub/", "/static/", "/static/sub/"};
    struct cel_server *s = site_open(NULL, add_folders);
    char path[256];

    tried = 0;
    for (size_t b = 0; b < 4; b++)
        for (size_t u = 0; u < sizeof ups / sizeof ups[0]; u++)
            for (size_t i = 0; i < sizeof slashes / sizeof slashes[0]; i++) {
                bool is_deep = b % 2 == 1;

                snprintf(path, sizeof path, "%s%s%s%s%ssecret.txt", befores[b], ups[u], slashes[i],
                         is_deep ? ups[u] : "", is_deep ? slashes[i] : "");
                demand_refusal(s, path);
            }
    assert_true(tried >= 1600);
    site_close(s);
}

IN_TASK(no_other_way_leads_out_either)
{
    static const char *const paths[] = {
        "//etc/passwd",
        "/%2fetc/passwd",
        "/%2Fetc%2Fpasswd",
        "///etc/passwd",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/file:///etc/passwd",
        "/etc/passwd",
        "/C:/windows/win.ini",
        "/a.txt/..",
        "/a.txt/../../secret.txt",
        "/a.txt/",
        "/a.txt/.",
        "/a.txt%2f",
        "/sub/./b.css",
        "/sub//b.css",
        "/./a.txt",
        "//a.txt",
        "/sub%2fb.css",
        "/sub%5cb.css",
        "/sub\\b.css",
        "/a.txt%00",
        "/a.txt%00.html",
        "/%00",
        "/%00a.txt",
        "/a%2etxt%00",
        "/%",
        "/%2",
        "/%zz",
        "/a.txt%",
        "/.dot",
        "/%2edot",
        "/%2Edot",
        "/.hidden/file.txt",
        "/%2ehidden/file.txt",
        "/.hidden/",
        "/.hidden",
        "/sub/../.dot",
        "/.",
        "/..",
        "/./",
        "/../",
        "/%2e",
        "/%2e%2e",
        "/%2e/",
        "/%2e%2e/",
        "/static/.",
        "/static/..",
        "/static/../secret.txt",
        "/static/.dot",
        "/static/%2e%2e",
        "/out.txt",
        "/outdir/secret.txt",
        "/outdir/",
        "/outdir",
        "/up/secret.txt",
        "/up/",
        "/up",
        "/up/www/a.txt",
        "/zigzag.txt",
        "/twice.txt",
        "/loop",
        "/absolute.txt",
        "/magic.txt",
        "/static/out.txt",
        "/static/outdir/secret.txt",
        "/static/up/secret.txt",
        "/static/magic.txt",
        "/fifo",
        "/empty/",
        "/nowhere",
        "/nowhere/",
        "/sub/nowhere",
        "/A.TXT",
        "/a.txt ",
        "/a.txt%20",
        "/a.txt;x",
        "/a.txt::$DATA",
        "/index.html/",
        "/sub/index.html/x",
        "/proc/self/environ",
    };
    struct cel_server *s = site_open(NULL, add_folders);
    char *longest = malloc(8100);

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strchr(paths[i], ' ') == NULL)
            demand_refusal(s, paths[i]);
    assert_non_null(longest);
    memset(longest, 'a', 8000);
    longest[0] = '/';
    for (size_t len = 250; len <= 8000; len += 250) {
        char request[8200];

        snprintf(request, sizeof request, "GET %.*s HTTP/1.1\r\n" HOST CLOSE "\r\n", (int)len,
                 longest);
        assert_int_equal(site_status(site_ask(s, request)), 404);
    }
    free(longest);
    site_close(s);
}

struct flipper {
    atomic_bool is_over;
    atomic_uint flips;
    char link[256], file[256], dir[256];
};

/* Puts a link to the outside in the place of what is inside, and back, without a pause. */
static void *flip(void *arg)
{
    struct flipper *f = arg;
    char tmp[300], absolute[300];

    snprintf(tmp, sizeof tmp, "%s.tmp", f->file);
    snprintf(absolute, sizeof absolute, "%s/secret.txt", base);
    while (!f->is_over) {
        int fd;

        unlink(tmp);
        if (symlink(f->flips % 2 ? "../secret.txt" : absolute, tmp) == 0)
            rename(tmp, f->file);
        unlink(tmp);
        fd = open(tmp, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0 && write(fd, "inside", 6) == 6)
            rename(tmp, f->file);
        close(fd);
        rename(f->dir, f->link); /* sub directory, and a link out under its name */
        if (symlink("../outside", f->dir) == 0)
            unlink(f->dir);
        rename(f->link, f->dir);
        f->flips++;
    }
    return NULL;
}

IN_TASK(link_that_appears_at_any_moment_does_not_lead_out)
{
    struct cel_server *s = site_open(NULL, add_folders);
    struct cel_stream *c = site_dial(s);
    static struct flipper f;
    pthread_t thread;
    unsigned inside = 0;

    put_file("www/race.txt", "inside");
    put_dir("www/racing");
    put_file("www/racing/secret.txt", "inside");
    snprintf(f.file, sizeof f.file, "%s", path_of("www/race.txt"));
    snprintf(f.dir, sizeof f.dir, "%s", path_of("www/racing"));
    snprintf(f.link, sizeof f.link, "%s", path_of("racing-away"));
    assert_int_equal(pthread_create(&thread, NULL, flip, &f), 0);
    for (unsigned i = 0; i < 4000 || f.flips < 500; i++) {
        const char *answer;

        assert_true(site_say(c, i % 2 ? "GET /race.txt HTTP/1.1\r\n" HOST "\r\n"
                                      : "GET /racing/secret.txt HTTP/1.1\r\n" HOST "\r\n"));
        answer = site_hear(c, "\r\n\r\n");
        if (strstr(answer, "\r\n\r\n404") == NULL && strstr(answer, "\r\n\r\ninside") == NULL)
            answer = site_hear(c, NULL); /* a head alone: not in one piece */
        assert_null(strstr(answer, CANARY));
        assert_true(site_status(answer) == 200 || site_status(answer) == 404);
        inside += site_status(answer) == 200;
    }
    f.is_over = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(inside > 0);
    cel_close(c);
    site_close(s);
}

/* ---- what is to be had ---- */

IN_TASK(files_come_with_type_length_and_version)
{
    static const struct {
        const char *path, *type, *body;
    } cases[] = {
        {"/", "text/html", "<p>root</p>"},
        {"/index.html", "text/html", "<p>root</p>"},
        {"/a.txt", "text/plain", "0123456789"},
        {"/a.txt?v=1", "text/plain", "0123456789"},
        {"/%61.txt", "text/plain", "0123456789"},
        {"/none", "application/octet-stream", ""},
        {"/with%20space.txt", "text/plain", "spaced"},
        {"/100%25.txt", "text/plain", "percent"},
        {"/sub/", "text/html", "<p>sub</p>"},
        {"/sub/b.css", "text/css", "b{}"},
        {"/inside.css", "text/css", "b{}"},
        {"/static/", "text/html", "<p>root</p>"},
        {"/static/sub/b.css", "text/css", "b{}"},
    };
    struct cel_server *s = site_open(NULL, add_folders);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = get(s, cases[i].path, "");
        char text[64];

        if (site_status(answer) != 200)
            fail_msg("%s: %s", cases[i].path, answer);
        snprintf(text, sizeof text, "Content-Type: %s", cases[i].type);
        SAYS(answer, text);
        snprintf(text, sizeof text, "Content-Length: %zu\r\n", strlen(cases[i].body));
        SAYS(answer, text);
        SAYS(answer, "ETag: \"");
        SAYS(answer, "Last-Modified: ");
        SAYS(answer, "Accept-Ranges: bytes\r\n");
        assert_string_equal(body_of(answer), cases[i].body);
    }
    SAYS(get(s, "/sub", ""), "301 Moved Permanently");
    SAYS(get(s, "/sub", ""), "Location: /sub/\r\n");
    SAYS(get(s, "/static/sub?a=b", ""), "Location: /static/sub/?a=b\r\n");
    SAYS(site_ask(s, "POST /a.txt HTTP/1.1\r\n" HOST CLOSE "Content-Length: 0\r\n\r\n"),
         "Allow: GET, HEAD, OPTIONS\r\n");
    SAYS(site_ask(s, "HEAD /big.bin HTTP/1.1\r\n" HOST CLOSE "\r\n"),
         "Content-Length: 8388608\r\n");
    assert_string_equal(body_of(site_ask(s, "HEAD /a.txt HTTP/1.1\r\n" HOST CLOSE "\r\n")), "");
    site_close(s);
}

static const char *etag_of(struct cel_server *s, const char *path)
{
    static char tag[128];
    const char *at = strstr(get(s, path, ""), "ETag: ");

    assert_non_null(at);
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
    return tag;
}

#define STAMP "Sun, 09 Sep 2001 01:46:40 GMT" /* 1000000000 */

IN_TASK(conditions_are_judged_in_their_order)
{
    static const struct {
        const char *fields; /* $ is the tag */
        unsigned status;
    } cases[] = {
        {"If-None-Match: $\r\n", 304},
        {"If-None-Match: W/$\r\n", 304},
        {"If-None-Match: \"x\", $\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-None-Match: \r\n", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: " STAMP "\r\n", 200},
        {"If-None-Match: $\r\nIf-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 304},
        {"If-Modified-Since: " STAMP "\r\n", 304},
        {"If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n", 200},
        {"If-Modified-Since: Sun, 09 Sep 2001 01:46:41 GMT\r\n", 304},
        {"If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT\r\n", 304},
        {"If-Modified-Since: Sun Sep  9 01:46:40 2001\r\n", 304},
        {"If-Modified-Since: yesterday\r\n", 200},
        {"If-Match: $\r\n", 200},
        {"If-Match: *\r\n", 200},
        {"If-Match: \"x\", $\r\n", 200},
        {"If-Match: \"x\"\r\n", 412},
        {"If-Match: W/$\r\n", 412},
        {"If-Unmodified-Since: " STAMP "\r\n", 200},
        {"If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n", 412},
        {"If-Unmodified-Since: tomorrow\r\n", 200},
        {"If-Match: $\r\nIf-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n", 200},
        {"If-Match: $\r\nIf-None-Match: $\r\n", 304},
        {"If-Match: \"x\"\r\nIf-None-Match: $\r\n", 412},
        {"If-None-Match: $\r\nRange: bytes=0-1\r\n", 304},
        {"If-Range: $\r\nRange: bytes=0-1\r\n", 206},
        {"If-Range: W/$\r\nRange: bytes=0-1\r\n", 200},
        {"If-Range: \"x\"\r\nRange: bytes=0-1\r\n", 200},
        {"If-Range: " STAMP "\r\nRange: bytes=0-1\r\n", 206},
        {"If-Range: Sun, 09 Sep 2001 01:46:41 GMT\r\nRange: bytes=0-1\r\n", 200},
        {"If-Range: \"x\"\r\nRange: bytes=99-\r\n", 200},
        {"If-Range: $\r\nRange: bytes=99-\r\n", 416},
    };
    struct cel_server *s = site_open(NULL, add_folders);
    const char *tag = etag_of(s, "/a.txt");

    SAYS(get(s, "/a.txt", ""), "Last-Modified: " STAMP "\r\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fields[512];
        const char *at = strchr(cases[i].fields, '$'), *answer, *again;
        int n = 0;

        for (again = cases[i].fields; at != NULL; again = at + 1, at = strchr(again, '$'))
            n += snprintf(fields + n, sizeof fields - (size_t)n, "%.*s%s", (int)(at - again), again,
                          tag);
        snprintf(fields + n, sizeof fields - (size_t)n, "%s", again);
        answer = get(s, "/a.txt", fields);
        if (site_status(answer) != cases[i].status)
            fail_msg("%u, not %u, for %s", site_status(answer), cases[i].status, fields);
        if (cases[i].status == 304) {
            assert_string_equal(body_of(answer), "");
            SAYS(answer, tag);
        }
    }
    site_close(s);
}

IN_TASK(ranges_are_cut_out_or_refused)
{
    static const struct {
        const char *range, *part, *body; /* of 0123456789; part NULL: the whole */
    } cases[] = {
        {"bytes=0-0", "0-0/10", "0"},
        {"bytes=2-4", "2-4/10", "234"},
        {"bytes=7-", "7-9/10", "789"},
        {"bytes=-3", "7-9/10", "789"},
        {"bytes=-10", "0-9/10", "0123456789"},
        {"bytes=-99999999999999999999", "0-9/10", "0123456789"},
        {"bytes=5-99", "5-9/10", "56789"},
        {"bytes=5-99999999999999999999", "5-9/10", "56789"},
        {"Bytes = 2-4", "2-4/10", "234"},
        {"bytes= 2 - 4 ", "2-4/10", "234"},
        {"bytes=0-0,2-2", NULL, "0123456789"},
        {"bytes=4-2", NULL, "0123456789"},
        {"bytes=a-2", NULL, "0123456789"},
        {"bytes=-", NULL, "0123456789"},
        {"bytes=--2", NULL, "0123456789"},
        {"bytes=+1-2", NULL, "0123456789"},
        {"bytes=", NULL, "0123456789"},
        {"lines=0-1", NULL, "0123456789"},
        {"0-1", NULL, "0123456789"},
        {"bytes=10-", "*/10", NULL},
        {"bytes=99-100", "*/10", NULL},
        {"bytes=-0", "*/10", NULL},
        {"bytes=99999999999999999999-", "*/10", NULL},
    };
    struct cel_server *s = site_open(NULL, add_folders);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned status = cases[i].part == NULL ? 200 : cases[i].body != NULL ? 206 : 416;
        char fields[128];
        const char *answer;

        snprintf(fields, sizeof fields, "Range: %s\r\n", cases[i].range);
        answer = get(s, "/a.txt", fields);
        if (site_status(answer) != status)
            fail_msg("%u, not %u, for %s", site_status(answer), status, cases[i].range);
        if (cases[i].part != NULL) {
            snprintf(fields, sizeof fields, "Content-Range: bytes %s\r\n", cases[i].part);
            SAYS(answer, fields);
        }
        if (cases[i].body != NULL)
            assert_string_equal(body_of(answer), cases[i].body);
    }
    assert_int_equal(site_status(get(s, "/none", "Range: bytes=0-\r\n")), 416);
    assert_int_equal(
        site_status(site_ask(s, "HEAD /a.txt HTTP/1.1\r\n" HOST CLOSE "Range: bytes=0-1\r\n\r\n")),
        200);
    site_close(s);
}

IN_TASK(handler_answers_with_a_file_of_its_choice)
{
    struct cel_server *s = site_open(NULL, add_folders);
    const char *answer = get(s, "/own/secret.txt", "Range: bytes=4-9\r\n");

    SAYS(answer, "206 Partial Content");
    SAYS(answer, "Content-Type: text/plain");
    assert_string_equal(body_of(answer), "canary");
    SAYS(get(s, "/own/nowhere", ""), "ENOENT");
    SAYS(get(s, "/own/www", ""), "EISDIR");
    SAYS(get(s, "/own/www/fifo", ""), "ENOENT");
    site_close(s);
}

IN_TASK(compressed_file_beside_it_is_sent_to_who_takes_it)
{
    static const struct {
        const char *path, *accept, *body, *coding;
    } cases[] = {
        {"/v.js", "", "plain", NULL},
        {"/v.js", "Accept-Encoding: gzip, deflate, br, zstd\r\n", "brotli", "br"},
        {"/v.js", "Accept-Encoding: gzip\r\n", "gzipped", "gzip"},
        {"/v.js", "Accept-Encoding: gzip;q=1.0, br;q=0.5\r\n", "gzipped", "gzip"},
        {"/v.js", "Accept-Encoding: zstd, br;q=0\r\n", "zstd", "zstd"},
        {"/v.js", "Accept-Encoding: *\r\n", "brotli", "br"},
        {"/v.js", "Accept-Encoding: gzip;q=0\r\n", "plain", NULL},
        {"/v.js", "Accept-Encoding: identity, gzip;q=0.1\r\n", "plain", NULL},
        {"/v.js", "Accept-Encoding: xgzip\r\n", "plain", NULL},
        {"/gz.js", "Accept-Encoding: br, gzip, zstd\r\n", "gzipped", "gzip"},
        {"/gz.js", "Accept-Encoding: br\r\n", "plain", NULL},
        {"/stale.js", "Accept-Encoding: gzip\r\n", "plain", NULL},
        {"/leads.js", "Accept-Encoding: gzip\r\n", "plain", NULL},
    };
    struct cel_server *s = site_open(NULL, add_compressed);
    char tag[128];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = get(s, cases[i].path, cases[i].accept);
        char text[64];

        assert_int_equal(site_status(answer), 200);
        if (strcmp(body_of(answer), cases[i].body) != 0)
            fail_msg("%s: %s for %s", cases[i].path, body_of(answer), cases[i].accept);
        SAYS(answer, "Vary: Accept-Encoding\r\n");
        SAYS(answer, "Cache-Control: public, max-age=60\r\n");
        SAYS(answer, "Content-Type: text/javascript");
        snprintf(text, sizeof text, "Content-Encoding: %s\r\n",
                 cases[i].coding != NULL ? cases[i].coding : "");
        if (cases[i].coding != NULL)
            SAYS(answer, text);
        else
            assert_null(strstr(answer, "Content-Encoding"));
    }
    assert_int_equal(site_status(get(s, "/only.js", "Accept-Encoding: gzip\r\n")), 404);
    snprintf(tag, sizeof tag, "%s", etag_of(s, "/v.js"));
    assert_string_not_equal(strstr(get(s, "/v.js", "Accept-Encoding: br\r\n"), "ETag: ") + 6, tag);
    assert_null(strstr(get(s, "/v.js", "Accept-Encoding: br\r\n"), tag));
    site_close(s);
}

/* ---- large ones ---- */

/* Skips a head. */
static void hear_head(struct cel_stream *c, unsigned status)
{
    char line[512];
    ssize_t n = cel_read_until(c, '\n', line, sizeof line - 1);

    assert_true(n > 0);
    line[n] = '\0';
    assert_int_equal(site_status(line), status);
    while ((n = cel_read_until(c, '\n', line, sizeof line - 1)) > 2)
        continue;
    assert_int_equal(n, 2);
}

IN_TASK(big_file_comes_whole_and_in_parts)
{
    struct cel_server *s = site_open(NULL, add_folders);
    struct cel_stream *c = site_dial(s);
    static uint32_t words[BIG / 4];

    assert_true(site_say(
        c, GET("/big.bin", "") "GET /big.bin HTTP/1.1\r\n" HOST
                               "Range: bytes=4000000-7999999\r\n\r\n" GET("/a.txt", CLOSE)));
    hear_head(c, 200);
    assert_int_equal(cel_read_exactly(c, words, BIG), BIG);
    for (uint32_t i = 0; i < BIG / 4; i++)
        if (words[i] != i)
            fail_msg("%u is not %u", words[i], i);
    hear_head(c, 206);
    assert_int_equal(cel_read_exactly(c, words, 4000000), 4000000);
    for (uint32_t i = 0; i < 1000000; i++)
        if (words[i] != 1000000 + i)
            fail_msg("%u is not %u", words[i], 1000000 + i);
    SAYS(site_hear(c, NULL), "0123456789");
    cel_close(c);
    site_close(s);
}

IN_TASK(client_that_does_not_read_a_file_or_leaves_is_let_go)
{
    struct cel_server *s = site_open(
        &(struct cel_server_options){.write_timeout = 100 * CEL_MILLISECOND}, add_folders);
    struct cel_stream *c = site_dial(s), *stalled = site_dial(s);

    for (int i = 0; i < 4; i++)
        assert_true(site_say(stalled, GET("/big.bin", "") GET("/big.bin", "")));
    assert_true(site_say(c, GET("/big.bin", "")));
    hear_head(c, 200);
    cel_close(c); /* with bytes unread: a reset, and no signal for the server */
    site_await_open(s, 0);
    cel_close(stalled);
    site_close(s);
}

IN_TASK(file_cut_while_it_is_sent_ends_the_connection_short)
{
    struct cel_server *s = site_open(NULL, add_folders);
    struct cel_stream *c = site_dial(s);
    static char sink[1 << 16];
    size_t got = 0, size = 256 << 20;
    ssize_t n;

    put_file("www/shrinks.bin", "x");
    assert_int_equal(truncate(path_of("www/shrinks.bin"), (off_t)size), 0);
    assert_true(site_say(c, GET("/shrinks.bin", "") GET("/a.txt", "")));
    hear_head(c, 200);
    assert_int_equal(truncate(path_of("www/shrinks.bin"), 1), 0);
    while ((n = cel_read(c, sink, sizeof sink)) > 0)
        got += (size_t)n;
    assert_true(got < size);
    cel_close(c);
    site_await_open(s, 0);
    site_close(s);
}

/* ---- trouble ---- */

IN_TASK(unreadable_file_is_forbidden)
{
    struct cel_server *s = site_open(NULL, add_folders);
    uid_t me = geteuid();

    put_file("www/closed.txt", CANARY);
    put_dir("www/closed");
    put_file("www/closed/a.txt", CANARY);
    assert_int_equal(chmod(path_of("www/closed.txt"), 0), 0);
    assert_int_equal(chmod(path_of("www/closed"), 0), 0);
    if (me == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_int_equal(site_status(get(s, "/closed.txt", "")), 403);
    assert_int_equal(site_status(get(s, "/closed/a.txt", "")), 403);
    assert_int_equal(site_status(get(s, "/closed/", "")), 403);
    if (me == 0)
        assert_int_equal(seteuid(me), 0);
    assert_int_equal(chmod(path_of("www/closed"), 0755), 0);
    site_close(s);
}

IN_TASK(without_descriptors_it_is_unavailable_and_recovers)
{
    struct cel_server *s = site_open(NULL, add_folders);
    struct cel_stream *c = site_dial(s);
    struct rlimit before, low;
    int probe = dup(0);

    assert_true(site_say(c, GET("/a.txt", "")));
    SAYS(site_hear(c, "0123456789"), "200 OK");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)probe;
    close(probe);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_true(site_say(c, GET("/a.txt", "")));
    SAYS(site_hear(c, NULL), "503 Service Unavailable");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    cel_close(c);
    SAYS(get(s, "/a.txt", ""), "0123456789");
    site_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_spelling_of_a_way_up_leads_out),
        cmocka_unit_test(no_other_way_leads_out_either),
        cmocka_unit_test(link_that_appears_at_any_moment_does_not_lead_out),
        cmocka_unit_test(files_come_with_type_length_and_version),
        cmocka_unit_test(conditions_are_judged_in_their_order),
        cmocka_unit_test(ranges_are_cut_out_or_refused),
        cmocka_unit_test(handler_answers_with_a_file_of_its_choice),
        cmocka_unit_test(compressed_file_beside_it_is_sent_to_who_takes_it),
        cmocka_unit_test(big_file_comes_whole_and_in_parts),
        cmocka_unit_test(client_that_does_not_read_a_file_or_leaves_is_let_go),
        cmocka_unit_test(file_cut_while_it_is_sent_ends_the_connection_short),
        cmocka_unit_test(unreadable_file_is_forbidden),
        cmocka_unit_test(without_descriptors_it_is_unavailable_and_recovers),
    };

    return cmocka_run_group_tests(tests, lay_out, clear_away);
}
