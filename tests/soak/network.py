# SPDX-License-Identifier: MIT
"""A network and a machine that misbehave, one way after the other (L5)."""
import json
import os
import signal
import struct
import sys
import tempfile
import time

from places import (Missing, Weather, all_of, has_own_clocks, in_network_of, own_clocks,
                    own_network, own_resolv_conf)
from stage import ROOT, await_that, failures, ok_count

RATE = 200  # exchanges a second
SECONDS = {'quick': 1, 'usual': 4, 'full': 600}         # of each fault
PARTITIONS = {'quick': (1,), 'usual': (1, 10, 60), 'full': (1, 2, 5, 10, 30, 60)}
STOPPED = {'quick': 1, 'usual': 10, 'full': 10}
DAYS = 100  # that the server's monotonic clock is ahead of its clients'
RECOVERY = 5


class Pace:
    """A client that makes so many exchanges a second, and tells what becomes of them."""

    def __init__(self, run, address, **how):
        self.program = run.start('pacer', address, RATE, **how)
        self.start = self.program.json()['start']
        self.windows = {}
        self.usual = None

    def hear(self, seconds):
        """Lets time pass, and takes in what is told meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            line = self.program.line_or_none(left)
            if line is not None:
                number, begun, ok, failed = map(int, line.split())
                self.windows[number] = (begun, ok, failed)

    def second_from(self, number):
        return [self.windows.get(n, (0, 0, 0)) for n in range(number, number + 10)]

    def calm(self, seconds):
        """What is usual, when nothing is wrong."""
        first = int((time.monotonic() - self.start) * 10) + 2
        wanted = range(first, first + 10 * seconds)
        while max(self.windows, default=0) < wanted[-1]:
            self.hear(0.1)
        self.usual = sum(self.windows.get(n, (0, 0, 0))[1] for n in wanted) / seconds

    def recovers(self):
        """Seconds from now until the beginning of the first second with 95 % of what is usual."""
        first = int((time.monotonic() - self.start) * 10) + 1
        number = first
        while number < first + 10 * 4 * RECOVERY:
            if max(self.windows) > number + 10:
                if sum(ok for _, ok, _ in self.second_from(number)) >= 0.95 * self.usual:
                    break
                number += 1
            else:
                self.hear(0.1)
        return (number - first + 1) / 10

    def counts(self):
        """The sums, at its end."""
        self.program.process.stdin.close()
        while not (line := self.program.line(30)).startswith('{'):
            pass
        return json.loads(line)


class Chaos:
    """A server, a bad relay in front of it, and who asks them, in a network of their own."""

    def __init__(self, run):
        self.run, self.unit = run, SECONDS[run.args.scale]
        self.folder = tempfile.TemporaryDirectory()
        run.cleanups.append(self.folder.cleanup)
        self.weather = self.clocks = None
        where = lambda: None
        if os.geteuid() == 0:
            where = own_network()
        self.skew = os.path.join(self.folder.name, 'skew')
        self.set_skew(0)
        env = {'LD_PRELOAD': os.path.join(run.args.build, 'tests/soak/soak_skew.so'),
               'SOAK_SKEW': self.skew}
        self.server = self.start_server(where, env)
        target = self.server.line()
        near = in_network_of(self.server) if os.geteuid() == 0 else where
        self.proxy = run.start('proxy', target, run.args.seed, prepare=near, env=env)
        self.address = self.proxy.line()
        self.near, self.env = near, env
        if os.geteuid() == 0:
            self.weather = Weather(self.server)
        self.pace = Pace(run, self.address, prepare=near, env=env)
        self.worst, self.harmed = 0, 0

    def start_server(self, where, env):
        """With clocks of its own where that can be had."""
        if os.geteuid() == 0:
            try:
                server = self.run.start('server', 'echo', '127.0.0.1:0', 'alive', env=env,
                                        prepare=all_of(own_clocks(DAYS), where))
                self.clocks = has_own_clocks(server)
                return server
            except OSError:
                pass
        return self.run.start('server', 'echo', '127.0.0.1:0', 'alive', prepare=where,
                              env=env)

    def set_skew(self, seconds):
        mode = 'r+b' if os.path.exists(self.skew) else 'wb'
        with open(self.skew, mode) as f:
            f.write(struct.pack('=q', seconds))

    def fault(self, name, begin, end, seconds=None):
        """Something goes wrong for a while; then it is measured how long it is felt."""
        try:
            first = max(self.pace.windows)
            begin()
        except Missing as e:
            self.run.cannot(name, e)
            return
        self.pace.hear(self.unit if seconds is None else seconds)
        end()
        took = self.pace.recovers()
        failed = sum(f for n, (_, _, f) in self.pace.windows.items() if n >= first)
        self.harmed += failed
        self.run.tell(f'{name}: exchanges that failed', failed, '')
        self.run.at_most(f'{name}: until 95 % of the usual rate', took, RECOVERY, 's')

    def packets(self, name, begin, seconds=None):
        if self.weather is None or not self.weather.has_nft:
            self.run.cannot(name, 'takes root and nft')
            return
        self.fault(name, begin, self.weather.clear, seconds)

    def words(self, name, word):
        self.fault(name, lambda: self.proxy.tell(word), lambda: self.proxy.tell('heal'))

    def judge(self, counts):
        run = self.run
        begun, ended = counts['begun'], counts['ended']
        run.tell('exchanges begun', begun, '', '> 0', begun > 0)
        run.exactly('exchanges without exactly one outcome',
                    begun - sum(ended.values()) + counts['under_way'], 0)
        run.exactly('answers with wrong bytes', ended['wrong'], 0)
        run.exactly('outcomes of no known kind', ended['other'], 0)
        for kind in ('ok', 'refused', 'reset', 'ended', 'timed_out', 'unresolved'):
            run.tell(f'exchanges: {kind}', ended[kind], '')
        run.tell('over a connection that was used before', counts['over_kept'], '', '> 0',
                 counts['over_kept'] > 0)


def faults_of_the_network(c):
    weather = c.weather
    for percent in (1, 5, 10):
        c.packets(f'{percent} % of packets lost', lambda p=percent: weather.lose(p))
    c.packets('1 % of packets answered by a reset', lambda: weather.reset(1))
    c.words('1 % of pieces reset their connection', 'resets')
    c.words('late, sliced, cut and half closed', 'hurt')
    if weather is None or not weather.has_tc:
        c.run.cannot('1 Mbit/s', 'takes root and tc with its token bucket')
    else:
        c.fault('1 Mbit/s', weather.slow, weather.fast)
    for seconds in PARTITIONS[c.run.args.scale]:
        if weather is not None and weather.has_nft:
            c.packets(f'partition of {seconds} s', weather.part, seconds)
        else:
            c.run.cannot(f'partition of {seconds} s by packets', 'the relay swallows instead')
            c.fault(f'nothing is carried for {seconds} s', lambda: c.proxy.tell('hole'),
                    lambda: c.proxy.tell('heal'), seconds)


def faults_of_the_machine(c):
    c.fault('the server stopped', lambda: c.server.process.send_signal(signal.SIGSTOP),
            lambda: c.server.process.send_signal(signal.SIGCONT), STOPPED[c.run.args.scale])
    for name, by in (('a day on', 86400), ('a day back', -86400)):
        c.fault(f'wall clocks jump {name}', lambda b=by: c.set_skew(b), lambda: c.set_skew(0))
    if c.clocks:
        c.run.tell("days between the server's monotonic clock and the others'", DAYS, '')
    else:
        c.run.cannot('monotonic clocks that differ', 'takes root and time namespaces')


def faults_of_names(c):
    """The same by name, and who tells the address comes and goes."""
    if os.geteuid() != 0:
        c.run.cannot('names that flap', 'takes root')
        return None
    conf = os.path.join(c.folder.name, 'resolv.conf')
    with open(conf, 'w') as f:
        f.write('nameserver 127.0.0.1\n')
    names = c.run.start_any([sys.executable, os.path.join(ROOT, 'tests/soak/flaky_names.py')],
                            prepare=c.near)
    names.line()
    port = c.address.rpartition(':')[2]
    c.pace = Pace(c.run, f'server.test:{port}', prepare=all_of(own_resolv_conf(conf), c.near),
                  env=c.env)
    c.pace.calm(2)
    c.fault('names flap', lambda: names.tell('flap'), lambda: names.tell('heal'))
    return c.pace


def chaos(run):
    """L5: every exchange ends in exactly one way, whatever happens, and soon after each fault as
    many succeed as before."""
    if run.args.scale != 'full':
        run.cannot(f'two hours of it ({SECONDS[run.args.scale]} s of most faults)',
                   f'scale {run.args.scale}')
    c = Chaos(run)
    c.pace.calm(3)
    run.tell('exchanges a second, in calm', c.pace.usual, '1/s')
    run.at_least('of those that are tried', c.pace.usual / RATE, 0.95, 'x')
    faults_of_the_network(c)
    faults_of_the_machine(c)
    counts = c.pace.counts()
    named = faults_of_names(c)
    if named is not None:
        more = named.counts()
        run.tell('names: exchanges begun, unresolved',
                 f"{more['begun']}, {more['ended']['unresolved']}", '')
        run.exactly('names: without exactly one outcome',
                    more['begun'] - sum(more['ended'].values()), 0)
        run.exactly('names: wrong, or of no known kind',
                    more['ended']['wrong'] + more['ended']['other'], 0)
    c.judge(counts)
    run.tell('harm was met', failures(counts), '', '> 0', failures(counts) > 0)
    run.tell('succeeded', ok_count(counts), '', '> 0', ok_count(counts) > 0)
    c.proxy.process.stdin.close()
    # whose last word was lost in a partition: the server finds out, by asking
    took = await_that(lambda: c.server.fds() < 20, 30, 'the server has closed what was spoiled')
    run.at_most('until half-open connections are gone', took, 15, 's')
