/* SPDX-License-Identifier: MIT */
/* A log is followed as it grows: all that is there is read, then the task parks until the kernel
 * tells of more, or of the name's end. Watched first and read then, so nothing is missed. */
#include <fcntl.h>
#include <stdio.h>

#include <celadon/file.h>
#include <celadon/sync.h>
#include <celadon/watch.h>

static struct cel_event seen; /* something new has been printed */

static int read_on(struct cel_file *log, int64_t *at)
{
    char buf[256];
    ssize_t n;

    while ((n = cel_file_read(log, buf, sizeof buf, *at)) > 0) {
        printf("%.*s", (int)n, buf);
        *at += n;
        cel_event_set(&seen);
    }
    return (int)n;
}

static void *follow(void *path)
{
    struct cel_watch_event event = {0};
    struct cel_watch *watch;
    struct cel_file *log;
    int64_t at = 0;
    int r = cel_watch_open(&watch, path, NULL);

    if (r < 0)
        return cel_fail(r, "watching %s", (char *)path);
    r = cel_file_open(&log, path, O_RDONLY, 0);
    if (r == 0) {
        while ((r = read_on(log, &at)) == 0 && !(event.what & CEL_WATCH_REMOVED))
            if ((r = cel_watch_next(watch, &event)) < 0) /* parks */
                break;
        cel_file_close(log);
    }
    cel_watch_close(watch);
    return r < 0 ? cel_fail(r, "following %s", (char *)path) : "its name is gone";
}

/* Three lines, each when the one before has been seen, then no file any more. */
static int write_log(const char *path)
{
    struct cel_file *log = NULL;
    int r = cel_file_open(&log, path, O_WRONLY, 0);

    for (int i = 0; r >= 0 && i < 3; i++) {
        r = cel_event_wait(&seen);
        cel_event_clear(&seen);
        if (r == 0)
            r = (int)cel_file_write(log, &"one\ntwo\nsix\n"[4 * i], 4, 6 + 4 * i);
    }
    if (r >= 0)
        r = cel_event_wait(&seen);
    cel_file_close(log);
    return r < 0 ? r : cel_path_unlink(path);
}

static void *main_task(void *arg)
{
    void *why = NULL;
    char *folder, path[128];
    int r = cel_path_temp_dir(&folder, NULL);

    if (r < 0)
        return cel_fail(r, "making a folder");
    snprintf(path, sizeof path, "%s/log", folder);
    r = cel_file_save(path, "begin\n", 6, 0600);
    if (r == 0) {
        struct cel_task *reader = cel_spawn(follow, path);

        CEL_SCOPE (patience, .timeout = CEL_MINUTE)
            r = write_log(path);
        if (r < 0)
            cel_task_cancel(reader); /* or we should wait for it for ever */
        if (cel_join(reader, &why) == 0)
            puts(why);
    }
    if (cel_path_remove_all(folder) < 0)
        r = -EIO;
    cel_free(folder);
    return r < 0 ? cel_fail(r, "writing a log") : arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
