# SPDX-License-Identifier: MIT
"""The Python half of bench/report.h: the measured stretch, as one line of JSON."""
import json
import re
import time


def start():
    return time.process_time_ns(), time.monotonic_ns()


def peak_kib():
    with open("/proc/self/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))


def finish(span, **counts):
    cpu, wall = time.process_time_ns() - span[0], time.monotonic_ns() - span[1]
    print(json.dumps(dict(counts, cpu_ns=cpu, wall_ns=wall, peak_kib=peak_kib())))
