/* SPDX-License-Identifier: MIT */
/* celadon serve: a folder over HTTP, by the library's own server. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <celadon/server.h>
#include <celadon/task.h>
#include <celadon/workers.h>

#include "command.h"
#include "options.h"

struct serve {
    const char *dir, *address, *cert_file, *key_file;
    unsigned workers;
    bool is_quiet, is_listening, has_no_routes;
    struct cel_tls *tls;
};

static bool take_listen(void *config, const char *value)
{
    ((struct serve *)config)->address = value;
    return true;
}

static bool take_cert(void *config, const char *value)
{
    ((struct serve *)config)->cert_file = value;
    return true;
}

static bool take_key(void *config, const char *value)
{
    ((struct serve *)config)->key_file = value;
    return true;
}

static bool take_workers(void *config, const char *value)
{
    return take_count("--workers", value, 0, 1024, &((struct serve *)config)->workers);
}

static bool take_quiet(void *config, const char *value)
{
    return ((struct serve *)config)->is_quiet = true;
}

static const struct option_spec serve_options[] = {
    {'l', "listen", "ADDRESS", "host:port to listen on, port 0 for any; default 127.0.0.1:8080",
     take_listen},
    {0, "cert", "FILE", "serve HTTPS with this certificate chain (PEM)", take_cert},
    {0, "key", "FILE", "its private key (PEM)", take_key},
    {'w', "workers", "N", "serve from N threads, 0: one for each core; default 1", take_workers},
    {'q', "quiet", NULL, "say nothing but errors", take_quiet},
    {0},
};

static const struct command_spec serve_command = {
    .name = "serve",
    .arguments = "[OPTION…] DIR",
    .summary = "Serves the files below DIR until it is interrupted; requests under way are "
               "finished first.",
    .options = serve_options,
    .notes = "The address goes to standard error as soon as it listens. Several workers share it\n"
             "(SO_REUSEPORT), also with another server of the same user that shares it.\n"
             "Exit status: 0 stopped by SIGINT or SIGTERM, 1 fatal, 2 usage.",
};

static void told(const char *address, void *arg)
{
    struct serve *s = arg;

    s->is_listening = true;
    if (!s->is_quiet)
        fprintf(stderr, "celadon: serving %s at %s://%s/\n", s->dir,
                s->cert_file != NULL ? "https" : "http", address);
}

/* On each worker, one after the other. */
static int add_routes(struct cel_server *server, void *arg)
{
    struct serve *s = arg;
    int r = cel_route_files(server, "/", s->dir);

    if (r < 0)
        complain("cannot serve %s: %s", s->dir, cel_strerror(r));
    s->has_no_routes = r < 0;
    return r;
}

static void *make_tls(void *arg)
{
    struct serve *s = arg;
    int r = cel_tls_new(&s->tls, &(struct cel_tls_options){.cert_file = s->cert_file,
                                                           .key_file = s->key_file,
                                                           .alpn = "http/1.1"});

    if (r < 0)
        complain("cannot use the certificate %s: %s", s->cert_file, cel_last_error()->text);
    return (void *)(intptr_t)r;
}

static int start_tls(struct serve *s)
{
    void *result = NULL;
    int r = cel_run(make_tls, s, &result);

    return r < 0 ? r : (int)(intptr_t)result;
}

/* What may be done about an address that cannot be listened on. */
static const char *remedy_of(int r)
{
    switch (r) {
    case -EINVAL:
        return "; --listen takes host:port, such as 127.0.0.1:8080 or [::]:8080";
    case -EADDRINUSE:
        return "; somebody listens there: --listen 127.0.0.1:0 takes a port that is free";
    case -EADDRNOTAVAIL:
        return "; this machine has no such address: 0.0.0.0 stands for all that it has";
    case -EACCES:
        return "; ports below 1024 are for root and for who has CAP_NET_BIND_SERVICE";
    default:
        return "";
    }
}

static int serve(struct serve *s)
{
    struct cel_workers_options workers = {.count = s->workers};
    struct cel_server_options server = {.listen.tls = s->tls};
    struct cel_server_stats stats = {0};
    int r =
        cel_serve_workers(s->address, &(struct cel_serve_workers_options){.workers = &workers,
                                                                          .server = &server,
                                                                          .setup = add_routes,
                                                                          .on_listening = told,
                                                                          .arg = s,
                                                                          .stops_on_signals = true,
                                                                          .stats = &stats});

    if (r < 0 && !s->has_no_routes)
        complain("cannot %s %s: %s%s", s->is_listening ? "serve at" : "listen on", s->address,
                 cel_strerror(r), s->is_listening ? "" : remedy_of(r));
    if (r == 0 && !s->is_quiet)
        fprintf(stderr, "celadon: stopped after %llu requests on %llu connections\n",
                (unsigned long long)stats.requests, (unsigned long long)stats.connections);
    return r;
}

static void misused(int count, char **arguments)
{
    if (count == 0)
        complain("which folder? 'celadon serve DIR' serves it at 127.0.0.1:8080; "
                 "'celadon serve --help' tells more");
    else if (count == 2 && strchr(arguments[1], ':') != NULL)
        complain("an address goes behind --listen: celadon serve %s --listen %s", arguments[0],
                 arguments[1]);
    else
        complain("serve takes one folder, and there are %d arguments: '%s' and '%s'…; an address "
                 "goes behind --listen",
                 count, arguments[0], arguments[1]);
}

int command_serve(int argc, char **argv)
{
    struct serve s = {.address = "127.0.0.1:8080", .workers = 1};
    int first = options_parse(&serve_command, argc, argv, &s), r = 0;

    if (first < 0)
        return first == -2 ? EXIT_ALL_DONE : EXIT_USAGE;
    if (argc - first != 1) {
        misused(argc - first, argv + first);
        return EXIT_USAGE;
    }
    if ((s.cert_file == NULL) != (s.key_file == NULL)) {
        complain("--cert and --key go together");
        return EXIT_USAGE;
    }
    s.dir = argv[first];
    if (s.cert_file != NULL)
        r = start_tls(&s);
    if (r == 0)
        r = serve(&s);
    cel_tls_free(s.tls);
    return r < 0 ? EXIT_FATAL : EXIT_ALL_DONE;
}
