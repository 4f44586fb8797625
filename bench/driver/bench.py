# SPDX-License-Identifier: MIT
"""Systems, workloads and the interleaving of rounds."""
import sys
import time

from . import build, machine
from .figures import Figures, show

BACKENDS = ("uring", "epoll")


class System:
    """One competitor: a name, the recipe of its program, the arguments that follow, variables."""

    def __init__(self, name, recipe, *args, env=None, **extra):
        self.name = name
        self.recipe = recipe
        self.args = args
        self.env = env or {}
        self.extra = extra
        self.program = None

    def argv(self, **values):
        return self.program + [str(a).format(**values) for a in self.args]


def ours(name, *args, **extra):
    """Our program once per backend."""
    return [
        System(f"celadon-{b}", build.ours(name), *args, env={"CELADON_BACKEND": b}, **extra)
        for b in BACKENDS
    ]


class Workload:
    """One subject: its systems, how one system is measured once, and how the table looks.

    `measure(system, quick)` returns {metric: (value, unit)}.
    """

    def __init__(self, name, title, systems, measure, columns, ratios, prepare=None):
        self.name = name
        self.title = title
        self.systems = systems
        self.measure = measure
        self.columns = columns
        self.ratios = ratios
        self.prepare = prepare


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def build_systems(work, options, figures):
    ready = []
    for system in work.systems:
        if options.only and not any(part in system.name for part in options.only):
            continue
        try:
            system.program = system.recipe()
            ready.append(system)
        except build.Absent as why:
            figures.skip(work.name, system.name, str(why))
    return ready


def run_round(work, ready, options, figures, number):
    """One turn for every system; one that fails is out, with the reason."""
    for system in list(ready):
        began = time.monotonic()
        try:
            for metric, (value, unit) in work.measure(system, options.quick).items():
                figures.add(work.name, system.name, metric, value, unit)
        except machine.Failed as why:
            figures.skip(work.name, system.name, f"failed in round {number}: {why}")
            ready.remove(system)
        say(f"  round {number}  {system.name:28} {time.monotonic() - began:5.1f} s")


def run_workload(work, options, figures: Figures):
    say(f"{work.name}: {work.title}")
    try:
        if work.prepare:
            work.prepare(options.quick)
        ready = build_systems(work, options, figures)
    except (build.Absent, machine.Failed) as why:
        figures.skip(work.name, "all", str(why))
        return
    until = time.monotonic() + options.limit
    for number in range(1, options.rounds + 1):
        if time.monotonic() > until:
            say(f"  stopped before round {number}: {options.limit} s are over")
            break
        run_round(work, ready, options, figures, number)


def print_workload(work, figures, out):
    print(f"\n{work.name}: {work.title}", file=out)
    if figures.values.get(work.name):
        show(figures.table(work.name, work.columns, work.ratios), out)
    for system, reason in figures.skipped.get(work.name, {}).items():
        print(f"skipped {system}: {reason}", file=out)
