# SPDX-License-Identifier: MIT
"""A server that ends, and one that takes its place, under load (L12)."""
import os
import signal
import tempfile
import time

from stage import Broken, await_that, failures, ok_count

RATE = 2000  # requests a second, at least


def drain(run):
    """L12: SIGTERM under load: whoever was let in is answered."""
    rounds = 2 if run.args.scale == 'quick' else 5
    bad = served = unseen = 0
    slowest = None
    for _ in range(rounds):
        server = run.start('server', 'http', '127.0.0.1:0')
        address = server.line()
        client = run.start('client', 'load', f'http://{address}/', 2)
        time.sleep(1)
        server.process.send_signal(signal.SIGTERM)
        stats = server.json()
        counts = client.json()
        # after the door is shut refusals are right; nothing else is
        bad += failures(counts) - counts['ended']['refused']
        served += ok_count(counts)
        unseen += abs(stats['requests'] - ok_count(counts))
        slowest = min(slowest or served, ok_count(counts))  # in about a second
    run.at_least('requests a second, when SIGTERM comes', slowest, RATE, '1/s')
    run.exactly('answers sent and not seen', unseen, 0)
    run.exactly('accepted requests that failed', bad, 0)
    run.tell('accepted requests', served, '', '> 0', served > 0)


def hand_over(run):
    """L12: restarts with the door handed on: nobody notices."""
    rounds = 5 if run.args.scale == 'quick' else 100
    with tempfile.TemporaryDirectory() as folder:
        door = os.path.join(folder, 'door')
        old = run.start('server', 'http', '127.0.0.1:0', door)
        address = old.line()
        client = run.start('client', 'load', f'http://{address}/', 600)
        time.sleep(0.2)
        for _ in range(rounds):
            await_that(lambda: os.path.exists(door), 5, 'the socket for the successor')
            new = run.start('server', 'http', address, door)
            new.line()
            old.json()
            if old.process.wait(15) != 0:
                raise Broken('the old server: ' + old.last_words())
            old = new
            time.sleep(0.05)
        client.process.stdin.close()  # enough
        counts = client.json()
        run.exactly('refused', counts['ended']['refused'], 0)
        run.exactly('failed', failures(counts), 0)
        run.at_least('requests a second', ok_count(counts) / counts['seconds'], RATE, '1/s')
        run.tell(f'requests over {rounds} restarts', ok_count(counts), '', '> 0',
                 ok_count(counts) > 0)
