/* SPDX-License-Identifier: MIT */
#ifndef CELADON_NET_H
#define CELADON_NET_H

/* Blocking-style sockets that park the task, not the thread.
 *
 * Addresses are text: "127.0.0.1:80", "[::1]:80", "name:80" (resolved), ":80" (any), "unix:/path",
 * "unix:@abstract". No call takes a timeout: the scopes around (celadon/task.h) carry the deadline.
 * Calls marked (parks) return -ECANCELED or -ETIMEDOUT on their account, and then nothing happened
 * except where said. A stream has one reader and one writer at a time, who may be two tasks.
 * All functions belong to the loop's thread. What went wrong is told in words by cel_last_error,
 * whose `phase` is "listen", "dns", "connect" or "tls". TLS wants a stack of 32 KiB or more. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "celadon/base.h"
#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_stream;
struct cel_listener;
struct cel_tls;

/* ---- TLS contexts: certificates and rules, shared by many streams ---- */

struct cel_tls_options {
    const char *cert_file;   /* PEM, with the chain behind it; a server's own, or a client's */
    const char *key_file;    /* PEM; NULL: in cert_file */
    const char *ca_file;     /* PEM; NULL: the system's */
    const char *alpn;        /* protocols in order, "h2,http/1.1"; NULL: none */
    bool insecure_no_verify; /* accept any certificate; logged */
    bool verify_client;      /* server: demand a certificate */
};

/* TLS 1.2 or later, no renegotiation, no compression. Does not park, but reads the files. Owner:
 * the caller; streams and listeners that use it hold on to it; loops of several threads may share
 * it. -ENOMEM, -EINVAL not a list of protocols, -CEL_ETLS (cel_last_error names the file and
 * cause). */
CEL_PUBLIC CEL_NODISCARD int cel_tls_new(struct cel_tls **out,
                                         const struct cel_tls_options *options);
/* NULL is fine. */
CEL_PUBLIC void cel_tls_free(struct cel_tls *tls);

/* ---- listening ---- */

struct cel_listen_options {
    int backlog;     /* 0: 1024 */
    bool reuse_port; /* SO_REUSEPORT: several loops share the address */
    struct cel_tls
        *tls; /* each accepted stream does the server's handshake at its first read or write */
};

/* (parks only to resolve a name) ":80" serves IPv6 and IPv4. "fd:3" listens on a copy of the
 * listening descriptor 3, which was inherited or handed over by another process and stays the
 * caller's: while any copy is open connections are taken in, so a restart refuses nobody. The file
 * of a Unix address is replaced if nobody listens on it any more, and removed at close. Accepted
 * sockets have TCP_NODELAY and SO_KEEPALIVE. options may be NULL; with "fd:" only the TLS of them
 * counts. Owner: the caller. -EADDRINUSE, -EACCES, -EINVAL not an address, or not a listening
 * socket, -EBADF, -ENOTSOCK, -CEL_EDNS, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_listen(struct cel_listener **out, const char *address,
                                        const struct cel_listen_options *options);
/* (parks) The next connection. Owner of *out: the caller. Several tasks may accept. Out of
 * descriptors it pauses, logs, and tries again, it does not fail. -CEL_ECLOSED, -ENOMEM: the
 * connection still waits (with TLS it may be closed): try again after a while, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_accept(struct cel_listener *listener, struct cel_stream **out);
/* (parks) The next connection as a descriptor, non-blocking, for a loop of another thread, which
 * opens it with cel_stream_open (and cel_stream_start_tls: the listener's tls is not applied).
 * Owner of *fd: the caller. As cel_accept. */
CEL_PUBLIC CEL_NODISCARD int cel_accept_fd(struct cel_listener *listener, int *fd);
/* "127.0.0.1:34567": where it really listens. Valid as long as the listener. */
CEL_PUBLIC const char *cel_listener_address(const struct cel_listener *listener);
/* What serves one connection, in a task of its own; the stream is closed when it returns. */
typedef void cel_serve_fn(struct cel_stream *stream, void *arg);
/* (parks) Accepts and serves until cel_listener_stop, each connection in a task of this call's
 * scope; while connections_max (0: no limit) are open, others wait in the kernel's queue. Returns
 * when all have ended: 0; -ETIMEDOUT: some were cancelled because the stop's grace was over;
 * -ECANCELED: all were; and as cel_accept. One call at a time. */
CEL_PUBLIC CEL_NODISCARD int cel_listener_serve(struct cel_listener *listener, cel_serve_fn *fn,
                                                void *arg, unsigned connections_max);
/* Does not park. Nothing is accepted any more, and within a turn of the loop the address is free; a
 * parked cel_accept ends with -CEL_ECLOSED, and cel_listener_serve waits for its connections for
 * `grace` ns (CEL_FOREVER: as long as they last) and cancels the others. May be called again with
 * another grace. */
CEL_PUBLIC void cel_listener_stop(struct cel_listener *listener, int64_t grace);
/* Connections that cel_listener_serve serves now. */
CEL_PUBLIC unsigned cel_listener_connections(const struct cel_listener *listener);
/* Whether cel_listener_serve is at it and nobody has said stop: who serves one request after the
 * other asks before it waits for the next. */
CEL_PUBLIC bool cel_listener_is_serving(const struct cel_listener *listener);
/* A parked cel_accept ends with -CEL_ECLOSED; nobody may be in cel_listener_serve. NULL is fine. */
CEL_PUBLIC void cel_listener_close(struct cel_listener *listener);

/* ---- connecting ---- */

struct cel_connect_options {
    struct cel_tls *tls;     /* do TLS, verified for the name in the address, or for: */
    const char *server_name; /* SNI and the name to verify */
    bool keep_nagle;         /* TCP_NODELAY is set unless */
    const char *local;       /* where to come from: a numeric address, its port 0 for any, or a
                                Unix one; NULL: the kernel's choice */
};

/* (parks) Resolves, tries the addresses as RFC 8305 says (250 ms apart, IPv6 first, losers are
 * closed), and does the TLS handshake. options may be NULL. Owner: the caller. On any error nothing
 * is left open. When all addresses fail, it is the first one's error. -CEL_EDNS, -CEL_ETLS,
 * -ECONNREFUSED, -EINVAL not an address, or TLS without a name to verify, -EADDRNOTAVAIL `local` is
 * not of this machine, or of another family, -EADDRINUSE it is taken, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_connect(struct cel_stream **out, const char *address,
                                         const struct cel_connect_options *options);

/* Two ends joined in this process. -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_pair(struct cel_stream **a, struct cel_stream **b);
/* What is written to one comes out of the other: a pipe. -EMFILE, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_pipe(struct cel_stream **reader,
                                             struct cel_stream **writer);
/* Takes over a connected stream socket, a pipe's end, a terminal; it becomes non-blocking, and is
 * closed with the stream if `owns`. On error fd stays the caller's. -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_open(struct cel_stream **out, int fd, bool owns);

/* ---- streams ---- */

/* (parks) At least one byte, at most len; 0: the end. -ECONNRESET, -CEL_ETLS, -CEL_ETRUNCATED a TLS
 * connection that ended without close_notify (fine for who knows by the bytes that they are all),
 * -CEL_ECLOSED, -errno; after these the stream can only be closed. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_read(struct cel_stream *stream, void *buf, size_t len);
/* (parks) Exactly len bytes: len, or an error: -CEL_EEOF when it ended before. What had come stays
 * unread then, as it does after -ECANCELED and -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_read_exactly(struct cel_stream *stream, void *buf, size_t len);
/* (parks) Up to and including the delimiter, which is one byte: how many; 0: ended with nothing
 * unread; -CEL_EEOF: ended without it, -CEL_ETOOLARGE: cap bytes without it; both leave the bytes
 * unread. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_read_until(struct cel_stream *stream, char delimiter,
                                                void *buf, size_t cap);
/* (parks) The next line without its "\n" or "\r\n": its length, which may be 0. The last line needs
 * no end. -CEL_EEOF: no more lines; -CEL_ETOOLARGE: longer than cap, it stays unread; and as
 * cel_read. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_read_line(struct cel_stream *stream, void *buf, size_t cap);
/* (parks) Up to and including the first of the separators that is complete; of two that end at the
 * same byte it is the longer. *which (may be NULL) is its place in the array. Result and errors as
 * cel_read_until; -EINVAL none, or an empty one. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_read_until_any(struct cel_stream *stream,
                                                    const struct cel_str *separators, size_t count,
                                                    void *buf, size_t cap, size_t *which);
/* (parks) Unread bytes without a copy: waits until at least `min` contiguous ones are there (min >=
 * 1), then *data is valid until the next call on this stream's reading side. -> how many are there,
 * which is < min only at the end (0: nothing more). -CEL_ETOOLARGE min is beyond 16 MiB, -ENOMEM,
 * and as cel_read. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_peek(struct cel_stream *stream, const char **data, size_t min);
/* Takes n peeked bytes as read. */
CEL_PUBLIC void cel_consume(struct cel_stream *stream, size_t n);
/* Does not park. Puts bytes in front of what is unread: the next read gets them first. Nobody may
 * be reading. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_feed(struct cel_stream *stream, const void *bytes,
                                             size_t len);
/* Does not park. A read has met the end, and nothing is unread. */
CEL_PUBLIC bool cel_stream_at_end(const struct cel_stream *stream);

/* (parks) All of it: len or an error; how much was written before an error or cancel is told by
 * cel_stream_written. Never raises SIGPIPE. With TLS a write that is cancelled after it began
 * breaks the writing side: whole records are counted (the peer may get up to 64 KiB more), and each
 * later write is -CEL_ETLS. -EPIPE after cel_shutdown, or the peer takes no more; -ECONNRESET,
 * -CEL_ETLS, -CEL_ECLOSED, -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_write(struct cel_stream *stream, const void *buf, size_t len);
/* (parks) The pieces in order, in as few system calls as can be; iov is not changed. As cel_write.
 */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_writev(struct cel_stream *stream, const struct iovec *iov,
                                            int count);
/* Bytes of the last cel_write or cel_writev that went out. */
CEL_PUBLIC size_t cel_stream_written(const struct cel_stream *stream);
/* (parks) No more writing: the peer reads an end (TLS: close_notify). Reading goes on. -errno;
 * -ENOTSOCK a pipe: close it instead. */
CEL_PUBLIC CEL_NODISCARD int cel_shutdown(struct cel_stream *stream);
/* Closes at once; what is parked on the stream ends with -CEL_ECLOSED. With TLS a close_notify is
 * sent if it goes out without waiting. TCP may reset the connection when bytes that came were not
 * read (it does while they lie in the kernel, from where io_uring takes some ahead): who wants the
 * peer to get the last answer reads to the end first. NULL is fine. */
CEL_PUBLIC void cel_close(struct cel_stream *stream);
/* The same without last words: what was written and has not gone out is dropped, and a TCP peer
 * sees a reset. */
CEL_PUBLIC void cel_stream_abort(struct cel_stream *stream);
/* (parks) TLS over what is an open plain stream: the handshake of a client (server_name is
 * verified) or of a server. Unread bytes are taken as TLS, never as plain text. -EINVAL the client
 * has no name to verify, or the stream does TLS already; -CEL_ETLS, -ENOMEM, -errno: the stream
 * can only be closed then. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_start_tls(struct cel_stream *stream, struct cel_tls *tls,
                                                  const char *server_name, bool is_server);
/* "127.0.0.1:34567"; "" where there is none. Valid as long as the stream. */
CEL_PUBLIC const char *cel_stream_peer(struct cel_stream *stream);
CEL_PUBLIC const char *cel_stream_local(struct cel_stream *stream);
/* The protocol that ALPN agreed on, or "". */
CEL_PUBLIC const char *cel_stream_alpn(const struct cel_stream *stream);
/* For setsockopt and the like: who reads or writes by it confuses the stream, which goes on owning
 * it. */
CEL_PUBLIC int cel_stream_fd(const struct cel_stream *stream);
/* Does not park. Small writes go out at once (the default), or are gathered. -errno; -ENOTSOCK,
 * -EOPNOTSUPP not TCP, also for the next two. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_set_nodelay(struct cel_stream *stream, bool is_on);
/* Does not park. After `idle` ns of silence the peer is asked, every `interval` ns, whether it is
 * there; after `probes` questions without an answer reads end with -ETIMEDOUT. Rounded up to whole
 * seconds. idle 0: never asked. -EINVAL, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_set_keepalive(struct cel_stream *stream, int64_t idle,
                                                      int64_t interval, int probes);
/* Does not park. What was written and is not acknowledged for that long ends the connection with
 * -ETIMEDOUT. Rounded up to milliseconds; 0: as the system is set up. -EINVAL, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_stream_set_user_timeout(struct cel_stream *stream,
                                                         int64_t timeout);
/* Is there nothing unread, and has the peer neither closed nor sent: may an idle connection be used
 * again? With TLS a late session ticket makes it false. Always false for pipes. Does not park. */
CEL_PUBLIC bool cel_stream_is_quiet(struct cel_stream *stream);

/* ---- datagrams ---- */

struct cel_socket;

/* A numeric address; NULL: not bound, sends to both families. Several tasks may use it at once.
 * Owner: the caller. -EADDRINUSE, -EINVAL, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_udp_open(struct cel_socket **out, const char *address);
/* (parks) One datagram; *from (may be NULL) is its sender. -> its length; longer than cap:
 * -EMSGSIZE, it is lost. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_recv_from(struct cel_socket *socket, void *buf, size_t cap,
                                               struct sockaddr_storage *from);
/* (parks) One datagram; to NULL: whom the socket is connected to (celadon/udp.h). -EMSGSIZE,
 * -EDESTADDRREQ, -errno. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_send_to(struct cel_socket *socket, const void *buf, size_t len,
                                             const struct sockaddr_storage *to);
/* "127.0.0.1:34567": where it is bound. Valid as long as the socket. */
CEL_PUBLIC const char *cel_socket_address(const struct cel_socket *socket);
/* What is parked on it ends with -CEL_ECLOSED. NULL is fine. */
CEL_PUBLIC void cel_socket_close(struct cel_socket *socket);

/* ---- names ---- */

/* (parks) The addresses of a host name, in the order to try them; numeric ones need no lookup.
 * Hosts file, search list and servers are the system's. count: room in, number out. -CEL_EDNS, and
 * the cause: no such name, no address, no answer, refused, failed; -EINVAL no room, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_resolve(const char *host, uint16_t port,
                                         struct sockaddr_storage *out, size_t *count);
/* "host:port" text to an address without a lookup. -EINVAL. Does not park. */
CEL_PUBLIC CEL_NODISCARD int cel_address_parse(const char *text, struct sockaddr_storage *out);
/* -> out, filled ("?" for what has no text form). Does not park. */
CEL_PUBLIC char *cel_address_format(const struct sockaddr_storage *address, char *out, size_t cap);

/* ---- any descriptor ---- */

/* (parks) Until fd is ready for one of poll(2)'s `events`: -> those that it is ready for. fd stays
 * the caller's and as it is; it must stay open meanwhile. Several tasks may wait for one. -errno.
 */
CEL_PUBLIC CEL_NODISCARD int cel_wait_fd(int fd, short events);

struct pollfd;
/* (parks) The same for several at once, as poll(2): until one or more are ready, whose `revents`
 * say for what; the others' are 0, as are those of negative numbers. -> how many. -EINVAL none to
 * wait for, -ENOMEM, -ECANCELED, -ETIMEDOUT, -errno: revents are 0. */
CEL_PUBLIC CEL_NODISCARD int cel_wait_fds(struct pollfd *fds, size_t count);

#ifdef __cplusplus
}
#endif

#endif
