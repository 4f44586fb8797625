# SPDX-License-Identifier: MIT
"""The plaintext server on aiohttp: http_aiohttp.py PORT asyncio|uvloop."""
import sys

from aiohttp import web


async def hello(request):
    return web.Response(text="Hello, World!")


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop

        uvloop.install()
    app = web.Application()
    app.add_routes([web.get("/", hello)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
