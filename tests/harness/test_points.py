# SPDX-License-Identifier: MIT
"""What all programs of the harness have found together (TAP).

    test_points.py SOURCE BUILD

Each points_… program leaves a file of what it has seen (points.c). Here it is held that every
public function whose comment says that it parks was called by a scenario on each backend, and was
struck there by a cancel while a task stood in it on some backend; that every place of the library
that allocates (a call of base/mem.c in the objects) has failed; and every system call of the table
that a test can fail. What is left out is named below with the reason, and must be left out truly:
a name that is not needed any more fails the test too.
"""
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import parks  # noqa: E402

BACKENDS = ("epoll", "uring", "sim")
PROGRAMS = 8

# Functions that no scenario calls on any backend.
ELSEWHERE = {
    "cel_sim_reboot": "a run of cel_sim_run has a loop of its own: tests/sim/test_sim.c",
    "cel_sim_settle": "likewise",
}
# Signals, processes and what happens in the real file system; and terminals.
NOT_SIMULATED = {
    "cel_process_communicate", "cel_process_run", "cel_process_spawn", "cel_process_stop", "cel_process_wait",
    "cel_signal_wait", "cel_signals_next", "cel_terminal_resized", "cel_watch_next", "cel_watch_open",
}
# Functions in which no task was standing when it was struck.
NEVER_WAIT = {
    "cel_metrics_workers": "but for other workers: metrics_wait_for_a_worker_whatever_is_cancelled",
    "cel_udp_send_batch": "a datagram on loopback has arrived when it is sent",
    "cel_reply_text": "takes any number of arguments, so its gate has no way back; it is cel_reply_bytes",
}
# System calls of the table that no scenario makes.
CALLS_ELSEWHERE = {
    "waitpid": "for the trial under a seccomp filter: loop_that_cannot_tell_of_a_filter_tries_in_a_child",
    "sigaltstack": "watch_without_memory_fails",
    "readv": "has no caller: pieces are read by recvmsg and preadv",
}
if os.geteuid() != 0:
    CALLS_ELSEWHERE |= dict.fromkeys(("setgroups", "setresgid", "setresuid"),
                                     "only root can start a child of another user, so no scenario asks for one")
# Functions that allocate and that are not reached from scenarios.
PLACES_ELSEWHERE = {
    "cel__buf_add_decimal": "adds to room that was reserved: buf_append_without_memory_leaves_buf_whole",
    "cel__encode_new": "answers are not coded yet: tests/proto/test_coding.c",
    "gzip_open": "likewise",
    "cel__loan_take": "compiled into cel__attempt; by itself for rings of old kernels, echo_on_older_kernels_comes_back",
    "cel__strict_begin": "in debug mode alone",
    "cel__url_copy": "has no caller yet: tests/proto/test_url.c",
    "cel_dump_on_signal": "once a process, and kept",
    "cel_metrics_workers": "of workers: metrics_of_workers_survive_every_allocation_that_fails",
    "cel_remote_spawn": "of foreign threads: remote_survives_failed_allocations",
    "cel_run_workers": "not from a loop: servers_survive_every_allocation_that_fails",
    "lead": "likewise",
    "cel_sim_disk_load": "a call of tests: tests/sim/test_disk.c",
    "cel_stack_watch": "once a thread: watch_without_memory_fails",
    "take": "zlib and brotli jump to base/mem.c through it, so the place is theirs",
    "temp_file": "where a filesystem has no files without a name",
}


def load(build):
    """{backend: {kind: set of names}}; None when a program has not run since it was linked."""
    found = {}
    for backend in BACKENDS:
        kinds = {"entered": set(), "parked": set(), "struck": set(), "place": set(), "made": set(), "failed": set()}
        files = glob.glob(os.path.join(build, "tests", f"test_points_*.{backend}.found"))
        for path in files:
            program = path[: -len(f".{backend}.found")]
            if os.path.getsize(path) == 0 or os.path.getmtime(path) < os.path.getmtime(program):
                return None
            with open(path, encoding="utf-8") as f:
                for line in f:
                    kind, name, *counts = line.split()
                    if kind == "call":
                        kinds["made"] |= {name} if int(counts[0]) else set()
                        kinds["failed"] |= {name} if int(counts[1]) else set()
                    else:
                        kinds[kind].add(name)
        if len(files) >= PROGRAMS:
            found[backend] = kinds
    return found


def judge(expected, got, excused):
    """What is missing without an excuse, and excuses that nobody needs."""
    yield from sorted(f"{name}: not reached" for name in expected - got - set(excused))
    yield from sorted(f"{name}: reached, although it is excused" for name in set(excused) & got)
    yield from sorted(f"{name}: excused, but there is no such thing" for name in set(excused) - expected)


def never_called(found, functions):
    for backend, kinds in found.items():
        excused = set(ELSEWHERE) | (NOT_SIMULATED if backend == "sim" else set())
        yield from (f"{backend}: {what}" for what in judge(functions, kinds["entered"], excused))


def never_struck(found, functions):
    struck = set().union(*(kinds["struck"] for kinds in found.values()))
    yield from judge(functions, struck, set(ELSEWHERE) | set(NEVER_WAIT))


def bare(name):
    return re.sub(r"\.(part|constprop|isra|cold)\b.*", "", name)


def places_of(build):
    """Functions of the library whose code calls base/mem.c for memory. Those of the HTML floor grow their arrays by a
    function that the compiler puts into each of its callers; they have programs of their own that fail each allocation
    (tests/html: failure, memory, parse, fields_scan, decode, dump)."""
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", os.path.join(build, "libceladon.a")], check=True,
                          capture_output=True, text=True).stdout
    here, places, is_html = None, set(), False
    for line in text.splitlines():
        if "file format" in line:
            is_html = line.startswith("src_html_")
        begin = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if begin:
            here = bare(begin.group(1))
        elif not is_html and re.search(r"R_X86_64_\w+\s+cel__mem_(alloc|zalloc|array|strdup|strndup|realloc)\b", line):
            places.add(here)
    return {p for p in places if not p.startswith("cel__mem_")}


def never_failed(found, places):
    failed = {bare(name) for kinds in found.values() for name in kinds["place"]}
    yield from judge(places, failed & places, PLACES_ELSEWHERE)


def never_made(found, source):
    with open(os.path.join(source, "tests", "support", "sysfault.h"), encoding="utf-8") as f:
        calls = {name for name, error in re.findall(r"^ {4}X\((\w+), (\w+)\)", f.read(), re.M) if error != "0"}
    failed = set().union(*(kinds["failed"] for kinds in found.values()))
    yield from judge(calls, failed, CALLS_ELSEWHERE)


def main():
    source, build = sys.argv[1:]
    found = load(build)
    if not found or "CELADON_TEST_KERNEL" in os.environ:
        print("the programs of the harness have not all run before this")
        return 77
    functions = {name for name, _, _ in parks.parking(source)}
    results = [("parking_calls_are_made_on_each_backend", list(never_called(found, functions))),
               ("parking_calls_are_struck_while_parked", list(never_struck(found, functions))),
               ("places_that_allocate_have_failed", list(never_failed(found, places_of(build)))),
               ("system_calls_have_failed", list(never_made(found, source)))]
    print(f"# {len(functions)} functions park; seen on {', '.join(found)}")
    print(f"1..{len(results)}")
    for i, (name, bad) in enumerate(results, 1):
        print(f'{"not ok" if bad else "ok"} {i} - {name}')
        for what in bad:
            print(f"#   {what}")
    return 1 if any(bad for _, bad in results) else 0


if __name__ == "__main__":
    sys.exit(main())
