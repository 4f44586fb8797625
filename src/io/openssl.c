/* SPDX-License-Identifier: MIT */
/* The one file that knows OpenSSL: contexts, and sessions between two places in memory.
 *
 * 1. OpenSSL sees memory only: its BIO reads what has come and appends to what is to go out.
 *    Nothing here parks.
 * 2. Its error queue is the thread's, so it is cleared before each call and read right after. */
#include "io/openssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "io/address.h"
#include "loop/core.h"
#include "task/error.h"

#define RECORD_MAX 16384

struct cel_tls {
    SSL_CTX *ctx;
    unsigned refs; /* atomic: a context may serve many loops */
    bool is_insecure;
    bool verify_client;
    bool has_roots;       /* under roots_lock */
    struct cel__buf alpn; /* wire format */
};

static pthread_mutex_t roots_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *bio_method;

/* ---- the BIO over the link's memory ---- */

static int bio_read(BIO *bio, char *out, int len)
{
    struct cel__ssl *ssl = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len > 0 && ssl->in.len > 0)
        return (int)cel__unread_copy(&ssl->in, out, (size_t)len);
    if (ssl->saw_end)
        return 0;
    BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct cel__ssl *ssl = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return cel__buf_add(&ssl->out, bytes, (size_t)len) < 0 ? -1 : len;
}

static long bio_ctrl(BIO *bio, int what, long number, void *ptr)
{
    struct cel__ssl *ssl = BIO_get_data(bio);

    switch (what) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return ssl->saw_end && ssl->in.len == 0;
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

static int give_bio(struct cel__ssl *ssl)
{
    BIO *bio;

    pthread_once(&bio_once, make_bio_method);
    bio = bio_method != NULL ? BIO_new(bio_method) : NULL;
    if (bio == NULL)
        return -ENOMEM;
    BIO_set_data(bio, ssl);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl->session, bio, bio);
    return 0;
}

/* ---- randomness ---- */

/* A simulated machine has its own, from its seed. The rest of the process keeps OpenSSL's. */
static bool is_simulated(void)
{
    return cel__loop_here != NULL && cel__loop_here->backend->later != NULL;
}

/* Deprecated in favour of providers, which cannot be told apart by thread. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int random_bytes(unsigned char *out, int len)
{
    if (is_simulated())
        return cel__rand_secure(out, (size_t)len) == 0;
    return RAND_OpenSSL()->bytes(out, len);
}

static void stand_before_randomness(void)
{
    static RAND_METHOD method;

    method = *RAND_OpenSSL();
    method.bytes = method.pseudorand = random_bytes;
    RAND_set_rand_method(&method);
}

#pragma GCC diagnostic pop

/* Before anything is drawn. Processes without simulations are let be. */
static void choose_randomness(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (is_simulated())
        pthread_once(&once, stand_before_randomness);
}

/* ---- contexts ---- */

/* What OpenSSL has just complained about. */
static const char *reason(void)
{
    unsigned long error = ERR_peek_error();
    const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;

    if (ERR_SYSTEM_ERROR(error))
        return cel_strerror(ERR_GET_REASON(error));
    if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
        return "there is none in the file, which must be PEM (-----BEGIN …)";
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
    choose_randomness();
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

/* ---- sessions ---- */

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
static int ssl_failed(struct cel__ssl *ssl, const char *what)
{
    long verdict = SSL_get_verify_result(ssl->session);
    int r;

    if (ERR_peek_error() == 0 && ssl->saw_end)
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

/* What SSL_read, SSL_peek or SSL_do_handshake gave, r <= 0, stands for. */
static int unfinished(struct cel__ssl *ssl, int r, const char *what)
{
    switch (SSL_get_error(ssl->session, r)) {
    case SSL_ERROR_WANT_READ:
        return CEL__SSL_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return ssl_failed(ssl, what);
    }
}

/* The same for reads, where an end that the peer did not announce is a cut. */
static int unread(struct cel__ssl *ssl, int r)
{
    if (ssl->was_cut ||
        (ssl->saw_end && ssl->in.len == 0 && SSL_get_error(ssl->session, r) == SSL_ERROR_SSL)) {
        ssl->was_cut = true; /* the library says so once only */
        ERR_clear_error();
        return cel__raise(-CEL_ETRUNCATED, "tls", "the connection ended without close_notify");
    }
    return unfinished(ssl, r, "reading");
}

int cel__ssl_shake(struct cel__ssl *ssl)
{
    int r;

    ERR_clear_error();
    r = SSL_do_handshake(ssl->session);
    if (r == 1)
        return 0;
    r = unfinished(ssl, r, "handshake");
    return r != 0 ? r : cel__raise(-CEL_ETLS, "tls", "handshake: the peer has left");
}

ssize_t cel__ssl_read(struct cel__ssl *ssl, void *buf, size_t len)
{
    int n;

    ERR_clear_error();
    n = SSL_read(ssl->session, buf, (int)cel__min(len, (size_t)INT32_MAX));
    return n > 0 ? n : unread(ssl, n);
}

/* Memory is taken when a record is there, and just enough for it. */
ssize_t cel__ssl_take(struct cel__ssl *ssl, struct cel__unread *u)
{
    char first, *bytes;
    int n, pending;

    ERR_clear_error();
    n = SSL_peek(ssl->session, &first, 1);
    if (n <= 0)
        return unread(ssl, n);
    pending = SSL_pending(ssl->session);
    bytes = cel__mem_alloc((size_t)pending);
    if (bytes == NULL)
        return -ENOMEM;
    n = SSL_read(ssl->session, bytes, pending);
    if (n <= 0) {
        cel__mem_free(bytes);
        return unread(ssl, n);
    }
    cel__unread_take_own(u, bytes, (size_t)pending, (size_t)n);
    return n;
}

int cel__ssl_write(struct cel__ssl *ssl, const char *bytes, size_t len)
{
    while (len > 0) {
        int n;

        ERR_clear_error();
        n = SSL_write(ssl->session, bytes, (int)cel__min(len, (size_t)RECORD_MAX));
        if (n <= 0)
            return ssl->out.failed ? -ENOMEM : ssl_failed(ssl, "writing");
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int cel__ssl_end(struct cel__ssl *ssl)
{
    int r;

    ERR_clear_error();
    r = SSL_shutdown(ssl->session) < 0 ? ssl_failed(ssl, "closing") : 0;
    ERR_clear_error();
    return r;
}

bool cel__ssl_is_empty(const struct cel__ssl *ssl)
{
    return ssl->in.len == 0 && !SSL_has_pending(ssl->session);
}

struct cel_str cel__ssl_alpn(const struct cel__ssl *ssl)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(ssl->session, &name, &len);
    return (struct cel_str){(const char *)name, len};
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

int cel__ssl_init(struct cel__ssl *ssl, struct cel_tls *tls, const char *name, bool is_server)
{
    int r;

    ERR_clear_error();
    choose_randomness();
    ssl->tls = cel__tls_ref(tls);
    ssl->session = SSL_new(tls->ctx);
    r = ssl->session != NULL ? give_bio(ssl) : -ENOMEM;
    if (r == 0 && is_server)
        r = prepare_server(tls, ssl->session);
    else if (r == 0)
        r = prepare_client(tls, ssl->session, name);
    ERR_clear_error();
    if (r < 0)
        cel__ssl_fini(ssl);
    return r;
}

void cel__ssl_fini(struct cel__ssl *ssl)
{
    SSL_free(ssl->session);
    cel__unread_fini(&ssl->in);
    cel__buf_fini(&ssl->out);
    cel_tls_free(ssl->tls);
    *ssl = (struct cel__ssl){0};
}
