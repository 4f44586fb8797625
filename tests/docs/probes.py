# SPDX-License-Identifier: MIT
"""The static probes of the library are those that docs/debugging.md lists, each with two arguments
(TAP). Reads the library's notes; nothing is attached.

    probes.py SOURCE BUILD
"""
import os
import re
import shutil
import subprocess
import sys


def listed(source):
    with open(os.path.join(source, 'docs', 'debugging.md'), encoding='utf-8') as f:
        return set(re.findall(r'^\| `celadon:(\w+)` \|', f.read(), re.M))


def built(build):
    """-> name -> how many arguments its places have."""
    notes = subprocess.run(['readelf', '-nW', os.path.join(build, 'libceladon.so')], check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    probes = {}
    for name, arguments in re.findall(r'Provider: celadon\n\s*Name: (\w+)\n.*?Arguments: ([^\n]*)', notes, re.S):
        probes.setdefault(name, set()).add(len(arguments.split('@')) - 1)
    return probes


def main():
    source, build = sys.argv[1:3]
    probes = built(build) if shutil.which('readelf') else {}
    if not probes:
        print('1..0 # SKIP needs readelf, and sys/sdt.h when the library was built')
        return 77
    checks = [
        ('probes_are_those_that_the_page_lists', set(probes) == listed(source)),
        ('probes_have_two_arguments', all(counts == {2} for counts in probes.values())),
    ]
    print(f'1..{len(checks)}')
    for i, (name, good) in enumerate(checks, 1):
        print(f'{"ok" if good else "not ok"} {i} - {name}')
        if not good:
            print(f'#   {probes}')
    return 0 if all(good for _, good in checks) else 1


if __name__ == '__main__':
    sys.exit(main())
