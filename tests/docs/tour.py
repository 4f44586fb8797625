#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/tour.md names every source file of the library, and no file that is not there. Prints TAP."""
import os
import re

ROOT = os.environ.get("CELADON_SOURCE", os.path.join(os.path.dirname(__file__), "../.."))
with open(os.path.join(ROOT, "docs/tour.md")) as f:
    named = {os.path.basename(n) for n in re.findall(r"`([\w/.*-]+\.[chS])`", f.read())}
present, sources = set(), set()
for folder, _, files in os.walk(ROOT):
    if any(part.startswith(("build", ".git")) for part in os.path.relpath(folder, ROOT).split(os.sep)):
        continue
    present |= set(files)
    if os.path.relpath(folder, ROOT).startswith("src" + os.sep):
        sources |= {f for f in files if f.endswith(".c")}
missing = sorted(sources - named)
stale = sorted(n for n in named if n not in present and "*" not in n)
print("1..2")
print("%s 1 - tour_names_every_source %s" % ("not ok" if missing else "ok", " ".join(missing)))
print("%s 2 - tour_names_no_lost_file %s" % ("not ok" if stale else "ok", " ".join(stale)))
raise SystemExit(bool(missing or stale))
