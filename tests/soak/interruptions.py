# SPDX-License-Identifier: MIT
"""A storm of signals, and children that end in it (the failure model's line on signals)."""
import time

from stage import failures, ok_count

RATE = 100000  # signals a second
SECONDS = {'quick': 3, 'usual': 30, 'full': 30}
CHILDREN = {'quick': 300, 'usual': 10000, 'full': 10000}


def rate(run, address, seconds):
    counts = run.start('client', 'load', f'http://{address}/', seconds).json()
    return ok_count(counts) / counts['seconds'], failures(counts)


def signals(run):
    """100,000 SIGUSR1 a second for 30 s to a server that watches for it: at least half of the
    throughput is left, no request fails, and the end of each of 10,000 children is told."""
    seconds, children = SECONDS[run.args.scale], CHILDREN[run.args.scale]
    part = max(1, seconds // 6)
    server = run.start('server', 'http', '127.0.0.1:0')
    address = server.line()
    server.tell('children 1')  # it watches from now on
    server.json()
    calm, bad = rate(run, address, part)
    sender = run.start('sender', server.pid, RATE)
    begin = time.monotonic()
    stormy, more = rate(run, address, part)
    server.tell(f'children {children}')
    ends = server.json(300)
    time.sleep(max(0, begin + seconds + 0.5 - time.monotonic()))
    sender.process.terminate()
    sent = sender.json()
    run.at_least('signals a second', sent['sent'] / sent['seconds'], 0.99 * RATE, '1/s')
    run.at_least('for so long', sent['seconds'], seconds, 's')
    run.tell('signals told (they coalesce)', ends['told'], '', '> 0', ends['told'] > 0)
    run.tell('requests a second, in calm', calm, '1/s')
    run.at_least('requests a second in the storm, against calm', stormy / calm, 0.5, 'x')
    run.exactly('requests that failed', bad + more, 0)
    run.exactly('ends of children that were told', ends['ended'], children)
    run.exactly('and were the right ones', ends['right'], children)
    run.tell('children a second', children / ends['seconds'], '1/s')
    again, bad = rate(run, address, 1)
    run.exactly('requests that failed afterwards', bad, 0)
    run.tell('requests a second, afterwards', again, '1/s')
