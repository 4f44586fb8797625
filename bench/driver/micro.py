# SPDX-License-Identifier: MIT
"""The workloads of one process and no kernel: switch, yield, spawn, timers, tasks, and how these grow.

Each program takes a mode and a count and prints its own figures in CPU nanoseconds.
"""
import re
import shutil

from . import build, machine
from .bench import System, Workload, ours

boost_context = ("-lboost_context",)
boost_fiber = ("-lboost_fiber", "-lboost_context", "-pthread")

fcontext = build.c("peers/micro_fcontext.cc", *boost_context, packages=["libboost-context-dev"])
boost = build.c("peers/micro_boost.cc", *boost_fiber, packages=["libboost-fiber-dev"])
ucontext = build.c("peers/micro_ucontext.c")
st = build.c("peers/micro_st.c", "-lst", packages=["libst-dev"])
dill = build.c("peers/micro_dill.c", "-ldill", header="libdill.h")
go = build.go("peers/micro_go.go")
libev = build.c("peers/timers_libev.c", "-lev", packages=["libev-dev"])
libuv = build.c("peers/timers_libuv.c", "-luv", packages=["libuv1-dev"])


def aio(loop, *args, **extra):
    packages = ("python3-uvloop",) if loop == "uvloop" else ()
    recipe = build.python("peers/micro_asyncio.py", *packages)
    return System(loop, recipe, *args, loop, **extra)


def figures(system, quick, scale=1, **values):
    count = int(system.extra.get("count", 1_000_000) * scale / (10 if quick else 1))
    argv = system.argv(count=count, **values)
    return machine.run_json(argv, env=system.env, seconds=60)


def instructions(system, quick, few, many, **values):
    """User instructions per unit: two run lengths under valgrind, the difference divided."""
    if not system.extra.get("native") or shutil.which("valgrind") is None:
        return None

    def refs(count):
        argv = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        proc = machine.start(argv + system.argv(count=count, **values), machine.LOAD_CORE, system.env)
        try:
            proc.wait(60)
            proc.errors.seek(0)
            found = re.search(r"I\s+refs:\s+([\d,]+)", proc.errors.read())
            return int(found.group(1).replace(",", "")) if found else 0
        finally:
            machine.end(proc)

    less, more = refs(few), refs(many)
    return (more - less) / (many - few) if less and more > less else None


# switch


def measure_switch(system, quick):
    found = {"switch": (figures(system, quick)["switch"], "ns")}
    if not system.extra.get("counted"):
        system.extra["counted"] = True
        count = instructions(system, quick, 80_000, 240_000)
        if count:
            found["instructions"] = (count, "1")
    return found


SWITCH = ("switch", "{count}")

switch = Workload(
    "switch",
    "one stack switch, from four call sites on each side",
    [
        System("celadon", build.ours("switch"), *SWITCH, count=80_000_000, native=True),
        System("boost-fcontext", fcontext, *SWITCH, count=80_000_000, native=True),
        System("boost-context-fiber", boost, *SWITCH, count=80_000_000, native=True),
        System("glibc-swapcontext", ucontext, *SWITCH, count=2_000_000, native=True),
    ],
    measure_switch,
    [("switch", "ns", True), ("instructions", "instructions", False)],
    {"switch"},
)


# yield


def measure_yield(system, quick):
    found = {}
    for tasks in (2, 100):
        seen = figures(system, quick, tasks=tasks)
        found[f"tasks{tasks}.yield"] = (seen["yield"], "ns")
    if not system.extra.get("counted"):
        system.extra["counted"] = True
        count = instructions(system, quick, 20_000, 60_000, tasks=2)
        if count:
            found["instructions"] = (count, "1")
    return found


YIELD = ("yield", "{count}", "{tasks}")

yield_ = Workload(
    "yield",
    "one yield through the scheduler, among 2 and among 100 tasks",
    [
        System("celadon", build.ours("micro"), *YIELD, count=20_000_000, native=True),
        System("libdill", dill, *YIELD, count=10_000_000),
        System("state-threads", st, *YIELD, count=10_000_000),
        System("boost-fiber", boost, *YIELD, count=2_000_000, native=True),
        System("go", go, *YIELD, count=2_000_000),
        aio("uvloop", *YIELD, count=100_000),
        aio("asyncio", *YIELD, count=100_000),
    ],
    measure_yield,
    [
        ("tasks2.yield", "2 tasks ns", True),
        ("tasks100.yield", "100 tasks ns", True),
        ("instructions", "instructions", False),
    ],
    {"tasks2.yield", "tasks100.yield"},
)


# spawn


def measure_spawn(system, quick):
    seen = figures(system, quick, tasks=10_000)
    return {f"{name}.spawn": (seen[key], "ns")
            for name, key in (("one", "one"), ("alive10000", "many")) if key in seen}


SPAWN = ("spawn", "{count}", "{tasks}")

spawn = Workload(
    "spawn",
    "spawn and join of an empty task: one by one, and 10,000 alive at once",
    [
        System("celadon", build.ours("micro"), *SPAWN, count=3_000_000),
        System("libdill", dill, *SPAWN, count=1_000_000),
        System("state-threads", st, *SPAWN, count=1_000_000),
        System("boost-fiber", boost, *SPAWN, count=500_000),
        System("go", go, *SPAWN, count=1_000_000),
        aio("uvloop", *SPAWN, count=50_000),
        aio("asyncio", *SPAWN, count=50_000),
    ],
    measure_spawn,
    [("one.spawn", "one by one ns", True), ("alive10000.spawn", "10,000 alive ns", True)],
    {"one.spawn", "alive10000.spawn"},
)


# wake


def measure_wake(system, quick):
    return {"wake": (figures(system, quick, tasks=100)["wake"], "ns")}


WAKE = ("wake", "{count}", "{tasks}")

wake = Workload(
    "wake",
    "set a future, run the task that it wakes until it waits for the next; 100 tasks",
    [
        System("celadon", build.ours("micro"), *WAKE, count=2_000_000),
        System("go", go, *WAKE, count=500_000),
    ],
    measure_wake,
    [("wake", "set and wake ns", True)],
    {"wake"},
)


# timers


def measure_timers(system, quick):
    seen = figures(system, False)  # fewer timers would be another work: each would wake alone
    keys = ("add", "cancel", "rearm_and_fire", "fire")
    return {key: (seen[key], "ns") for key in keys if key in seen}


TIMERS = ("timers", "{count}")

timers = Workload(
    "timers",
    "1,000,000 timers: add (due in 1-61 s), cancel, then add (due in 0-1 s) and fire",
    [
        System("celadon", build.ours("timers"), *TIMERS),
        System("libev", libev, *TIMERS),
        System("libuv", libuv, *TIMERS),
        System("go", go, *TIMERS),
    ],
    measure_timers,
    [
        ("add", "add ns", True),
        ("cancel", "cancel ns", True),
        ("rearm_and_fire", "add+fire ns", True),
        ("fire", "fire overdue ns", False),
    ],
    {"add", "cancel", "rearm_and_fire", "fire"},
)


# tasks


def measure_tasks(system, quick):
    count = system.extra["count"] // (10 if quick else 1)
    seen = figures(system, quick, tasks=0)
    return {
        "spawn": (seen["spawn"], "ns"),
        "bytes_per_task": (seen["bytes"], "B"),
        "wake": (seen["wake"], "ns"),
        "end": (seen["end"], "ns"),
        "tasks": (count, "1"),
    }


TASKS = ("tasks", "{count}", "{tasks}")

tasks = Workload(
    "tasks",
    "tasks parked on one event: cost to spawn, resident bytes each, cost to wake all, to end and join all",
    [
        System("celadon", build.ours("micro"), *TASKS, count=1_000_000),
        System("go", go, *TASKS, count=1_000_000),
        System("libdill", dill, *TASKS, count=1_000_000),
        System("state-threads", st, *TASKS, count=100_000),
        System("boost-fiber", boost, *TASKS, count=100_000),
        aio("uvloop", *TASKS, count=100_000),
        aio("asyncio", *TASKS, count=100_000),
    ],
    measure_tasks,
    [
        ("tasks", "parked", False),
        ("spawn", "spawn ns", True),
        ("bytes_per_task", "bytes", False),
        ("wake", "wake ns", True),
        ("end", "end ns", True),
    ],
    {"spawn", "bytes_per_task", "wake", "end"},
)


# scale

# What is asked of each program with so many and with ten times as many.
SCALES = (
    ("timers", TIMERS, 100_000, {}, {"timer.add": "add", "timer.cancel": "cancel", "timer.fire": "fire"}),
    ("micro", TASKS, 100_000, {"tasks": 0}, {
        "park.spawn": "spawn", "park.bytes": "bytes", "park.wake": "wake", "park.end": "end"}),
)


def measure_scale(system, quick):
    found = {}
    for program, args, count, values, keys in SCALES:
        part = System("celadon", build.ours(program), *args, count=count)
        part.program = part.recipe()
        few, many = figures(part, False, **values), figures(part, False, scale=10, **values)
        for metric, key in keys.items():
            found[metric] = (few[key], "1")
            found[metric + ".tenfold"] = (many[key] / few[key], "1")
    return found


scale = Workload(
    "scale",
    "each timer and each parked task: with 100,000 of them (ns, bytes), and how many times that with 1,000,000",
    [System("celadon", build.ours("micro"))],
    measure_scale,
    [(name, heading, False) for metric, short in (
        ("timer.add", "add"), ("timer.cancel", "cancel"), ("timer.fire", "fire"),
        ("park.spawn", "spawn"), ("park.bytes", "bytes"), ("park.wake", "wake"), ("park.end", "end"),
    ) for name, heading in ((metric, short), (metric + ".tenfold", "x 10"))],
    set(),
)
