# SPDX-License-Identifier: MIT
"""Servers against each other in bursts that alternate: the ratios that the goals are judged by.

All of them run at the same time and are loaded in turn, some tens of milliseconds each
(load/pairs.c), so what disturbs the machine disturbs each of them. Each round starts the servers anew: where
the kernel puts their memory is luck, and weighs several per cent. The figure is what a request of
ours costs, as a share of what one of the other costs: the median of a round's bursts, and the
table's median and span are those of the rounds. A gain of 2 % is none.
"""
import contextlib
import random

from . import build, machine
from .bench import Workload, ours
from .servers import echo, http_server, server_argv

load = build.c("load/pairs.c")


def named(work, name):
    return next(s for s in work.systems if s.name == name)


def run_pairs(kind, connections, burst_ms, bursts, systems):
    with contextlib.ExitStack() as running:
        where = {}
        for system in random.sample(systems, len(systems)):
            system.program = system.recipe()
            port = machine.free_port()
            proc = machine.server(server_argv(system, port), port, system.env)
            where[system.name] = [str(port), str(running.enter_context(proc).pid)]
        argv = load() + [kind, str(connections), str(burst_ms), str(bursts)]
        argv += [word for system in systems for word in where[system.name]]
        return machine.run_json(argv, seconds=90)


def compare(kind, connections, burst_ms, quick, system, others):
    """others: [(word, system)]. -> the metrics of one round."""
    seen = run_pairs(kind, connections, burst_ms, 5 if quick else 40, [system, *(s for _, s in others)])
    found = {f"c{connections}.cpu_per_request": (seen["us"][0], "us")}
    for (word, _), share in zip(others, seen["shares"]):
        found[f"c{connections}.of_{word}"] = (share["median"], "1")
    return found


def measure_echo(system, quick):
    floor = system.name.replace("celadon", "floor")
    others = [("floor", named(echo, floor)), ("libev", named(echo, "libev")), ("libuv", named(echo, "libuv"))]
    found = compare("echo", 50, 20, quick, system, others)
    found.update(compare("echo", 1000, 50, quick, system, others))
    return found


def measure_http(system, quick):
    others = [("floor", named(http_server, "floor-epoll")), ("nginx", named(http_server, "nginx"))]
    return compare("http", 64, 20, quick, system, others)


def columns(connections, *words):
    return [(f"c{connections}.of_{word}", f"{connections}: of {word}", True) for word in words]


echo_paired = Workload(
    "echo-paired",
    "the same in alternating bursts; CPU of our server per request, as a share of the other's",
    ours("echo", "{port}"),
    measure_echo,
    [
        ("c50.cpu_per_request", "50 conns us", False),
        *columns(50, "floor", "libev", "libuv"),
        ("c1000.cpu_per_request", "1000 conns us", False),
        *columns(1000, "floor", "libev", "libuv"),
    ],
    set(),
)

http_paired = Workload(
    "http-paired",
    "'Hello, World!' in alternating bursts; CPU of our server per request, as a share of the other's",
    ours("http_server", "{port}"),
    measure_http,
    [("c64.cpu_per_request", "64 conns us", False), *columns(64, "floor", "nginx")],
    set(),
)
