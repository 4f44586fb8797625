#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs examples/teach_*.c print exactly what their heads promise; servers and clients meet. Prints TAP.

Each source must be named here, once, and every one of them in docs/programs.md.
"""
import glob
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request

BUILD = os.environ["CELADON_BUILD"]
SOURCE = os.environ["CELADON_SOURCE"]
ALONE = {
    "greenlet_generator": "0 1 1 2 3 5 8 13 21 34\nthe generator cleans up\n",
    "greenlet_fringe": " aa bb cc --: the same\n aa bx: different\n",
    "green_pool": "".join(f"job {i} begins\n" for i in range(9)) + "at most 3 at a time\n",
    "green_sieve": "2\n3\n5\n7\n11\n13\n17\n19\n23\n29\n31\n37\n",
    "loop_timer": "at once\ntick, 2 to go\ntick, 1 to go\ntick, 0 to go\na second later\n",
    "loop_proactor": 'read "how do you do"\nthe end\n',
    "future_promise": "Alice waits\nBob waits\nstill baking\na future is set once\n"
                      "Alice eats cherry cake\nBob eats cherry cake\nthe bell rings\n",
    "task_cancel": "the gate is locked\nround 1\nthe watchman is told\nthe gate is unlocked\n"
                   "ECANCELED: watching after 1 round: Operation canceled\n",
    "gather_race": "mirror 2 answers first: near\nfar: ECANCELED\nbroken: ECONNRESET\nnear: answered\n",
    "gather_outcomes": "the evening is over\nkeys      found\n!glasses  ENOENT\n~youth    ECANCELED\n"
                       "umbrella  found\n",
    "threads_offload": "7999998000000\nthe loop ran meanwhile\n",
    "service_proxy": "the answer is 19\n19 bytes there, 3 back\n",
    "service_supervisor": "slow: well at start 3\n"
                          "poor, started 3 times: /etc/none.conf: No such file or directory\n",
    "system_shutdown": "signal TERM\nserved: the last one\nall have left by themselves\n",
    "system_tail": "begin\none\ntwo\nsix\nits name is gone\n",
    "cores_workers": "2262 primes below 20000, counted on 4 threads\n",
}
TOGETHER = {"server_guestbook", "client_guest", "server_stream", "client_download", "scraper_links", "scraper_list"}
PAGE = """<!doctype html><h1 class=post-title>Post {n}</h1><time class=post-date datetime=2026-01-0{n}>x</time>
<div class=post-content><p>one<div><p>not this</div><p>two <b>{n}</b></div>
<a href=/a.html>the <i>first</i></a> <a name=here>no link</a> <a rel=nofollow href=/b>not followed</a> <a href=c>c</a>"""


def program(name, *args):
    return [os.path.join(BUILD, "examples", "teach_" + name), *args]


def run(name, *args):
    return subprocess.run(program(name, *args), capture_output=True, text=True, timeout=60, check=False)


class Server:
    """A program that says where it serves on the first line of one of its streams."""

    def __init__(self, args, stream="stdout"):
        self.child = subprocess.Popen(args, text=True, **{stream: subprocess.PIPE})
        line = getattr(self.child, stream).readline()
        self.base = line[line.index("http://"):].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        self.code = self.child.wait(timeout=30)
        for stream in (self.child.stdout, self.child.stderr):
            if stream is not None:
                stream.close()


def pages(folder):
    for n in (1, 2):
        with open(os.path.join(folder, f"{n}.html"), "w", encoding="utf-8") as f:
            f.write(PAGE.format(n=n))
    with open(os.path.join(folder, "large"), "wb") as f:
        f.write(bytes(range(256)) * 4000)
    return Server([os.path.join(BUILD, "celadon"), "serve", folder, "-l", "127.0.0.1:0"], "stderr")


def each_prints_what_it_teaches():
    for name, expected in ALONE.items():
        out = run(name)
        assert (out.returncode, out.stdout, out.stderr) == (0, expected, ""), (name, out)


def guests_sign_the_book():
    with Server(program("server_guestbook", "127.0.0.1:0")) as book:
        for n, name in enumerate(("Alice", "Bob"), 1):
            guests = "".join(f"{i}. {g}\n" for i, g in enumerate(("Alice", "Bob")[:n], 1))
            out = run("client_guest", book.base, name)
            assert out.stdout == (f"200 after 1 redirect\nWelcome, {name}.\n{guests}"
                                  "2 requests over 1 connection\n"), out
        out = run("client_guest", book.base, "<b>Mallory")
        assert out.stdout.startswith("400 after 0 redirect\na form with a name of letters"), out
    assert book.code == 0


def server_streams_and_stops_itself():
    with Server(program("server_stream", "2")) as s:
        for who, ending in (("", "world"), ("?who=Alice+B", "Alice B")):
            with urllib.request.urlopen(f"{s.base}count/3{who}", timeout=30) as answer:
                assert answer.headers["Transfer-Encoding"] == "chunked"
                assert answer.read().decode() == f"3…\n2…\n1…\nlift off, {ending}!\n"
        assert s.child.wait(timeout=30) == 0


def download_is_whole_or_not_there():
    with tempfile.TemporaryDirectory() as folder, pages(folder) as site:
        copy = os.path.join(folder, "copy")
        out = run("client_download", site.base + "large", copy)
        assert (out.returncode, out.stdout) == (0, "1024000 bytes\n"), out
        with open(copy, "rb") as a, open(os.path.join(folder, "large"), "rb") as b:
            assert a.read() == b.read()
        out = run("client_download", site.base + "none", copy + "2")
        assert out.returncode == 1 and "none" in out.stderr and not os.path.exists(copy + "2"), out
        out = run("client_download", site.base + "large", copy)  # never over a file that is there
        assert out.returncode == 1 and "File exists" in out.stderr, out


def scrapers_print_links_and_fields():
    with tempfile.TemporaryDirectory() as folder, pages(folder) as site:
        out = run("scraper_links", site.base + "1.html")
        assert (out.returncode, out.stdout) == (0, "/a.html: the first\nc: c\n"), out
        out = run("scraper_list", site.base + "1.html", site.base + "none", site.base + "2.html")
        assert out.returncode == 0 and "none: status: " in out.stderr, out
        lines = out.stdout.splitlines()
        assert sorted(lines[:-1]) == [f'{{"title":"Post {n}","words":["one","two {n}"],"date":"2026-01-0{n}"}}'
                                      for n in (1, 2)], out
        assert lines[-1] == "2 of 3 pages", out


def all_programs_are_tested_and_told_of():
    names = {os.path.basename(p)[6:-2] for p in glob.glob(os.path.join(SOURCE, "examples", "teach_*.c"))}
    assert names == set(ALONE) | TOGETHER, names ^ (set(ALONE) | TOGETHER)
    with open(os.path.join(SOURCE, "docs", "programs.md"), encoding="utf-8") as f:
        text = f.read()
    assert not [n for n in names if f"teach_{n}.c" not in text], names


TESTS = [each_prints_what_it_teaches, guests_sign_the_book, server_streams_and_stops_itself,
         download_is_whole_or_not_there, scrapers_print_links_and_fields, all_programs_are_tested_and_told_of]

if __name__ == "__main__":
    print(f"1..{len(TESTS)}")
    bad = 0
    for i, test in enumerate(TESTS):
        try:
            test()
            print(f"ok {i + 1} - {test.__name__}", flush=True)
        except Exception as e:  # a check that fails, a child that hangs
            bad += 1
            print(f"not ok {i + 1} - {test.__name__}\n# {type(e).__name__}: {str(e)[:2000]}", flush=True)
    sys.exit(bad != 0)
