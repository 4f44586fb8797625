/* SPDX-License-Identifier: MIT */
#ifndef CEL__SESSION_H
#define CEL__SESSION_H

#include "http/jar.h"
#include "http/places.h"

/* A field that is sent by default, copied from the options. */
struct cel__default_field {
    struct cel_str name; /* owned, with the value behind it */
    struct cel_str value;
    bool is_secret;
};

struct cel_session {
    struct cel__places places;
    struct cel__jar jar;
    struct cel_session_options options; /* with the defaults filled in; its pointers are not used */
    struct cel_tls *tls;                /* NULL until the first https URL, unless given */
    bool owns_tls;
    bool has_secrets; /* among the fields */
    unsigned refs;    /* the owner, and responses that are being streamed */
    struct cel__default_field *fields;
    size_t field_count;
    struct cel__buf lines; /* all fields as they are sent */
};

/* Authorization and its like, or what the caller calls so. */
bool cel__header_is_secret(const struct cel_header *header);

/* The code for a session that is NULL. */
int cel__session_missing(void);
/* The TLS context for https. -ENOMEM, -CEL_ETLS. */
CEL_NODISCARD int cel__session_tls(struct cel_session *session, struct cel_tls **out);
void cel__session_hold(struct cel_session *session);
void cel__session_let_go(struct cel_session *session);

#endif
