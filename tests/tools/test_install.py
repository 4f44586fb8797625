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

    def build(self, name, flags):
        program = os.path.join(self.folder, name)
        output("cc", "-Wall", "-Werror", self.source, "-o", program, *flags)
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


def command_and_manual_are_installed(tree):
    assert output(os.path.join(tree.prefix, "bin", "celadon"), "--version",
                  env=dict(os.environ, LD_LIBRARY_PATH=tree.lib)).startswith("celadon ")
    manual = os.path.join(tree.prefix, tree.option("mandir"))
    assert os.path.exists(os.path.join(manual, "man1", "celadon.1")), os.listdir(manual)
    assert [f for f in os.listdir(os.path.join(manual, "man3")) if f.startswith("cel_run")]


TESTS = [program_links_with_the_shared_library, program_links_with_the_static_library, command_and_manual_are_installed]

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
