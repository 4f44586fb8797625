/* SPDX-License-Identifier: MIT */
/* The end of a child: waiting for it, bringing it about, and children that were given up.
 *
 * 1. The pidfd's readiness tells of the end; only then the status is taken, once, and kept.
 * 2. Until the status is taken the kernel keeps the child's number, and with it its group's: so
 *    signals by number are sent only before that.
 * 3. A child that was given up is reaped by an op of the loop, whose memory is the child's own:
 *    giving up cannot fail. */
#include <errno.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/process.h"
#include "task/wait.h"

struct reaper {
    struct cel__attachment attachment;
    struct cel__list given_up;
};

static int64_t take_status(idtype_t type, id_t id, siginfo_t *info, int options)
{
    int r;

    *info = (siginfo_t){0};
    do
        r = cel__sys.waitid(type, id, info, WEXITED | options);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

void cel__process_end(pid_t pid)
{
    siginfo_t info;

    cel__sys.kill(pid, SIGKILL);
    (void)take_status(P_PID, (id_t)pid, &info, 0);
}

static void note(struct cel_process *p, const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED) {
        p->exit.code = info->si_status;
        return;
    }
    p->exit.signo = info->si_status;
    p->exit.dumped_core = info->si_code == CLD_DUMPED;
}

/* -> whether it has ended. */
static bool reap(struct cel_process *p, int options)
{
    siginfo_t info;
    int64_t r;

    if (p->is_told || p->fd == NULL)
        return true;
    r = take_status(P_PIDFD, (id_t)p->fd->fd, &info, options);
    if (r == 0 && info.si_pid == 0)
        return false;
    p->is_told = true;
    p->lost = (int)r;
    if (r == 0)
        note(p, &info);
    return true;
}

/* ---- waiting ---- */

/* (parks) -> >= 0: has ended, but is not told. */
static int64_t wait_end(struct cel_process *p, bool is_shielded)
{
    struct cel__op op = {.kind = CEL__OP_POLL, .fd = p->fd, .events = POLLIN};

    return is_shielded ? cel__wait_op_shielded(&op) : cel__wait_op(&op); /* parks */
}

static int tell(const struct cel_process *p, struct cel_exit *exit)
{
    if (p->lost == 0 && exit != NULL)
        *exit = p->exit;
    return p->lost;
}

int cel_process_wait(struct cel_process *p, struct cel_exit *exit)
{
    int64_t r = cel__checkpoint(cel__task_parking());

    if (r < 0)
        return (int)r;
    while (!reap(p, WNOHANG)) {
        r = wait_end(p, false); /* parks */
        if (r < 0)
            return (int)r;
    }
    return tell(p, exit);
}

bool cel_process_is_running(struct cel_process *p)
{
    return !reap(p, WNOHANG);
}

/* ---- signals ---- */

int cel_process_signal(struct cel_process *p, int signo)
{
    if (p->is_told)
        return -ESRCH;
    return cel__sys.pidfd_send_signal(p->fd->fd, signo, NULL, 0) < 0 ? -errno : 0;
}

int cel_process_signal_tree(struct cel_process *p, int signo)
{
    if (!p->leads_group)
        return -EINVAL;
    if (p->is_told)
        return -ESRCH;
    return cel__sys.kill(-p->pid, signo) < 0 ? -errno : 0;
}

/* To the child, and to its group if it leads one. */
static void signal_all(struct cel_process *p, int signo)
{
    if (p->leads_group)
        (void)!cel_process_signal_tree(p, signo);
    else
        (void)!cel_process_signal(p, signo);
}

int cel_process_stop(struct cel_process *p, int64_t grace, struct cel_exit *exit)
{
    int64_t r = -ETIMEDOUT;

    if (p->is_told)
        return tell(p, exit);
    if (grace > 0 && cel_checkpoint() == 0) {
        signal_all(p, SIGTERM);
        CEL_SCOPE (patience, .timeout = grace)
            r = wait_end(p, false); /* parks */
    }
    if (r < 0 || p->leads_group)
        signal_all(p, SIGKILL);
    while (!reap(p, WNOHANG)) {
        r = wait_end(p, true); /* parks */
        if (r < 0)
            return (int)r;
    }
    return tell(p, exit);
}

/* ---- giving up ---- */

static void free_process(struct cel_process *p)
{
    cel__list_unlink(&p->link);
    cel__fd_close(cel__loop_here, p->fd);
    cel__mem_free(p);
}

static void on_end(struct cel__op *op)
{
    struct cel_process *p = cel__container_of(op, struct cel_process, op);

    if (p->fd == NULL) { /* closed by end_reaper, whatever came first */
        cel__mem_free(p);
        return;
    }
    (void)reap(p, p->is_killed ? 0 : WNOHANG);
    free_process(p);
}

/* The loop closes. Who was killed ends within moments; who was let go lives on. */
static void end_reaper(struct cel__attachment *attachment)
{
    struct reaper *reaper = cel__container_of(attachment, struct reaper, attachment);
    struct cel__list *node;

    while ((node = cel__list_pop(&reaper->given_up)) != NULL) {
        struct cel_process *p = cel__container_of(node, struct cel_process, link);
        struct cel__fd *f;

        (void)reap(p, p->is_killed ? 0 : WNOHANG);
        f = p->fd;
        p->fd = NULL;
        cel__fd_close(cel__loop_here, f); /* may free p */
    }
    cel__mem_free(reaper);
}

int cel__process_prepare(void)
{
    struct reaper *reaper;

    if (cel__loop_find(cel__loop_here, end_reaper) != NULL)
        return 0;
    reaper = cel__mem_zalloc(sizeof *reaper);
    if (reaper == NULL)
        return -ENOMEM;
    cel__list_init(&reaper->given_up);
    reaper->attachment.end = end_reaper;
    cel__loop_attach(cel__loop_here, &reaper->attachment);
    return 0;
}

static void give_up(struct cel_process *p)
{
    struct cel__attachment *attachment = cel__loop_find(cel__loop_here, end_reaper);
    struct reaper *reaper = cel__container_of(attachment, struct reaper, attachment);

    for (int i = 0; i < 3; i++)
        cel_close(p->pipes[i]);
    cel_close(p->terminal);
    if (reap(p, WNOHANG)) {
        free_process(p);
        return;
    }
    p->op = (struct cel__op){.kind = CEL__OP_POLL, .fd = p->fd, .events = POLLIN, .done = on_end};
    cel__list_init(&p->op.link);
    cel__list_append(&reaper->given_up, &p->link);
    if (cel__op_start(cel__loop_here, &p->op) == 0)
        return;
    (void)reap(p,
               p->is_killed ? 0 : WNOHANG); /* it has just ended, or there is no memory to wait */
    free_process(p);
}

void cel_process_close(struct cel_process *p)
{
    if (p == NULL)
        return;
    if (!p->is_told) {
        signal_all(p, SIGKILL);
        p->is_killed = true;
    }
    give_up(p);
}

void cel_process_detach(struct cel_process *p)
{
    if (p != NULL)
        give_up(p);
}
