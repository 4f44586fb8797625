# SPDX-License-Identifier: MIT
"""What tasks of one thread wait for each other with: a free lock, a channel, a future.

Each program takes a mode and a count and prints its own figures in CPU nanoseconds.
"""
from . import build
from .bench import System, Workload
from .micro import boost_fiber, dill, figures

go = build.go("peers/sync_go.go")
boost = build.c("peers/sync_boost.cc", *boost_fiber, packages=["libboost-fiber-dev"])


def measure(*keys):
    def one(system, quick):
        seen = figures(system, quick)
        return {key: (seen[key], "ns") for key in keys if key in seen}

    return one


LOCK = ("lock", "{count}")
CHANNEL = ("channel", "{count}")
FUTURE = ("future", "{count}")

lock = Workload(
    "lock",
    "a free lock, taken and released: of one loop; of all loops (Go's and Boost's is always that)",
    [
        System("celadon", build.ours("sync"), *LOCK, count=50_000_000),
        System("boost-fiber", boost, *LOCK, count=10_000_000),
        System("go", go, *LOCK, count=20_000_000),
    ],
    measure("lock", "shared"),
    [("lock", "ns", True), ("shared", "shared ns", False)],
    {"lock", "shared"},
)

channel = Workload(
    "channel",
    "one word from one task to another: meeting it, and through 128 slots",
    [
        System("celadon", build.ours("sync"), *CHANNEL, count=5_000_000),
        System("libdill", dill, *CHANNEL, count=2_000_000),
        System("boost-fiber", boost, *CHANNEL, count=1_000_000),
        System("go", go, *CHANNEL, count=2_000_000),
    ],
    measure("rendezvous", "buffered"),
    [("rendezvous", "rendezvous ns", True), ("buffered", "128 slots ns", True)],
    {"rendezvous", "buffered"},
)

future = Workload(
    "future",
    "a future is set, and who awaits it runs and awaits the next",
    [System("celadon", build.ours("sync"), *FUTURE, count=1_000_000)],
    measure("wake"),
    [("wake", "set + wake ns", True)],
    {"wake"},
)
