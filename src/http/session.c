/* SPDX-License-Identifier: MIT */
/* What many fetches share: connections, cookies, defaults. */
#include "http/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/h1_write.h"
#include "task/error.h"

#define CONNECTIONS_MAX 100
#define REDIRECTS_MAX   10
#define BODY_MAX        (64u << 20)
#define RATIO_MAX       100
#define IDLE_TIMEOUT    (15 * CEL_SECOND)
#define TOTAL_TIMEOUT   (300 * CEL_SECOND)
#define CONNECT_TIMEOUT (30 * CEL_SECOND)
#define READ_TIMEOUT    (60 * CEL_SECOND)

#define DEFAULT(field, value)   \
    do {                        \
        if (o->field == 0)      \
            o->field = (value); \
    } while (0)

static void fill_in(struct cel_session_options *o)
{
    DEFAULT(timeouts.total, TOTAL_TIMEOUT);
    DEFAULT(timeouts.connect, CONNECT_TIMEOUT);
    DEFAULT(timeouts.read, READ_TIMEOUT);
    DEFAULT(connections_max, CONNECTIONS_MAX);
    DEFAULT(idle_timeout, IDLE_TIMEOUT);
    DEFAULT(redirects_max, REDIRECTS_MAX);
    DEFAULT(body_max, BODY_MAX);
    DEFAULT(ratio_max, RATIO_MAX);
}

static bool is_secret_name(struct cel_str name)
{
    return cel__str_ieq(name, CEL_LIT("authorization")) || cel__str_ieq(name, CEL_LIT("cookie")) ||
           cel__str_ieq(name, CEL_LIT("proxy-authorization"));
}

bool cel__header_is_secret(const struct cel_header *header)
{
    return header->is_secret || is_secret_name(cel__str(header->name));
}

/* ---- default fields ---- */

static bool is_given(const struct cel_header *headers, const char *name)
{
    for (const struct cel_header *h = headers; h != NULL && h->name != NULL; h++)
        if (cel__str_ieq(cel__str(h->name), cel__str(name)))
            return true;
    return false;
}

static int add_field(struct cel_session *s, const struct cel_header *header)
{
    struct cel__default_field *f = &s->fields[s->field_count];
    size_t name_len = strlen(header->name), value_len = strlen(header->value);
    char *text = cel__mem_alloc(name_len + value_len + 1);

    if (text == NULL)
        return -ENOMEM;
    memcpy(text, header->name, name_len);
    memcpy(text + name_len, header->value, value_len);
    f->name = (struct cel_str){text, name_len};
    f->value = (struct cel_str){text + name_len, value_len};
    f->is_secret = cel__header_is_secret(header);
    s->has_secrets = s->has_secrets || f->is_secret;
    s->field_count++;
    return 0;
}

static int add_fields(struct cel_session *s, const struct cel_session_options *o)
{
    const char *agent = o->user_agent;
    char own_agent[64];
    struct cel_header defaults[] = {
        {"User-Agent", NULL}, {"Accept", "*/*"}, {"Accept-Encoding", "gzip, deflate, br, zstd"}};
    size_t count = cel__countof(defaults);

    snprintf(own_agent, sizeof own_agent, "celadon/%s", cel_version());
    defaults[0].value = agent != NULL ? agent : own_agent;
    for (const struct cel_header *h = o->headers; h != NULL && h->name != NULL; h++)
        count++;
    s->fields = cel__mem_array(count, sizeof *s->fields);
    if (s->fields == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < cel__countof(defaults); i++) {
        bool is_off = (i == 0 && defaults[i].value[0] == '\0') || (i == 2 && o->no_decoding);

        if (!is_off && !is_given(o->headers, defaults[i].name) && add_field(s, &defaults[i]) < 0)
            return -ENOMEM;
    }
    for (const struct cel_header *h = o->headers; h != NULL && h->name != NULL; h++)
        if (add_field(s, h) < 0)
            return -ENOMEM;
    return 0;
}

/* The writer judges them once; from then on the lines are copied whole. */
static int write_lines(struct cel_session *s)
{
    struct cel__buf head = {0};
    struct cel__h1_write w;
    size_t begin;
    int r;

    cel__h1_write_request(&w, &head, CEL_LIT("GET"), CEL_LIT("/"), CEL_LIT("h"));
    begin = head.len;
    for (size_t i = 0; i < s->field_count; i++)
        cel__h1_write_field(&w, s->fields[i].name, s->fields[i].value);
    r = cel__h1_write_end(&w);
    if (r < 0)
        cel__raise(r, "session", "a default header cannot be sent: %s",
                   w.why != NULL ? w.why : cel_strerror(r));
    else
        r = cel__buf_add(&s->lines, head.ptr + begin, head.len - begin - 2);
    cel__buf_fini(&head);
    return r;
}

/* ---- life ---- */

int cel__session_missing(void)
{
    return cel__raise_missing("session", "there is no session: cel_session_new has failed");
}

static void free_session(struct cel_session *s)
{
    cel__places_fini(&s->places);
    cel__jar_clear(&s->jar);
    if (s->owns_tls)
        cel_tls_free(s->tls);
    for (size_t i = 0; i < s->field_count; i++)
        cel__mem_free((char *)s->fields[i].name.ptr);
    cel__mem_free(s->fields);
    cel__buf_fini(&s->lines);
    cel__mem_free(s);
}

static struct cel_session *out_of_memory(void)
{
    cel__raise(-ENOMEM, "session", "there is no memory for a session");
    return NULL;
}

static int check(const struct cel_session_options *o)
{
    const struct cel_timeouts *t = &o->timeouts;

    if (t->total < 0 || t->connect < 0 || t->read < 0 || o->idle_timeout < 0)
        return cel__raise(-EINVAL, "session", "a timeout of a session is negative");
    for (const struct cel_header *h = o->headers; h != NULL && h->name != NULL; h++)
        if (h->value == NULL)
            return cel__raise(-EINVAL, "session", "default header %s has no value", h->name);
    return 0;
}

struct cel_session *cel_session_new(const struct cel_session_options *options)
{
    static const struct cel_session_options none;
    struct cel_session *s;
    int r;

    if (options == NULL)
        options = &none;
    if (check(options) < 0)
        return NULL;
    s = cel__mem_zalloc(sizeof *s);
    if (s == NULL)
        return out_of_memory();
    s->refs = 1;
    s->options = *options;
    s->tls = options->tls;
    fill_in(&s->options);
    cel__places_init(&s->places, s->options.connections_max, s->options.per_host_max,
                     s->options.idle_timeout);
    r = add_fields(s, options);
    if (r == 0)
        r = write_lines(s);
    if (r == 0)
        return s;
    free_session(s);
    return r == -ENOMEM ? out_of_memory() : NULL;
}

void cel__session_hold(struct cel_session *session)
{
    session->refs++;
}

void cel__session_let_go(struct cel_session *session)
{
    if (--session->refs == 0)
        free_session(session);
}

void cel_session_free(struct cel_session *session)
{
    if (session == NULL)
        return;
    cel__places_close(&session->places);
    cel__session_let_go(session);
}

int cel__session_tls(struct cel_session *session, struct cel_tls **out)
{
    int r;

    if (session->tls == NULL) {
        r = cel_tls_new(&session->tls, &(struct cel_tls_options){.alpn = "http/1.1"});
        if (r < 0)
            return r;
        session->owns_tls = true;
    }
    *out = session->tls;
    return 0;
}

/* ---- cookies, by hand ---- */

static int64_t seconds_now(void)
{
    return cel__clock_wall() / CEL_SECOND;
}

int cel_session_set_cookie(struct cel_session *session, const char *url, const char *line)
{
    struct cel__target from;
    int r;

    if (session == NULL)
        return cel__session_missing();
    r = cel__target_parse(&from, cel__str(url), NULL);
    if (r < 0)
        return r;
    r = cel__jar_set(&session->jar, &from, cel__str(line), seconds_now());
    cel__target_fini(&from);
    return r;
}

char *cel_session_cookies(struct cel_session *session, const char *url)
{
    struct cel__buf out = {0};
    struct cel__target to;
    int r = session != NULL ? cel__target_parse(&to, cel__str(url), NULL) : cel__session_missing();

    if (r < 0)
        return NULL;
    r = cel__jar_write(&session->jar, &to, seconds_now(), &out);
    cel__target_fini(&to);
    if (r < 0 || cel__buf_cstr(&out) == NULL) {
        cel__buf_fini(&out);
        return NULL;
    }
    return out.ptr;
}

void cel_session_clear_cookies(struct cel_session *session)
{
    if (session != NULL)
        cel__jar_clear(&session->jar);
}

void cel_session_stats(const struct cel_session *session, struct cel_session_stats *out)
{
    *out = session != NULL ? session->places.stats : (struct cel_session_stats){0};
}
