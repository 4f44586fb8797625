# SPDX-License-Identifier: MIT
"""The scrape at Python's best: aiohttp on uvloop, lxml, selectors compiled once.

scrape_lxml.py PORT PAGES COUNT CONNECTIONS
"""
import asyncio
import sys

import aiohttp
import lxml.html
import report
import uvloop
from lxml.cssselect import CSSSelector

TITLE = CSSSelector(".post-title")
CONTENT = CSSSelector(".post-content > p")
AUTHOR = CSSSelector(".author-name")
DATE = CSSSelector(".post-date")
PARSER = lxml.html.HTMLParser(encoding="utf-8")


def extract(page):
    tree = lxml.html.document_fromstring(page, parser=PARSER)
    return {
        "title": TITLE(tree)[0].text_content().strip(),
        "content": "\n".join(p.text_content().strip() for p in CONTENT(tree)),
        "author": AUTHOR(tree)[0].text_content().strip(),
        "date": DATE(tree)[0].get("datetime"),
    }


async def work(session, todo, items):
    for url in todo:
        async with session.get(url) as response:
            assert response.status == 200
            items.append(extract(await response.read()))


async def main(urls, conns):
    todo, items = iter(urls), []
    connector = aiohttp.TCPConnector(limit=conns)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session, todo, items) for _ in range(conns)))
    return items


if __name__ == "__main__":
    port, pages, total, conns = (int(a) for a in sys.argv[1:5])
    urls = [f"http://127.0.0.1:{port}/pages/{i % pages:04d}.html" for i in range(total)]
    uvloop.install()
    span = report.start()
    items = asyncio.run(main(urls, conns))
    keys = ("title", "content", "author", "date")
    sums = {k: sum(len(i[k].encode()) for i in items) for k in keys}
    report.finish(span, done=len(items), **sums)
