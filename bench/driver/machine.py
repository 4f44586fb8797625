# SPDX-License-Identifier: MIT
"""Processes, cores, clocks and ports.

Every child is started here: pinned to its core, killed by the kernel when the driver dies, given a
time to finish, and ended by its own pid. Nothing else on the machine is touched.

Children get no RLIMIT_CPU: under one the kernel keeps the process's CPU clock by the scheduler's
ticks, 4 ms each, and a stretch of a few milliseconds seems to cost nothing.
"""
import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import time

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[1 % len(CORES)]

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """One run of one system went wrong; the message says how."""


def prepare(core):
    """Runs in the child, before exec; core: one, or a set of them."""

    def run():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, core if isinstance(core, set) else {core})
        wish = 65536
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wish, hard), hard))

    return run


def environment(extra=None):
    """The few variables a child gets: the caller's shell must not change the figures."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR")
    env = {key: os.environ[key] for key in keep if key in os.environ}
    env.update(GOMAXPROCS="1", PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
    env.update(extra or {})
    return env


def cpu_ns(pid):
    """CPU time of a process, all threads, from its CPU clock (see clock_getcpuclockid)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def status_kib(pid, field):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    return 0


def peak_kib(pid):
    return status_kib(pid, "VmHWM")


def resident_kib(pid):
    return status_kib(pid, "VmRSS")


def free_port():
    """A port of 127.0.0.1 that nobody listens on, below the range of outgoing connections."""
    for port in range(free_port.next, free_port.next + 2000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        free_port.next = 21000 + (port + 1 - 21000) % 8000
        return port
    raise Failed("no free port between 21000 and 31000")


free_port.next = 21000 + os.getpid() % 8000


def await_port(proc, port, seconds=15):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if proc.poll() is not None:
            raise Failed("ended at once: " + said(proc))
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failed(f"does not listen after {seconds} s")


def said(proc):
    """The last words on stderr of a program that has ended."""
    proc.errors.seek(0)
    lines = [line.strip() for line in proc.errors.read().splitlines() if line.strip()]
    return (lines[-1] if lines else f"exit code {proc.returncode}")[:160]


def start(argv, core, env=None, stdout=subprocess.DEVNULL, cwd=None):
    errors = open(os.path.join(start.scratch, f"stderr.{os.getpid()}.{start.count}"), "w+")
    os.unlink(errors.name)
    start.count += 1
    proc = subprocess.Popen(
        argv, env=environment(env), stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors,
        preexec_fn=prepare(core), text=True, cwd=cwd,
    )  # fmt: skip
    proc.errors = errors
    return proc


start.count = 0
start.scratch = "/tmp"


def end(proc):
    """Asks, then insists; by pid."""
    if proc.poll() is None:
        proc.terminate()
        try:
            proc.wait(3)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
    proc.errors.close()


@contextlib.contextmanager
def server(argv, port, env=None, core=SERVER_CORE):
    proc = start(argv, core, env)
    try:
        await_port(proc, port)
        yield proc
    finally:
        end(proc)


def run(argv, core=LOAD_CORE, env=None, seconds=90, cwd=None):
    """Runs a program to its end and returns the text it printed."""
    proc = start(argv, core, env, stdout=subprocess.PIPE, cwd=cwd)
    try:
        out = proc.communicate(timeout=seconds)[0]
        if proc.returncode != 0:
            raise Failed(said(proc))
        return out
    except subprocess.TimeoutExpired:
        raise Failed(f"not finished after {seconds} s") from None
    finally:
        end(proc)


def run_json(argv, **how):
    out = run(argv, **how)
    try:
        return json.loads(out)
    except ValueError:
        raise Failed(f"printed no figures: {out[:80]!r}") from None
