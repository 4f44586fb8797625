# SPDX-License-Identifier: MIT
"""Pages to Python's trees: html_python.py lxml|bs4-lxml|bs4-html.parser MILLISECONDS FILE..."""
import json
import re
import statistics
import sys
import time


def parser_of(name):
    if name == "lxml":
        from lxml import html

        parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
        return lambda page: html.document_fromstring(page, parser=parser)
    from bs4 import BeautifulSoup

    return lambda page: BeautifulSoup(page, name.removeprefix("bs4-"), from_encoding="utf-8")


def status_kib(key):
    with open("/proc/self/status") as f:
        return int(re.search(key + r":\s+(\d+)", f.read()).group(1))


def passes(parse, pages, milliseconds):
    """CPU nanoseconds of each pass until so much time is used."""
    took = []
    while not took or sum(took) < milliseconds * 1_000_000:
        began = time.process_time_ns()
        for page in pages:
            parse(page)
        took.append(time.process_time_ns() - began)
    return took


if __name__ == "__main__":
    parse = parser_of(sys.argv[1])
    pages = []
    for path in sys.argv[3:]:
        with open(path, "rb") as f:
            pages.append(f.read())
    before = status_kib("VmRSS")
    for page in pages:
        parse(page)
    grown = status_kib("VmHWM") - before
    took = passes(parse, pages, int(sys.argv[2]))
    print(
        json.dumps(
            {
                "bytes": sum(map(len, pages)),
                "cpu_ns": statistics.median(took),
                "grown_kib": grown,
                "heap": -1,
                "kept": -1,
            }
        )
    )
