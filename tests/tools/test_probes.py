#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The static probes of the library are those that docs/debugging.md lists, with as many arguments. Prints TAP."""
import os
import re
import shutil
import subprocess

BUILD = os.environ["CELADON_BUILD"]
SOURCE = os.environ["CELADON_SOURCE"]


def has_header():
    """Whether the build could see the header, as its compiler says."""
    program = "#include <sys/sdt.h>\n"
    return subprocess.run(["cc", "-E", "-"], input=program, text=True, capture_output=True).returncode == 0


def documented():
    with open(os.path.join(SOURCE, "docs", "debugging.md"), encoding="utf-8") as f:
        return set(re.findall(r"^\| `celadon:(\w+)` \|", f.read(), re.M))


def built():
    """name -> set of numbers of arguments"""
    notes = subprocess.run(["readelf", "-n", "-W", os.path.join(BUILD, "libceladon.so")], text=True,
                           capture_output=True, check=True).stdout
    found = {}
    for name, arguments in re.findall(r"Provider: celadon\s+Name: (\w+)\s+.*?Arguments:([^\n]*)", notes, re.S):
        found.setdefault(name, set()).add(len(re.findall(r"-?\d@\S", arguments)))
    return found


def main():
    if shutil.which("readelf") is None or not has_header():
        print("1..0 # SKIP needs readelf, and sys/sdt.h at the build")
        return
    found, listed = built(), documented()
    checks = [("probes are those of the document", set(found) == listed, (set(found) ^ listed)),
              ("probes have two arguments each", all(n == {2} for n in found.values()), found)]
    print("1..%d" % len(checks))
    for i, (name, is_ok, why) in enumerate(checks, 1):
        print("%s %d - %s" % ("ok" if is_ok else "not ok", i, name))
        if not is_ok:
            print("# %s" % (why,))


main()
