# SPDX-License-Identifier: MIT
"""The workloads whose subject is the client: http-client and scrape. nginx serves both."""
from . import build, machine
from .bench import System, Workload, ours
from .site import PAGES, nginx_argv, web_root

CONNECTIONS = 100

nginx = build.tool("nginx", "nginx-light")
curl = ("libcurl4-openssl-dev",)
xml2_flags = ("-I/usr/include/libxml2", "-lxml2")


def files_server():
    port = machine.free_port()
    return port, machine.server(nginx_argv(nginx(), port), port)


def need_nginx(quick):
    web_root()
    nginx()


def per_fetch(seen, done):
    if seen["done"] != done:
        raise machine.Failed(f"fetched {seen['done']} of {done}")
    return seen["cpu_ns"] / done / 1e3, done / (seen["wall_ns"] / 1e9)


# HTTP client


def measure_client(system, quick):
    found = {}
    port, server = files_server()
    with server:
        for name, path, size, count in (
            ("1KiB", "/1k.bin", 1024, 20000),
            ("100KiB", "/100k.bin", 102400, 2000),
        ):
            count = count // (10 if size == 1024 else 2) if quick else count
            argv = system.argv(port=port, path=path, count=count, conns=CONNECTIONS)
            seen = machine.run_json(argv, env=system.env, seconds=60)
            cpu, rate = per_fetch(seen, count)
            if seen["bytes"] != count * size:
                raise machine.Failed(f"received {seen['bytes']} bytes instead of {count * size}")
            found[f"{name}.cpu_per_request"] = (cpu, "us")
            found[f"{name}.requests_per_second"] = (rate, "1/s")
            found[f"{name}.peak_memory"] = (seen["peak_kib"] / 1024, "MiB")
    return found


FETCH = ("{port}", "{path}", "{count}", "{conns}")


def aiohttp_client(loop):
    packages = ["python3-aiohttp"] + (["python3-uvloop"] if loop == "uvloop" else [])
    recipe = build.python("peers/client_aiohttp.py", *packages)
    return System("aiohttp" if loop == "asyncio" else "aiohttp-uvloop", recipe, *FETCH, loop)


http_client = Workload(
    "http-client",
    "20,000 x 1 KiB and 2,000 x 100 KiB from nginx over 100 connections; CPU of the client",
    [
        *ours("http_client", *FETCH),
        System("floor-epoll", build.c("floor/http_client_epoll.c"), *FETCH),
        System("libcurl-multi", build.c("peers/client_libcurl.c", "-lcurl", packages=curl), *FETCH),
        System("go-net-http", build.go("peers/client_go.go"), *FETCH),
        aiohttp_client("uvloop"),
        aiohttp_client("asyncio"),
    ],
    measure_client,
    [
        ("1KiB.cpu_per_request", "1 KiB us", True),
        ("1KiB.requests_per_second", "req/s", False),
        ("1KiB.peak_memory", "MiB", False),
        ("100KiB.cpu_per_request", "100 KiB us", True),
        ("100KiB.requests_per_second", "req/s", False),
        ("100KiB.peak_memory", "MiB", False),
    ],
    {"1KiB.cpu_per_request", "100KiB.cpu_per_request"},
    need_nginx,
)


# Scrape


def check_answer(seen, expected, count):
    """The four fields must be those the generator wrote, byte for byte in sum."""
    for key in ("title", "author", "date", "content"):
        want = sum(expected[i % PAGES][key] for i in range(count))
        if seen[key] != want:
            raise machine.Failed(f"wrong answer: {seen[key]} bytes of {key} instead of {want}")


def measure_scrape(system, quick):
    count = system.extra["count"]
    count = max(count // 10, 20) if quick else count
    port, server = files_server()
    with server:
        argv = system.argv(port=port, pages=PAGES, count=count, conns=CONNECTIONS)
        seen = machine.run_json(argv, env=system.env, seconds=60)
    cpu, rate = per_fetch(seen, count)
    check_answer(seen, web_root(), count)
    return {
        "cpu_per_page": (cpu, "us"),
        "pages_per_second": (rate, "1/s"),
        "peak_memory": (seen["peak_kib"] / 1024, "MiB"),
        "pages": (count, "1"),
    }


SCRAPE = ("{port}", "{pages}", "{count}", "{conns}")
python_web = ("python3-aiohttp", "python3-lxml")

scrape = Workload(
    "scrape",
    "title, content, author, date out of 20 KiB pages from nginx; CPU of the scraper per page",
    [
        *ours("scrape", *SCRAPE, count=10000),
        System(
            "epoll-libxml2",
            build.c("peers/scrape_libxml2.c", *xml2_flags, packages=["libxml2-dev"]),
            *SCRAPE,
            count=4000,
        ),
        System("go-net-html", build.go("peers/scrape_go.go"), *SCRAPE, count=3000),
        System(
            "uvloop-aiohttp-lxml",
            build.python(
                "peers/scrape_lxml.py", *python_web, "python3-uvloop", "python3-cssselect"
            ),
            *SCRAPE,
            count=1500,
        ),
        System(
            "scrapy", build.python("peers/scrape_scrapy.py", "python3-scrapy"), *SCRAPE, count=400
        ),
        System(
            "article-aiohttp-bs4",
            build.python("peers/scrape_article.py", *python_web, "python3-bs4"),
            *SCRAPE,
            count=300,
        ),
    ],
    measure_scrape,
    [
        ("cpu_per_page", "CPU us/page", True),
        ("pages_per_second", "pages/s", True),
        ("peak_memory", "MiB", False),
        ("pages", "pages", False),
    ],
    {"cpu_per_page"},
    need_nginx,
)
