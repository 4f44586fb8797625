# SPDX-License-Identifier: MIT
"""asyncio's tasks: micro_asyncio.py yield|spawn|tasks N [TASKS] [asyncio|uvloop]."""
import asyncio
import json
import re
import sys
import time

clock = time.process_time_ns


def rss_bytes():
    with open("/proc/self/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024


async def yielder(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def nothing():
    pass


async def measure_yield(n, tasks):
    began = clock()
    await asyncio.gather(*(yielder(n // tasks) for _ in range(tasks)))
    return {"yield": (clock() - began) / n}


async def measure_spawn(n, alive):
    began = clock()
    for _ in range(n):
        await asyncio.create_task(nothing())
    one = (clock() - began) / n
    began = clock()
    await asyncio.gather(*(nothing() for _ in range(alive)))
    return {"one": one, "many": (clock() - began) / alive}


async def measure_tasks(n, _):
    bell, leave, woken = asyncio.Event(), asyncio.Event(), 0

    async def await_bell():
        nonlocal woken
        await bell.wait()
        woken += 1
        await leave.wait()

    before, began = rss_bytes(), clock()
    everyone = [asyncio.create_task(await_bell()) for _ in range(n)]
    await asyncio.sleep(0)
    spawn, parked, began = (clock() - began) / n, rss_bytes(), clock()
    bell.set()
    while woken < n:
        await asyncio.sleep(0)
    wake, began = (clock() - began) / n, clock()
    leave.set()
    for task in everyone:
        await task
    end = (clock() - began) / n
    return {"spawn": spawn, "bytes": (parked - before) / n, "wake": wake, "end": end}


if __name__ == "__main__":
    mode, n, tasks, loop = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if loop == "uvloop":
        import uvloop

        uvloop.install()
    measures = {"yield": measure_yield, "spawn": measure_spawn, "tasks": measure_tasks}
    print(json.dumps(asyncio.run(measures[mode](n, tasks))))
