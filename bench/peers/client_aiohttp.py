# SPDX-License-Identifier: MIT
"""HTTP client on aiohttp: client_aiohttp.py PORT PATH COUNT CONNECTIONS asyncio|uvloop."""
import asyncio
import sys

import aiohttp
import report


async def work(session, url, todo, seen):
    for _ in todo:
        async with session.get(url) as response:
            assert response.status == 200
            seen.append(len(await response.read()))


async def main(url, total, conns):
    todo, seen = iter(range(total)), []
    connector = aiohttp.TCPConnector(limit=conns)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session, url, todo, seen) for _ in range(conns)))
    return {"done": len(seen), "bytes": sum(seen)}


if __name__ == "__main__":
    port, path, total, conns, loop = sys.argv[1:6]
    if loop == "uvloop":
        import uvloop

        uvloop.install()
    span = report.start()
    result = asyncio.run(main(f"http://127.0.0.1:{port}{path}", int(total), int(conns)))
    report.finish(span, **result)
