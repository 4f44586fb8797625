/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IO_CERTS_H
#define TESTS_IO_CERTS_H

/* Certificates made when the test runs: an authority, good ones and bad ones, as PEM files in a
 * folder of their own. Their signatures all have one length, so that simulated runs of a seed are
 * the same to the byte. */

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"

struct cert_spec {
    const char *file;
    const char *names; /* subjectAltName */
    const char *usage; /* extendedKeyUsage; NULL: any */
    int from_days, to_days;
    bool is_self_signed, is_authority;
};

static char cert_directory[] = "/tmp/celadon-tls-XXXXXX";

static const struct cert_spec cert_specs[] = {
    {"ca", NULL, NULL, -1, 30, true, true},
    {"good", "DNS:good.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1", NULL, -1, 30, false, false},
    {"expired", "DNS:good.test", NULL, -30, -1, false, false},
    {"future", "DNS:good.test", NULL, 10, 30, false, false},
    {"selfsigned", "DNS:good.test", NULL, -1, 30, true, false},
    {"clientonly", "DNS:good.test", "clientAuth", -1, 30, false, false},
    {"client", "DNS:client.test", "clientAuth", -1, 30, false, false},
    {NULL},
};

static inline const char *cert_path(const char *name)
{
    static char paths[8][80];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s.pem", cert_directory, name);
    return path;
}

static inline void cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline X509 *cert_make(const struct cert_spec *spec, EVP_PKEY *key, X509 *ca,
                              EVP_PKEY *ca_key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1 + (spec - cert_specs));
    X509_gmtime_adj(X509_getm_notBefore(cert), spec->from_days * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(cert), spec->to_days * 86400L);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)spec->file, -1, -1,
                               0);
    X509_set_issuer_name(cert, spec->is_self_signed ? name : X509_get_subject_name(ca));
    cert_extend(cert, spec->is_self_signed ? cert : ca, NID_basic_constraints,
                spec->is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (spec->names != NULL)
        cert_extend(cert, cert, NID_subject_alt_name, spec->names);
    if (spec->usage != NULL)
        cert_extend(cert, cert, NID_ext_key_usage, spec->usage);
    assert_true(X509_sign(cert, spec->is_self_signed ? key : ca_key, NULL) > 0);
    return cert;
}

/* A group's setup: <directory>/<file>.pem holds the certificate and its key. */
static inline int make_certs(void **state)
{
    EVP_PKEY *ca_key = NULL;
    X509 *ca = NULL;

    if (mkdtemp(cert_directory) == NULL)
        return -1;
    for (const struct cert_spec *spec = cert_specs; spec->file != NULL; spec++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        X509 *cert = cert_make(spec, key, ca, ca_key);
        FILE *out = fopen(cert_path(spec->file), "w");

        PEM_write_X509(out, cert);
        PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
        fclose(out);
        if (spec->is_authority) {
            ca = cert;
            ca_key = key;
        } else {
            X509_free(cert);
            EVP_PKEY_free(key);
        }
    }
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    return 0;
}

static inline int remove_certs(void **state)
{
    for (const struct cert_spec *spec = cert_specs; spec->file != NULL; spec++)
        unlink(cert_path(spec->file));
    return rmdir(cert_directory);
}

#endif
