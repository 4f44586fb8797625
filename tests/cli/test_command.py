#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands and the article's programs, as their users run them. Prints TAP.

A server of this file misbehaves on purpose; celadon fetch must return all that is good, name what is bad, and stay
within bounds. Each check runs on the backend that CELADON_BACKEND names.
"""
import asyncio
import gzip
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ["CELADON_BUILD"]
CELADON = os.path.join(BUILD, "celadon")
FIELDS = ["-s", "title=.post-title", "-s", "content[]=.post-content > p", "-s", "author=.author-name",
          "-s", "date=.post-date@datetime"]
BOMB = gzip.compress(bytes(64 << 20), 9)


def page(n):
    return (f"<!doctype html><h1 class=post-title> Post {n} </h1><p class=author-name>Zoë &amp; {n}</p>"
            f"<time class=post-date datetime=2026-01-{n % 28 + 1:02d}>x</time>"
            f"<div class=post-content><p>one {n}</p><div><p>not this</p></div><p>two <b>{n}</b></p></div>").encode()


class Site:
    """One loop in a thread; `base` is its address."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.seen = {}
        ready = threading.Event()

        def run():
            asyncio.set_event_loop(self.loop)
            server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512))
            self.base = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
            ready.set()
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        ready.wait()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                self.seen[path] = self.seen.get(path, 0) + 1
                if not await self.answer(path, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def answer(self, path, w):
        kind = path.split("/")[1]
        n = int(path.split("/")[2]) if path.count("/") > 1 else 0
        body = page(n)

        def send(head, content=b""):
            w.write(f"HTTP/1.1 {head}\r\n\r\n".encode() + content)

        if kind == "good":
            send(f"200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}", body)
        elif kind == "chunked":
            send("200 OK\r\nTransfer-Encoding: chunked")
            for i in range(0, len(body), 50):
                w.write(b"%x\r\n%s\r\n" % (len(body[i:i + 50]), body[i:i + 50]))
            w.write(b"0\r\n\r\n")
        elif kind == "gzip":
            body = gzip.compress(body)
            send(f"200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}", body)
        elif kind == "moved":
            send(f"302 Found\r\nLocation: /good/{n}\r\nContent-Length: 0")
        elif kind == "late":  # fails once, then serves
            if self.seen[path] == 1:
                send("503 Busy\r\nRetry-After: 0\r\nContent-Length: 0")
            else:
                send(f"200 OK\r\nContent-Length: {len(body)}", body)
        elif kind == "short":
            send(f"200 OK\r\nContent-Length: {len(body) + 100}", body)
            return False
        elif kind == "reset":
            send("200 OK\r\nContent-Length: 100000", body)
            await w.drain()
            w.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        elif kind == "stall":
            send("200 OK\r\nContent-Length: 100000", body)
            await w.drain()
            await asyncio.sleep(20)
            return False
        elif kind == "mute":
            await asyncio.sleep(20)
            return False
        elif kind == "circle":
            send(f"302 Found\r\nLocation: /circle/{n}\r\nContent-Length: 0")
        elif kind == "bomb":
            send(f"200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(BOMB)}", BOMB)
        elif kind == "garbage":
            w.write(b"\x00\xffthis is not HTTP at all\r\n\r\n")
            return False
        elif kind == "headers":
            w.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 200) for i in range(2000)))
            return False
        elif kind == "closed":
            return False
        else:
            send("404 Not Found\r\nContent-Length: 0")
        await w.drain()
        return True


# What each kind of bad URL is told as.
BAD = {"short": "body", "reset": "body", "stall": "body", "mute": "headers", "circle": "redirect", "bomb": "",
       "garbage": "headers", "headers": "headers", "closed": "headers", "absent": "status"}
GOOD = ["good", "chunked", "gzip", "moved", "late"]
SITE = Site()


def run(*args, **options):
    return subprocess.run([CELADON, *args], capture_output=True, timeout=90, **options)


def example(name, *args):
    return subprocess.run([os.path.join(BUILD, "examples", name), *args], capture_output=True, timeout=30)


def item(n):
    return {"title": f"Post {n}", "content": [f"one {n}", f"two {n}"], "author": f"Zoë & {n}",
            "date": f"2026-01-{n % 28 + 1:02d}"}


def fetch_of_2000_urls_returns_all_good_and_names_all_bad():
    good = [f"{SITE.base}/{GOOD[i % 5]}/{i}" for i in range(1700)]
    bad = {f"{SITE.base}/{kind}/{i}": phase for i in range(28) for kind, phase in BAD.items()}
    bad["http://127.0.0.1:1/"] = "connect"
    bad["no url at all"] = "url"
    urls = good + list(bad)
    urls.sort(key=lambda u: hash(u) % 997)
    text = "# a list\n\n" + "\n".join(urls + urls[:50]) + "\n"
    out = run("fetch", "-", *FIELDS, "-c", "100", "--timeout", "3s", "--retries", "1", input=text.encode())
    assert out.returncode == 3, (out.returncode, out.stderr[-2000:])
    data = json.loads(out.stdout)
    assert set(data) == set(good), (len(data), list(set(good) ^ set(data))[:5], out.stderr[-1500:])
    for url in good:
        assert data[url] == item(int(url.rsplit("/", 1)[1])), (url, data[url])
    assert list(data) == [u for u in urls if u in data], "not in the list's order"
    told = {}
    for line in out.stderr.decode().splitlines():
        if line.startswith("celadon: ") and ": " in line[9:]:
            url, _, rest = line[9:].partition(": ")
            told.setdefault(url, rest)
    for url, phase in bad.items():
        assert url in told, (url, out.stderr[-1500:])
        assert told[url].startswith(phase) and len(told[url]) > len(phase) + 4, (url, told[url])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert os.environ.get("ASAN_OPTIONS") or peak < 192 << 10, f"{peak} KiB at its peak"


def fetch_prints_jsonl_and_csv():
    urls = [f"{SITE.base}/good/{n}" for n in (1, 2)]
    out = run("fetch", *urls, *FIELDS, "--format", "jsonl", "-q")
    assert out.returncode == 0 and out.stderr == b"", out
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    assert sorted(line.pop("url") for line in lines) == urls and item(1) in lines, lines
    out = run("fetch", urls[0], "-s", "t=h1", "-s", "none=.none", "-s", "p[]=p", "--format", "csv", "--join", "|")
    assert out.stdout.startswith(b'url,"t","none","p"\r\n') and b'"Post 1",,' in out.stdout, out.stdout


def fetch_without_fields_tells_of_each_page():
    url = f"{SITE.base}/good/1"
    for form in "json", "jsonl", "csv":
        out = run("fetch", url, "--format", form)
        assert out.returncode == 0 and b"200" in out.stdout and url.encode() in out.stdout, (form, out)
    assert json.loads(run("fetch", url, "--format", "jsonl").stdout)["status"] == 200


def fetch_field_that_is_missing_is_null():
    out = run("fetch", f"{SITE.base}/good/1", "-s", "none=.none", "-s", "many[]=.none")
    assert json.loads(out.stdout) == {f"{SITE.base}/good/1": {"none": None, "many": []}}, out.stdout
    assert out.returncode == 0


def fetch_tells_usage_errors_with_the_remedy():
    for args, words in [([], "URL"), (["--format", "xml", "u"], "json"), (["-c", "0", "u"], "from 1"),
                        (["--timeout", "soon", "u"], "30s"), (["--nope", "u"], "--help"), (["-s"], "value"),
                        (["-s", "a=[", "u"], "column"), (["-s", "=x", "u"], "-s"), (["--parser", "x", "u"], "html5"),
                        (["-H", "nocolon", "u"], "Name: value"), (["--max-body", "much", "u"], "10M")]:
        out = run("fetch", *args)
        assert out.returncode == 2 and words in out.stderr.decode() and out.stdout == b"", (args, out)
    assert run("nothing").returncode == 2
    assert run("fetch", "--help").returncode == 0 and b"--concurrency" in run("fetch", "--help").stdout
    assert run("--version").stdout.startswith(b"celadon ")


def fetch_of_an_unreadable_list_or_output_is_fatal():
    out = run("fetch", "-i", "/nonexistent/list")
    assert out.returncode == 1 and b"No such file" in out.stderr, out
    out = run("fetch", f"{SITE.base}/good/1", "-o", "/nonexistent/out")
    assert out.returncode == 1 and b"/nonexistent/out" in out.stderr, out
    if os.path.exists("/dev/full"):
        out = run("fetch", f"{SITE.base}/good/1", "-o", "/dev/full")
        assert out.returncode == 1 and b"No space" in out.stderr, out


def fetch_interrupted_leaves_whole_json():
    urls = [f"{SITE.base}/good/1", f"{SITE.base}/mute/1"]
    child = subprocess.Popen([CELADON, "fetch", *urls, *FIELDS, "--timeout", "20s"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    interrupt_amid(child, "/mute/1", "/good/1")
    out, err = child.communicate(timeout=20)
    assert child.returncode == 5, (child.returncode, err)
    assert json.loads(out) == {urls[0]: item(1)}, out


def lines_of(urls):
    return ("\n".join(urls) + "\n").encode()


def fetch_that_cannot_start_prints_nothing_and_spoils_nothing():
    url = f"{SITE.base}/good/1"
    with tempfile.TemporaryDirectory() as folder:
        kept = os.path.join(folder, "kept.json")
        with open(kept, "w") as f:
            f.write("before")
        for more in [], ["-o", kept]:
            for form in "json", "csv":
                out = run("fetch", url, "--cacert", "/nonexistent/ca", "--format", form, *more)
                assert out.returncode == 1 and out.stdout == b"" and b"/nonexistent/ca" in out.stderr, out
        out = run("fetch", "-i", folder, "-o", kept)
        assert out.returncode == 1 and b"directory" in out.stderr and out.stdout == b"", out
        assert open(kept).read() == "before"
        out = run("fetch", url, "-o", kept, *FIELDS)
        assert out.returncode == 0 and json.load(open(kept)) == {url: item(1)}, out
    out = run("fetch", url, "-o", "-", *FIELDS)
    assert out.returncode == 0 and json.loads(out.stdout) == {url: item(1)}, out


def fetch_of_an_empty_list_is_an_empty_object():
    for text in b"", b"\n\n", b"# nothing here\r\n", b"\xef\xbb\xbf":
        out = run("fetch", "-", input=text)
        assert out.returncode == 0 and json.loads(out.stdout) == {}, (text, out)


def fetch_list_in_any_dress_is_read():
    urls = [f"{SITE.base}/good/{n}" for n in range(4)]
    text = (f"\ufeff{urls[0]}\r\n# a comment\r\n\r\n  {urls[1]}\t\r\n{urls[0]}\r\n"
            f"{urls[2]}\n{urls[3]}").encode()  # no end of line behind the last
    for how in "-", "-i":
        with tempfile.NamedTemporaryFile() as f:
            f.write(text)
            f.flush()
            out = run("fetch", "-", *FIELDS, input=text) if how == "-" else run("fetch", "-i", f.name, *FIELDS)
        assert out.returncode == 0 and list(json.loads(out.stdout)) == urls, (how, out)
    out = run("fetch", urls[0], urls[0], "-", *FIELDS, input=text)
    assert out.returncode == 0 and list(json.loads(out.stdout)) == urls, out


def fetch_list_with_a_monstrous_line_is_told():
    url = f"{SITE.base}/good/1"
    out = run("fetch", "-", *FIELDS, input=lines_of([url, url + "\0more"]))
    assert out.returncode == 3 and json.loads(out.stdout) == {url: item(1)} and b": url: " in out.stderr, out
    out = run("fetch", "-", *FIELDS, input=lines_of([url, "x" * (2 << 20), f"{SITE.base}/good/2"]))
    assert out.returncode == 1 and json.loads(out.stdout) == {url: item(1)} and b"behind line 1" in out.stderr, out


def fetch_goes_on_while_the_list_is_being_written():
    urls = [f"{SITE.base}/good/{n}" for n in (7, 8)]
    child = subprocess.Popen([CELADON, "fetch", "-", *FIELDS, "--format", "jsonl"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for url in urls:  # the answer comes while the list stands open
        child.stdin.write(lines_of([url]))
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["url"] == url
    out, err = child.communicate(timeout=20)
    assert child.returncode == 0 and out == b"", (out, err)


def interrupt_amid(child, *paths):
    """When the site was asked for all of these, and what it answered is likely to have come."""
    while not all(SITE.seen.get(path) for path in paths):
        assert child.poll() is None, child.stderr.read()
        threading.Event().wait(0.01)
    threading.Event().wait(0.3)
    child.send_signal(signal.SIGINT)


def fetch_interrupted_while_it_waits_for_the_list_ends():
    url = f"{SITE.base}/good/9"
    child = subprocess.Popen([CELADON, "fetch", "-", *FIELDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    child.stdin.write(lines_of([url, f"{SITE.base}/mute/9"]))
    child.stdin.flush()
    interrupt_amid(child, "/mute/9", "/good/9")
    assert child.wait(timeout=20) == 5
    out = child.stdout.read()
    assert json.loads(out) == {url: item(9)}, out


def fetch_without_a_reader_says_so():
    url = f"{SITE.base}/good/1"
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", CELADON, "fetch", url, "-q"], capture_output=True)
    assert closed.returncode == 1 and b"standard output" in closed.stderr, closed
    assert subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh", CELADON, "fetch", url]).returncode == 1
    for form in "json", "jsonl":
        child = subprocess.Popen([CELADON, "fetch", "-", "--format", form], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.close()
        child.stdin.write(lines_of([f"{SITE.base}/good/{n}" for n in range(100)]))
        child.stdin.close()
        err = child.stderr.read()
        assert child.wait(timeout=30) == 1 and b"Broken pipe" in err, (child.returncode, err)
    for args in ["--help"], ["fetch", "--help"], ["--version"]:
        with open("/dev/full", "w") as full:
            assert subprocess.run([CELADON, *args], stdout=full, stderr=subprocess.DEVNULL).returncode == 1, args


def fetch_raises_a_low_limit_of_descriptors():
    urls = [f"{SITE.base}/good/{n}" for n in range(300)]

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))

    out = run("fetch", "-", "-c", "300", input=lines_of(urls), preexec_fn=few)
    assert out.returncode == 0 and len(json.loads(out.stdout)) == 300, out.stderr[-2000:]


def fetch_short_of_memory_ends_in_good_order():
    if os.environ.get("ASAN_OPTIONS") or os.environ.get("TSAN_OPTIONS"):
        return  # they reserve terabytes
    # Without fields: the builder of HTML trees is a library that does not survive a malloc that fails.
    urls = [f"{SITE.base}/good/{n}" for n in range(50)]
    codes = set()
    for mib in range(24, 120, 4):
        def little():
            resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))

        out = run("fetch", "-", "--retries", "0", input=lines_of(urls), preexec_fn=little)
        if out.returncode == 127:
            continue  # the program itself could not be loaded
        assert out.returncode in (0, 1, 3), (mib, out)
        assert out.stdout == b"" or set(json.loads(out.stdout)) <= set(urls), (mib, out)
        codes.add(out.returncode)
    assert 0 in codes and codes != {0}, codes


def serve_and_seed_scrape_print_the_article_dict():
    with tempfile.TemporaryDirectory() as root:
        for n in range(3):
            with open(f"{root}/{n}.html", "wb") as f:
                f.write(page(n))
        server = subprocess.Popen([CELADON, "serve", root, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE)
        base = server.stderr.readline().decode().split(" at ")[1].strip()
        urls = [f"{base}{n}.html" for n in range(3)]
        out = example("seed_scrape", *urls)
        assert out.returncode == 0, out
        expected = {u: dict(item(n), content=f"one {n}\ntwo {n}") for n, u in enumerate(urls)}
        assert json.loads(out.stdout) == expected, out.stdout
        assert example("seed_scrape", urls[0], f"{base}none").returncode in (0, 3)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0
        assert b"stopped after" in server.stderr.read()


def html(*args, page=b"", code=0):
    out = subprocess.run([CELADON, "html", *args], input=page, capture_output=True, timeout=30)
    assert out.returncode == code, out
    return out.stdout.decode(), out.stderr.decode()


def html_prints_the_tree():
    tree, words = html("-", page=b"<!doctype html><p id=a class='b c'>x&amp;y<br>")
    assert tree == ('| <!DOCTYPE html>\n| <html>\n|   <head>\n|   <body>\n|     <p>\n|       class="b c"\n'
                    '|       id="a"\n|       "x&y"\n|       <br>\n') and words == "", (tree, words)
    assert html("--fragment", "tr", "-", page=b"<td>x")[0] == '| <td>\n|   "x"\n'
    assert html("-f", "svg svg", "-", page=b"<path/>")[0] == "| <svg path>\n"
    noscript = b"<head><noscript><p></noscript>"
    assert '"<p>"' in html("--scripting", "-", page=noscript)[0] and "<p>" in html("-", page=noscript)[0]
    assert '"\u0416"' in html("--charset", "koi8-r", "-", page=b"\xf6")[0]


def html_tells_positions_and_errors():
    tree, _ = html("--positions", "-f", "body", "-", page=b"<p>a<i>b")
    assert tree == '       0 | <p>\n       3 |   "a"\n       4 |   <i>\n       7 |     "b"\n', tree
    with tempfile.NamedTemporaryFile(suffix=".html") as f:
        f.write("<!doctype html><p a=1 a=2 a>\n\u00e9&#0;</i><table>two\n\U0001f600 <b>".encode())
        f.flush()
        _, words = html("--errors", f.name, code=3)
    lines = words.replace(f.name, "F").splitlines()
    assert lines[0] == "F:1:24: duplicate-attribute: an attribute twice in a tag; the first counts", words
    assert [re.match(r"F:\d+:\d+: [^:]*(:\d+)?", line)[0] for line in lines] == [
        "F:1:24: duplicate-attribute",
        "F:1:28: duplicate-attribute",
        "F:2:6: null-character-reference",
        "F:2:6: unexpected-end-tag (i)",
        "F:2:17: foster-parenting-character, 6 characters up to 3:3",
        "F:3:4: foster-parenting-start-tag (b)",
        "F:3:7: eof-in-table (b)",
    ], words
    assert html("--errors", "-", page=b"<!doctype html><p>fine<table><tr><td>so</table>")[1] == ""
    # Each once, also where a late meta element has the page read again.
    _, words = html("--errors", "-", page=b"<!--" + b"x" * 2000 + b"--><meta charset=latin1><p a a>\xe9", code=3)
    assert words.count("duplicate-attribute") == 1, words


def html_tells_what_is_wrong():
    assert run("html").returncode == 2 and run("html", "a", "b").returncode == 2
    assert b"--positions" in run("html", "--help").stdout
    out = run("html", "/nonexistent/file")
    assert out.returncode == 1 and b"No such file" in out.stderr and out.stdout == b"", out
    out = run("html", ".")
    assert out.returncode == 1 and b"directory" in out.stderr, out
    tree, words = html("-", page=b"<i>" * 600, code=3)
    assert "depth" in words and "<i>" in tree


def extract(*args, page=b"", code=0):
    out = subprocess.run([CELADON, "extract", *args], input=page, capture_output=True, timeout=30)
    assert out.returncode == code, out
    return out.stdout.decode(), out.stderr.decode()


def extract_prints_one_item():
    page = b"<h1 class=t>A &amp; B</h1><p>x<p>y<a href=/u>z</a>"
    out, words = extract("-s", "title=.t", "-s", "p[]=p", "-s", "link=a@href", "-", page=page)
    assert json.loads(out) == {"title": "A & B", "p": ["x", "yz"], "link": "/u"} and words == "", (out, words)
    out, _ = extract("-s", "p[]=p", "--join", "|", "--charset", "koi8-r", "-", page=b"<p>\xf6<p>2")
    assert json.loads(out) == {"p": "\u0416|2"}, out
    out, _ = extract("-s", "none=.x", "-", page=page, code=3)
    assert json.loads(out) == {"none": None}
    assert json.loads(extract("--parser", "lxml", "-s", "p=p", "-", page=page)[0]) == {"p": "x"}


def extract_takes_a_url():
    out, _ = extract("-s", "title=h1", f"{SITE.base}/good/3")
    assert json.loads(out)["title"] == item(3)["title"], out


def extract_explains_the_nearest_miss():
    page = b"<div class=post-body><p>x</p></div><section id=main>"
    out, words = extract("--explain", "-s", "a=.post-bodi > p", "-s", "b=.post-body > h1", "-s", "c=p", "-",
                         page=page, code=3)
    assert json.loads(out) == {"a": None, "b": None, "c": "x"}
    assert "'.post-bodi' matches none" in words and "the page has .post-body" in words, words
    assert "'.post-body' matches 1 element, and" in words and "h1 alone matches 0 elements" in words, words
    assert "c: 'p' matches 1 element\n" in words, words
    _, words = extract("-e", "-s", "a=section@di", "-s", "b[]=p::attr(x)", "-s", "c=div@class", "-", page=page, code=3)
    assert "  a: 'section' matches 1 element\n      0 of them have the attribute di; one without has id\n" in words, words
    assert "      0 of them have the attribute x; one without has none\n" in words and "1 of them" not in words, words
    _, words = extract("-e", "-s", "a=body > p", "-s", "b=div + p", "-", page=page, code=3)
    assert "      'body p' would match 1 element\n" in words and "div ~ p" not in words, words
    _, words = extract("-e", "-s", "a=#mian, q:not(.x)", "-", page=page, code=3)
    assert "the page has #main" in words and "q alone matches 0" in words, words


def extract_tells_what_is_wrong():
    assert run("extract").returncode == 2 and run("extract", "-").returncode == 2
    assert run("extract", "-s", "a=p", "-", "-").returncode == 2
    out = run("extract", "-s", "a=p[", "-")
    assert out.returncode == 2 and b"column" in out.stderr, out
    out = run("extract", "-s", "a=p", "--parser", "x", "-")
    assert out.returncode == 2 and b"html5 or lxml" in out.stderr, out
    out = run("extract", "-s", "a=p", "/nonexistent/file")
    assert out.returncode == 1 and b"No such file" in out.stderr and out.stdout == b"", out
    out = run("extract", "-s", "a=p", "http://127.0.0.1:1/")
    assert out.returncode == 1 and b"refused" in out.stderr and out.stdout == b"", out


def serve_from_many_workers_answers_all_and_stops_all():
    with tempfile.TemporaryDirectory() as root:
        with open(f"{root}/a.txt", "w") as f:
            f.write("from some worker")
        server = subprocess.Popen([CELADON, "serve", root, "--listen", "127.0.0.1:0", "--workers", "3"],
                                  stderr=subprocess.PIPE)
        base = server.stderr.readline().decode().split(" at ")[1].strip()
        threads = os.listdir(f"/proc/{server.pid}/task")
        assert len(threads) >= 3, threads
        port = int(base.rsplit(":", 1)[1].strip("/"))
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for s in held:
            s.sendall(b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        for s in held:
            answer = b""
            while b"from some worker" not in answer:
                answer += s.recv(65536) or sys.exit("a connection was cut")
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) == 0
        assert b"stopped after 20 requests on 20 connections" in server.stderr.read()
        for s in held:  # idle ones were closed, none was reset
            assert s.recv(1) == b""
            s.close()


def many_cores_answers_and_stops():
    program = os.path.join(os.path.dirname(CELADON), "examples", "many_cores")
    server = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE)
    url = server.stdout.readline().decode().strip()
    host, port = url.split("/")[2].split(":")
    for _ in range(4):
        with socket.create_connection((host, int(port))) as s:
            s.sendall(b"GET /primes/10000 HTTP/1.0\r\nHost: x\r\n\r\n")
            answer = b"".join(iter(lambda: s.recv(65536), b""))
            assert b"1229 primes" in answer, answer
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=20) == 0


def serve_tells_what_is_wrong():
    assert run("serve", ".", "--workers", "many").returncode == 2
    out = run("serve", "/nonexistent/dir", "--workers", "2")
    assert out.returncode == 1 and out.stderr.count(b"\n") == 1, out
    assert run("serve").returncode == 2
    out = run("serve", "/nonexistent/dir")
    assert out.returncode == 1 and b"No such file" in out.stderr, out
    for args, code, words in [(["--listen", SITE.base[7:]], 1, "in use; somebody listens there: --listen 127.0.0.1:0"),
                              (["--listen", "nonsense"], 1, "--listen takes host:port"),
                              (["127.0.0.1:0"], 2, "an address goes behind --listen: celadon serve . --listen 127.0.0.1:0"),
                              (["a", "b"], 2, "takes one folder, and there are 3 arguments: '.' and 'a'"),
                              (["--cert", "x"], 2, "--cert and --key go together")]:
        out = run("serve", ".", *args)
        assert out.returncode == code and words in out.stderr.decode() and out.stdout == b"", (args, out)


def help_of_a_command_is_that_command_s_help():
    for command in "extract", "fetch", "html", "serve":
        out = run("help", command)
        assert out.returncode == 0 and out.stdout == run(command, "--help").stdout, (command, out)
    assert run("help").stdout == run("--help").stdout


def unknown_command_is_told_with_what_may_be_meant():
    for name, near in ("sevre", "serve"), ("fetchh", "fetch"), ("ext", "extract"), ("htm", "html"), ("sarve", "serve"):
        for words in [name], ["help", name]:
            out = run(*words)
            assert out.returncode == 2 and out.stdout == b"", out
            assert f"no command is called '{name}'; is '{near}' meant?" in out.stderr.decode(), out
    assert b"meant" not in run("frobnicate").stderr


def seeds_print_what_the_article_prints():
    expected = {
        ("seed_greenlet",): "start running in main thread\nin function A\nmain thread resumes here\n",
        ("seed_eventlet", "-n", "3"): "hello\n" * 3 + "world\n" * 3,
        ("seed_eventlet", "-n", "3", "-y"): "hello\nworld\n" * 3,
        ("seed_future",): "Hello World!\n",
        ("seed_task",): "0\n1\n2\nDone\n",
        ("seed_event_loop",): "".join(f"Alice says {i}\nBob says {i}\n" for i in range(3)),
        ("seed_gather",): "Creating inner task\nWaiting for coroutines to finish...\n"
                          "Running in nested coroutine\nRunning in nested coroutine\n[42, 42]\n",
    }
    running = {args: subprocess.Popen([os.path.join(BUILD, "examples", args[0]), *args[1:]], stdout=subprocess.PIPE)
               for args in expected}
    for args, child in running.items():
        out, _ = child.communicate(timeout=30)
        assert child.returncode == 0 and out.decode() == expected[args], (args, out)


TESTS = [fetch_without_fields_tells_of_each_page, fetch_that_cannot_start_prints_nothing_and_spoils_nothing,
         fetch_of_an_empty_list_is_an_empty_object, fetch_list_in_any_dress_is_read,
         fetch_list_with_a_monstrous_line_is_told, fetch_goes_on_while_the_list_is_being_written,
         fetch_interrupted_while_it_waits_for_the_list_ends, fetch_without_a_reader_says_so,
         fetch_raises_a_low_limit_of_descriptors, fetch_short_of_memory_ends_in_good_order,
         fetch_of_2000_urls_returns_all_good_and_names_all_bad, fetch_prints_jsonl_and_csv,
         fetch_field_that_is_missing_is_null, fetch_tells_usage_errors_with_the_remedy,
         fetch_of_an_unreadable_list_or_output_is_fatal, fetch_interrupted_leaves_whole_json,
         extract_prints_one_item, extract_takes_a_url, extract_explains_the_nearest_miss, extract_tells_what_is_wrong,
         html_prints_the_tree, html_tells_positions_and_errors, html_tells_what_is_wrong,
         serve_and_seed_scrape_print_the_article_dict,
         serve_from_many_workers_answers_all_and_stops_all, many_cores_answers_and_stops, serve_tells_what_is_wrong,
         help_of_a_command_is_that_command_s_help, unknown_command_is_told_with_what_may_be_meant,
         seeds_print_what_the_article_prints]

if __name__ == "__main__":
    print(f"1..{len(TESTS)}")
    bad = 0
    for i, test in enumerate(TESTS):
        try:
            test()
            print(f"ok {i + 1} - {test.__name__}", flush=True)
        except Exception as e:  # a check that fails, a child that hangs
            bad += 1
            print(f"not ok {i + 1} - {test.__name__}\n# {type(e).__name__}: {str(e)[:3000]}", flush=True)
    sys.stdout.flush()
    os._exit(bad != 0)
