/* SPDX-License-Identifier: MIT */
/* A bounded ring whose cells carry a turn number, so that many senders need no lock (after D.
 * Vyukov's bounded queue), and two ways to sleep:
 *
 * 1. Receivers wait in a line on the owner's thread. `is_awaited` is raised before the last look at
 *    the ring; the sender who takes it down sends the one message that wakes them, and nobody else
 *    does until the owner raises it again. `is_armed` says that it was raised and no message has
 *    come yet.
 * 2. Closing is a bit of `tail`, so that a message is either before the close or refused.
 *    `is_closed` says so too, soon after: a receiver that finds nothing looks there, and leaves the
 *    line of `tail` to the senders.
 * 3. Senders that find no room wait in a list under a lock, each with a message of its own to its
 *    own loop. Receivers look at `senders_waiting`, which is 0 but for full ports.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/report.h"
#include "celadon/workers.h"
#include "task/wait.h"

#define BYTES_MAX ((size_t)1 << 30)
#define CLOSED    (UINT64_C(1) << 63)

/* The message that wakes the receiver lies in the cell of what it is woken for: one cache line
 * less to come from the other core. Rule 1 keeps it from being used again while under way. */
struct cell {
    uint64_t turn; /* atomic: == place: free for that place; == place + 1: holds a message */
    struct cel__post wake;
    struct cel_port *port;
    char message[];
};

/* Each part lies on cache lines of its own: a line that two cores write costs more than all else
 * that a message does. */
struct cel_port {
    struct cel_loop *owner; /* what hardly ever changes: */
    size_t message_size, cell_size;
    uint64_t mask;
    char *cells;
    unsigned senders_waiting; /* atomic */
    int is_closed;            /* atomic */
    char tail_apart[CEL__APART];
    uint64_t tail; /* atomic: where the next message goes; CLOSED */
    char wake_apart[CEL__APART];
    int is_awaited;         /* atomic */
    struct cel__post close; /* of cel_port_close, when it takes it down */
    char head_apart[CEL__APART];
    uint64_t head;               /* the owner's: where the next one is taken */
    bool is_armed;               /* the owner's */
    bool is_freed;               /* the owner's: the message under way frees the port */
    struct cel__waitq receivers; /* the owner's */
    pthread_mutex_t lock;
    struct cel__list senders; /* by lock */
};

/* A task that waits for room; on its stack. */
struct sender {
    struct cel__list link; /* by the port's lock */
    struct cel__post wake;
    struct cel_port *port;
    struct cel_loop *home;
    struct cel_task *task;
    int code;
};

static struct cell *cell_at(const struct cel_port *port, uint64_t place)
{
    return (void *)(port->cells + (place & port->mask) * port->cell_size);
}

int cel_port_new(struct cel_port **out, size_t message_size, size_t capacity)
{
    struct cel_port *port;
    size_t count = 2, cell_size; /* with one cell, full would look like free */

    CEL__ASSERT(cel__loop_here != NULL && "a port belongs to a loop");
    if (message_size == 0 || capacity == 0 || message_size > BYTES_MAX || capacity > BYTES_MAX)
        return -EINVAL;
    cell_size = (sizeof(struct cell) + message_size + 7) & ~(size_t)7;
    while (count < capacity)
        count *= 2;
    if (count > BYTES_MAX / cell_size)
        return -EINVAL;
    port = cel__mem_zalloc(sizeof *port);
    if (port == NULL)
        return -ENOMEM;
    port->cells = cel__mem_alloc(count * cell_size);
    if (port->cells == NULL) {
        cel__mem_free(port);
        return -ENOMEM;
    }
    port->owner = cel__loop_here;
    port->message_size = message_size;
    port->cell_size = cell_size;
    port->mask = count - 1;
    for (uint64_t i = 0; i < count; i++) {
        cell_at(port, i)->turn = i;
        cell_at(port, i)->port = port;
    }
    cel__waitq_init(&port->receivers);
    port->receivers.what = "a message";
    cel__list_init(&port->senders);
    (void)pthread_mutex_init(&port->lock, NULL);
    *out = port;
    return 0;
}

static void destroy(struct cel_port *port)
{
    (void)pthread_mutex_destroy(&port->lock);
    cel__mem_free(port->cells);
    cel__mem_free(port);
}

/* -> whether the message that wakes the owner is ours to send: nobody else will. */
static bool take_wake(struct cel_port *port)
{
    return __atomic_load_n(&port->is_awaited, __ATOMIC_SEQ_CST) != 0 &&
           __atomic_exchange_n(&port->is_awaited, 0, __ATOMIC_SEQ_CST) != 0;
}

void cel_port_free(struct cel_port *port)
{
    if (port == NULL)
        return;
    CEL__ASSERT(cel__waitq_is_empty(&port->receivers) && cel__list_is_empty(&port->senders));
    if (port->is_armed && !take_wake(port))
        port->is_freed = true;
    else
        destroy(port);
}

/* ---- sending ---- */

static void wake_receiver(struct cel_port *port)
{
    port->is_armed = false;
    if (port->is_freed)
        destroy(port);
    else if (__atomic_load_n(&port->is_closed, __ATOMIC_RELAXED))
        cel__waitq_wake_all(&port->receivers);
    else
        (void)cel__waitq_wake_one(&port->receivers);
}

static void message_came(struct cel__post *post)
{
    wake_receiver(cel__container_of(post, struct cell, wake)->port);
}

static void port_closed(struct cel__post *post)
{
    wake_receiver(cel__container_of(post, struct cel_port, close));
}

static void tell_owner(struct cel_port *port, struct cel__post *post,
                       void (*run)(struct cel__post *post))
{
    if (!take_wake(port))
        return;
    post->run = run;
    cel__loop_post(port->owner, post);
}

static int reserve(struct cel_port *port, uint64_t *place)
{
    uint64_t tail = __atomic_load_n(&port->tail, __ATOMIC_RELAXED);

    for (;;) {
        int64_t behind;

        if (tail & CLOSED)
            return -EPIPE;
        behind = (int64_t)(__atomic_load_n(&cell_at(port, tail)->turn, __ATOMIC_SEQ_CST) - tail);
        if (behind < 0)
            return -EAGAIN;
        if (behind > 0)
            tail = __atomic_load_n(&port->tail, __ATOMIC_RELAXED);
        else if (__atomic_compare_exchange_n(&port->tail, &tail, tail + 1, true, __ATOMIC_RELAXED,
                                             __ATOMIC_RELAXED))
            break;
    }
    *place = tail;
    return 0;
}

/* The lines to be written come from the other core side by side. */
static void fetch_ahead(struct cel_port *port)
{
    cel__fetch_to_write(cell_at(port, __atomic_load_n(&port->tail, __ATOMIC_RELAXED)));
    if (__atomic_load_n(&port->is_awaited, __ATOMIC_RELAXED) != 0)
        cel__fetch_to_write(&port->is_awaited);
}

int cel_port_try_send(struct cel_port *port, const void *message)
{
    uint64_t place = 0;
    struct cell *cell;
    int r;

    fetch_ahead(port);
    r = reserve(port, &place);
    cell = cell_at(port, place);
    if (r < 0)
        return r;
    memcpy(cell->message, message, port->message_size);
    __atomic_store_n(&cell->turn, place + 1, __ATOMIC_SEQ_CST);
    tell_owner(port, &cell->wake, message_came);
    return 0;
}

static void wake_sender(struct cel__post *post)
{
    cel__unpark(cel__container_of(post, struct sender, wake)->task);
}

/* -> the first in line, which is out of it now, or NULL. */
static struct sender *take_sender(struct cel_port *port)
{
    struct cel__list *node;

    (void)pthread_mutex_lock(&port->lock);
    node = cel__list_pop(&port->senders);
    if (node != NULL)
        __atomic_fetch_sub(&port->senders_waiting, 1, __ATOMIC_SEQ_CST);
    (void)pthread_mutex_unlock(&port->lock);
    return node != NULL ? cel__container_of(node, struct sender, link) : NULL;
}

/* There is room, or no more to come. */
static void tell_sender(struct cel_port *port)
{
    struct sender *s = take_sender(port);

    if (s == NULL)
        return;
    s->wake.run = wake_sender;
    cel__loop_post(s->home, &s->wake);
}

static void get_in_line(struct sender *s)
{
    (void)pthread_mutex_lock(&s->port->lock);
    cel__list_append(&s->port->senders, &s->link);
    __atomic_fetch_add(&s->port->senders_waiting, 1, __ATOMIC_SEQ_CST);
    (void)pthread_mutex_unlock(&s->port->lock);
}

/* -> false: somebody has taken it out, and its message is under way. */
static bool get_out_of_line(struct sender *s)
{
    bool was_in_line;

    (void)pthread_mutex_lock(&s->port->lock);
    was_in_line = !cel__list_is_empty(&s->link);
    if (was_in_line) {
        cel__list_unlink(&s->link);
        __atomic_fetch_sub(&s->port->senders_waiting, 1, __ATOMIC_SEQ_CST);
    }
    (void)pthread_mutex_unlock(&s->port->lock);
    return was_in_line;
}

static void interrupt_sender(struct cel_task *task, int code)
{
    struct sender *s = task->wait_on;

    if (!get_out_of_line(s))
        return; /* woken already */
    s->code = code;
    cel__unpark(task);
}

/* Which one; its lock is not for a report to take. */
static void tell_port(struct cel__report *to, const struct cel_task *task)
{
    cel__report_hex(to, (uintptr_t)((const struct sender *)task->wait_on)->port);
}

static const struct cel__wait for_room = {
    .what = "for room in the port at ", .interrupt = interrupt_sender, .tell = tell_port};
static const struct cel__wait for_word = {.what = "for the word that there is room in the port at ",
                                          .tell = tell_port};

/* (parks) -EAGAIN: try again. *has_word: the word that there is room was taken and not used. */
static int wait_for_room(struct cel_port *port, const void *message, bool *has_word)
{
    struct sender s = {.port = port, .home = cel__loop_here, .task = cel__task_parking()};
    int r;

    cel__list_init(&s.link);
    get_in_line(&s);
    s.home->holds++;                      /* who makes room may be on another loop */
    r = cel_port_try_send(port, message); /* room that came before we were in line */
    *has_word = false;
    if (r == -EAGAIN) {
        cel__park(s.task, &for_room, &s); /* parks */
        *has_word = s.code == 0;
        r = s.code == 0 ? -EAGAIN : s.code;
    } else if (!get_out_of_line(&s)) {
        cel__park(s.task, &for_word, &s); /* parks */
        *has_word = true;
    }
    s.home->holds--;
    return r;
}

int cel_port_send(struct cel_port *port, const void *message)
{
    bool has_word = false;
    int r = cel_checkpoint();

    while (r == 0) {
        r = cel_port_try_send(port, message);
        if (r != -EAGAIN)
            return r;
        r = wait_for_room(port, message, &has_word); /* parks */
        if (r != -EAGAIN)
            break;
        r = cel_checkpoint();
    }
    if (has_word)
        tell_sender(port);
    return r;
}

/* ---- receiving ---- */

static bool is_empty(struct cel_port *port)
{
    return __atomic_load_n(&cell_at(port, port->head)->turn, __ATOMIC_SEQ_CST) != port->head + 1;
}

/* Closed, and all that was sent before is received. */
static bool is_at_end(const struct cel_port *port)
{
    return __atomic_load_n(&port->is_closed, __ATOMIC_SEQ_CST) != 0 &&
           __atomic_load_n(&port->tail, __ATOMIC_SEQ_CST) == (port->head | CLOSED);
}

int cel_port_try_receive(struct cel_port *port, void *message)
{
    struct cell *cell = cell_at(port, port->head);

    CEL__ASSERT(port->owner == cel__loop_here && "a port is received from by its own loop");
    if (is_empty(port))
        return is_at_end(port) ? -EPIPE : -EAGAIN;
    memcpy(message, cell->message, port->message_size);
    __atomic_store_n(&cell->turn, port->head + port->mask + 1, __ATOMIC_SEQ_CST);
    port->head++;
    if (__atomic_load_n(&port->senders_waiting, __ATOMIC_SEQ_CST) != 0)
        tell_sender(port);
    return 0;
}

/* -> false: look again, there may be something now. */
static bool arm(struct cel_port *port)
{
    if (port->is_armed)
        return true;
    port->is_armed = true;
    __atomic_store_n(&port->is_awaited, 1, __ATOMIC_SEQ_CST);
    if (is_empty(port) && !is_at_end(port))
        return true;
    if (take_wake(port))
        port->is_armed = false;
    return false;
}

/* The others in line must be woken when there is something, now or later. */
static void leave(struct cel_port *port, int r)
{
    if (cel__waitq_is_empty(&port->receivers))
        return;
    if (r == -EPIPE)
        cel__waitq_wake_all(&port->receivers);
    else if (!is_empty(port) || !arm(port))
        (void)cel__waitq_wake_one(&port->receivers);
}

int cel_port_receive(struct cel_port *port, void *message)
{
    int r = cel_checkpoint();

    while (r == 0) {
        r = cel_port_try_receive(port, message);
        if (r != -EAGAIN)
            break;
        r = 0;
        if (!arm(port))
            continue;
        port->owner->holds++;                  /* senders may be on other threads */
        r = cel__waitq_park(&port->receivers); /* parks */
        port->owner->holds--;
    }
    leave(port, r);
    return r;
}

void cel_port_close(struct cel_port *port)
{
    __atomic_fetch_or(&port->tail, CLOSED, __ATOMIC_SEQ_CST);
    __atomic_store_n(&port->is_closed, 1, __ATOMIC_SEQ_CST);
    tell_owner(port, &port->close, port_closed);
    while (__atomic_load_n(&port->senders_waiting, __ATOMIC_SEQ_CST) != 0)
        tell_sender(port);
}
