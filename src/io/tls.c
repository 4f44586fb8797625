/* SPDX-License-Identifier: MIT */
/* TLS as a filter over a plain stream.
 *
 * 1. OpenSSL sees memory only: its BIO reads what has come and appends to what is to go out. No
 *    task ever parks inside a call of it.
 * 2. Its error queue is the thread's, so it is cleared before each call and read right after,
 *    before anything parks.
 * 3. One task at a time sends ciphertext. Bytes that OpenSSL has made must go out in order and
 *    whole: when a write is broken off, the writing side is broken for good.
 * 4. A connection that ends without close_notify was cut: reads say -CEL_ETRUNCATED, never 0.
 * 5. While a task waits for input the filter holds no buffer.
 *
 *   new --> shaking --> open          a cancel while shaking goes back to new
 *              \-----> failed */
#include "io/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "io/address.h"
#include "task/error.h"
#include "task/wait.h"

#define RECORD_MAX 16384
#define BATCH_MAX  (4 * RECORD_MAX) /* plain bytes per write to the socket */

struct cel_tls {
    SSL_CTX *ctx;
    unsigned refs; /* atomic: a context may serve many loops */
    bool is_insecure;
    bool verify_client;
    bool has_roots;       /* under roots_lock */
    struct cel__buf alpn; /* wire format */
};

enum state { NEW, SHAKING, OPEN, FAILED };

struct cel__tls_link {
    SSL *ssl;
    struct cel_tls *tls;
    struct cel__unread in; /* ciphertext that has come */
    struct cel__buf out;   /* ciphertext to go */
    struct cel__buf sending;
    struct cel__waitq turn; /* tasks waiting for the handshake or for the sender */
    char *alpn;
    enum state state;
    bool is_sending;
    bool saw_end; /* the peer's side of the socket has ended */
    int broken;   /* 0, or what every further write returns */
};

static pthread_mutex_t roots_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *bio_method;

/* ---- the BIO over the link's memory ---- */

static int bio_read(BIO *bio, char *out, int len)
{
    struct cel__tls_link *link = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len > 0 && link->in.len > 0)
        return (int)cel__unread_copy(&link->in, out, (size_t)len);
    if (link->saw_end)
        return 0;
    BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct cel__tls_link *link = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return cel__buf_add(&link->out, bytes, (size_t)len) < 0 ? -1 : len;
}

static long bio_ctrl(BIO *bio, int what, long number, void *ptr)
{
    struct cel__tls_link *link = BIO_get_data(bio);

    switch (what) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return link->saw_end && link->in.len == 0;
    default:
        return 0;
    }
}

static void make_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "celadon");

    if (method == NULL)
        return;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    bio_method = method;
}

static int give_bio(struct cel__tls_link *link)
{
    BIO *bio;

    pthread_once(&bio_once, make_bio_method);
    bio = bio_method != NULL ? BIO_new(bio_method) : NULL;
    if (bio == NULL)
        return -ENOMEM;
    BIO_set_data(bio, link);
    BIO_set_init(bio, 1);
    SSL_set_bio(link->ssl, bio, bio);
    return 0;
}

/* ---- contexts ---- */

/* What OpenSSL has just complained about. */
static const char *reason(void)
{
    unsigned long error = ERR_peek_error();
    const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;

    if (ERR_SYSTEM_ERROR(error))
        return cel_strerror(ERR_GET_REASON(error));
    return text != NULL ? text : "unknown cause";
}

static int context_failed(const char *what, const char *file)
{
    int r = cel__raise(-CEL_ETLS, "tls", "%s %s: %s", what, file, reason());

    ERR_clear_error();
    return r;
}

static int no_password(char *buf, int size, int is_for_writing, void *arg)
{
    return -1; /* never ask on the terminal */
}

static int parse_alpn(struct cel__buf *wire, const char *list)
{
    struct cel_str rest = cel__str(list), name;

    while (cel__str_split(&rest, ',', &name)) {
        name = cel__str_trim(name);
        if (name.len == 0 || name.len > 255)
            return cel__raise(-EINVAL, "tls", "'%s' is not a list of protocols", list);
        cel__buf_add_char(wire, (char)name.len);
        cel__buf_add_str(wire, name);
    }
    return wire->failed ? -ENOMEM : 0;
}

/* The server's order decides; nothing in common ends the handshake (RFC 7301). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *theirs, unsigned theirs_len, void *arg)
{
    const struct cel_tls *tls = arg;
    unsigned char *chosen;

    if (SSL_select_next_proto(&chosen, out_len, (const unsigned char *)tls->alpn.ptr,
                              (unsigned)tls->alpn.len, theirs,
                              theirs_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_alpn(struct cel_tls *tls, const char *list)
{
    int r = parse_alpn(&tls->alpn, list);

    if (r < 0)
        return r;
    if (SSL_CTX_set_alpn_protos(tls->ctx, (const unsigned char *)tls->alpn.ptr,
                                (unsigned)tls->alpn.len) != 0)
        return -ENOMEM;
    SSL_CTX_set_alpn_select_cb(tls->ctx, choose_alpn, tls);
    return 0;
}

static int load_files(struct cel_tls *tls, const struct cel_tls_options *o)
{
    const char *key_file = o->key_file != NULL ? o->key_file : o->cert_file;

    if (o->cert_file != NULL && SSL_CTX_use_certificate_chain_file(tls->ctx, o->cert_file) != 1)
        return context_failed("certificate", o->cert_file);
    if (key_file != NULL &&
        (SSL_CTX_use_PrivateKey_file(tls->ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_check_private_key(tls->ctx) != 1))
        return context_failed("private key", key_file);
    if (o->ca_file == NULL)
        return 0;
    if (SSL_CTX_load_verify_file(tls->ctx, o->ca_file) != 1)
        return context_failed("certificate authorities", o->ca_file);
    if (o->verify_client)
        SSL_CTX_set_client_CA_list(tls->ctx, SSL_load_client_CA_file(o->ca_file));
    tls->has_roots = true;
    return 0;
}

static void set_rules(SSL_CTX *ctx)
{
    static const unsigned char realm[] = "celadon";

    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    if (SSL_CTX_get_security_level(ctx) < 2)
        SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, realm, sizeof realm - 1);
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
}

int cel_tls_new(struct cel_tls **out, const struct cel_tls_options *options)
{
    static const struct cel_tls_options none;
    struct cel_tls *tls = cel__mem_zalloc(sizeof *tls);
    int r = -ENOMEM;

    if (tls == NULL)
        return r;
    if (options == NULL)
        options = &none;
    ERR_clear_error();
    tls->refs = 1;
    tls->is_insecure = options->insecure_no_verify;
    tls->verify_client = options->verify_client;
    tls->ctx = SSL_CTX_new(TLS_method());
    if (tls->ctx == NULL)
        goto fail;
    set_rules(tls->ctx);
    r = load_files(tls, options);
    if (r == 0 && options->alpn != NULL)
        r = set_alpn(tls, options->alpn);
    if (r < 0)
        goto fail;
    if (tls->is_insecure)
        cel__log(CEL_LOG_WARN, "TLS certificates will not be verified (insecure_no_verify)");
    *out = tls;
    return 0;

fail:
    cel_tls_free(tls);
    return r;
}

struct cel_tls *cel__tls_ref(struct cel_tls *tls)
{
    if (tls != NULL)
        __atomic_add_fetch(&tls->refs, 1, __ATOMIC_RELAXED);
    return tls;
}

void cel_tls_free(struct cel_tls *tls)
{
    if (tls == NULL || __atomic_sub_fetch(&tls->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    SSL_CTX_free(tls->ctx);
    cel__buf_fini(&tls->alpn);
    cel__mem_free(tls);
}

/* The system's certificate authorities are read when somebody first has to be verified. */
static int need_roots(struct cel_tls *tls)
{
    int r = 0;

    pthread_mutex_lock(&roots_lock);
    if (!tls->has_roots) {
        ERR_clear_error();
        if (SSL_CTX_set_default_verify_paths(tls->ctx) == 1)
            tls->has_roots = true;
        else
            r = context_failed("certificate authorities", "of the system");
    }
    pthread_mutex_unlock(&roots_lock);
    return r;
}

/* ---- sending and receiving ciphertext ---- */

static int poison(struct cel__tls_link *link, int why)
{
    cel__buf_fini(&link->out);
    if (link->broken == 0)
        link->broken = -CEL_ETLS;
    return why;
}

/* (parks) Ciphertext does not count as written. */
static ssize_t send_raw(struct cel_stream *s, const struct cel__buf *bytes)
{
    size_t written = s->written;
    ssize_t n = cel__plain.write(s, bytes->ptr, bytes->len); /* parks */

    s->written = written;
    return n;
}

/* (parks) Until all that OpenSSL made has gone out. */
static int flush(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    ssize_t n = 0;
    int r;

    while (link->is_sending) {
        r = cel__waitq_park(&link->turn); /* parks */
        if (r < 0)
            return poison(link, r);
    }
    if (link->out.failed)
        return poison(link, -ENOMEM);
    link->is_sending = true;
    while (link->out.len > 0 && n >= 0) {
        link->sending = link->out;
        link->out = (struct cel__buf){0};
        n = send_raw(s, &link->sending); /* parks */
        cel__buf_fini(&link->sending);
    }
    link->is_sending = false;
    cel__waitq_wake_all(&link->turn);
    return n < 0 ? poison(link, (int)n) : 0;
}

/* (parks) More ciphertext, after what we owe the peer has gone. 1; 0: its side has ended. */
static int receive(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    ssize_t n;

    if (link->out.len > 0 && !link->is_sending) {
        int r = flush(s); /* parks */

        if (r < 0)
            return r;
    }
    if (link->saw_end)
        return 0;
    n = cel__plain.fill(s, &link->in); /* parks */
    if (n == 0)
        link->saw_end = true;
    return n < 0 ? (int)n : n > 0;
}

/* ---- the handshake ---- */

static const char *hint(void)
{
    switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return " (the peer does not seem to speak TLS)";
    default:
        return "";
    }
}

/* Reads the error queue: must follow the failed call at once. */
static int ssl_failed(struct cel__tls_link *link, const char *what)
{
    long verdict = SSL_get_verify_result(link->ssl);
    int r;

    if (ERR_peek_error() == 0 && link->saw_end)
        r = cel__raise(-CEL_ETLS, "tls", "%s: the peer closed the connection", what);
    else if (verdict != X509_V_OK &&
             ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        r = cel__raise(-CEL_ETLS, "tls", "%s: %s: %s", what, reason(),
                       X509_verify_cert_error_string(verdict));
    else
        r = cel__raise(-CEL_ETLS, "tls", "%s: %s%s", what, reason(), hint());
    ERR_clear_error();
    return r;
}

static int keep_alpn(struct cel__tls_link *link)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(link->ssl, &name, &len);
    if (len == 0)
        return 0;
    link->alpn = cel__mem_strndup((const char *)name, len);
    return link->alpn != NULL ? 0 : -ENOMEM;
}

/* (parks) */
static int shake(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    int r;

    for (;;) {
        bool is_done;

        ERR_clear_error();
        r = SSL_do_handshake(link->ssl);
        is_done = r == 1;
        if (!is_done && SSL_get_error(link->ssl, r) != SSL_ERROR_WANT_READ) {
            r = ssl_failed(link, "handshake");
            (void)flush(s); /* parks: the alert, if it can */
            return r;
        }
        if (is_done)
            return link->out.len > 0 ? flush(s) : 0; /* parks */
        r = receive(s);                              /* parks */
        if (r < 0)
            return r;
    }
}

static int still_broken(const struct cel__tls_link *link, const char *what)
{
    return cel__raise(-CEL_ETLS, "tls", "%s", what);
}

/* (parks) Whoever comes first does the handshake, the other side waits for it. */
static int be_open(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    int r;

    while (link->state == SHAKING) {
        r = cel__waitq_park(&link->turn); /* parks */
        if (r < 0)
            return r;
    }
    if (link->state == OPEN)
        return 0;
    if (link->state == FAILED)
        return still_broken(link, "the handshake has failed before");
    link->state = SHAKING;
    r = shake(s); /* parks */
    if (r == 0)
        r = keep_alpn(link);
    if (r == 0)
        link->state = OPEN;
    else
        link->state = (r == -ECANCELED || r == -ETIMEDOUT) && link->broken == 0 ? NEW : FAILED;
    cel__waitq_wake_all(&link->turn);
    return r;
}

/* ---- the transport ---- */

/* SSL_read or SSL_peek gave r <= 0. 1: more has come, try again; 0: the end. */
static ssize_t after_read(struct cel_stream *s, int r)
{
    struct cel__tls_link *link = s->tls;

    switch (SSL_get_error(link->ssl, r)) {
    case SSL_ERROR_WANT_READ:
        r = receive(s); /* parks */
        return r == 0 ? 1 : r;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        if (!link->saw_end)
            return ssl_failed(link, "reading");
        ERR_clear_error();
        return cel__raise(-CEL_ETRUNCATED, "tls", "the connection ended without close_notify");
    }
}

static ssize_t tls_read(struct cel_stream *s, void *buf, size_t len)
{
    struct cel__tls_link *link = s->tls;
    ssize_t again = be_open(s); /* parks */

    if (again < 0)
        return again;
    for (;;) {
        int n;

        ERR_clear_error();
        n = SSL_read(link->ssl, buf, (int)cel__min(len, (size_t)INT32_MAX));
        if (n > 0)
            return n;
        again = after_read(s, n); /* parks */
        if (again <= 0)
            return again;
    }
}

/* Memory is taken when a record is there, and just enough for it. */
static ssize_t take_record(struct cel__tls_link *link, struct cel__unread *u)
{
    int pending = SSL_pending(link->ssl), n;
    char *bytes = cel__mem_alloc((size_t)pending);

    if (bytes == NULL)
        return -ENOMEM;
    ERR_clear_error();
    n = SSL_read(link->ssl, bytes, pending);
    if (n <= 0) {
        cel__mem_free(bytes);
        return ssl_failed(link, "reading");
    }
    cel__unread_take_own(u, bytes, (size_t)pending, (size_t)n);
    return n;
}

static ssize_t tls_fill(struct cel_stream *s, struct cel__unread *u)
{
    struct cel__tls_link *link = s->tls;
    ssize_t again = be_open(s); /* parks */

    if (again < 0)
        return again;
    for (;;) {
        char byte;
        int n;

        ERR_clear_error();
        n = SSL_peek(link->ssl, &byte, 1);
        if (n > 0)
            return take_record(link, u);
        again = after_read(s, n); /* parks */
        if (again <= 0)
            return again;
    }
}

/* Into link->out: nothing parks. */
static int encrypt(struct cel__tls_link *link, const char *bytes, size_t len)
{
    while (len > 0) {
        int n;

        ERR_clear_error();
        n = SSL_write(link->ssl, bytes, (int)cel__min(len, (size_t)RECORD_MAX));
        if (n <= 0)
            return poison(link, link->out.failed ? -ENOMEM : ssl_failed(link, "writing"));
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* (parks) */
static int begin_write(struct cel_stream *s)
{
    int r = be_open(s); /* parks */

    if (r < 0)
        return r;
    if (s->tls->broken != 0)
        return still_broken(s->tls, "a write was broken off before");
    return cel_checkpoint(); /* before anything is encrypted, which cannot be taken back */
}

static ssize_t tls_write(struct cel_stream *s, const void *buf, size_t len)
{
    const char *bytes = buf;
    size_t done = 0;
    int r = begin_write(s); /* parks */

    while (r == 0 && done < len) {
        size_t now = cel__min(len - done, (size_t)BATCH_MAX);

        r = encrypt(s->tls, bytes + done, now);
        if (r == 0)
            r = flush(s); /* parks */
        if (r == 0) {
            done += now;
            s->written += now;
        }
    }
    return r < 0 ? r : (ssize_t)done;
}

/* Takes up to cap bytes from the pieces. */
static size_t pack(struct iovec **iov, int *count, char *out, size_t cap)
{
    size_t have = 0;

    while (*count > 0 && have < cap) {
        size_t n = cel__min((*iov)->iov_len, cap - have);

        memcpy(out + have, (*iov)->iov_base, n);
        have += n;
        (*iov)->iov_base = (char *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
        if ((*iov)->iov_len == 0) {
            (*iov)++;
            (*count)--;
        }
    }
    return have;
}

/* Small pieces share a record. */
static ssize_t tls_writev(struct cel_stream *s, struct iovec *iov, int count)
{
    ssize_t total = 0, n = 0;
    size_t left = 0, cap;
    char *packed;

    for (int i = 0; i < count; i++)
        left += iov[i].iov_len;
    if (left == 0)
        return 0;
    cap = cel__min(left, (size_t)BATCH_MAX);
    packed = cel__mem_alloc(cap);
    if (packed == NULL)
        return -ENOMEM;
    while (left > 0 && n >= 0) {
        size_t now = pack(&iov, &count, packed, cap);

        n = tls_write(s, packed, now); /* parks */
        total += n;
        left -= now;
    }
    cel__mem_free(packed);
    return n < 0 ? n : total;
}

static int tls_shutdown(struct cel_stream *s)
{
    int r = begin_write(s); /* parks */

    if (r < 0)
        return r;
    ERR_clear_error();
    if (SSL_shutdown(s->tls->ssl) < 0)
        return ssl_failed(s->tls, "closing");
    return flush(s); /* parks */
}

static bool tls_is_quiet(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;

    return link->state == OPEN && link->broken == 0 && !link->saw_end && link->in.len == 0 &&
           !SSL_has_pending(link->ssl) && cel__plain.is_quiet(s);
}

static void tls_farewell(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;

    if (link->state != OPEN || link->broken != 0 || link->is_sending)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(link->ssl);
    ERR_clear_error();
    if (link->out.len > 0)
        (void)!cel__sys.send(s->fd->fd, link->out.ptr, link->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static const struct cel__transport tls_transport = {
    .read = tls_read,
    .fill = tls_fill,
    .write = tls_write,
    .writev = tls_writev,
    .shutdown = tls_shutdown,
    .is_quiet = tls_is_quiet,
    .farewell = tls_farewell,
};

/* ---- attaching ---- */

static void link_free(struct cel__tls_link *link)
{
    SSL_free(link->ssl);
    cel__unread_fini(&link->in);
    cel__buf_fini(&link->out);
    cel__buf_fini(&link->sending);
    cel__mem_free(link->alpn);
    cel_tls_free(link->tls);
    cel__mem_free(link);
}

/* Whom the certificate must name: an address by address, a name by name, never a part of one. */
static int expect_name(SSL *ssl, const char *text)
{
    struct cel_str name = cel__str(text);
    struct sockaddr_storage address;
    char host[256];
    char *zone;

    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len >= sizeof host)
        return cel__raise(-EINVAL, "tls", "'%.64s': not a name to verify", text);
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    if (cel__address_of_host(name, 0, &address) == 0) {
        zone = strchr(host, '%');
        if (zone != NULL)
            *zone = '\0';
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? 0 : -ENOMEM;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set_tlsext_host_name(ssl, host) != 1 || SSL_set1_host(ssl, host) != 1)
        return -ENOMEM;
    return 0;
}

static int prepare_client(struct cel_tls *tls, SSL *ssl, const char *name)
{
    int r = 0;

    SSL_set_connect_state(ssl);
    if (name != NULL && *name != '\0')
        r = expect_name(ssl, name);
    else if (!tls->is_insecure)
        r = cel__raise(-EINVAL, "tls", "no server name to verify the certificate for");
    if (r == 0 && !tls->is_insecure)
        r = need_roots(tls);
    SSL_set_verify(ssl, tls->is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    return r;
}

static int prepare_server(struct cel_tls *tls, SSL *ssl)
{
    int r = 0;

    SSL_set_accept_state(ssl);
    if (tls->verify_client)
        r = need_roots(tls);
    SSL_set_verify(ssl,
                   tls->verify_client ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                      : SSL_VERIFY_NONE,
                   NULL);
    return r;
}

int cel__tls_attach(struct cel_stream *s, struct cel_tls *tls, const char *name, bool is_server)
{
    struct cel__tls_link *link;
    int r;

    if (s->tls != NULL)
        return cel__raise(-EINVAL, "tls", "the stream does TLS already");
    link = cel__mem_zalloc(sizeof *link);
    if (link == NULL)
        return -ENOMEM;
    ERR_clear_error();
    cel__waitq_init(&link->turn);
    link->tls = cel__tls_ref(tls);
    link->ssl = SSL_new(tls->ctx);
    r = link->ssl != NULL ? give_bio(link) : -ENOMEM;
    if (r == 0)
        r = is_server ? prepare_server(tls, link->ssl) : prepare_client(tls, link->ssl, name);
    ERR_clear_error();
    if (r < 0) {
        link_free(link);
        return r;
    }
    link->in = s->unread;
    s->unread = (struct cel__unread){0};
    s->tls = link;
    s->tls_free = link_free;
    s->via = &tls_transport;
    return 0;
}

int cel_stream_start_tls(struct cel_stream *s, struct cel_tls *tls, const char *server_name,
                         bool is_server)
{
    int r = cel__stream_begin(s);

    if (r < 0)
        return r;
    r = cel__tls_attach(s, tls, server_name, is_server);
    if (r == 0)
        r = be_open(s); /* parks */
    return cel__stream_end(s, r);
}

const char *cel_stream_alpn(const struct cel_stream *s)
{
    return s->tls != NULL && s->tls->alpn != NULL ? s->tls->alpn : "";
}
