# SPDX-License-Identifier: MIT
"""Connections that say nothing: what each keeps in the server, and what they cost those who talk.

Each has had one message echoed, so whatever a server sets up for a connection is there. Measured
with a thousand of them and with ten thousand: what grows faster than their number shows.
"""
import contextlib
import socket

from . import machine
from .bench import Workload
from .servers import echo, echo_load, per_request

COUNTS = (1000, 10000)
TALKERS = 50
MESSAGE = bytes(64)
# Debian's State Threads takes 1,024 descriptors; of Python's servers one is enough.
LEFT_OUT = ("state-threads", "uvloop-protocol", "asyncio-streams")


def open_one(port):
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(MESSAGE)
    have = 0
    while have < len(MESSAGE):
        got = len(peer.recv(len(MESSAGE) - have))
        if got == 0:
            raise machine.Failed("a connection was closed")
        have += got
    return peer


def measure(system, quick):
    found = {}
    warm, span = (100, 400) if quick else (150, 700)
    for count in COUNTS:
        port = machine.free_port()
        with machine.server(system.argv(port=port), port, system.env) as proc, contextlib.ExitStack() as held:
            before = machine.resident_kib(proc.pid)
            for _ in range(count):
                held.enter_context(open_one(port))
            grown = machine.resident_kib(proc.pid) - before
            load = echo_load() + [str(x) for x in (port, TALKERS, warm, span, proc.pid)]
            seen = machine.run_json(load, seconds=30)
            found.update(per_request(f"idle{count}", seen, seen["server_cpu_ns"]))
            found[f"idle{count}.bytes"] = (grown * 1024 / count, "B")
    return found


idle = Workload(
    "idle",
    "TCP connections that say nothing: memory of the server for each; and an echo of 64 B for 50 others beside them",
    [s for s in echo.systems if s.name not in LEFT_OUT],
    measure,
    [
        ("idle1000.bytes", "1,000: bytes", False),
        ("idle1000.cpu_per_request", "us", False),
        ("idle10000.bytes", "10,000: bytes", True),
        ("idle10000.cpu_per_request", "us", True),
    ],
    {"idle10000.bytes", "idle10000.cpu_per_request"},
)
