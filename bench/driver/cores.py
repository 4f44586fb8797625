# SPDX-License-Identifier: MIT
"""What loops on different cores say to each other: waking, and messages through ports.

The floor of waking is two bare threads, which sleep in each of three ways. An idle core, more so a virtual one, must be
woken itself before a thread on it runs, so a cold figure says something only beside the floor's; near,
both are on one core.

Wall time, on two cores; a machine that does other work beside shows it here more than elsewhere.
"""
from . import build, machine
from .bench import System, Workload, ours

go = build.go("peers/cores_go.go")
threads = build.c("floor/cores_threads.c", "-pthread")


def measure(system, quick):
    count = system.extra["count"] // (10 if quick else 1)
    both = set(machine.CORES[:2])
    seen = machine.run_json(system.argv(count=count), core=both, env=system.env, seconds=60)
    return {key: (value, "ns") for key, value in seen.items()}


WAKE = ("wake", "{count}")
PORTS = ("ports", "{count}")

wake = Workload(
    "cross-wake",
    "a message wakes a task of another thread's loop: one that looks for it, one that sleeps",
    [
        *ours("cores", *WAKE, count=500_000),
        *[System(f"floor-{way}", threads, *WAKE, way, count=500_000) for way in ("futex", "read", "epoll")],
        System("go", go, *WAKE, count=500_000),
    ],
    measure,
    [("hot", "hot ns", True), ("cold", "cold ns", True), ("near", "one core ns", True)],
    {"hot", "cold", "near"},
)

ports = Workload(
    "ports",
    "messages through 1024 slots to another thread: from one, and from three",
    [
        *ours("cores", *PORTS, count=2_000_000),
        System("floor-threads", threads, *PORTS, count=2_000_000),
        System("go", go, *PORTS, count=2_000_000),
    ],
    measure,
    [("one", "1 sender ns", True), ("many", "3 senders ns", True)],
    {"one", "many"},
)
