/* SPDX-License-Identifier: MIT */
/* A download: the body goes to a file piece by piece, so its size does not matter, and a limit on
 * time covers all of it. What is not whole does not stay. */
#include <fcntl.h>
#include <stdio.h>

#include <celadon/file.h>
#include <celadon/http.h>
#include <celadon/task.h>

struct job {
    const char *url, *path;
    int64_t size;
};

static ssize_t save(struct cel_response *page, struct cel_file *file)
{
    char buf[16384];
    int64_t at = 0;
    ssize_t n;

    while ((n = cel_response_read(page, buf, sizeof buf)) > 0) {
        n = cel_file_write(file, buf, (size_t)n, at);
        if (n < 0)
            break;
        at += n;
    }
    return n < 0 ? n : at;
}

static int fetch(struct cel_session *web, struct job *job)
{
    const struct cel_fetch_options streaming = {.is_streaming = true};
    struct cel_response *page;
    struct cel_file *file;
    int r = cel_fetch(web, job->url, &streaming, &page);

    if (r < 0)
        return r;
    if (page->status != 200)
        r = -CEL_ESTATUS;
    else
        r = cel_file_open(&file, job->path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (r == 0) {
        job->size = save(page, file);
        cel_file_close(file);
        r = job->size < 0 ? (int)job->size : 0;
        if (r < 0 && cel_path_unlink(job->path) < 0)
            fprintf(stderr, "%s is not whole\n", job->path);
    }
    cel_response_free(page);
    return r;
}

static void *download(void *arg)
{
    struct job *job = arg;
    struct cel_session *web = cel_session_new(NULL);
    int r = web == NULL ? -ENOMEM : 0;

    CEL_SCOPE (patience, .timeout = CEL_MINUTE)
        if (web != NULL)
            r = fetch(web, job);
    cel_session_free(web);
    return r < 0 ? cel_fail(r, "downloading %s", job->url) : NULL;
}

int main(int argc, char **argv)
{
    struct job job = {argc == 3 ? argv[1] : NULL, argc == 3 ? argv[2] : NULL, 0};

    if (argc != 3) {
        fprintf(stderr, "usage: %s URL FILE\n", argv[0]);
        return 2;
    }
    if (cel_run(download, &job, NULL) < 0)
        return 1;
    printf("%lld bytes\n", (long long)job.size);
    return 0;
}
