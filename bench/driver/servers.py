# SPDX-License-Identifier: MIT
"""The workloads that load a server: echo and http-server."""
from . import build, machine
from .bench import System, Workload, ours
from .site import h2o_argv, nginx_argv, web_root

ECHO_CONNECTIONS = (1, 50, 1000)
HTTP_CONNECTIONS = 64
PIPELINE = 16

echo_load = build.c("load/echo_load.c")
http_load = build.c("load/http_load.c")
wrk = build.tool("wrk", "wrk")


def server_argv(system, port):
    special = system.extra.get("conf")
    return special(system.program, port) if special else system.argv(port=port)


def per_request(prefix, seen, server_ns):
    """Metrics of one stretch of load."""
    seconds = seen["wall_ns"] / 1e9
    found = {
        f"{prefix}.cpu_per_request": (server_ns / seen["done"] / 1e3, "us"),
        f"{prefix}.requests_per_second": (seen["done"] / seconds, "1/s"),
        f"{prefix}.p50": (seen["p50_ns"] / 1e3, "us"),
        f"{prefix}.p99": (seen["p99_ns"] / 1e3, "us"),
    }
    if "load_cpu_ns" in seen:
        found[f"{prefix}.load_busy"] = (seen["load_cpu_ns"] / seen["wall_ns"] * 100, "%")
    return found


# Echo


def measure_echo(system, quick):
    found = {}
    warm, span = (100, 400) if quick else (150, 700)
    for count in ECHO_CONNECTIONS:
        # One connection on two idle cores would measure how fast a sleeping core wakes up.
        core = machine.SERVER_CORE if count == 1 else machine.LOAD_CORE
        port = machine.free_port()
        with machine.server(system.argv(port=port), port, system.env) as proc:
            load = echo_load() + [str(x) for x in (port, count, warm, span, proc.pid)]
            seen = machine.run_json(load, core=core, seconds=30)
            found.update(per_request(f"c{count}", seen, seen["server_cpu_ns"]))
            found[f"c{count}.peak_memory"] = (machine.peak_kib(proc.pid) / 1024, "MiB")
    return found


def asyncio_echo(style, loop):
    packages = ("python3-uvloop",) if loop == "uvloop" else ()
    recipe = build.python("peers/echo_asyncio.py", *packages)
    return System(f"{loop}-{style}", recipe, "{port}", style, loop)


echo = Workload(
    "echo",
    "TCP echo of 64 B, closed loop, one server core; CPU of the server per request",
    [
        *ours("echo", "{port}"),
        System("floor-uring", build.c("floor/echo_uring.c", "-luring", packages=["liburing-dev"]), "{port}"),
        System("floor-epoll", build.c("floor/echo_epoll.c"), "{port}"),
        System("libev", build.c("peers/echo_libev.c", "-lev", packages=["libev-dev"]), "{port}"),
        System("libuv", build.c("peers/echo_libuv.c", "-luv", packages=["libuv1-dev"]), "{port}"),
        System("state-threads", build.c("peers/echo_st.c", "-lst", packages=["libst-dev"]), "{port}"),
        System("go-net", build.go("peers/echo_go.go"), "{port}"),
        asyncio_echo("protocol", "uvloop"),
        asyncio_echo("streams", "uvloop"),
        asyncio_echo("streams", "asyncio"),
    ],
    measure_echo,
    [
        ("c1.cpu_per_request", "1 conn us", False),
        ("c50.cpu_per_request", "50 conns us", True),
        ("c50.requests_per_second", "req/s", False),
        ("c50.p99", "p99 us", False),
        ("c1000.cpu_per_request", "1000 conns us", True),
        ("c1000.requests_per_second", "req/s", False),
        ("c1000.peak_memory", "MiB", False),
    ],
    {"c1.cpu_per_request", "c50.cpu_per_request", "c1000.cpu_per_request"},
)


# HTTP server


def parse_wrk(text):
    """wrk's own summary: requests, duration, latencies. Any error it counts is a failure."""
    scale = {"us": 1e3, "ms": 1e6, "s": 1e9, "m": 6e10}
    seen = {}
    for line in text.splitlines():
        words = line.split()
        if "requests in" in line:
            seen["done"] = int(words[0])
            seen["wall_ns"] = time_of(words[3].rstrip(","), scale)
        elif words and words[0] in ("50%", "99%"):
            seen["p50_ns" if words[0] == "50%" else "p99_ns"] = time_of(words[1], scale)
        elif "Socket errors" in line or "Non-2xx" in line:
            raise machine.Failed("wrk: " + line.strip())
    if not seen.get("done"):
        raise machine.Failed("wrk counted no request")
    return seen


def time_of(text, scale):
    unit = text.lstrip("0123456789.")
    return float(text[: len(text) - len(unit)]) * scale[unit]


def load_wrk(pid, port, seconds):
    argv = wrk() + ["-t1", f"-c{HTTP_CONNECTIONS}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/"]
    before = machine.cpu_ns(pid)
    seen = parse_wrk(machine.run(argv, seconds=seconds + 20))
    return seen, machine.cpu_ns(pid) - before


def measure_http(system, quick):
    found = {}
    port = machine.free_port()
    with machine.server(server_argv(system, port), port, system.env) as proc:
        seen, used = load_wrk(proc.pid, port, 1 if quick else 2)
        found.update(per_request("keepalive", seen, used))
        warm, span = (100, 400) if quick else (200, 1500)
        args = (port, HTTP_CONNECTIONS, PIPELINE, warm, span, proc.pid)
        seen = machine.run_json(http_load() + [str(a) for a in args], seconds=30)
        found.update(per_request(f"pipeline{PIPELINE}", seen, seen["server_cpu_ns"]))
        found["peak_memory"] = (machine.peak_kib(proc.pid) / 1024, "MiB")
    return found


def aiohttp_server(loop):
    packages = ["python3-aiohttp"] + (["python3-uvloop"] if loop == "uvloop" else [])
    recipe = build.python("peers/http_aiohttp.py", *packages)
    return System("aiohttp" if loop == "asyncio" else "aiohttp-uvloop", recipe, "{port}", loop)


def prepare_http(quick):
    web_root()
    wrk()


http_server = Workload(
    "http-server",
    "'Hello, World!' over HTTP/1.1, 64 keep-alive connections (wrk), and pipelined 16 deep",
    [
        *ours("http_server", "{port}"),
        System("floor-epoll", build.c("floor/http_epoll.c"), "{port}"),
        System("nginx", build.tool("nginx", "nginx-light"), conf=nginx_argv),
        System("h2o", build.tool("h2o", "h2o"), conf=h2o_argv),
        System(
            "libmicrohttpd",
            build.c("peers/http_mhd.c", "-lmicrohttpd", packages=["libmicrohttpd-dev"]),
            "{port}",
        ),
        System("go-net-http", build.go("peers/http_go.go"), "{port}"),
        aiohttp_server("uvloop"),
        aiohttp_server("asyncio"),
    ],
    measure_http,
    [
        ("keepalive.cpu_per_request", "keep-alive us", True),
        ("keepalive.requests_per_second", "req/s", False),
        ("keepalive.p99", "p99 us", False),
        (f"pipeline{PIPELINE}.cpu_per_request", "pipelined us", True),
        (f"pipeline{PIPELINE}.requests_per_second", "req/s", False),
        ("peak_memory", "MiB", False),
    ],
    {"keepalive.cpu_per_request", f"pipeline{PIPELINE}.cpu_per_request"},
    prepare_http,
)
