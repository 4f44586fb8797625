/* SPDX-License-Identifier: MIT */
/* c-ares on our loop: its sockets are polled through ops, its time-outs come from the wheel.
 *
 * 1. c-ares is entered from the loop's stack only: readiness is noted in the op's end and acted
 *    on from `soon`, so that no callback of it runs in a backend's hands.
 * 2. A socket's record lives until its poll has ended, which may be after c-ares closed it.
 * 3. When resolv.conf has changed and nothing is being asked, the channel is made anew. */
#include "io/dns.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"

#define ANSWERS_MAX   32
#define RECHECK_AFTER CEL_SECOND
#define RESOLV_CONF   "/etc/resolv.conf"

struct cel__dns {
    struct cel_loop *loop;
    ares_channel channel;
    struct cel__list sockets; /* struct watch */
    struct cel__timer timer;
    struct cel__soon soon;
    bool is_due; /* soon is queued */
    unsigned asked;
    struct cel__dns_options options;
    char *servers;
    struct timespec conf_time; /* when resolv.conf was last written */
    int64_t check_at;
};

/* One socket of c-ares. */
struct watch {
    struct cel__list link;
    struct cel__dns *dns; /* NULL: c-ares has closed it */
    struct cel__fd *fd;
    struct cel__op op;
    short wanted, got;
};

struct question {
    struct cel__dns *dns;
    cel__dns_fn *fn;
    void *arg;
};

static struct watch *watch_of(struct cel__list *link)
{
    return cel__container_of(link, struct watch, link);
}

static void on_ready(struct cel__op *op)
{
    struct watch *w = cel__container_of(op, struct watch, op);
    struct cel__dns *dns = w->dns;

    if (dns == NULL) {
        cel__mem_free(w);
        return;
    }
    if (op->result >= 0)
        w->got = (short)op->result;
    else if (op->result != -ECANCELED) /* else it is asked anew, for other events */
        w->got = POLLERR;
    if (!dns->is_due)
        cel__loop_soon(dns->loop, &dns->soon);
    dns->is_due = true;
}

static void poll_socket(struct cel__dns *dns, struct watch *w)
{
    if (w->op.is_in_flight && w->op.events == w->wanted)
        return;
    if (w->op.is_in_flight) { /* asks again when that has ended */
        cel__op_cancel(dns->loop, &w->op, -ECANCELED);
        return;
    }
    w->op = (struct cel__op){.kind = CEL__OP_POLL, .fd = w->fd, .done = on_ready};
    w->op.events = w->wanted;
    if (cel__op_start(dns->loop, &w->op) != 0)
        on_ready(&w->op);
}

/* A millisecond later than told: c-ares counts in those, and would find nothing due before. */
static void set_timer(struct cel__dns *dns)
{
    struct timeval tv;

    cel__timer_cancel(&dns->loop->wheel, &dns->timer);
    if (ares_timeout(dns->channel, NULL, &tv) == NULL)
        return;
    cel__timer_arm(&dns->loop->wheel, &dns->timer,
                   dns->loop->backend->now(dns->loop) + tv.tv_sec * CEL_SECOND +
                       tv.tv_usec * CEL_MICROSECOND + CEL_MILLISECOND);
}

/* After each visit to c-ares. */
static void settle(struct cel__dns *dns)
{
    CEL__LIST_EACH_SAFE (node, &dns->sockets)
        if (watch_of(node)->got == 0)
            poll_socket(dns, watch_of(node));
    set_timer(dns);
}

static struct watch *next_ready(struct cel__dns *dns)
{
    CEL__LIST_EACH (node, &dns->sockets)
        if (watch_of(node)->got != 0)
            return watch_of(node);
    return NULL;
}

/* The list changes with each visit: look from the start again. */
static void on_soon(struct cel__soon *soon)
{
    struct cel__dns *dns = cel__container_of(soon, struct cel__dns, soon);
    struct watch *w;

    dns->is_due = false;
    while ((w = next_ready(dns)) != NULL) {
        bool is_error = w->got & (POLLERR | POLLHUP | POLLNVAL);
        ares_socket_t in = w->got & POLLIN || is_error ? w->fd->fd : ARES_SOCKET_BAD;
        ares_socket_t out = w->got & POLLOUT || is_error ? w->fd->fd : ARES_SOCKET_BAD;

        w->got = 0;
        ares_process_fd(dns->channel, in, out);
    }
    settle(dns);
}

static void on_timer(struct cel__timer *timer)
{
    struct cel__dns *dns = cel__container_of(timer, struct cel__dns, timer);

    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle(dns);
}

static void unwatch(struct watch *w)
{
    struct cel__dns *dns = w->dns;
    bool is_polling = w->op.is_in_flight;

    cel__list_unlink(&w->link);
    w->dns = NULL;
    cel__fd_close(dns->loop, w->fd); /* ends the poll, which frees the record */
    if (!is_polling)
        cel__mem_free(w);
}

static struct watch *find_watch(struct cel__dns *dns, ares_socket_t fd)
{
    CEL__LIST_EACH (node, &dns->sockets)
        if (watch_of(node)->fd->fd == fd)
            return watch_of(node);
    return NULL;
}

static struct watch *watch(struct cel__dns *dns, ares_socket_t fd)
{
    struct watch *w = cel__mem_zalloc(sizeof *w);

    if (w == NULL)
        return NULL;
    if (cel__fd_open(dns->loop, &w->fd, fd, false) < 0) {
        cel__mem_free(w);
        return NULL;
    }
    w->dns = dns;
    cel__list_append(&dns->sockets, &w->link);
    return w;
}

/* c-ares tells what it waits for; a socket that cannot be watched for want of memory ends by its
 * time-out. */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct cel__dns *dns = arg;
    struct watch *w = find_watch(dns, fd);

    if (!readable && !writable) {
        if (w != NULL)
            unwatch(w);
        return;
    }
    if (w == NULL)
        w = watch(dns, fd);
    if (w != NULL)
        w->wanted = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

static struct timespec conf_time(void)
{
    struct stat st;

    return cel__sys.fstatat(AT_FDCWD, RESOLV_CONF, &st, 0) == 0 ? st.st_mtim : (struct timespec){0};
}

/* Its sockets come through the table of system calls as all others do. */

static ares_socket_t open_socket(int family, int type, int protocol, void *arg)
{
    return cel__sys.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int close_socket(ares_socket_t fd, void *arg)
{
    return cel__sys.close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *at, ares_socklen_t len,
                          void *arg)
{
    return cel__sys.connect(fd, at, len);
}

static ares_ssize_t receive(ares_socket_t fd, void *buf, size_t len, int flags,
                            struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
    struct iovec piece = {buf, len};
    struct msghdr msg = {.msg_name = from,
                         .msg_namelen = from_len != NULL ? *from_len : 0,
                         .msg_iov = &piece,
                         .msg_iovlen = 1};
    ssize_t n = cel__sys.recvmsg(fd, &msg, flags);

    if (n >= 0 && from_len != NULL)
        *from_len = msg.msg_namelen;
    return n;
}

static ares_ssize_t send_pieces(ares_socket_t fd, const struct iovec *iov, int count, void *arg)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    return cel__sys.sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = {
    open_socket, close_socket, connect_socket, receive, send_pieces,
};

static int init_channel(struct cel__dns *dns, int flags)
{
    struct ares_options options = {
        .flags = flags,
        .timeout = dns->options.timeout_ms,
        .tries = dns->options.tries,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = dns,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB, r;

    if (dns->options.timeout_ms > 0)
        mask |= ARES_OPT_TIMEOUTMS;
    if (dns->options.tries > 0)
        mask |= ARES_OPT_TRIES;
    r = ares_init_options(&dns->channel, &options, mask);
    if (r != ARES_SUCCESS)
        dns->channel = NULL;
    else
        ares_set_socket_functions(dns->channel, &socket_functions, NULL);
    if (r == ARES_SUCCESS && dns->servers != NULL)
        r = ares_set_servers_ports_csv(dns->channel, dns->servers);
    return r;
}

static void close_channel(struct cel__dns *dns)
{
    if (dns->channel != NULL)
        ares_destroy(dns->channel); /* closes its sockets, ends the questions */
    dns->channel = NULL;
}

static bool has_one_server(struct cel__dns *dns)
{
    struct ares_addr_port_node *servers = NULL;
    bool is_one;

    if (ares_get_servers_ports(dns->channel, &servers) != ARES_SUCCESS)
        return false;
    is_one = servers != NULL && servers->next == NULL;
    ares_free_data(servers);
    return is_one;
}

/* A refusal or failure makes c-ares go on to the next server and forget the reason. Where there is
 * no next one, it is told to hand it over. */
static int open_channel(struct cel__dns *dns)
{
    int r;

    dns->conf_time = conf_time();
    r = init_channel(dns, 0);
    if (r == ARES_SUCCESS && has_one_server(dns)) {
        close_channel(dns);
        r = init_channel(dns, ARES_FLAG_NOCHECKRESP);
    }
    if (r == ARES_SUCCESS)
        return 0;
    close_channel(dns);
    return r == ARES_ENOMEM ? -ENOMEM : -CEL_EDNS;
}

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

int cel__dns_new(struct cel__dns **out, struct cel_loop *loop,
                 const struct cel__dns_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct cel__dns *dns = cel__mem_zalloc(sizeof *dns);
    int r = -ENOMEM;

    if (dns == NULL)
        return r;
    pthread_once(&once, init_library);
    dns->loop = loop;
    dns->soon.run = on_soon;
    cel__list_init(&dns->soon.link);
    cel__list_init(&dns->sockets);
    cel__timer_init(&dns->timer, on_timer);
    if (options != NULL)
        dns->options = *options;
    if (dns->options.servers != NULL) {
        dns->servers = cel__mem_strdup(dns->options.servers);
        if (dns->servers == NULL)
            goto fail;
    }
    r = open_channel(dns);
    if (r < 0)
        goto fail;
    *out = dns;
    return 0;

fail:
    cel__mem_free(dns->servers);
    cel__mem_free(dns);
    return r;
}

void cel__dns_free(struct cel__dns *dns)
{
    if (dns == NULL)
        return;
    close_channel(dns);
    cel__timer_cancel(&dns->loop->wheel, &dns->timer);
    cel__list_unlink(&dns->soon.link);
    cel__mem_free(dns->servers);
    cel__mem_free(dns);
}

static int code_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return 0;
    case ARES_ENOMEM:
        return -ENOMEM;
    default:
        return -CEL_EDNS;
    }
}

static const char *cause_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return "";
    case ARES_ENOTFOUND:
        return "no such name";
    case ARES_ENODATA:
        return "the name has no address";
    case ARES_ETIMEOUT:
        return "the name servers do not answer";
    case ARES_ECONNREFUSED:
        return "no name server could be reached, or all failed";
    case ARES_ESERVFAIL:
        return "the name server failed (SERVFAIL)";
    case ARES_EREFUSED:
        return "the name server refuses to answer";
    case ARES_EBADNAME:
        return "not a valid host name";
    case ARES_EBADRESP:
    case ARES_EFORMERR:
        return "the name server's answer is malformed";
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return "the resolver was closed";
    default:
        return ares_strerror(status);
    }
}

static size_t copy_addresses(const struct ares_addrinfo *info, struct sockaddr_storage *at)
{
    size_t count = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL && count < ANSWERS_MAX;
         node = node->ai_next) {
        if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
            continue;
        memset(&at[count], 0, sizeof at[count]);
        memcpy(&at[count++], node->ai_addr, node->ai_addrlen);
    }
    return count;
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct question q = *(struct question *)arg;
    struct sockaddr_storage at[ANSWERS_MAX];
    size_t count = 0;

    cel__mem_free(arg);
    q.dns->asked--;
    if (status == ARES_SUCCESS && info != NULL)
        count = copy_addresses(info, at);
    if (status == ARES_SUCCESS && count == 0)
        status = ARES_ENODATA;
    if (info != NULL)
        ares_freeaddrinfo(info);
    q.fn(q.arg, code_of(status), cause_of(status), at, count);
}

/* A machine that moves between networks gets new name servers. */
static void refresh(struct cel__dns *dns)
{
    struct timespec now_time;

    if (dns->asked != 0 || dns->loop->now < dns->check_at)
        return;
    dns->check_at = dns->loop->now + RECHECK_AFTER;
    now_time = conf_time();
    if (dns->channel != NULL && now_time.tv_sec == dns->conf_time.tv_sec &&
        now_time.tv_nsec == dns->conf_time.tv_nsec)
        return;
    close_channel(dns);
    if (open_channel(dns) < 0)
        cel__log(CEL_LOG_WARN, "cannot read " RESOLV_CONF " anew");
}

void cel__dns_ask(struct cel__dns *dns, const char *name, cel__dns_fn *fn, void *arg)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_socktype = SOCK_STREAM};
    struct question *q;

    refresh(dns);
    q = dns->channel != NULL ? cel__mem_alloc(sizeof *q) : NULL;
    if (q == NULL) {
        fn(arg, -ENOMEM, "", NULL, 0);
        return;
    }
    *q = (struct question){dns, fn, arg};
    dns->asked++;
    ares_getaddrinfo(dns->channel, name, NULL, &hints, on_answer, q);
    settle(dns);
}
