# SPDX-License-Identifier: MIT
"""What the project set out to reach, held against the figures of this run.

A goal of GOALS: our figure (of one backend, or the better one) is at most `factor` times that of a
reference in the same run, or at most an absolute value when the reference is None; what *-paired measures is a ratio
already. A goal of LEAST: our figure is at least so much, for what counts in work a second.
"""
from .figures import short

ECHO_PEERS = ("state-threads", "go-net", "uvloop-protocol", "asyncio-streams")

GOALS = [
    # workload, metric, ours, factor or limit, reference
    ("switch", "switch", "celadon", 4, None),
    ("switch", "instructions", "celadon", 25, None),
    ("yield", "tasks2.yield", "celadon", 12, None),
    ("spawn", "one.spawn", "celadon", 80, None),
    ("spawn", "alive10000.spawn", "celadon", 1, "go"),
    ("wake", "wake", "celadon", 30, None),
    ("tasks", "bytes_per_task", "celadon", 4.3 * 1024, None),
    ("lock", "lock", "celadon", 3, None),
    ("channel", "rendezvous", "celadon", 40, None),
    ("channel", "rendezvous", "celadon", 1 / 3, "go"),
    ("future", "wake", "celadon", 30, None),
    ("cross-wake", "hot", "celadon", 300, None),
    ("cross-wake", "cold", "celadon", 3000, None),
    ("cross-wake", "cold", "celadon-epoll", 1.05, "floor-epoll"),
    ("cross-wake", "near", "celadon", 3000, None),
    ("timers", "add", "celadon", 30, None),
    ("timers", "cancel", "celadon", 20, None),
    ("timers", "fire", "celadon", 150, None),
    ("timers", "add", "celadon", 1, "libev"),
    ("timers", "cancel", "celadon", 1, "libev"),
    ("timers", "rearm_and_fire", "celadon", 1, "libev"),
]
for _count in ("c50", "c1000"):
    for _backend in ("uring", "epoll"):
        GOALS.append(("echo-paired", f"{_count}.of_floor", f"celadon-{_backend}", 1.05, None))
    for _peer in ("libev", "libuv"):
        GOALS.append(("echo-paired", f"{_count}.of_{_peer}", "celadon-uring", 1, None))
    GOALS += [("echo", f"{_count}.cpu_per_request", "celadon-uring", 1, peer) for peer in ECHO_PEERS]
GOALS += [
    ("idle", "idle10000.cpu_per_request", "celadon", 1, "go-net"),
    ("http-paired", "c64.of_floor", "celadon-epoll", 1.10, None),
    ("http-paired", "c64.of_nginx", "celadon-uring", 0.85, None),
    ("http-server", "pipeline16.cpu_per_request", "celadon", 1.2, None),
    ("http-server", "pipeline16.cpu_per_request", "celadon", 1 / 8, "nginx"),
    ("http-client", "1KiB.cpu_per_request", "celadon", 0.85, "libcurl-multi"),
    ("http-client", "1KiB.cpu_per_request", "celadon", 1 / 9, "aiohttp-uvloop"),
    ("http-client", "100KiB.cpu_per_request", "celadon", 0.75, "libcurl-multi"),
    ("scrape", "cpu_per_page", "celadon", 130, None),
    ("scrape", "cpu_per_page", "celadon", 1 / 100, "article-aiohttp-bs4"),
    ("scrape", "cpu_per_page", "celadon", 1 / 50, "scrapy"),
    ("scrape", "cpu_per_page", "celadon", 1 / 5, "go-net-html"),
    ("scrape", "cpu_per_page", "celadon", 1 / 2, "epoll-libxml2"),
]

LEAST = []
for _pages in ("articles", "postgresql", "python", "big"):
    LEAST += [
        ("html", _pages, "celadon-tokenizer", 300),
        ("html", _pages, "celadon-tree", 120),
        ("html", _pages, "celadon-scan", 200),
    ]
    GOALS.append(("html", f"{_pages}.kept", "celadon-tree", 3, None))
GOALS.append(("html", "big.grown", "celadon-tree", 3, None))


def ours(figures, workload, metric, name):
    """The figure and whose it is: of the system named, or of the better backend for "celadon"."""
    candidates = [
        (figures.median(workload, system, metric), system)
        for system in figures.values.get(workload, {})
        if system == name or (name == "celadon" and system.startswith("celadon"))
    ]
    return min((c for c in candidates if c[0] is not None), default=(None, name))


def span(figures, workload, metric, system):
    values = figures.values[workload][system][metric]
    return min(values), max(values)


def verdict(figures, workload, metric, system, reference, share, factor):
    """Medians decide, unless the rounds' spans allow both answers."""
    low, high = span(figures, workload, metric, system)
    if reference:
        least, most = span(figures, workload, metric, reference)
        low, high = low / most, high / least
    word = "reached" if share <= factor else "NOT reached"
    return word + (", within the spread" if low <= factor < high else "")


def check(figures, workloads):
    """Rows for the goals of these workloads whose figures are there."""
    rows = [["workload", "metric", "system", "is", "at most", "of"]]
    for workload, metric, name, factor, reference in GOALS:
        value, system = ours(figures, workload, metric, name)
        base = figures.median(workload, reference, metric) if reference else None
        if workload not in workloads or value is None or (reference and not base):
            continue
        share = value / base if reference else value
        answer = verdict(figures, workload, metric, system, reference, share, factor)
        rows.append(
            [workload, metric, system, short(share), short(factor), reference or "", answer]
        )
    rows[0].append("")
    return rows + check_least(figures, workloads)


def check_least(figures, workloads):
    rows = []
    for workload, metric, system, least in LEAST:
        value = figures.median(workload, system, metric)
        if workload not in workloads or value is None:
            continue
        low, high = span(figures, workload, metric, system)
        answer = "reached" if value >= least else "NOT reached"
        answer += ", within the spread" if low < least <= high else ""
        rows.append([workload, metric, system, short(value), f">= {short(least)}", "", answer])
    return rows
