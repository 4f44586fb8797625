#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed is enough: a program is compiled, linked and run by pkg-config's words alone, against the shared
library and against the static one. Prints TAP."""
import json
import os
import subprocess
import sys
import tempfile

BUILD = os.environ["CELADON_BUILD"]
PROGRAM = r"""
#include <stdio.h>
#include <celadon/celadon.h>

static void *hello(void *arg)
{
    struct cel_html *doc;
    struct cel_session *web = cel_session_new(NULL);

    if (web == NULL || cel_html_parse(&doc, "<p>x", 4, NULL) < 0)
        return NULL;
    cel_html_free(doc);
    cel_session_free(web);
    return cel_sleep(1) == 0 ? arg : NULL;
}

int main(void)
{
    void *text = NULL;

    if (cel_run(hello, "hello from outside", &text) < 0 || text == NULL)
        return 1;
    puts(text);
    return 0;
}
"""


def output(*args, **options):
    return subprocess.run(args, check=True, capture_output=True, text=True, **options).stdout


# What newcomers get wrong, and the words that must lead them on.
SLIPS = r"""
#include <celadon/celadon.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void *listen_at(void *address)
{
    struct cel_listener *door;
    int r = cel_listen(&door, address, NULL);

    if (r == 0)
        cel_listener_close(door);
    return r < 0 ? cel_fail(r, "listening") : NULL;
}

static void *connect_to(void *address)
{
    struct cel_stream *s;
    int r = cel_connect(&s, address, NULL);

    if (r == 0)
        cel_close(s);
    return r < 0 ? cel_fail(r, "connecting") : NULL;
}

static void *read_certificate(void *path)
{
    struct cel_tls *tls;
    int r = cel_tls_new(&tls, &(struct cel_tls_options){.cert_file = path});

    if (r == 0)
        cel_tls_free(tls);
    return r < 0 ? cel_fail(r, "preparing TLS") : NULL;
}

static int handle(struct cel_request *req, struct cel_reply *reply)
{
    return 0;
}

static void *route(void *pattern)
{
    struct cel_server *site = cel_server_new(NULL);
    int r = cel_route(site, pattern, handle, NULL);

    if (r == 0)
        r = cel_route(site, pattern, handle, NULL);
    cel_server_free(site);
    return r < 0 ? cel_fail(r, "routing") : NULL;
}

static void *run_again(void *arg)
{
    int r = cel_run(listen_at, "127.0.0.1:0", NULL);

    return r < 0 ? cel_fail(r, "running") : NULL;
}

static void *wait_for_nobody(void *arg)
{
    struct cel_future *never = cel_future_new();
    int r = cel_await(never, NULL);

    cel_future_free(never);
    return cel_fail(r, "waiting");
}

static void *leak(void *arg)
{
    struct cel_listener *door;

    return cel_listen(&door, "127.0.0.1:0", NULL) < 0 ? arg : NULL;
}

static int without_a_loop(const char *what)
{
    struct cel_socket *socket;
    struct cel_signals *signals;

    if (strcmp(what, "sleep") == 0)
        return cel_sleep(1);
    if (strcmp(what, "go") == 0)
        return cel_go(leak, NULL);
    if (strcmp(what, "open") == 0)
        return cel_udp_open(&socket, NULL);
    if (strcmp(what, "offload") == 0)
        return cel_offload(leak, NULL) == NULL;
    if (strcmp(what, "signals") == 0)
        return cel_signals_open(&signals, (int[]){2}, 1);
    cel_fail(-EIO, "outside");
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void *(*fn)(void *arg);
    } slips[] = {{"listen", listen_at}, {"connect", connect_to}, {"certificate", read_certificate},
                 {"route", route}, {"again", run_again}, {"deadlock", wait_for_nobody}, {"leak", leak}};

    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++)
        if (strcmp(argv[1], slips[i].name) == 0)
            return cel_run(slips[i].fn, argv[2], NULL) < 0;
    return without_a_loop(argv[2]);
}
"""
SAID = [
    (["listen", "127.0.0.1"], "'127.0.0.1' is not an address: it has no port: say host:port or unix:/path"),
    (["listen", "127.0.0.1:99999"], "its port must be a number up to 65535"),
    (["listen", "127.0.0.1:http"], "its port must be a number up to 65535"),
    (["listen", "[::1]"], "it has no port"),
    (["listen", "::1:80"], "which colon begins the port? say [v6]:port"),
    (["listen", "unix:"], "it has no path"),
    (["connect", "unix:" + 110 * "a"], "a path may have 107 bytes"),
    (["listen", "192.0.2.1:80"], "192.0.2.1:80: Cannot assign requested address"),
    (["connect", "somewhere"], "'somewhere' is not an address: it has no port: say host:port"),
    (["connect", "unix:/nowhere"], "unix:/nowhere: No such file"),
    (["certificate", "/nowhere.pem"], "certificate /nowhere.pem: No such file"),
    (["certificate", "/etc/passwd"], "certificate /etc/passwd: there is none in the file, which must be PEM"),
    (["route", "/home"], "'/home' is not a pattern: say GET /path"),
    (["route", "GET /home"], "'GET /home' has a handler already"),
    (["again", ""], "this thread has a loop already"),
    (["deadlock", ""], "awaiting a future"),
    (["leak", ""], "left open"),
    (["outside", "sleep"], "must be made from a task: cel_run, cel_spawn"),
    (["outside", "go"], "tasks need a loop: cel_run"),
    (["outside", "open"], "needs a loop: cel_run"),
    (["outside", "offload"], "needs a loop: cel_run"),
    (["outside", "signals"], "needs a loop: cel_run"),
    (["outside", "fail"], "cel_fail is for tasks"),
]


class Tree:
    """The installed tree, and a program beside it."""

    def __init__(self, folder):
        self.folder = folder
        output("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", env=dict(os.environ, DESTDIR=folder))
        self.prefix = folder + self.option("prefix")
        self.lib = os.path.join(self.prefix, self.option("libdir"))
        self.source = os.path.join(folder, "program.c")
        with open(self.source, "w") as f:
            f.write(PROGRAM)

    @staticmethod
    def option(name):
        options = json.loads(output("meson", "introspect", "--buildoptions", BUILD))
        return next(o["value"] for o in options if o["name"] == name)

    def flags(self, *what):
        env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(self.lib, "pkgconfig"))
        return output("pkg-config", "--define-variable=prefix=" + self.prefix, *what, "celadon", env=env).split()

    def build(self, name, flags, source=None):
        program = os.path.join(self.folder, name)
        output("cc", "-Wall", "-Werror", source or self.source, "-o", program, *flags)
        return program

    def check(self, program, has_shared):
        env = dict(os.environ, LD_LIBRARY_PATH=self.lib)
        assert output(program, env=env) == "hello from outside\n"
        assert ("libceladon" in output("ldd", program, env=env)) == has_shared


def program_links_with_the_shared_library(tree):
    flags = tree.flags("--cflags", "--libs")
    assert not [f for f in flags if f.startswith("-l") and f != "-lceladon"], flags
    tree.check(tree.build("shared", flags), True)


def program_links_with_the_static_library(tree):
    flags = [f if f != "-lceladon" else "-l:libceladon.a" for f in tree.flags("--static", "--cflags", "--libs")]
    assert "-luring" not in flags, flags
    tree.check(tree.build("static", flags), False)


def examples_build_from_what_is_installed(tree):
    for name in ("echo_server", "seed_scrape", "teach_green_sieve"):
        source = os.path.join(os.environ["CELADON_SOURCE"], "examples", name + ".c")
        program = tree.build(name, tree.flags("--cflags", "--libs"), source)
    assert output(program, env=dict(os.environ, LD_LIBRARY_PATH=tree.lib)).endswith("31\n37\n")


def slips_are_told_with_cause_and_remedy(tree):
    source = os.path.join(tree.folder, "slips.c")
    with open(source, "w") as f:
        f.write(SLIPS)
    program = tree.build("slips", tree.flags("--cflags", "--libs"), source)
    env = dict(os.environ, LD_LIBRARY_PATH=tree.lib, CELADON_LOG="loud")

    def said(args, **more):
        return subprocess.run([program, *args], env=dict(env, **more), stderr=subprocess.PIPE, text=True, timeout=30,
                              check=False).stderr

    missing = [(args, words) for args, words in SAID if words not in said(args)]
    assert not missing, [(words, said(args)) for args, words in missing]
    assert "CELADON_LOG is 'loud': say error, warn, info or debug" in said(["leak", ""])
    assert "no backend is called 'select': say epoll" in said(["leak", ""], CELADON_BACKEND="select")


def command_and_manual_are_installed(tree):
    assert output(os.path.join(tree.prefix, "bin", "celadon"), "--version",
                  env=dict(os.environ, LD_LIBRARY_PATH=tree.lib)).startswith("celadon ")
    manual = os.path.join(tree.prefix, tree.option("mandir"))
    assert os.path.exists(os.path.join(manual, "man1", "celadon.1")), os.listdir(manual)
    assert [f for f in os.listdir(os.path.join(manual, "man3")) if f.startswith("cel_run")]


TESTS = [program_links_with_the_shared_library, program_links_with_the_static_library,
         examples_build_from_what_is_installed, slips_are_told_with_cause_and_remedy, command_and_manual_are_installed]

if __name__ == "__main__":
    print(f"1..{len(TESTS)}")
    bad = 0
    with tempfile.TemporaryDirectory() as where:
        installed = Tree(where)
        for i, test in enumerate(TESTS):
            try:
                test(installed)
                print(f"ok {i + 1} - {test.__name__}", flush=True)
            except Exception as e:
                bad += 1
                said = getattr(e, "stderr", None) or str(e)
                print(f"not ok {i + 1} - {test.__name__}\n# {type(e).__name__}: {said[:2000]}", flush=True)
    sys.exit(bad != 0)
