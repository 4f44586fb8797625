/* SPDX-License-Identifier: MIT */
/* The proactor's way: a read is asked for, and a function is called when it is done, with the bytes
 * in place (io_uring's model; on epoll, the reactor's, the loop does the read when the kernel says
 * "readable", and the program sees no difference). Compare teach_green_sieve.c, where a task just
 * waits. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <celadon/loop.h>

struct conversation {
    struct cel_handle *in, *out;
    char buf[64];
};

static void on_read(void *arg, int64_t n)
{
    struct conversation *c = arg;

    if (n > 0) {
        printf("read \"%.*s\"\n", (int)n, c->buf);
        if (cel_op_read(c->in, c->buf, sizeof c->buf, on_read, c, NULL) == 0)
            return; /* on_read comes again */
    }
    puts(n == 0 ? "the end" : cel_strerror((int)n));
    cel_handle_close(c->in);
}

static void on_written(void *arg, int64_t n)
{
    struct conversation *c = arg;

    if (n < 0)
        fprintf(stderr, "writing: %s\n", cel_strerror((int)n));
    cel_handle_close(c->out); /* the reader will meet the end */
}

static int begin(struct cel_loop *loop, struct conversation *c)
{
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    r = cel_handle_open(loop, &c->in, ends[0], true);
    if (r == 0)
        r = cel_handle_open(loop, &c->out, ends[1], true);
    if (r == 0)
        r = cel_op_write(c->out, "how do you do", 13, on_written, c, NULL);
    if (r == 0)
        r = cel_op_read(c->in, c->buf, sizeof c->buf, on_read, c, NULL);
    return r;
}

int main(void)
{
    struct cel_loop *loop;
    struct conversation c = {0};
    int r = cel_loop_new(&loop, NULL);

    if (r == 0)
        r = begin(loop, &c);
    if (r == 0)
        r = cel_loop_run(loop);
    if (r < 0)
        fprintf(stderr, "%s\n", cel_strerror(r));
    return r < 0 || cel_loop_close(loop) != 0;
}
