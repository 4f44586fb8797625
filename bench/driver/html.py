# SPDX-License-Identifier: MIT
"""The workload whose subject is the HTML parser alone: MB/s over four kinds of pages.

The documentation pages are those that Debian's packages bring; where one is not installed, its
column stays empty.
"""
import glob
import os
import sys

from . import build, machine
from .bench import System, Workload

sys.path.insert(0, os.path.join(build.SRC, "load"))
import pages  # noqa: E402

ROOT = os.path.join(build.OUT, "pages")
BIG = os.path.join(ROOT, "big.html")
DOCS = "/usr/share/doc"
KINDS = ("articles", "postgresql", "python", "big")


def spread(found, count):
    """So many of the files, evenly over their names."""
    found = sorted(found)
    step = max(1, len(found) // count)
    return found[::step][:count]


def page_files(kind):
    if kind == "articles":
        return sorted(glob.glob(os.path.join(ROOT, "article-*.html")))
    if kind == "postgresql":
        return spread(glob.glob(f"{DOCS}/postgresql-doc-*/html/*.html"), 40)
    if kind == "python":
        return spread(glob.glob(f"{DOCS}/python3.*-doc/html/library/*.html"), 12)
    return [BIG]


def prepare(quick):
    pages.write_articles(ROOT, 20)
    pages.write_big(BIG, 5_000_000)


def measure_kind(system, kind, files, quick):
    slow = system.extra.get("slow", False)
    milliseconds = 1 if slow else 50 if quick else 300
    argv = [*system.program, *system.args, str(milliseconds), *files]
    seen = machine.run_json(argv, env=system.env, seconds=90)
    size = sum(os.path.getsize(f) for f in files)
    if seen["bytes"] != size:
        raise machine.Failed(f"read {seen['bytes']} bytes of {size}")
    return seen


def measure(system, quick):
    found = {}
    for kind in KINDS:
        files = page_files(kind)
        if not files:
            continue
        seen = measure_kind(system, kind, files, quick)
        found[kind] = (seen["bytes"] / seen["cpu_ns"] * 1e3, "MB/s")
        for what in ("heap", "kept"):
            if seen[what] > 0:
                found[f"{kind}.{what}"] = (seen[what] / seen["bytes"], "B/B")
        if kind == "big":
            found["big.grown"] = (seen["grown_kib"] * 1024 / seen["bytes"], "B/B")
    return found


def native(name, *flags, packages=()):
    return System(name, build.c(f"peers/html_{name}.c", *flags, packages=packages), "tree")


def python(name, *packages, **extra):
    return System(name, build.python("peers/html_python.py", *packages), name, **extra)


html = Workload(
    "html",
    "pages to tokens, to a tree, to four fields: MB of page a CPU second; bytes a byte of the page",
    [
        System("celadon-tokenizer", build.internal("html_pages"), "tokenizer"),
        System("celadon-tree", build.internal("html_pages"), "tree"),
        System("celadon-scan", build.internal("html_pages"), "scan"),
        System("celadon-select", build.internal("html_pages"), "select"),
        native("myhtml", "-lmodest", "-lm", packages=["libmodest-dev"]),
        native("libxml2", "-I/usr/include/libxml2", "-lxml2", packages=["libxml2-dev"]),
        native("gumbo", "-lgumbo", packages=["libgumbo-dev"]),
        System("go-net-html", build.go("peers/html_go.go"), "tree"),
        python("lxml", "python3-lxml"),
        python("bs4-lxml", "python3-bs4", "python3-lxml", slow=True),
        python("bs4-html.parser", "python3-bs4", slow=True),
    ],
    measure,
    [(kind, heading, kind == "articles") for kind, heading in zip(
        KINDS, ("articles MB/s", "PostgreSQL docs", "Python docs", "one of 5 MB")
    )]
    + [
        ("big.grown", "grown by", False),
        ("articles.kept", "articles keep", False),
        ("python.kept", "Python docs", False),
        ("big.kept", "5 MB", False),
        ("articles.heap", "at most, articles", False),
        ("big.heap", "5 MB", False),
    ],
    set(),
    prepare,
)  # fmt: skip
