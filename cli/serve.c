/* SPDX-License-Identifier: MIT */
/* celadon serve: a folder over HTTP, by the library's own server. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <celadon/server.h>
#include <celadon/task.h>

#include "command.h"
#include "options.h"

struct serve {
    const char *dir, *address, *cert_file, *key_file;
    bool is_quiet;
    struct cel_server *server;
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

static bool take_quiet(void *config, const char *value)
{
    return ((struct serve *)config)->is_quiet = true;
}

static const struct option_spec serve_options[] = {
    {'l', "listen", "ADDRESS", "host:port to listen on, port 0 for any; default 127.0.0.1:8080",
     take_listen},
    {0, "cert", "FILE", "serve HTTPS with this certificate chain (PEM)", take_cert},
    {0, "key", "FILE", "its private key (PEM)", take_key},
    {'q', "quiet", NULL, "say nothing but errors", take_quiet},
    {0},
};

static const struct command_spec serve_command = {
    .name = "serve",
    .arguments = "[OPTION…] DIR",
    .summary = "Serves the files below DIR until it is interrupted; requests under way are "
               "finished first.",
    .options = serve_options,
    .notes = "The address goes to standard error as soon as it listens.\n"
             "Exit status: 0 stopped by SIGINT or SIGTERM, 1 fatal, 2 usage.",
};

static void on_signal(void *arg, int signo)
{
    cel_server_stop(((struct serve *)arg)->server);
}

static int listen_and_serve(struct serve *s)
{
    struct cel_loop *loop = cel_loop_current();
    struct cel_signal *interrupt = NULL, *terminate = NULL;
    int r = cel_route_files(s->server, "/", s->dir);

    if (r < 0) {
        complain("cannot serve %s: %s", s->dir, cel_strerror(r));
        return r;
    }
    r = cel_server_listen(s->server, s->address); /* parks */
    if (r < 0) {
        complain("cannot listen: %s", cel_last_error()->text);
        return r;
    }
    if (!s->is_quiet)
        fprintf(stderr, "celadon: serving %s at %s://%s/\n", s->dir,
                s->cert_file != NULL ? "https" : "http", cel_server_address(s->server));
    r = cel_signal_start(loop, &interrupt, SIGINT, on_signal, s);
    if (r == 0)
        r = cel_signal_start(loop, &terminate, SIGTERM, on_signal, s);
    if (r == 0)
        r = cel_server_run(s->server); /* parks */
    cel_signal_stop(interrupt);
    cel_signal_stop(terminate);
    return r;
}

static void *serve_main(void *arg)
{
    struct serve *s = arg;
    struct cel_server_options options = {0};
    struct cel_server_stats stats;
    int r = 0;

    if (s->cert_file != NULL)
        r = cel_tls_new(&options.listen.tls, &(struct cel_tls_options){.cert_file = s->cert_file,
                                                                       .key_file = s->key_file,
                                                                       .alpn = "http/1.1"});
    if (r < 0) {
        complain("cannot use the certificate %s: %s", s->cert_file, cel_last_error()->text);
        return cel_fail(r, "starting TLS");
    }
    s->server = cel_server_new(&options);
    if (s->server == NULL)
        return cel_fail(-ENOMEM, "starting the server");
    r = listen_and_serve(s); /* parks */
    cel_server_stats(s->server, &stats);
    if (r == 0 && !s->is_quiet)
        fprintf(stderr, "celadon: stopped after %llu requests on %llu connections\n",
                (unsigned long long)stats.requests, (unsigned long long)stats.connections);
    cel_server_free(s->server);
    cel_tls_free(options.listen.tls);
    return (void *)(intptr_t)r;
}

int command_serve(int argc, char **argv)
{
    struct serve s = {.address = "127.0.0.1:8080"};
    int first = options_parse(&serve_command, argc, argv, &s);
    void *result = NULL;

    if (first < 0)
        return first == -2 ? EXIT_ALL_DONE : EXIT_USAGE;
    if (argc - first != 1) {
        complain("serve takes one folder; 'celadon serve --help' tells more");
        return EXIT_USAGE;
    }
    if ((s.cert_file == NULL) != (s.key_file == NULL)) {
        complain("--cert and --key go together");
        return EXIT_USAGE;
    }
    s.dir = argv[first];
    if (cel_run(serve_main, &s, &result) < 0 || (intptr_t)result < 0)
        return EXIT_FATAL;
    return EXIT_ALL_DONE;
}
