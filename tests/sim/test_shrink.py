#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""celadon-shrink finds the one fault of many that a failure needs, and its line runs it again. Prints TAP."""
import os
import re
import subprocess
import sys

SHRINK, PROGRAM = sys.argv[1:3]


def run(*command, **env):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CEL_")}
    return subprocess.run(command, env={**kept, **env}, capture_output=True, text=True, check=False)


def one_fault_is_left():
    done = run(SHRINK, PROGRAM)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b1 of \d+ faults matter \(loss 1\)", done.stderr), done.stderr
    assert re.search(r"CEL_FAULTS=\d+ ", done.stdout), done.stdout
    return done.stdout.strip()


def its_line_fails_by_that_fault_alone():
    done = run("sh", "-c", one_fault_is_left())
    assert done.returncode == 1, done.stderr
    assert "number 40 is lost" in done.stderr and "1 faults (loss 1)" in done.stderr, done.stderr


def printed_line_runs_it_again():
    first = run(PROGRAM).stderr
    line = re.search(r"again with (CEL_SEED=.*)", first).group(1)
    again = run("sh", "-c", line).stderr
    assert first == again, again


def program_that_holds_is_told():
    done = run(SHRINK, "true")
    assert done.returncode == 1 and "does not fail" in done.stderr, done.stderr
    assert run(SHRINK).returncode == 2


TESTS = (one_fault_is_left, its_line_fails_by_that_fault_alone, printed_line_runs_it_again, program_that_holds_is_told)
failed = 0
print(f"1..{len(TESTS)}")
for n, test in enumerate(TESTS, 1):
    try:
        test()
        print(f"ok {n} - {test.__name__}")
    except AssertionError as e:
        failed = 1
        print(f"not ok {n} - {test.__name__}")
        print("\n".join("# " + line for line in str(e).splitlines()))
sys.exit(failed)
