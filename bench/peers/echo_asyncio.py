# SPDX-License-Identifier: MIT
"""Echo on asyncio: echo_asyncio.py PORT streams|protocol asyncio|uvloop."""
import asyncio
import sys


async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main(port, style):
    if style == "streams":
        server = await asyncio.start_server(echo, "127.0.0.1", port, backlog=4096)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[3] == "uvloop":
        import uvloop

        uvloop.install()
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
